"""Which engines of a home are alive, and how to call them.

Owns an engine's lock and doorbell. Must not know jobs.

An engine holds a lock for as long as its process lives, so whoever looks knows at once and exactly
whether it does: no heartbeat to miss, no clock to trust. Its doorbell is a named pipe: a byte in it
wakes the engine's loop, from any thread or process.
"""

import contextlib
import fcntl
import os
import secrets
from typing import Final

from localproc import forks, locks

_LOCK: Final = ".lock"
_BELL: Final = ".bell"
_RING: Final = b"!"  #: somebody has changed the store
_WAKE: Final = b"."  #: a thread of the same process has something for the loop


class Liveness:
    """An engine's own lock and bell."""

    def __init__(self, folder: str) -> None:
        self.id = secrets.token_hex(8)
        self._base = os.path.join(folder, self.id)
        self._lock = _locked(self._base + _LOCK)
        os.write(self._lock, f"{os.getpid()}\n".encode())
        try:
            self._bell, self._ring = _bell(self._base + _BELL)
        except OSError:
            os.remove(self._base + _LOCK)
            os.close(self._lock)
            raise
        forks.watch(self)

    def fileno(self) -> int:
        """Return what is readable when somebody has rung."""
        return self._bell

    def wake(self) -> None:
        """Wake the loop."""
        with contextlib.suppress(OSError):  # a full pipe wakes it as well; nobody is called late
            os.write(self._ring, _WAKE)

    def answer(self) -> bool:
        """Take all rings at once; give whether one of them came from another process."""
        heard = b""
        with contextlib.suppress(BlockingIOError):
            while len(part := os.read(self._bell, 4096)) == 4096:
                heard += part
            heard += part
        return _RING in heard

    def knows(self, engine: str) -> bool:
        """Whether another engine of the home lives."""
        return is_alive(os.path.dirname(self._base), engine)

    def bury(self) -> None:
        """Remove the locks and bells of engines of the home that were killed."""
        folder = os.path.dirname(self._base)
        for engine in engines(folder):
            base = os.path.join(folder, engine)
            with contextlib.suppress(OSError), open(base + _LOCK, "r+b") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                for end in (_BELL, _LOCK):
                    with contextlib.suppress(FileNotFoundError):
                        os.remove(base + end)

    def leave(self) -> None:
        """Go."""
        forks.forget(self)
        ends, self._bell, self._ring = (self._bell, self._ring), -1, -1
        for file in ends:  # their numbers are other files' from here on
            os.close(file)
        for end in (_BELL, _LOCK):
            with contextlib.suppress(FileNotFoundError):
                os.remove(self._base + end)
        os.close(self._lock)

    def left_behind(self) -> None:
        """In a forked child: the lock is the parent's alone, and free when the parent goes."""
        forks.close(self._lock, self._bell, self._ring)


def _bell(path: str) -> tuple[int, int]:
    """Return both ends of a doorbell.

    Where a file system has no named pipes only this process can ring; what others have written is
    found at the next look at the store, in a second.
    """
    try:
        os.mkfifo(path, 0o600)
        flags = os.O_NONBLOCK
        return os.open(path, os.O_RDONLY | flags), os.open(path, os.O_WRONLY | flags)
    except OSError:
        with contextlib.suppress(OSError):
            os.remove(path)
    ends = os.pipe()
    for end in ends:
        os.set_blocking(end, False)
    return ends


def _locked(path: str) -> int:
    """Make a file and lock it."""
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(file, fcntl.LOCK_EX)
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file), os.stat(path)):
                return file
        os.close(file)  # it was taken for a dead engine's before it was locked


def is_alive(folder: str, engine: str) -> bool:
    """Return whether an engine lives; raises ``OSError`` where that cannot be found out."""
    return locks.is_held(os.path.join(folder, engine + _LOCK))


def pid_of(folder: str, engine: str) -> int | None:
    """Return the process of an engine."""
    try:
        with open(os.path.join(folder, engine + _LOCK), encoding="utf-8") as file:
            return int(file.read() or 0) or None
    except (FileNotFoundError, ValueError):
        return None


def ring(folder: str, engine: str) -> None:
    """Wake another engine's loop, if it lives."""
    with contextlib.suppress(OSError):
        bell = os.open(os.path.join(folder, engine + _BELL), os.O_WRONLY | os.O_NONBLOCK)
        try:
            os.write(bell, _RING)
        finally:
            os.close(bell)


def engines(folder: str) -> list[str]:
    """Return the ids of all engines that have left a lock behind, alive or not."""
    try:
        names = sorted(os.listdir(folder))
    except FileNotFoundError:
        return []
    return [name.removesuffix(_LOCK) for name in names if name.endswith(_LOCK)]
