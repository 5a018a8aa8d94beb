"""The queue of jobs by itself: who reads what, in which order, and what cannot be taken up."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from localproc.cwl.run.process import Tool, Workflow
from localproc.engine.container_runtimes import Containers
from localproc.engine.home.secrets import SecretKeeper
from localproc.engine.home.settings import Settings
from localproc.engine.job import replay
from localproc.engine.loop.executor_pool import ExecutorPool
from localproc.engine.loop.job_queue import JobQueue
from localproc.engine.loop.job_reading import JobReader
from localproc.engine.loop.job_starts import JobStarts
from localproc.engine.loop.loop_parts import LoopParts
from localproc.engine.loop.opening_threads import Opening
from localproc.engine.loop.tmpdirs import TmpDirs
from localproc.engine.notify.completions import Completions
from localproc.engine.notify.observers import Observers
from localproc.errors import LocalprocError, PluginMissing, StoreCorrupted, StoreLocked
from localproc.executors.scripts import Scripts
from localproc.machine import new_job
from localproc.model import JobRecord, JobRequest
from localproc.model.events import Accepted
from localproc.plugins.backend import Capabilities
from localproc.plugins.manager import PluginManager
from localproc.storage.open_storages import Storages
from localproc.storage.remnants import Remnants
from tests.cwl.memory import process
from tests.engine.job_bench import NOON, told
from tests.engine.test_job_run import TWO
from tests.engine.test_loop_parts import Desk

PROCESS = process(TWO)


class Executors:
    """Opens executors when it is let, by name."""

    def __init__(self) -> None:
        self.gates = {"one": threading.Event(), "two": threading.Event()}
        self.ready = threading.Semaphore(0)
        self.closed: list[SilentExecutor] = []

    def open(self, name: str) -> Any:
        if name not in self.gates:
            raise PluginMissing(f"there is no executor {name}")
        self.gates[name].wait()
        if name == "two":
            raise LocalprocError("no such machine")
        return SilentExecutor(self.closed)


class SilentExecutor:
    capabilities = Capabilities()

    def __init__(self, closed: list["SilentExecutor"]) -> None:
        self._closed = closed

    def fileno(self) -> None:
        return None

    def interval(self) -> None:
        return None

    def close(self) -> None:
        self._closed.append(self)


class Queue:
    """A queue of jobs with a store of its own; workers, and executors, go on when they are let.

    ``begun`` is what workers have been given to read, by jobs; ``read`` counts how often each was
    read; ``trouble`` is what reading the processes of some leads to.
    """

    def __init__(self, folder: Path, active: int = 64) -> None:
        self.desk = Desk(folder)
        self.executors = Executors()
        self.begun: dict[str, Callable[[], None]] = {}
        self.read: Counter[str] = Counter()
        self.trouble: dict[str, Exception] = {}
        self.lost: list[str] = []
        self.told = 0
        settings = Settings(active=active)
        plugins = PluginManager([])
        self.opening = Opening(self.executors.open, self.executors.ready.release)
        parts = LoopParts(
            home=self.desk.home,
            store=self.desk.store,
            settings=settings,
            storages=Storages(plugins.storage, {}, {}),
            containers=Containers(plugins, settings),
            open_executor=self.executors.open,
            compiled=self._compiled,
            observers=Observers(plugins),
            completions=Completions(),
            callbacks_posted=lambda: None,
            secrets=SecretKeeper({}, ""),
            remnants=Remnants(""),
            scripts=Scripts(),
        )
        pool = ExecutorPool(self.opening.take, None)  # type: ignore[arg-type]
        self.jobs = JobQueue(
            self.desk.store,
            "me",
            self.desk.home.engines,
            settings,
            JobReader(self.desk.store, parts.compiled, parts.secrets, self._begin, self._tell),
            JobStarts(parts, pool, TmpDirs(str(folder), lambda do: do())),
            self.opening,
            self.desk.committer,
            self.lost.append,
        )

    def record(self, job_id: str, owner: str | None = "me", **request: Any) -> JobRecord:
        """Record a job that has been accepted."""
        asked = self.asked(**request)
        first = Accepted(NOON, request=asked, message="accepted")
        one = replace(new_job(job_id, "default", "process", "1", asked, first), owner=owner)
        self.desk.store.add_job(one, first)
        return one

    def asked(self, **request: Any) -> JobRequest:
        return JobRequest({"word": "hello"}, **{"executor": "one", **request})

    def accept(self, *job_ids: str, **request: Any) -> None:
        """Take note of jobs that this engine has accepted, and that need not be read."""
        for job_id in job_ids:
            self.jobs.add(self.record(job_id, **request), self.asked(**request))

    def take_over(self, *job_ids: str, **request: Any) -> None:
        """Take note of jobs that have to be read by a worker."""
        for job_id in job_ids:
            self.jobs.add(self.record(job_id, **request))

    def work(self, *job_ids: str) -> None:
        """Let workers read jobs."""
        for job_id in job_ids:
            self.begun.pop(job_id)()

    def open(self, name: str) -> None:
        """Let an executor be opened, or fail to be."""
        self.executors.gates[name].set()
        self.opening.is_over(name)
        self.executors.ready.acquire()

    def begin(self, room: int = 64) -> list[str]:
        """Take up jobs as long as there are some; give their ids."""
        found = []
        while (active := self.jobs.next(room)) is not None:
            found.append(active.context.job_id)
        return found

    def events(self, job_id: str) -> list[str]:
        return told(self.desk.store.events(job_id))

    def close(self) -> None:
        for gate in self.executors.gates.values():
            gate.set()
        self.opening.close()
        self.desk.store.close()

    def _compiled(self, job: JobRecord, past: replay.History) -> Tool | Workflow:
        self.read[job.id] += 1
        if job.id in self.trouble:
            raise self.trouble[job.id]
        return PROCESS

    def _begin(self, job_id: str, work: Callable[[], None]) -> None:
        assert job_id not in self.begun, "a job is read once at a time"
        self.begun[job_id] = work

    def _tell(self) -> None:
        self.told += 1


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    queue = Queue(tmp_path / "home")
    yield queue
    queue.close()


@pytest.fixture
def narrow(tmp_path: Path) -> Iterator[Queue]:
    """A queue of an engine that runs two jobs at a time."""
    queue = Queue(tmp_path / "home", active=2)
    yield queue
    queue.close()


# Executors


def test_jobs_wait_for_their_executor_in_their_order(queue: Queue) -> None:
    queue.accept("a", "b", "c")
    assert queue.begin() == []
    queue.open("one")
    assert queue.begin() == ["a", "b", "c"]


def test_an_executor_that_cannot_be_opened_ends_its_jobs(queue: Queue) -> None:
    queue.accept("a", executor="two")
    assert queue.begin() == []
    queue.open("two")
    assert queue.begin() == []
    assert queue.desk.ended == ["a"]
    assert queue.events("a")[-1] == "failed"


def test_a_job_that_waits_for_its_executor_is_dismissed_at_once(queue: Queue) -> None:
    queue.accept("a", "b")
    assert queue.begin() == []
    assert queue.jobs.dismiss("a") is None
    assert queue.desk.ended == ["a"]
    assert queue.events("a") == ["accepted", "dismiss-requested", "dismissed"]
    assert queue.read == {"a": 1, "b": 1}, "it was not read again"
    queue.open("one")
    assert queue.begin() == ["b"]


def test_closing_waits_for_executors_that_are_being_opened() -> None:
    executors = Executors()
    opening = Opening(executors.open, executors.ready.release)
    assert not opening.is_over("one")
    assert not opening.is_over("two")
    closing = threading.Thread(target=opening.close)
    closing.start()
    assert closing.is_alive()
    for gate in executors.gates.values():
        gate.set()
    closing.join()
    assert executors.ready.acquire(blocking=False), "one has been opened"
    assert executors.ready.acquire(blocking=False), "the other could not be"
    assert len(executors.closed) == 1


# Reading


def test_what_takes_no_time_is_not_kept_waiting_by_what_a_worker_reads(queue: Queue) -> None:
    queue.open("one")
    queue.take_over("long")
    queue.accept("echo")
    assert queue.begin() == ["echo"]
    assert queue.read == {"echo": 1}
    queue.work("long")
    assert queue.told == 1
    assert queue.jobs.may_begin(1)
    assert queue.begin() == ["long"]
    assert queue.read == {"echo": 1, "long": 1}
    assert not queue.jobs.may_begin(1)


def test_what_this_engine_has_just_accepted_is_not_read_back_from_the_store(queue: Queue) -> None:
    queue.open("one")
    queue.accept("echo")
    queue.desk.store.break_reading = RuntimeError("nobody reads")
    active = queue.jobs.next(1)
    assert active is not None
    assert active.run.request == queue.asked()
    change = active.run.change()
    assert change is not None
    assert (change.after, told(change.events)[0]) == (1, "started")


def test_no_more_are_read_than_there_is_room_for_so_that_they_keep_their_order(
    queue: Queue,
) -> None:
    queue.open("one")
    queue.take_over("a", "b", "c")
    assert queue.begin(room=2) == []
    assert list(queue.begun) == ["a", "b"]
    assert not queue.jobs.may_begin(2), "the loop may sleep until one has been read"
    queue.work("b")
    assert queue.begin(room=1) == [], "there is no room, as a is being read"
    queue.work("a")
    assert queue.begin(room=1) == ["a", "b"]
    assert list(queue.begun) == ["c"]


def test_a_job_is_read_once_however_long_it_waits_for_its_executor(queue: Queue) -> None:
    queue.take_over("a")
    for _ in range(3):
        assert queue.begin() == []
        if queue.begun:
            queue.work("a")
    queue.open("one")
    assert queue.begin() == ["a"]
    assert queue.read == {"a": 1}


def test_a_job_that_is_being_read_is_dismissed_once_it_has_been(queue: Queue) -> None:
    queue.open("one")
    queue.take_over("a")
    assert queue.jobs.dismiss("a") is None
    assert queue.jobs.dismiss("a") is None, "it is asked for again and again"
    assert queue.begin() == []
    queue.work("a")
    active = queue.jobs.next(1)
    assert active is not None
    change = active.run.change()
    assert change is not None
    assert told(change.events) == ["started", "dismiss-requested", "dismissed"]


def test_a_job_that_is_to_stop_is_taken_up_before_all_others(queue: Queue) -> None:
    queue.open("one")
    queue.accept("a", "b")
    active = queue.jobs.dismiss("b")
    assert active is not None
    assert active.context.job_id == "b"
    assert queue.jobs.dismiss("nobody") is None
    assert queue.begin() == ["a"]


def test_a_job_that_was_dismissed_before_it_was_read_needs_no_executor(queue: Queue) -> None:
    queue.take_over("a")
    assert queue.jobs.dismiss("a") is None
    queue.work("a")
    assert queue.begin() == []
    assert queue.desk.ended == ["a"]
    assert queue.events("a") == ["accepted", "dismiss-requested", "dismissed"]


# What cannot be taken up


def test_what_cannot_be_read_now_is_read_at_the_next_look(queue: Queue) -> None:
    queue.open("one")
    queue.take_over("a")
    queue.trouble["a"] = StoreLocked("busy")
    assert queue.begin() == []
    queue.work("a")
    assert queue.begin() == []
    assert not queue.jobs.may_begin(1)
    queue.trouble.clear()
    queue.jobs.adopt()
    assert queue.jobs.may_begin(1)
    assert queue.begin() == []
    queue.work("a")
    assert queue.begin() == ["a"]
    queue.jobs.adopt()
    assert queue.begin() == [], "it waits no more"


@pytest.mark.parametrize("quick", [True, False])
def test_a_process_that_cannot_be_read_puts_its_job_aside(queue: Queue, quick: bool) -> None:
    queue.open("one")
    queue.trouble["a"] = StoreCorrupted("torn")
    queue.jobs.add(queue.record("a"), queue.asked() if quick else None)
    assert queue.begin() == []
    if not quick:
        queue.work("a")
        assert queue.begin() == []
    assert queue.lost == ["a"]
    found = queue.desk.store.job("a")
    assert found is not None
    assert (found.aside, found.owner) == ("torn", None)


def test_a_process_that_cannot_be_run_fails_its_job(queue: Queue) -> None:
    queue.open("one")
    queue.take_over("a")
    queue.trouble["a"] = LocalprocError("it makes no sense")
    assert queue.begin() == []
    queue.work("a")
    assert queue.begin() == []
    assert queue.events("a") == ["accepted", "failed"]


def test_a_history_that_makes_no_sense_ends_neither_the_loop_nor_the_job(queue: Queue) -> None:
    queue.open("one")
    queue.take_over("a", "b")
    queue.begin()
    queue.desk.store.break_reading = RuntimeError("a bug")
    queue.work("a")
    queue.desk.store.break_reading = None
    queue.work("b")
    assert queue.begin() == ["b"]
    assert queue.lost == ["a"]
    found = queue.desk.store.job("a")
    assert found is not None
    assert "a bug" in found.aside


def test_a_job_that_waits_for_a_plugin_is_looked_at_anew_but_not_read_again(queue: Queue) -> None:
    job = queue.record("a", executor="absent")
    queue.jobs.add(job)
    assert queue.begin() == []
    queue.work("a")
    for _ in range(3):
        assert queue.begin() == []
        queue.executors.ready.acquire()
        assert queue.begin() == []
        queue.jobs.adopt()
    assert queue.read == {"a": 1}
    assert queue.desk.ended == []


def test_a_job_that_waits_for_a_plugin_is_found_dismissed(queue: Queue) -> None:
    queue.accept("a", executor="absent")
    queue.begin()
    queue.executors.ready.acquire()
    queue.begin()
    queue.desk.store.request_dismiss("a")
    assert queue.desk.ended == []
    queue.jobs.adopt()
    queue.begin()
    assert queue.desk.ended == ["a"]
    assert queue.events("a") == ["accepted", "dismiss-requested", "dismissed"]


# Taking over


def claimed(queue: Queue) -> set[str]:
    """Give the jobs that are the engine's own."""
    found = map(queue.desk.store.job, "abcdefgh")
    return {one.id for one in found if one is not None and one.owner == "me"}


def test_as_many_are_taken_over_as_there_is_room_for(narrow: Queue) -> None:
    for job_id in "abcdefgh":
        narrow.record(job_id, owner=None)
    narrow.jobs.adopt()
    assert claimed(narrow) == set("abcd"), "twice as many as are run at a time"
    assert narrow.begin(room=2) == []
    assert list(narrow.begun) == ["a", "b"]
    narrow.jobs.adopt()
    assert claimed(narrow) == set("abcd"), "those that are being read take up room"
    narrow.work("a", "b")
    assert narrow.begin(room=2) == []
    assert list(narrow.begun) == ["c", "d"], "the others wait for their executor"
    narrow.jobs.adopt()
    assert claimed(narrow) == set("abcd"), "and so do those"
    narrow.work("c", "d")
    assert narrow.begin(room=2) == []
    assert not narrow.jobs.may_begin(2), "all wait for their executor, and there is no more room"
    narrow.open("one")
    assert narrow.begin(room=2) == ["a", "b", "c", "d"]
    assert claimed(narrow) == set("abcdefgh"), "there is room again, as all have been taken up"
    assert list(narrow.begun) == ["e", "f"]


def test_the_next_are_taken_over_as_soon_as_there_is_room_again(narrow: Queue) -> None:
    narrow.open("one")
    for job_id in "abcdefgh":
        narrow.record(job_id, owner=None)
    narrow.jobs.adopt()
    narrow.begin(room=2)
    narrow.work("a", "b")
    assert narrow.begin(room=2) == ["a", "b"]
    assert list(narrow.begun) == ["c", "d"]
    assert not narrow.jobs.may_begin(2)
    assert narrow.jobs.may_begin(3), "there is room, and there may be more"
    assert narrow.begin(room=3) == []
    assert claimed(narrow) == set("abcdef")


def test_where_there_were_fewer_than_there_is_room_for_nothing_is_looked_for(queue: Queue) -> None:
    queue.record("a", owner=None)
    queue.jobs.adopt()
    assert queue.jobs.may_begin(1)
    assert queue.begin() == []
    assert not queue.jobs.may_begin(9)
