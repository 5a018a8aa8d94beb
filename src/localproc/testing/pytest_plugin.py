"""The pytest plugin: an engine in every test that wants one.

::

    def test_ndvi(localproc_engine):
        job = localproc_engine.run("ndvi.cwl", {"red": "b04.tif", "nir": "b08.tif"})
        assert job.status == "successful"

Owns the fixtures, collecting files of tests as cwltest has them, and what is told of their jobs in
the report of a test that failed. Must cost nothing in tests that do not use it.
"""

import os
import pkgutil
from collections.abc import Callable, Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from localproc import testing

if TYPE_CHECKING:
    from localproc.api import Engine
    from localproc.engine.handles import Job

#: Names of files that are such tests wherever they lie.
_CWLTESTS: Final = ("*.cwltest.yml", "*.cwltest.yaml")
_MOST: Final = 10  #: jobs that are told of
_YES_OR_NO: Final = {
    **dict.fromkeys(("1", "true", "yes", "on"), True),
    **dict.fromkeys(("0", "false", "no", "off"), False),
}
#: Settings of engines that ini options may give, and how they are read.
_SETTINGS: Final[dict[str, Callable[[str], Any]]] = {
    "executor": str,
    "slots": int,
    "reuse": lambda text: _YES_OR_NO[text.lower()],
}
#: What the names of modules begin with whose assertions are explained when they fail.
_CONTRACTS: Final = ("executor", "storage", "store")
_ENGINES = pytest.StashKey["list[Engine]"]()


@pytest.fixture
def localproc_home(tmp_path: Path) -> Path:
    """Return the folder that the test's engine keeps its jobs in."""
    return tmp_path / ".localproc"


@pytest.fixture
def localproc_engine(localproc_home: Path, request: pytest.FixtureRequest) -> Iterator["Engine"]:
    """Return an engine with a home of its own; what still runs when the test ends is stopped."""
    from localproc.engine.engine import namespace_of
    from localproc.engine.job_lists import jobs_everywhere
    from localproc.errors import LocalprocError
    from localproc.model import JobStatus

    try:
        engine = _engine_of(request, localproc_home)
    except LocalprocError as error:  # of the marker or the configuration: they say all
        raise pytest.fail.Exception(str(error), pytrace=False) from None
    request.node.stash.setdefault(_ENGINES, []).append(engine)
    yield engine
    space = namespace_of(engine)
    if space.has_open_jobs():
        for job in jobs_everywhere(space, JobStatus.ACCEPTED, JobStatus.RUNNING):
            job.dismiss()
    engine.close()


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """See to rewriting before a conftest.py imports an engine."""
    _rewrite_contracts_alone(early_config)


def pytest_configure(config: pytest.Config) -> None:
    """See to rewriting, where another plugin has brought this one, and tell of the marker."""
    _rewrite_contracts_alone(config)
    said = "localproc(**settings): settings of the test's engine, as slots=1, reuse=True"
    config.addinivalue_line("markers", said)


def _rewrite_contracts_alone(config: pytest.Config) -> None:
    """Have pytest rewrite the assertions of the contract suites, and of nothing else here.

    It would parse every module of a distribution that has a plugin when that is imported; an engine
    imports some in its own threads, and Python 3.11 fails now and then where two of them parse at a
    time ("AST constructor recursion depth mismatch").
    """
    hook = getattr(config.pluginmanager, "rewrite_hook", None)
    getattr(hook, "_must_rewrite", set()).discard("localproc")
    there = (one.name for one in pkgutil.iter_modules(testing.__path__, f"{testing.__name__}."))
    pytest.register_assert_rewrite(
        *(name for name in there if name.rpartition(".")[2].startswith(_CONTRACTS))
    )


def _engine_of(request: pytest.FixtureRequest, home: Path) -> "Engine":
    """Return an engine as ini options and the test's marker set it up.

    Packages that are named by a relative path are also looked for beside the test.
    """
    from localproc.api import Engine
    from localproc.errors import InvalidInputs

    settings = _configured(request.config)
    for marker in reversed(list(request.node.iter_markers("localproc"))):
        if marker.args:
            said = f"{marker.args[0]!r} is no setting"
            raise InvalidInputs(f"@pytest.mark.localproc: {said}", hint="write it as slots=1")
        settings |= marker.kwargs
    engine = Engine(home, **settings)
    beside, deploy, read = request.path.parent, engine.deploy, engine.read
    vars(engine)["deploy"] = lambda package, **more: deploy(_found(package, beside), **more)
    vars(engine)["read"] = lambda package, **more: read(_found(package, beside), **more)
    return engine


def _configured(config: pytest.Config) -> dict[str, Any]:
    """Return the settings of pytest's configuration; raise ``InvalidInputs`` for others."""
    from localproc.errors import InvalidInputs

    found = {}
    for name, meant in _SETTINGS.items():
        text = str(config.getini(f"localproc_{name}")).strip()
        try:
            if text:
                found[name] = meant(text)
        except (ValueError, KeyError):
            said = f"localproc_{name} of pytest's configuration cannot be {text!r}"
            raise InvalidInputs(said) from None
    return found


def _found(package: object, beside: Path) -> object:
    """Return the path of a package beside the test, if it names one that is not found from here."""
    if not isinstance(package, (str, os.PathLike)) or "\n" in str(package):
        return package
    path, mark, fragment = os.fspath(package).partition("#")
    if path and "://" not in path and not os.path.exists(path) and (beside / path).exists():
        return f"{beside / path}{mark}{fragment}"
    return package


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what the engines of tests are set up with."""
    for name in _SETTINGS:
        parser.addini(f"localproc_{name}", f"{name} of the engines of tests", default="")
    parser.addini("localproc_cwltests", "files of tests as cwltest has them", "args", [])


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect YAML files of tests as cwltest has them, by their names."""
    patterns = (*_CWLTESTS, *parent.config.getini("localproc_cwltests"))
    if not any(fnmatch(file_path.name, one) for one in patterns):
        return None
    from localproc.testing.cwltests import CwlTests

    collector: pytest.Collector = CwlTests.from_parent(parent, path=file_path)
    return collector


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> Any:
    """Tell, under a test that failed, what became of its jobs."""
    engines = item.stash.get(_ENGINES, [])
    if engines and call.excinfo is not None:
        _shorten(call.excinfo.value)
    report = yield
    if call.when != "teardown" and report.failed:
        for engine in engines:
            report.sections += _sections(engine)
    return report


def _shorten(error: BaseException) -> None:
    """Cut what lies inside localproc off an error of its own, which says all by itself."""
    from localproc.errors import LocalprocError

    if not isinstance(error, (LocalprocError, TimeoutError)):  # one of these says that a job waits
        return
    error.__cause__, error.__suppress_context__ = None, True
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        if trace.tb_next.tb_frame.f_globals.get("__name__", "").startswith("localproc."):
            trace.tb_next = None
        trace = trace.tb_next


def _sections(engine: "Engine") -> list[tuple[str, str]]:
    """Return the story of each job that failed, and a line about each other one."""
    from localproc.engine.engine import namespace_of
    from localproc.engine.job_lists import jobs_everywhere
    from localproc.errors import JobFailed
    from localproc.model import JobStatus

    jobs = jobs_everywhere(namespace_of(engine), *JobStatus, limit=_MOST)
    failed = [job for job in jobs if job.status is JobStatus.FAILED]
    sections = [
        ("localproc job", f"{_line(job)}\n{JobFailed.from_problem(job.problem)}") for job in failed
    ]
    others = [_line(job) for job in jobs if job not in failed]
    return sections + ([("other localproc jobs", "\n".join(others))] if others else [])


def _line(job: "Job") -> str:
    """Return a line about a job: how far it is, or how it ended, and where its logs are."""
    steps = [f"{step.name} {step.status}" for step in job.steps if not step.status.final]
    doing = f", {', '.join(steps[:5])}" if steps else ""
    return f"{job.process_id} ({job.id}) {job.status}{doing}; logs: {job.logs_folder}"
