"""What is read off the system of the memory that tasks take."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from localproc.executors.keeper.memory import Memory, proportional, resident

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
MARK = 0x1234567


@contextmanager
def taking(script: str, mark: int) -> Iterator[int]:
    """Have a program run that carries a mark, and has said a word."""
    marked = f"import resource; resource.setrlimit(10, ({mark}, resource.RLIM_INFINITY))\n{script}"
    program = subprocess.Popen(
        [sys.executable, "-c", marked], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert program.stdout is not None
    program.stdout.readline()
    yield program.pid
    program.communicate()


def held(*limits: int) -> list[dict[str, int]]:
    """Give tasks, of one mark after the other, with their limits."""
    return [{"mark": MARK + number, "held": limit} for number, limit in enumerate(limits)]


def test_a_task_beyond_its_limit_is_found_with_all_that_it_has_started() -> None:
    tasks = held(45, 4000, 0)
    with taking(SHARED, MARK) as pid, taking(SHARED, MARK + 1), taking(SHARED, MARK + 2):
        [(task, pids)] = Memory().beyond(tasks)
        assert task is tasks[0]
        assert len(pids) == 4
        assert pid in pids


def test_memory_that_processes_share_counts_once() -> None:
    with taking(SHARED, MARK) as pid:
        assert resident(pid) > 60 << 20
        assert proportional(pid) < 40 << 20
        assert Memory().beyond(held(120)) == []


def test_it_is_not_looked_at_all_the_time() -> None:
    with taking(SHARED, MARK):
        memory = Memory()
        assert len(memory.beyond(held(1))) == 1
        assert memory.beyond(held(1)) == []


def test_a_process_that_is_gone_takes_nothing() -> None:
    with taking("print()", MARK) as pid:
        pass
    assert (resident(pid), proportional(pid)) == (0, 0)
