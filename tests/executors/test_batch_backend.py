"""The backend of schedulers, on one that answers as it is told."""

import os
import sys
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from localproc.errors import ExecutorUnavailable
from localproc.executors.batch import (
    Allocation,
    BatchBackend,
    Options,
    Request,
    Seen,
    TooMany,
    pulse,
    queue,
    telling,
)
from localproc.executors.batch.ends import Ends
from localproc.executors.batch.grouping import Batch, Mode
from localproc.executors.batch.node_scripts import NodeSetup
from localproc.executors.batch.queue import Queue
from localproc.executors.batch.spool import Spool
from localproc.executors.batch.telling import Telling, before_it
from localproc.model import Report, Task, TaskState
from localproc.plugins.backend import Capabilities, Refused
from localproc.plugins.executor import ExecutorSettings
from tests.conftest import fill


class Scheduler:
    """Takes everything; nothing begins by itself. ``asked`` are the jobs it was asked for."""

    job_variable, index_variable = "JOB", "INDEX"

    def __init__(self) -> None:
        self.handed: list[Allocation] = []
        self.queue: dict[str, Seen] = {}
        self.ends: dict[str, Seen] = {}
        self.asked: list[set[str]] = []
        self.order: dict[str, int] = {}
        self.asked_places = 0
        self.most = 1000  #: jobs in the queue

    def unfit(self, request: Request) -> str:
        return ""

    def submit(self, allocation: Allocation) -> str | Refused:
        if len(self.queue) + max(1, allocation.count) > self.most:
            raise TooMany("job submit limit")
        self.handed.append(allocation)
        job = str(len(self.handed))
        jobs = [f"{job}_{number}" for number in range(allocation.count)] or [job]
        self.queue.update(dict.fromkeys(jobs, Seen(TaskState.QUEUED, name=allocation.name)))
        return job

    def element(self, job: str, number: int) -> str:
        return f"{job}_{number}"

    def jobs(self) -> Mapping[str, Seen]:
        return dict(self.queue)

    def places(self) -> Mapping[str, int]:
        self.asked_places += 1
        return dict(self.order)

    def named(self, names: Collection[str]) -> Mapping[str, str]:
        return {one.name: job for job, one in self.queue.items() if one.name in names}

    def ended(self, ids: Collection[str]) -> Mapping[str, Seen]:
        self.asked.append(set(ids))
        return {job: self.ends[job] for job in ids if job in self.ends}

    def poke(self, ids: Collection[str]) -> None: ...

    def kill(self, ids: Collection[str]) -> None: ...

    def cancel(self, ids: Collection[str]) -> None:
        for job in ids:
            self.queue.pop(job, None)


@pytest.fixture
def scheduler() -> Scheduler:
    return Scheduler()


def opened(folder: Path, scheduler: Scheduler, **options: Any) -> BatchBackend:
    settings = ExecutorSettings(str(folder), "engine", cores=0, ram=0, slots=0, options={})
    return BatchBackend(scheduler, settings, Options("x", options, {}), Capabilities())


def task(folder: Path, name: str) -> Task:
    out = str(folder / name)
    key, logs = f"j:{name}:1", (f"{out}.o", f"{out}.e")
    return Task(key, ("true",), {}, out, f"{out}.tmp", None, *logs, step="s")


def test_a_bundle_is_run_by_the_python_of_localproc(tmp_path: Path, scheduler: Scheduler) -> None:
    for options in ({}, {"python": "/opt/python"}):
        backend = opened(tmp_path, scheduler, mode="bundle", **options)
        backend.submit([task(tmp_path, f"{name}{len(options)}") for name in "ab"])
    own, named = (Path(one.script).read_text() for one in scheduler.handed)
    assert f" python3 {sys.executable};" in own
    assert " /opt/python '';" in named


def test_a_job_that_is_forgotten_is_not_asked_for_any_more(
    tmp_path: Path, scheduler: Scheduler
) -> None:
    spool, queue = Spool(str(tmp_path), NodeSetup("JOB", "INDEX")), Queue(scheduler)
    telling = Telling(scheduler, spool, queue, Ends(spool))
    tasks = tuple(task(tmp_path, name) for name in "ab")
    bundle = spool.add(Batch(Mode.BUNDLE, tasks, Request(2, 100), slots=2))
    spool.took(bundle, "7")
    queue.ask()
    assert telling.report(bundle, 0).state is TaskState.QUEUED, "it may have left a record"
    queue.ask()
    assert scheduler.asked == [{"7"}]
    for number in range(2):
        spool.forget(bundle, [number])
        telling.forget(bundle, number)
        queue.ask()
    assert scheduler.asked == [{"7"}, {"7"}], "as long as one of its tasks is asked for"


def test_what_a_job_has_ended_as_is_kept_until_it_is_forgotten(scheduler: Scheduler) -> None:
    queue = Queue(scheduler)
    scheduler.ends["7"] = Seen(TaskState.TIMED_OUT, "the limit", name="lp-a")
    queue.want("7")
    queue.ask()
    assert queue.final("7", "lp-b") is None, "that is another job of the same id"
    known = queue.final("7", "lp-a")
    assert known is not None
    assert known[1].state is TaskState.TIMED_OUT
    queue.forget("7")
    assert queue.final("7", "lp-a") is None


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
def silence(tmp_path: Path, scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch) -> Silence:
    return Silence(tmp_path, scheduler, monkeypatch)


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


def test_an_end_that_cannot_be_written_down_is_told_later(
    small_disk: Path, scheduler: Scheduler
) -> None:
    spool, queue = Spool(str(small_disk), NodeSetup("JOB", "INDEX")), Queue(scheduler)
    telling = Telling(scheduler, spool, queue, Ends(spool))
    single = spool.add(Batch(Mode.SINGLE, (task(small_disk, "a"),), Request(1, 1)))
    spool.took(single, "7")
    scheduler.ends["7"] = Seen(TaskState.NODE_LOST, "n1 is gone", name=single.name)
    queue.want("7")
    queue.ask()
    fill(small_disk / "filler")
    assert telling.report(single, 0).state is TaskState.QUEUED
    (small_disk / "filler").unlink()
    assert telling.report(single, 0).state is TaskState.NODE_LOST


def test_places_are_asked_for_while_tasks_wait_and_seldom(
    scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr("localproc.executors.batch.queue.monotonic", lambda: now[0])
    queue = Queue(scheduler)
    scheduler.queue["7"] = Seen(TaskState.QUEUED, "Priority", name="lp-a")
    scheduler.order = {"7": 12, "8": 13}

    def seconds_later(seconds: float) -> Collection[str]:
        now[0] += seconds
        return queue.ask({"7"})

    seconds_later(0)
    seconds_later(4)
    assert (scheduler.asked_places, queue.place("7")) == (0, None), "it may begin any moment"
    assert seconds_later(1) == {"7"}
    assert (scheduler.asked_places, queue.place("7")) == (1, 12)
    assert queue.place("8") is None, "that is somebody else's"
    for _ in range(29):
        seconds_later(1)
    assert scheduler.asked_places == 1
    scheduler.order = {"7": 3}
    assert seconds_later(1) == {"7"}
    assert (scheduler.asked_places, queue.place("7")) == (2, 3)
    scheduler.queue["7"] = Seen(TaskState.RUNNING, name="lp-a")
    for _ in range(60):
        seconds_later(1)
    assert scheduler.asked_places == 2
    assert queue.place("7") is None


def test_the_queue_is_not_asked_for_in_the_second_after_that_of_places(
    scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr("localproc.executors.batch.queue.monotonic", lambda: now[0])
    queue = Queue(scheduler)
    scheduler.queue["7"] = Seen(TaskState.QUEUED, name="lp-a")
    queue.ask({"7"})
    now[0] += 6
    queue.ask({"7"})
    assert scheduler.asked_places == 1
    now[0] += 0.9
    assert not queue.is_due()
    now[0] += 0.1
    assert queue.is_due()


@pytest.mark.parametrize(
    ("jobs", "said"),
    [
        (0, "it is the next in the queue"),
        (1, "one job comes before it"),
        (7, "7 jobs come before it"),
        (48, "about 40 jobs come before it"),
        (1999, "about 1000 jobs come before it"),
    ],
)
def test_a_place_is_told_exactly_only_near_the_front(jobs: int, said: str) -> None:
    assert before_it(jobs) == said


def test_a_task_that_waits_tells_its_place(
    tmp_path: Path, scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("localproc.executors.batch.queue._WAIT", 0.0)
    backend, one = opened(tmp_path, scheduler), task(tmp_path, "a")
    handles = {key: str(handle) for key, handle in backend.submit([one]).items()}
    scheduler.queue["1"] = replace(scheduler.queue["1"], reason="Priority")
    scheduler.order = {"1": 3}
    said: list[str] = []
    while len(said) < 2:
        backend.look(handles)
        if backend.watch(5.0):
            said.append(backend.look(handles)[one.key].reason)
    assert said == ["Priority", "Priority; 3 jobs come before it"]


def test_no_more_is_handed_in_than_a_user_may_have_in_the_queue(
    tmp_path: Path, scheduler: Scheduler
) -> None:
    scheduler.most = 5
    backend = opened(tmp_path, scheduler)
    tasks = [task(tmp_path, name) for name in "abcdefgh"]
    answers = backend.submit(tasks)
    assert [one.count for one in scheduler.handed] == [4, 0]
    assert [isinstance(answers[one.key], str) for one in tasks] == [True] * 5 + [False] * 3
    assert {type(answers[one.key]) for one in tasks[5:]} == {TooMany}
    scheduler.queue.clear()
    again = backend.submit(tasks)
    assert [one.count for one in scheduler.handed] == [4, 0, 3]
    assert {key: again[key] for key, one in answers.items() if isinstance(one, str)} == {
        key: one for key, one in answers.items() if isinstance(one, str)
    }
    assert len(set(map(str, again.values()))) == 8


def test_a_scheduler_that_is_away_is_not_asked_for_each_batch(
    tmp_path: Path, scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def away(allocation: Allocation) -> str:
        asked.append(allocation.name)
        raise ExecutorUnavailable("nobody answers")

    monkeypatch.setattr(scheduler, "submit", away)
    backend = opened(tmp_path, scheduler, mode="single")
    answers = backend.submit([task(tmp_path, name) for name in "abc"])
    assert {type(one) for one in answers.values()} == {ExecutorUnavailable}
    assert len(asked) == 1
