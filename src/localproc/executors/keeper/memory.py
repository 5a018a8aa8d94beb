"""Memory that tasks take together with all that they have started.

Owns reading it off the system (Linux), by the marks that their processes carry, and when to look.
Must not know what is done about it.

A look sees a peak only if it lasts until then: who has to keep a task below a limit at every moment
needs a control group.
"""

import contextlib
import os
import time
from collections.abc import Collection, Iterable
from typing import Any

from .strays import mark_on

_EVERY = 0.25  # seconds between looks
_PAGE = os.sysconf("SC_PAGE_SIZE")
_MIB = 1 << 20


class Memory:
    """Looks now and then; ``look_at`` is when to do that again (monotonic)."""

    def __init__(self) -> None:
        self.look_at = 0.0

    def beyond(self, tasks: Iterable[dict[str, Any]]) -> list[tuple[dict[str, Any], list[int]]]:
        """Return the tasks that take more than they are held to, with their processes.

        Of all with ``mark`` and ``held``, in MiB, 0 for no limit; none if it is too soon to look.
        Pages that processes share are counted once, where it comes to that.
        """
        held = {task["mark"]: task for task in tasks if task["held"]}
        if not held or time.monotonic() < self.look_at:
            return []
        self.look_at = time.monotonic() + _EVERY
        return [
            (held[mark], pids)
            for mark, pids in with_marks(held.keys()).items()
            if sum(map(resident, pids)) > held[mark]["held"] * _MIB
            and sum(map(proportional, pids)) > held[mark]["held"] * _MIB
        ]


def with_marks(marks: Collection[int]) -> dict[int, list[int]]:
    """Return the processes that carry some marks, by those."""
    found: dict[int, list[int]] = {}
    with contextlib.suppress(OSError):  # there is no such folder but on Linux
        for name in os.listdir("/proc"):
            if name.isdigit() and (mark := mark_on(int(name))) in marks:
                found.setdefault(mark, []).append(int(name))
    return found


def resident(pid: int) -> int:
    """Return the bytes that a process has in memory, with all that it shares; 0 if it is gone."""
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:
            return int(file.read().split()[1]) * _PAGE
    except OSError:
        return 0


def proportional(pid: int) -> int:
    """Return the bytes that a process has in memory, with its part of what it shares.

    Of one that may not be looked into, what it shares does not count.
    """
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
            return next(int(line.split()[1]) for line in file if line.startswith(b"Pss:")) << 10
    except ProcessLookupError:
        return 0
    except OSError:
        return _own(pid)


def _own(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:
            _, taken, shared, *_ = file.read().split()
    except OSError:
        return 0
    return (int(taken) - int(shared)) * _PAGE
