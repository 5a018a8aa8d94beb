"""The work of jobs that have ended goes when there is time for it, and before long."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from localproc import Engine
from localproc.engine.loop.background import Background
from localproc.engine.loop.job_context import JobContext
from localproc.engine.loop.removal import Removal
from tests.patience import until

ECHO = {
    "cwlVersion": "v1.2",
    "class": "CommandLineTool",
    "id": "echo",
    "baseCommand": "echo",
    "inputs": {"message": {"type": "string", "inputBinding": {}}},
    "stdout": "said.txt",
    "outputs": {"said": "stdout"},
}


class Jobs:
    """Jobs that end, by a clock that is set by hand; ``gone`` are those of each removal."""

    def __init__(self) -> None:
        self.now = 0.0
        self.gone: list[list[str]] = []
        self.removal = Removal(self._remove, lambda: self.now)

    def end(self, name: str) -> None:
        self.removal.add(cast(JobContext, name))

    def _remove(self, jobs: Sequence[JobContext]) -> None:
        self.gone.append([str(job) for job in jobs])


@pytest.fixture
def jobs() -> Jobs:
    return Jobs()


def test_what_has_ended_goes_together_when_nothing_else_is_to_be_done(jobs: Jobs) -> None:
    jobs.end("a")
    jobs.end("b")
    jobs.removal.see(at_ease=False)
    assert jobs.gone == []
    jobs.removal.see(at_ease=True)
    jobs.removal.see(at_ease=True)
    assert jobs.gone == [["a", "b"]]


def test_where_jobs_never_pause_it_goes_all_the_same(jobs: Jobs) -> None:
    for name, now in (("a", 0.0), ("b", 0.1), ("c", 0.2), ("d", 0.3), ("e", 0.4), ("f", 0.7)):
        jobs.now = now
        jobs.end(name)
        jobs.removal.see(at_ease=False)
    assert jobs.gone == [["a", "b", "c", "d"], ["e", "f"]]


def test_the_loop_waits_no_longer_than_until_there_is_time_for_it(jobs: Jobs) -> None:
    assert jobs.removal.patience(1.0) == 1.0
    jobs.end("a")
    assert jobs.removal.patience(1.0) < 0.1
    assert jobs.removal.patience(0.0) == 0.0
    jobs.removal.begin()
    assert jobs.removal.patience(1.0) == 1.0


def test_nothing_is_removed_where_nothing_has_ended(jobs: Jobs) -> None:
    jobs.removal.see(at_ease=True)
    jobs.removal.begin()
    assert jobs.gone == []


def test_the_folders_of_many_jobs_go_by_few_removals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: list[int] = []
    remove = Background.clean_up

    def counted(background: Background, jobs: Sequence[Any]) -> None:
        batches.append(len(jobs))
        remove(background, jobs)

    monkeypatch.setattr(Background, "clean_up", counted)
    with Engine(tmp_path / "home") as engine:
        process = engine.deploy(ECHO)
        many = [process.execute({"message": str(number)}) for number in range(40)]
        for job in many:
            job.wait().raise_for_status()
        until(lambda: sum(batches) == len(many))
        until(lambda: not list((tmp_path / "home/jobs").glob("*/work")))
    assert len(batches) < len(many)


def test_an_engine_that_leaves_removes_them_at_once(tmp_path: Path) -> None:
    with Engine(tmp_path / "home") as engine:
        engine.deploy(ECHO).execute({"message": "hello"}).wait().raise_for_status()
    assert not list((tmp_path / "home/jobs").glob("*/work"))
