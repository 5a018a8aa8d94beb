"""That a store and the log beside it belong together.

Owns a small file that says which two they were. Must not know what is in either.

SQLite reads a write-ahead log that lies beside a store whosever it is. It is there only while
somebody uses the store, or after a crash; then the store must be the one that it was written for.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from time import monotonic, sleep
from typing import Final

from localproc import forks
from localproc.errors import StoreCorrupted
from localproc.store.sqlite_errors import BUSY, stayed_locked

_WAL: Final = "-wal"
_PAIR: Final = "-pair"
_LONGEST: Final = 256  #: bytes that are noted
_PAUSE: Final = 0.002


class Pair:
    """What is noted of a store and its log; nobody else opens the store while there is one."""

    def __init__(self, path: str, file: int) -> None:
        self._path = path
        self._file = file
        forks.watch(self)

    def check(self) -> None:
        """Raise ``StoreCorrupted`` if the store has a log that is another's.

        If neither is the one that it was, the whole home was copied.
        """
        path = self._path
        try:
            found = os.stat(path + _WAL)  # once: whoever has it open may close, and remove, it
            store, log = os.pread(self._file, _LONGEST, 0).decode().split("\n")[:2]
        except (OSError, ValueError):
            return
        if found.st_size and (_file(path) == store) != (_number(found) == log):
            raise StoreCorrupted(
                f"{path}{_WAL} is not the log of {path}: one of them was put there by somebody",
                hint=f"put back the two that belong together, or leave the log out: "
                f"mv {path}{_WAL} {path}{_WAL}.foreign",
            )

    def note(self) -> None:
        """Note which store and which log are in use; nothing has been written by now."""
        _write(self._file, f"{_file(self._path)}\n{_file(self._path + _WAL)}\n")

    def note_end(self) -> None:
        """Note that there is no log any more, if whoever closed the store was the last."""
        if not os.path.exists(self._path + _WAL):
            _write(self._file, f"{_file(self._path)}\n\n")

    def left_behind(self) -> None:
        """In a forked child: it is the parent's."""
        forks.close(self._file)


@contextlib.contextmanager
def pair_of(path: str) -> Iterator[Pair]:
    """Give what is noted of a store, once nobody else has it; raises ``StoreLocked`` in vain.

    A store is opened under it: a log that somebody has made and not noted yet looks foreign.
    """
    file = os.open(path + _PAIR, os.O_RDWR | os.O_CREAT, 0o600)
    pair = Pair(path, file)
    try:
        _lock(file, path)
        yield pair
    finally:
        forks.forget(pair)
        os.close(file)


def _lock(file: int, path: str) -> None:
    until = monotonic() + BUSY
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if monotonic() > until:
                raise stayed_locked(path) from None
            sleep(_PAUSE)
        else:
            return


def _write(file: int, text: str) -> None:
    data = text.encode()
    if os.pread(file, len(data) + 1, 0) != data:
        os.pwrite(file, data, 0)
        os.ftruncate(file, len(data))


def _file(path: str) -> str:
    """Return what tells a file from every other one, empty if there is none."""
    try:
        return _number(os.stat(path))
    except OSError:
        return ""


def _number(found: os.stat_result) -> str:
    return f"{found.st_dev}:{found.st_ino}"
