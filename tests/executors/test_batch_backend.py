"""The backend of schedulers, on one that answers as it is told."""

import json
import sys
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
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
    cancelling,
)
from localproc.executors.batch.ends import Ends
from localproc.executors.batch.grouping import Batch, Mode
from localproc.executors.batch.handed import Handed
from localproc.executors.batch.node_scripts import NodeSetup
from localproc.executors.batch.queue import Queue
from localproc.executors.batch.spool import Spool
from localproc.executors.batch.telling import Telling, before_it
from localproc.model import TaskState
from localproc.plugins.backend import Capabilities
from localproc.plugins.executor import ExecutorSettings
from tests.conftest import fill
from tests.executors.scheduler_of_tests import Scheduler, task


@pytest.fixture
def scheduler() -> Scheduler:
    return Scheduler()


def opened(folder: Path, scheduler: Scheduler, **options: Any) -> BatchBackend:
    settings = ExecutorSettings(str(folder), "engine", cores=0, ram=0, slots=0, options={})
    return BatchBackend(scheduler, settings, Options("x", options, {}), Capabilities())


def test_a_bundle_is_run_by_the_python_of_localproc(tmp_path: Path, scheduler: Scheduler) -> None:
    for options in ({}, {"python": "/opt/python"}):
        backend = opened(tmp_path, scheduler, mode="bundle", **options)
        backend.submit([task(tmp_path, f"{name}{len(options)}") for name in "ab"])
    own, named = (Path(one.script).read_text() for one in scheduler.handed)
    assert f" python3 {sys.executable}\n" in own
    assert " /opt/python ''\n" in named


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
        for _ in range(2):  # for the queue and for ends in turn
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


def test_an_end_that_cannot_be_written_down_is_told_later(
    small_disk: Path, scheduler: Scheduler
) -> None:
    spool, queue = Spool(str(small_disk), NodeSetup("JOB", "INDEX")), Queue(scheduler)
    telling = Telling(scheduler, spool, queue, Ends(spool))
    single = spool.add(Batch(Mode.SINGLE, (task(small_disk, "a"),), Request(1, 1)))
    spool.took(single, "7")
    scheduler.ends["7"] = Seen(TaskState.NODE_LOST, "n1 is gone", name=single.name)
    queue.ask()
    queue.want("7")
    queue.ask()
    fill(small_disk / "filler")
    assert telling.report(single, 0).state is TaskState.QUEUED
    (small_disk / "filler").unlink()
    assert telling.report(single, 0).state is TaskState.NODE_LOST


def test_a_task_that_is_cancelled_as_it_begins_has_not_been_put_back_into_the_queue(
    tmp_path: Path, scheduler: Scheduler
) -> None:
    """It was there when the queue was last seen, which was before it began."""
    spool, queue = Spool(str(tmp_path), NodeSetup("JOB", "INDEX")), Queue(scheduler)
    ends = Ends(spool)
    telling = Telling(scheduler, spool, queue, ends)
    single = spool.add(Batch(Mode.SINGLE, (task(tmp_path, "a"),), Request(1, 1)))
    spool.took(single, "7")
    ends.look_at([single])
    scheduler.queue["7"] = Seen(TaskState.QUEUED, name=single.name)
    queue.ask()
    (Path(single.folder) / "begun.0").write_text("7 n1\n")
    record = "code 143\nhost n1\njob 7\nwhy TERM\n0m0.0s 0m0.0s\n0m0.1s 0m0.1s\n"
    (tmp_path / "done" / f"{single.name}.0").write_text(record)
    assert ends.read() == ["j:a:1"]
    assert telling.report(single, 0).state is TaskState.RUNNING, "the scheduler has the last word"
    del scheduler.queue["7"]
    scheduler.ends["7"] = Seen(TaskState.CANCELLED, "somebody", name=single.name)
    queue.ask()
    told = telling.report(single, 0)
    assert (told.state, told.reason, told.exit_code) == (TaskState.CANCELLED, "somebody", 143)


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


def test_what_is_left_of_a_bundle_that_somebody_cancelled_is_stopped_for_good(
    tmp_path: Path, scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of its tasks that have ended are forgotten by then: they do not go on."""
    monkeypatch.setattr(cancelling, "_GONE", 0.0)
    backend = opened(tmp_path, scheduler, mode="bundle")
    ended, waits = (task(tmp_path, name) for name in "ab")
    handles = {key: str(one) for key, one in backend.submit([ended, waits]).items()}
    folder = Path(scheduler.handed[0].folder)
    (folder / "begun.bundle").write_text("1 n1\n")
    line = {"key": ended.key, "state": "ended", "at": 2, "started": 1, "code": 0}
    (folder / "journal").write_text(json.dumps(line) + "\n")
    assert backend.look(handles)[ended.key].state is TaskState.ENDED
    backend.forget({ended.key: handles[ended.key]})
    scheduler.queue.clear()
    backend.stop({waits.key: handles[waits.key]}, 0)
    backend.forget({waits.key: handles[waits.key]})
    assert not folder.exists()


def test_what_is_removed_while_it_is_looked_for_is_nobody_elses_meanwhile(
    tmp_path: Path, scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another thread that asks for the same task would find half of it."""
    backend = opened(tmp_path, scheduler)
    spool, remove, free = backend._spool, Spool.remove, []
    tasks = (task(tmp_path, "a"),)
    spool.add(Batch(Mode.SINGLE, tasks, Request(1, 100), slots=1))

    def looked(spool: Spool, handed: Handed) -> None:
        with ThreadPoolExecutor(1) as pool:
            free.append(pool.submit(spool.lock.acquire, blocking=False).result())
        remove(spool, handed)

    monkeypatch.setattr(Spool, "remove", looked)
    assert backend.find(tasks) == {}
    assert free == [False]
