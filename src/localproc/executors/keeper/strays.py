"""What tasks leave behind when they have ended: processes that went into sessions of their own.

Owns how a process shows which task it belongs to, and which of the keeper's children do. Must not
know what a task is.

On Linux a process whose parent has ended becomes a child of the keeper, whatever else it has
changed: its session, its environment, its folder. Which task it belongs to shows in a resource
limit that every process inherits and the kernel does not keep to: how many locks files may have.
Each task is started with a number there that follows from its folder, so that whoever knows the
folder finds what is left of the task when its keeper has gone as well.
"""

import contextlib
import os
import resource
import sys
import zlib

_RLIMIT_LOCKS = 10  # it has no name in Python: Linux has ignored it since 2.4.25
_PR_SET_CHILD_SUBREAPER = 36


class Strays:
    """The children of this process that no task is led by."""

    def __init__(self) -> None:
        self.children_file = -1
        self.unmarked: tuple[int, int] | None = None
        if sys.platform == "linux":
            adopt_orphans()
            with contextlib.suppress(OSError):  # not everything like Linux has it
                self.children_file = os.open(f"/proc/self/task/{os.getpid()}/children", os.O_RDONLY)
            with contextlib.suppress(OSError, ValueError):  # nor this
                limits = resource.getrlimit(_RLIMIT_LOCKS)
                resource.setrlimit(_RLIMIT_LOCKS, limits)
                self.unmarked = limits if limits[1] == resource.RLIM_INFINITY else None

    def mark(self, mark: int) -> None:
        """Have what this process starts carry a mark, where that can be, until ``unmark``."""
        if self.unmarked is not None:
            resource.setrlimit(_RLIMIT_LOCKS, (mark, resource.RLIM_INFINITY))

    def unmark(self) -> None:
        """Have this process be no task's."""
        if self.unmarked is not None:
            resource.setrlimit(_RLIMIT_LOCKS, self.unmarked)

    def children(self) -> set[int]:
        """Return the pids of all children, also of those that have ended and are not reaped."""
        found = b""
        if self.children_file >= 0:
            while piece := os.pread(self.children_file, 1 << 16, len(found)):
                found += piece
        return set(map(int, found.split()))

    def by_mark(self, leaders: set[int]) -> dict[int, list[int]]:
        """Return the children that are not ``leaders``, by the marks that they carry."""
        found: dict[int, list[int]] = {}
        for pid in self.children() - leaders:
            found.setdefault(mark_on(pid), []).append(pid)
        return found


def mark_of(folder: str) -> int:
    """Return the mark of the task that works in a folder, given its real path."""
    path = os.fsencode(folder)
    return zlib.crc32(path) << 30 | zlib.crc32(path[::-1]) >> 2 | 1


def mark_on(pid: int) -> int:
    """Return the mark that a process carries; 0 if there is none, or that cannot be told."""
    if sys.platform != "linux":
        return 0
    try:
        soft, _ = resource.prlimit(pid, _RLIMIT_LOCKS)
    except OSError:
        return 0
    return 0 if soft == resource.RLIM_INFINITY else soft


def adopt_orphans() -> None:
    """Become the parent of processes whose own has ended (Linux)."""
    import ctypes

    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
