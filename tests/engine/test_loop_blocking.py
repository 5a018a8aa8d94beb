"""Something that does not answer keeps nobody waiting but its own jobs."""

import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest

from localproc import Engine, hookimpl
from localproc.executors.local import LocalExecutor
from localproc.plugins.executor import Executor, ExecutorPlugin, ExecutorSettings
from tests.patience import patient, until


class Silent:
    """An executor that cannot be opened, or closed, until it is let."""

    def __init__(self) -> None:
        self.asked, self.answers = threading.Event(), threading.Event()

    @hookimpl
    def localproc_executors(self) -> Iterable[ExecutorPlugin]:
        return [ExecutorPlugin("silent", self.open)]

    def open(self, settings: ExecutorSettings) -> Executor:
        self.asked.set()
        self.answers.wait()
        return LocalExecutor(settings)


@pytest.fixture
def silent() -> Iterator[Silent]:
    silent = Silent()
    yield silent
    silent.answers.set()


@pytest.fixture
def engine(tmp_path: Path, silent: Silent) -> Iterator[Engine]:
    engine = Engine(tmp_path / "home", plugins=[silent])
    yield engine
    silent.answers.set()
    engine.close()


CAT = {
    "cwlVersion": "v1.2",
    "class": "CommandLineTool",
    "id": "cat",
    "baseCommand": "cat",
    "inputs": {"file": {"type": "File", "inputBinding": {}}},
    "outputs": {},
}
HELLO: Mapping[str, str] = {"message": "hello"}


def test_an_executor_that_does_not_open_keeps_its_own_jobs_waiting(
    engine: Engine, silent: Silent, packages: Path
) -> None:
    process = engine.deploy(packages / "echo.cwl")
    waiting = [process.execute(HELLO, executor="silent") for _ in range(2)]
    silent.asked.wait()
    other = process.execute(HELLO).wait(patient(60))
    assert other.status == "successful"
    assert [job.status for job in waiting] == ["accepted"] * 2
    silent.answers.set()
    assert [job.wait(patient(60)).status for job in waiting] == ["successful"] * 2


def test_a_job_that_waits_for_its_executor_can_be_dismissed(
    engine: Engine, silent: Silent, packages: Path
) -> None:
    job = engine.deploy(packages / "echo.cwl").execute(HELLO, executor="silent")
    silent.asked.wait()
    assert job.dismiss(wait=False).wait(patient(60)).status == "dismissed"


def test_an_executor_that_cannot_be_opened_fails_its_job(tmp_path: Path, packages: Path) -> None:
    class Broken(Silent):
        def open(self, settings: ExecutorSettings) -> Executor:
            raise ValueError("no such machine")

    with Engine(tmp_path / "home", plugins=[Broken()]) as engine:
        process = engine.deploy(packages / "echo.cwl")
        for _ in range(2):
            job = process.execute(HELLO, executor="silent").wait(patient(60))
            assert job.status == "failed"
            assert "no such machine" in job.message


def test_a_job_whose_staging_gets_no_thread_can_be_dismissed(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "a.txt"
    file.write_text("x")
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name.startswith("localproc-staging"):
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    job = engine.deploy(CAT).execute({"file": str(file)})
    until(lambda: job.steps)
    assert job.dismiss(wait=False).wait(patient(60)).status == "dismissed"
    waiting = engine.process("cat").execute({"file": str(file)})
    until(lambda: waiting.steps)
    monkeypatch.undo()
    assert waiting.wait(patient(60)).status == "successful", (
        "it goes on when there are threads again"
    )
