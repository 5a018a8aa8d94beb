"""What tasks leave behind when they have ended: processes that went into sessions of their own.

Owns which of the keeper's children belong to which task. Must not know what a task is.

On Linux a process whose parent has ended becomes a child of the keeper, whatever else it has
changed: its session, its environment, its folder. Which task it belongs to shows in a resource
limit that every process inherits and hardly any one changes: how many bytes its message queues may
have. Each task is started with a number of its own there, a little below what the limit was.
"""

import contextlib
import os
import resource
import sys

_MOST = 60_000  # numbers, used in turn
_PR_SET_CHILD_SUBREAPER = 36


class Strays:
    """The children of this process that no task is led by."""

    def __init__(self) -> None:
        self.children_file = f"/proc/self/task/{os.getpid()}/children"
        self.number = 0
        self.base = 0  # the limit without a number, 0 where there is none to use
        if sys.platform == "linux":
            adopt_orphans()
            soft, self.hard = resource.getrlimit(resource.RLIMIT_MSGQUEUE)
            soft = 1 << 40 if soft == resource.RLIM_INFINITY else soft
            self.base = soft if soft > 2 * _MOST else 0

    def mark(self, taken: set[int]) -> int:
        """Give this process, and what it starts next, a number that is not taken."""
        if not self.base:
            return 0
        self.number = self.number % _MOST + 1
        while self.number in taken:
            self.number = self.number % _MOST + 1
        resource.setrlimit(resource.RLIMIT_MSGQUEUE, (self.base - self.number, self.hard))
        return self.number

    def children(self) -> set[int]:
        """Return the pids of all children, also of those that have ended and are not reaped."""
        try:
            with open(self.children_file, "rb") as file:
                return set(map(int, file.read().split()))
        except OSError:
            return set()

    def number_of(self, pid: int) -> int:
        """Return the number that a process was started with; 0 if that cannot be told."""
        if not self.base:
            return 0
        try:
            with open(f"/proc/{pid}/limits", "rb") as file:
                found = next(line for line in file if line.startswith(b"Max msgqueue size"))
            number = self.base - int(found.split()[3])
        except (OSError, StopIteration, ValueError, IndexError):
            return 0
        return number if 0 < number <= _MOST else 0

    def by_number(self, leaders: set[int]) -> dict[int, list[int]]:
        """Return the children that are not ``leaders``, by the numbers that they have."""
        found: dict[int, list[int]] = {}
        for pid in self.children() - leaders:
            found.setdefault(self.number_of(pid), []).append(pid)
        return found


def signal_all(pids: list[int], number: int) -> None:
    """Send a signal to processes that may have gone."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def adopt_orphans() -> None:
    """Become the parent of processes whose own has ended (Linux)."""
    import ctypes

    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
