"""That a store and the log beside it belong together.

Owns a small file that says which two they were. Must not know what is in either.

SQLite reads a write-ahead log that lies beside a store whosever it is. It is there only while
somebody uses the store, or after a crash; then the store must be the one that it was written for.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from typing import Final

from localproc.errors import StoreCorrupted

_WAL: Final = "-wal"
_PAIR: Final = "-pair"


def check_pair(path: str) -> None:
    """Raise ``StoreCorrupted`` if a store has a log that is another's.

    If neither is the one that it was, the whole home was copied.
    """
    try:
        size = os.stat(path + _WAL).st_size
        with open(path + _PAIR, encoding="utf-8") as file:
            store, log = file.read().split("\n")[:2]
    except (OSError, ValueError):
        return
    if size and (_file(path) == store) != (_file(path + _WAL) == log):
        raise StoreCorrupted(
            f"{path}{_WAL} is not the log of {path}: one of them was put there by somebody",
            hint=f"put back the two that belong together, or leave the log out: "
            f"mv {path}{_WAL} {path}{_WAL}.foreign",
        )


def note_pair(path: str) -> None:
    """Note which store and which log are in use; nothing has been written by now."""
    with _locked(path) as file:
        _write(file, f"{_file(path)}\n{_file(path + _WAL)}\n")


def note_end(path: str) -> None:
    """Note that there is no log any more, if whoever closed the store was the last."""
    with _locked(path) as file:
        if not os.path.exists(path + _WAL):
            _write(file, f"{_file(path)}\n\n")


@contextlib.contextmanager
def _locked(path: str) -> Iterator[int]:
    file = os.open(path + _PAIR, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file
    finally:
        os.close(file)


def _write(file: int, text: str) -> None:
    data = text.encode()
    if os.pread(file, len(data) + 1, 0) != data:
        os.pwrite(file, data, 0)
        os.ftruncate(file, len(data))


def _file(path: str) -> str:
    """Return what tells a file from every other one, empty if there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return ""
    return f"{found.st_dev}:{found.st_ino}"
