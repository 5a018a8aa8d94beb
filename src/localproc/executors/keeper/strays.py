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
from collections.abc import Iterator

_RLIMIT_LOCKS = 10  # it has no name in Python: Linux has ignored it since 2.4.25
_PR_SET_CHILD_SUBREAPER = 36


class Strays:
    """The children of this process that no task is led by."""

    def __init__(self) -> None:
        self.children_file = f"/proc/self/task/{os.getpid()}/children"
        self.limits: tuple[int, int] | None = None
        if sys.platform == "linux":
            adopt_orphans()
            with contextlib.suppress(OSError, ValueError):  # not everything like Linux has it
                self.limits = resource.getrlimit(_RLIMIT_LOCKS)
                resource.setrlimit(_RLIMIT_LOCKS, self.limits)

    @contextlib.contextmanager
    def marked(self, mark: int) -> Iterator[None]:
        """Have what this process starts carry a mark, where that can be."""
        if self.limits is None or self.limits[1] != resource.RLIM_INFINITY:
            yield
            return
        resource.setrlimit(_RLIMIT_LOCKS, (mark, self.limits[1]))
        try:
            yield
        finally:  # this process is no task's
            resource.setrlimit(_RLIMIT_LOCKS, self.limits)

    def children(self) -> set[int]:
        """Return the pids of all children, also of those that have ended and are not reaped."""
        try:
            file = os.open(self.children_file, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return set()
        found = b""  # asked at the end of every task: a file object would ask for much besides
        try:
            while piece := os.read(file, 1 << 16):
                found += piece
        except OSError:
            return set()
        finally:
            os.close(file)
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
