"""Looks at what tasks take together with all that they have started.

Owns when to look, what is too much, and ending all that carries the mark of a task. Must not know
how memory is counted.

A look sees what lasts until then: who has to keep a task below a limit at every moment needs a
control group.
"""

import contextlib
import os
import signal
import time
from collections.abc import Collection
from typing import Any

from .memory import proportional, resident
from .signalling import signal_all, signal_group
from .strays import mark_on

_EVERY = 0.25  # seconds between looks
_MIB = 1 << 20
_PASSES = 20  # what is started while others are stopped is seen in the next


class LimitWatch:
    """Looks now and then, as long as there are tasks with limits that have to be looked after."""

    def __init__(self) -> None:
        self.look_at = 0.0
        self.held: dict[int, tuple[int, dict[str, Any]]] = {}  #: leaders and limits, by mark

    def begin(self, leader: int, task: dict[str, Any]) -> None:
        """Look after a task, if it has such limits."""
        if task["held"]["ram"] or task["held"]["processes"]:
            self.held[task["mark"]] = leader, task["held"]

    def end(self, task: dict[str, Any]) -> None:
        """Look after a task no more."""
        self.held.pop(task["mark"], None)

    def next(self) -> float | None:
        """Return when it is time to look (monotonic)."""
        return self.look_at if self.held else None

    def beyond(self) -> list[tuple[int, str]]:
        """Return the leaders of tasks that take more than they are held to, and what that is.

        None if it is too soon to look.
        """
        if not self.held or time.monotonic() < self.look_at:
            return []
        self.look_at = time.monotonic() + _EVERY
        return [
            (self.held[mark][0], why)
            for mark, pids in marked(self.held.keys()).items()
            if (why := too_much(self.held[mark][1], pids))
        ]


def too_much(held: dict[str, Any], pids: Collection[int]) -> str:
    """Return why processes are to be ended, empty if they are not: 0 is no limit.

    Pages that processes share are counted once, where it comes to that.
    """
    most = held["ram"] * _MIB
    if most and sum(map(resident, pids)) > most and sum(map(proportional, pids)) > most:
        return "out-of-memory"
    if held["processes"] and sum(map(threads, pids)) > held["processes"]:
        return f"it had more than {held['processes']} processes and threads"
    return ""


def threads(pid: int) -> int:
    """Return how many threads a process has, 0 if it is gone."""
    try:
        return os.stat(f"/proc/{pid}/task").st_nlink - 2
    except OSError:
        return 0


def marked(marks: Collection[int]) -> dict[int, list[int]]:
    """Return the processes that carry some marks, by those."""
    found: dict[int, list[int]] = {}
    with contextlib.suppress(OSError):  # there is no such folder but on Linux
        for name in os.listdir("/proc"):
            if name.isdigit() and (mark := mark_on(int(name))) in marks:
                found.setdefault(mark, []).append(int(name))
    return found


def end_all(leader: int, mark: int) -> None:
    """Kill a group of processes, and all that carries its mark.

    Of a group none can start another meanwhile. What is stopped starts none either, so others are
    stopped before any of them is killed.
    """
    signal_group(leader, signal.SIGKILL)
    seen: set[int] = set()
    for _ in range(_PASSES):
        new = set(marked([mark]).get(mark, ())) - seen
        if not new:
            break
        signal_all(new, signal.SIGSTOP)
        seen |= new
    signal_all(seen, signal.SIGKILL)
