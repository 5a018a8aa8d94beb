"""The pytest plugin: an engine in every test that wants one.

::

    def test_ndvi(localproc_engine):
        job = localproc_engine.run("ndvi.cwl", {"red": "b04.tif", "nir": "b08.tif"})
        assert job.status == "successful"

Owns the fixtures, and the story of jobs that failed in the report of a test that failed. Must cost
nothing in tests that do not use it.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from localproc.api import Engine

_ENGINES = pytest.StashKey["list[Engine]"]()


@pytest.fixture
def localproc_home(tmp_path: Path) -> Path:
    """Give the folder that the test's engine keeps its jobs in."""
    return tmp_path / ".localproc"


@pytest.fixture
def localproc_engine(localproc_home: Path, request: pytest.FixtureRequest) -> Iterator["Engine"]:
    """Give an engine with a home of its own. What still runs at the end of the test is stopped."""
    from localproc.api import Engine
    from localproc.engine.engine import jobs_everywhere, namespace_of
    from localproc.model import JobStatus

    engine = Engine(localproc_home)
    request.node.stash.setdefault(_ENGINES, []).append(engine)
    yield engine
    space = namespace_of(engine)
    if space.has_open_jobs():
        for job in jobs_everywhere(space, JobStatus.ACCEPTED, JobStatus.RUNNING):
            job.dismiss()
    engine.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> Any:
    """Tell, under a test that failed, why its jobs did."""
    report = yield
    if call.when == "call" and report.failed:
        for engine in item.stash.get(_ENGINES, []):
            for story in _stories(engine):
                report.sections.append(("localproc job", story))
    return report


def _stories(engine: "Engine") -> list[str]:
    from localproc.engine.engine import jobs_everywhere, namespace_of
    from localproc.errors import JobFailed
    from localproc.model import JobStatus

    failed = jobs_everywhere(namespace_of(engine), JobStatus.FAILED, limit=10)
    return [f"{job.process_id} ({job.id})\n{JobFailed.from_problem(job.problem)}" for job in failed]
