"""Threads that work for jobs: turns, bounds, what is dropped, and too few threads."""

import os
import sys
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from localproc import shortages
from localproc.engine.loop.workers import Work, Workers
from tests.patience import patient, until


class Gate:
    """Work that begins, and ends when it may."""

    def __init__(self) -> None:
        self.begun, self.may_end = threading.Event(), threading.Event()

    def __call__(self) -> None:
        self.begun.set()
        self.may_end.wait()


def put(workers: Workers, job_id: str, do: Callable[[], object]) -> None:
    workers.put(job_id, Work(do))


def test_work_of_one_job_begins_in_its_order() -> None:
    workers, done = Workers("test", 4, 1), list[int]()
    for number in range(50):
        put(workers, "a", lambda number=number: done.append(number))  # type: ignore[misc]
    workers.close(finish=True)
    assert done == list(range(50))


def test_one_jobs_work_keeps_no_other_waiting() -> None:
    workers, gates, other = Workers("test", 3, 2), [Gate() for _ in range(5)], threading.Event()
    for gate in gates:
        put(workers, "slow", gate)
    put(workers, "other", other.set)
    other.wait()
    assert sum(gate.begun.is_set() for gate in gates) <= 2
    for gate in gates:
        gate.may_end.set()
    workers.close(finish=True)
    assert all(gate.begun.is_set() for gate in gates)


def test_a_thread_that_waits_holds_nothing_of_what_it_has_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("localproc.engine.loop.workers._IDLE", patient(60))
    workers, gate = Workers("test", 1, 1), Gate()
    put(workers, "a", gate)
    held = weakref.ref(gate)
    gate.begun.wait()
    gate.may_end.set()
    del gate
    until(lambda: held() is None, 1)
    workers.close(finish=True)


def test_who_closes_waits_for_a_thread_that_is_about_to_begin(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is started for what is put there when the last of the others has just ended."""
    workers, starting, done = Workers("test", 2, 1), Gate(), threading.Event()
    put(workers, "a", lambda: None)
    join = threading.Thread.join

    def slowly(thread: threading.Thread) -> bool:
        starting()
        return shortages.started(thread)

    with ThreadPoolExecutor(2) as pool:

        def then_put(thread: threading.Thread, timeout: float | None = None) -> None:
            monkeypatch.setattr(threading.Thread, "join", join)
            thread.join(timeout)
            monkeypatch.setattr("localproc.engine.loop.workers.started", slowly)
            pool.submit(put, workers, "b", done.set)
            starting.begun.wait()

        monkeypatch.setattr(threading.Thread, "join", then_put)
        closing = pool.submit(workers.close, finish=True)
        starting.begun.wait()
        wait([closing], 0.1)  # it fails at once, or waits
        starting.may_end.set()
        closing.result(patient(20))
    assert done.is_set()


def test_jobs_take_turns() -> None:
    workers, first, done = Workers("test", 1, 1), Gate(), list[str]()
    put(workers, "a", first)
    first.begun.wait()
    for job_id in ("a", "a", "b", "b", "c"):
        put(workers, job_id, lambda job_id=job_id: done.append(job_id))  # type: ignore[misc]
    first.may_end.set()
    workers.close(finish=True)
    assert sorted(done[:3]) == ["a", "b", "c"]


def test_work_that_only_waits_lets_others_go_on() -> None:
    workers, gate, other = Workers("test", 1, 1), Gate(), threading.Event()

    def waiting() -> None:
        with workers.aside():
            gate()

    put(workers, "a", waiting)
    gate.begun.wait()
    put(workers, "b", other.set)
    assert other.wait(patient(60))
    gate.may_end.set()
    workers.close(finish=True)


def test_what_has_not_begun_is_dropped_and_that_is_told() -> None:
    workers, gate, told = Workers("test", 1, 1), Gate(), list[str]()
    put(workers, "a", gate)
    gate.begun.wait()
    workers.put("a", Work(lambda: told.append("done"), lambda: told.append("dropped")))
    workers.drop("a")
    assert told == ["dropped"]
    gate.may_end.set()
    workers.close(finish=True)
    assert told == ["dropped"]


def test_work_that_breaks_ends_no_thread(caplog: pytest.LogCaptureFixture) -> None:
    workers, after = Workers("test", 1, 1), threading.Event()
    put(workers, "a", lambda: 1 / 0)
    put(workers, "a", after.set)
    after.wait()
    workers.close(finish=True)
    assert "division by zero" in caplog.text


def test_work_waits_while_there_are_no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    workers, done, dropped = Workers("test", 4, 1), threading.Event(), threading.Event()

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        put(workers, "a", done.set)
        workers.put("b", Work(lambda: None, dropped.set))
        workers.nudge()
        assert not done.is_set()
        workers.drop("b")
        assert dropped.is_set(), "a job that waits for a thread can be dismissed"
    workers.nudge()
    done.wait()
    workers.close(finish=True)


def test_what_is_left_is_done_on_closing_even_without_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    workers, done = Workers("test", 4, 1), list[int]()

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    for number in range(3):
        put(workers, "a", lambda number=number: done.append(number))  # type: ignore[misc]
    workers.close(finish=True)
    assert done == [0, 1, 2]


@pytest.mark.skipif(sys.platform != "linux", reason="threads have no niceness of their own")
def test_threads_that_give_way() -> None:
    workers, found = Workers("test", 1, 1, nice=3), list[int]()
    before = os.getpriority(os.PRIO_PROCESS, 0)

    def look() -> None:
        found.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    put(workers, "a", look)
    workers.close(finish=True)
    assert found == [max(before, 3)], "who gives way more already goes on doing so"
    assert os.getpriority(os.PRIO_PROCESS, 0) == before, "the others do not"
