"""An executor that cannot be asked for a while: no news, and never a failure."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from localproc import Engine, Job, hookimpl
from localproc.errors import ExecutorUnavailable
from localproc.executors.local import LocalExecutor
from localproc.model import Report, Task, TaskState
from localproc.plugins.executor import ExecutorPlugin, ExecutorSettings
from tests.patience import patient, until

SLOW = {
    "cwlVersion": "v1.2",
    "class": "CommandLineTool",
    "id": "slow",
    "baseCommand": ["sh", "-c", 'echo begun >&2; until [ -e "$0" ]; do sleep 0.05; done'],
    "inputs": [{"id": "go", "type": "string", "inputBinding": {}}],
    "stdout": "out.txt",
    "outputs": [{"id": "out", "type": "stdout"}],
}


class Away(LocalExecutor):
    """Runs tasks as the local one does, but does not answer the first calls of some kinds."""

    def __init__(self, settings: ExecutorSettings, silent: dict[str, int]) -> None:
        super().__init__(settings)
        self._silent = silent

    def _answer(self, call: str) -> None:
        if self._silent.get(call, 0) > 0:
            self._silent[call] -= 1
            raise ExecutorUnavailable("the scheduler does not answer")

    def submit(self, tasks: Sequence[Task], *, more: bool = False) -> None:
        self._answer("submit")
        super().submit(tasks, more=more)

    def poll(self) -> Sequence[Report]:
        self._answer("poll")
        return super().poll()

    def reattach(self, tasks: Sequence[Task]) -> None:
        self._answer("reattach")
        super().reattach(tasks)


class Plugin:
    """Offers it, as ``away``."""

    def __init__(self, **silent: int) -> None:
        self.silent = silent

    @hookimpl
    def localproc_executors(self) -> Iterable[ExecutorPlugin]:
        return [ExecutorPlugin("away", lambda settings: Away(settings, self.silent))]


@pytest.fixture
def open_engine(tmp_path: Path) -> Iterator[Callable[..., Engine]]:
    engines: list[Engine] = []

    def open_engine(**silent: int) -> Engine:
        engines.append(Engine(tmp_path / "home", plugins=[Plugin(**silent)], executor="away"))
        return engines[-1]

    yield open_engine
    for engine in engines:
        engine.close()


def attempts(job: Job) -> list[int]:
    return [step.attempt for step in job.steps if step.name == "slow"]


def test_tasks_that_cannot_be_handed_over_are_handed_over_later(
    open_engine: Callable[..., Engine], packages: Path
) -> None:
    engine = open_engine(submit=2, poll=3)
    job = engine.run(packages / "echo.cwl", {"message": "hello"})
    assert job.raise_for_status().result("said").read_text() == "hello\n"


def test_a_task_that_was_never_handed_over_can_be_dismissed(
    open_engine: Callable[..., Engine],
) -> None:
    job = open_engine(submit=10**6).deploy(SLOW).execute({"go": "never"})
    until(lambda: job.steps)
    assert job.dismiss(wait=False).wait(patient(10)).status == "dismissed"


def test_tasks_that_cannot_be_found_again_now_are_found_later(
    open_engine: Callable[..., Engine], tmp_path: Path
) -> None:
    first, go = open_engine(), tmp_path / "go"
    job = first.deploy(SLOW).execute({"go": str(go)})
    until(lambda: job.steps and job.logs("slow").stderr)
    first.close()
    go.touch()
    job = open_engine(reattach=2).job(job.id).wait(patient(20))
    assert job.status == "successful"
    assert attempts(job) == [1], "it was not run again"
    assert job.logs("slow").stderr == "begun\n"


def test_what_is_dismissed_before_it_is_found_again_is_stopped_then(
    open_engine: Callable[..., Engine],
) -> None:
    first = open_engine()
    sleeps = {"baseCommand": ["sh", "-c", "echo $$ >&2; exec sleep 300"], "inputs": []}
    job = first.deploy({**SLOW, **sleeps})
    sleeper = job.execute({})
    until(lambda: sleeper.steps and sleeper.logs("slow").stderr)
    pid = int(sleeper.logs("slow").stderr)
    first.close()
    second = open_engine(reattach=2).job(sleeper.id)
    assert second.dismiss(wait=False).wait(patient(20)).status == "dismissed"
    assert [step.status for step in second.steps] == ["dismissed"]
    assert not psutil.pid_exists(pid)


class Cancelled(LocalExecutor):
    """Tells of the ends of its tasks as if somebody else had cancelled them."""

    def poll(self) -> Sequence[Report]:
        return [
            replace(one, state=TaskState.CANCELLED, reason="by root, with scancel")
            if one.state is TaskState.ENDED
            else one
            for one in super().poll()
        ]


class Elsewhere:
    """Offers it, as ``cancelled``."""

    @hookimpl
    def localproc_executors(self) -> Iterable[ExecutorPlugin]:
        return [ExecutorPlugin("cancelled", Cancelled)]


def test_a_task_that_somebody_else_has_cancelled_fails_its_step(
    tmp_path: Path, packages: Path
) -> None:
    with Engine(tmp_path / "home", plugins=[Elsewhere()], executor="cancelled") as engine:
        job = engine.run(packages / "echo.cwl", {"message": "x"})
    assert job.status == "failed"
    assert job.message == "step echo was cancelled, not by localproc: by root, with scancel"
    assert [step.status for step in job.steps if step.name == "echo"] == ["failed"]
