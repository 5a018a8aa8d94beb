"""That a store and the log beside it belong together.

Owns a small file that says which two they were, and its lock. Must not know what is in either.

SQLite reads a write-ahead log that lies beside a store whosever it is. It is there only while
somebody uses the store, or after a crash; then the store must be the one that it was written for.
The first who opens a store makes the log, the last who closes it removes it: they do so one after
the other, so that a log which comes or goes just now is not taken for another's.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from time import monotonic, sleep
from typing import Final

from localproc.errors import StoreCorrupted, StoreLocked
from localproc.store.sqlite_errors import BUSY, stayed_locked

LOG: Final = "-wal"
_PAIR: Final = "-pair"
_PAUSE: Final = 0.002
_MOST: Final = 256  #: bytes of the note, at most


@contextlib.contextmanager
def opening(path: str) -> Iterator[None]:
    """Open a store within this; which two are in use is noted before anything is written.

    Raises ``StoreCorrupted`` if the store has a log that is another's, ``StoreLocked`` if somebody
    opens or closes it for long.
    """
    with _locked(path) as file:
        _check(path, os.pread(file, _MOST, 0))
        yield
        _write(file, f"{_file(path)}\n{_file(path + LOG)}\n")


@contextlib.contextmanager
def closing(path: str) -> Iterator[None]:
    """Close a store within this; if that was the last use of it, it is noted that there is no log.

    A store whose folder is gone has nobody who would open it, and one whose turn does not come is
    closed all the same.
    """
    with contextlib.ExitStack() as turn:
        file: int | None = None
        with contextlib.suppress(FileNotFoundError, StoreLocked):
            file = turn.enter_context(_locked(path))
        yield
        if file is not None and not os.path.exists(path + LOG):
            _write(file, f"{_file(path)}\n\n")


def _check(path: str, noted: bytes) -> None:
    """Raise ``StoreCorrupted``; if neither is the one that it was, the whole home was copied."""
    store, _, log = noted.decode(errors="replace").rstrip("\n").partition("\n")
    try:
        found = os.stat(path + LOG)  # once: a reader that is late may just remove it
    except OSError:
        return
    if noted and found.st_size and (_file(path) == store) != (_number(found) == log):
        raise StoreCorrupted(
            f"{path}{LOG} is not the log of {path}: one of them was put there by somebody",
            hint=f"put back the two that belong together, or leave the log out: "
            f"mv {path}{LOG} {path}{LOG}.foreign",
        )


@contextlib.contextmanager
def _locked(path: str) -> Iterator[int]:
    file = os.open(path + _PAIR, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock(file, path)
        yield file
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)  # a child that was forked meanwhile has it open, too
        os.close(file)


def _lock(file: int, path: str) -> None:
    """Have a turn; whoever has it may have been stopped."""
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
