"""Bundles whose runners give no sign of life any more."""

import os
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import pytest

from localproc.errors import ExecutorUnavailable
from localproc.executors.batch import Request, Seen, pulse, queue, telling
from localproc.executors.batch.ends import Ends
from localproc.executors.batch.grouping import Batch, Mode
from localproc.executors.batch.node_scripts import NodeSetup
from localproc.executors.batch.queue import Queue
from localproc.executors.batch.spool import Spool
from localproc.executors.batch.telling import Telling
from localproc.model import Report, TaskState
from tests.executors.scheduler_of_tests import Scheduler, task


class Silence:
    """A bundle of two that Slurm says runs, and a clock that a test sets forward."""

    def __init__(self, folder: Path, scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch) -> None:
        self.scheduler, self.now = scheduler, 1000.0
        for module in (pulse, telling, queue):
            monkeypatch.setattr(module, "monotonic", lambda: self.now)
        self.spool, self.queue = Spool(str(folder), NodeSetup("JOB", "INDEX")), Queue(scheduler)
        self.telling = Telling(scheduler, self.spool, self.queue, Ends(self.spool), 120.0)
        tasks = tuple(task(folder, name) for name in "ab")
        self.bundle = self.spool.add(Batch(Mode.BUNDLE, tasks, Request(2, 100), slots=2))
        self.spool.took(self.bundle, "7")
        self.folder = Path(self.bundle.folder)
        (self.folder / "begun.bundle").write_text("7 n1\n")
        (self.folder / "begun.0").touch()
        self.seen = Seen(TaskState.RUNNING, host="n1", name=self.bundle.name)
        scheduler.queue["7"] = self.seen
        self.sign()

    def sign(self) -> None:
        """Have the runner live."""
        (self.folder / "alive").touch()
        os.utime(self.folder / "alive", (0, self.now))

    def after(self, seconds: float) -> list[Report]:
        """Return the reports of so many seconds later."""
        self.now += seconds
        self.queue.ask()
        return [self.telling.report(self.bundle, number) for number in range(2)]


@pytest.fixture
def silence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Silence:
    return Silence(tmp_path, Scheduler(), monkeypatch)


def test_a_runner_that_gives_no_sign_of_life_is_told_and_its_job_taken_back(
    silence: Silence,
) -> None:
    running, waiting = silence.after(0)
    assert (running.state, running.reason) == (TaskState.RUNNING, "")
    assert (waiting.state, waiting.reason) == (TaskState.QUEUED, "it waits for room in its bundle")
    silence.after(15)
    silence.sign()
    silence.after(3)
    assert {one.reason for one in silence.after(19)} == {"", waiting.reason}
    told = silence.after(2)
    assert {one.reason for one in told} == {"its runner on n1 gives no sign of life"}
    assert silence.queue.is_due() is False
    silence.after(60)
    assert "7" in silence.scheduler.queue
    silence.after(60)
    assert "7" not in silence.scheduler.queue, "it is cancelled"
    silence.scheduler.ends["7"] = Seen(TaskState.CANCELLED, "who knows", name=silence.bundle.name)
    silence.after(1)
    silence.after(1)
    for one in silence.after(11):
        assert one.state is TaskState.NODE_LOST
        assert one.reason == "its runner on n1 gave no sign of life any more"


def test_a_job_that_is_suspended_is_not_missed(silence: Silence) -> None:
    silence.after(0)
    silence.scheduler.queue["7"] = replace(silence.seen, paused=True, reason="it is suspended")
    assert silence.after(3600)[0].reason == "it is suspended"
    silence.scheduler.queue["7"] = silence.seen
    assert silence.after(1)[0].reason == ""
    assert silence.after(15)[0].reason == ""
    assert silence.after(15)[0].reason == "its runner on n1 gives no sign of life"


def test_no_sign_of_life_is_missed_where_there_never_was_one(silence: Silence) -> None:
    (silence.folder / "alive").unlink()
    silence.after(0)
    assert silence.after(3600)[0].reason == ""


def test_a_job_that_cannot_be_cancelled_for_now_is_not_given_up(
    silence: Silence, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(ids: Collection[str]) -> None:
        raise ExecutorUnavailable("nobody there")

    silence.after(0)
    with monkeypatch.context() as context:
        context.setattr(silence.scheduler, "cancel", away)
        silence.after(121)
        assert silence.spool.given_up(silence.bundle) == ""
    silence.sign()
    assert silence.after(31)[0].reason == ""
    assert "7" in silence.scheduler.queue


def test_a_bundle_that_lives_on_a_node_that_is_said_to_be_lost_goes_on(silence: Silence) -> None:
    """The daemon of a job may be killed, and its processes be left."""
    silence.after(0)
    del silence.scheduler.queue["7"]
    silence.scheduler.ends["7"] = Seen(TaskState.NODE_LOST, "lost", name=silence.bundle.name)
    silence.after(1)
    for _ in range(10):
        silence.sign()
        running, waiting = silence.after(15)
        assert (running.state, waiting.state) == (TaskState.RUNNING, TaskState.QUEUED)
        assert running.reason == "the scheduler has lost the node, but its runner on n1 goes on"
    running, _ = silence.after(25)
    assert running.state is TaskState.NODE_LOST
