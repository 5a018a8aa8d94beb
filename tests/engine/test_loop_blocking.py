"""Something that does not answer keeps nobody waiting but its own jobs."""

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from localproc import Engine, hookimpl
from localproc.executors.local import LocalExecutor
from localproc.model import Report, Task, TaskState
from localproc.plugins.backend import Capabilities
from localproc.plugins.executor import Executor, ExecutorPlugin, ExecutorSettings
from localproc.plugins.storage import Description, Info, Put, StoragePlugin, Watch, unwatched
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


class Controller:
    """A backend of which one verb does not answer until it is let; what it runs has ended."""

    capabilities = Capabilities()
    most = 10
    pace = 0.01

    def __init__(self, verb: str) -> None:
        self._verb = verb
        self.asked, self.answers = threading.Event(), threading.Event()

    @hookimpl
    def localproc_executors(self) -> Iterable[ExecutorPlugin]:
        return [ExecutorPlugin("controller", lambda _: self)]

    def _wait(self, verb: str) -> None:
        if verb == self._verb:
            self.asked.set()
            self.answers.wait()

    def check(self, tasks: Sequence[Task]) -> Mapping[str, str]:
        return {}

    def submit(self, tasks: Sequence[Task]) -> Mapping[str, str]:
        self._wait("submit")
        for task in tasks:
            Path(task.stdout).write_text("hello\n")
        return {task.key: task.key for task in tasks}

    def look(self, handles: Mapping[str, str]) -> Mapping[str, Report]:
        self._wait("look")
        return {key: Report(key, TaskState.ENDED, 0) for key in handles}

    def stop(self, handles: Mapping[str, str], grace: float) -> None:
        pass

    def find(self, tasks: Sequence[Task]) -> Mapping[str, str]:
        return {}

    def forget(self, handles: Mapping[str, str]) -> None:
        pass

    def watch(self, seconds: float) -> None:
        return None

    def tidy(self) -> None:
        pass

    def close(self) -> None:
        pass


class Slow:
    """A storage whose downloads begin, and end when they may or are not wanted any more."""

    def __init__(self) -> None:
        self.begun, self.may_end = threading.Semaphore(0), threading.Event()

    @hookimpl
    def localproc_storages(self) -> Iterable[StoragePlugin]:
        return [StoragePlugin("slow", lambda _: self, writable=False)]

    def info(self, uri: str) -> Info | None:
        return Info(uri, 1)

    def fetch(
        self,
        uri: str,
        path: str,
        *,
        most: int | None = None,
        watch: Watch = unwatched,
        resume: str = "",
    ) -> Info:
        self.begun.release()
        while not self.may_end.wait(0.01):
            watch(0)
        Path(path).write_text("x")
        return Info(uri, 1)

    def put(self, what: Put, watch: Watch = unwatched) -> Info:
        raise NotImplementedError

    def list(self, prefix: str) -> Iterator[Info]:
        return iter(())

    def delete(self, uris: Iterable[str]) -> None:
        raise NotImplementedError

    def check(self, prefix: str) -> None:
        raise NotImplementedError

    def presign(self, uri: str, seconds: int) -> str | None:
        return None

    def sweep(self, prefix: str) -> None:
        pass

    def describe(self, uri: str) -> Description:
        return Description()

    def close(self) -> None:
        pass


@pytest.fixture
def slow() -> Iterator[Slow]:
    slow = Slow()
    yield slow
    slow.may_end.set()


@pytest.fixture
def silent() -> Iterator[Silent]:
    silent = Silent()
    yield silent
    silent.answers.set()


@pytest.fixture
def engine(tmp_path: Path, silent: Silent, slow: Slow) -> Iterator[Engine]:
    engine = Engine(tmp_path / "home", plugins=[silent, slow])
    yield engine
    slow.may_end.set()
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


def test_slow_downloads_keep_no_other_job_waiting(
    engine: Engine, slow: Slow, tmp_path: Path
) -> None:
    file = tmp_path / "a.txt"
    file.write_text("x")
    process = engine.deploy(CAT)
    jobs = [process.execute({"file": f"slow://host/{number}"}) for number in range(8)]
    for _ in jobs:
        slow.begun.acquire()
    assert engine.run(process, {"file": str(file)}).status == "successful"
    assert [job.status for job in jobs] == ["running"] * 8
    assert jobs[0].dismiss().status == "dismissed"
    slow.may_end.set()
    assert {job.wait(patient(60)).status for job in jobs[1:]} == {"successful"}


@pytest.mark.parametrize("verb", ["submit", "look"])
def test_a_controller_that_does_not_answer_keeps_its_own_jobs_waiting(
    tmp_path: Path, packages: Path, verb: str
) -> None:
    controller = Controller(verb)
    engine = Engine(tmp_path / "home", plugins=[controller])
    try:
        process = engine.deploy(packages / "echo.cwl")
        waiting = process.execute(HELLO, executor="controller")
        assert controller.asked.wait(patient(60))
        assert process.execute(HELLO).wait(patient(60)).status == "successful"
        assert waiting.status == "running"
        controller.answers.set()
        assert waiting.wait(patient(60)).status == "successful"
    finally:
        controller.answers.set()
        engine.close()


def test_a_job_whose_large_output_is_read_can_be_dismissed(engine: Engine, tmp_path: Path) -> None:
    tool = {
        **CAT,
        "id": "large",
        "baseCommand": ["truncate", "--size", "1T", "big"],
        "inputs": {},
        "outputs": {"big": {"type": "File", "outputBinding": {"glob": "big"}}},
    }
    job = engine.deploy(tool).execute()

    def has_ended() -> bool:
        journals = (tmp_path / "home" / "keepers").glob("*/journal")
        return any('"ended"' in journal.read_text() for journal in journals)

    until(has_ended)
    job.dismiss()
    assert job.wait(patient(10)).status == "dismissed"
    assert {step.status for step in job.steps if step.name == "large"} == {"dismissed"}
