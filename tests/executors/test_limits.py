"""What is read off the system of what tasks take, and ending those that take too much."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import pytest

from localproc.executors.keeper.memory import proportional, resident
from localproc.executors.keeper.processors import Processors
from localproc.executors.keeper.watching import LimitWatch, end_all, marked, threads, too_much
from tests.patience import until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="processes have no marks elsewhere"),
]

#: Takes 60 MiB, and has three children that share them; says so, and goes when its input ends.
SHARED = """
import os, sys
taken = bytearray(b"x") * (60 << 20)
for _ in range(3):
    if os.fork() == 0:
        sys.stdin.read()
        os._exit(0)
print("taken", flush=True)
sys.stdin.read()
"""
#: Has eight threads besides its own.
THREADS = """
import sys, threading
for _ in range(8):
    threading.Thread(target=threading.Event().wait, daemon=True).start()
print("started", flush=True)
sys.stdin.read()
"""
#: Is another process again and again.
RUNAWAY = """
import os, sys
for number in range(50_000):
    if os.fork():
        os._exit(0)
    if number == 0:
        print("begun", flush=True)
        os.close(1)
"""
MARK = 0x1234567


@contextmanager
def taking(script: str, mark: int) -> Iterator[int]:
    """Have a program run that carries a mark, and has said a word."""
    marked = f"import resource; resource.setrlimit(10, ({mark}, resource.RLIM_INFINITY))\n{script}"
    program = subprocess.Popen(
        [sys.executable, "-c", marked],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert program.stdout is not None
    program.stdout.readline()
    try:
        yield program.pid
    finally:
        program.communicate()


def watch_of(*limits: int) -> LimitWatch:
    """Give what looks after tasks, of one mark after the other, by numbers from 0."""
    watch = LimitWatch()
    for number, ram in enumerate(limits):
        watch.begin(number, {"mark": MARK + number, "held": {"ram": ram, "processes": 0}})
    return watch


def test_a_task_beyond_its_limit_is_found_with_all_that_it_has_started() -> None:
    watch = watch_of(45, 4000, 0)
    with taking(SHARED, MARK) as pid, taking(SHARED, MARK + 1), taking(SHARED, MARK + 2):
        assert watch.beyond() == [(0, "out-of-memory")]
        found = marked([MARK])[MARK]
        assert len(found) == 4
        assert pid in found


def test_memory_that_processes_share_counts_once() -> None:
    with taking(SHARED, MARK) as pid:
        assert resident(pid) > 60 << 20
        assert proportional(pid) < 40 << 20
        assert watch_of(120).beyond() == []


def test_it_is_not_looked_at_all_the_time() -> None:
    with taking(SHARED, MARK):
        watch = watch_of(1)
        assert len(watch.beyond()) == 1
        assert watch.beyond() == []


def test_only_what_has_limits_is_looked_after() -> None:
    watch = watch_of(0, 1)
    assert watch.next() is not None
    watch.end({"mark": MARK + 1})
    assert watch.next() is None


def test_a_process_that_is_gone_takes_nothing() -> None:
    with taking("print()", MARK) as pid:
        pass
    assert (resident(pid), proportional(pid)) == (0, 0)


def test_threads_count_as_processes() -> None:
    with taking(THREADS, MARK) as pid:
        assert threads(pid) == 9
        assert too_much({"ram": 0, "processes": 9}, [pid]) == ""
        assert "more than 8 processes" in too_much({"ram": 0, "processes": 8}, [pid])


def test_what_starts_ever_new_processes_is_ended_all_the_same() -> None:
    """Each starts the next and goes, so that whoever kills one after the other is always late."""
    with taking(RUNAWAY, MARK) as pid:
        until(lambda: not is_alive(pid))
        end_all(pid, MARK)
        until(lambda: not any(map(is_alive, marked([MARK]).get(MARK, ()))))


def test_tasks_run_on_the_processors_that_fewest_others_have() -> None:
    processors = Processors()
    processors.all = sorted(os.sched_getaffinity(0))
    if len(processors.all) < 2:
        pytest.skip("there is one processor")
    tasks: list[dict[str, Any]] = [{"held": {"cores": 0.5}} for _ in range(3)]
    seen = []
    for task in tasks:
        with processors.lent(task):
            seen.append(os.sched_getaffinity(0))
    first, second, third = seen
    assert len(first) == len(second) == len(third) == 1
    assert first != second
    assert os.sched_getaffinity(0) == set(processors.all)
    processors.give_back(tasks[1])
    assert processors.least_used(1) != [*first]
    with processors.lent({"held": {"cores": 1000}}):
        assert os.sched_getaffinity(0) == set(processors.all)


def is_alive(pid: int) -> bool:
    """Whether a process has not ended: nobody may have asked for its end yet."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
