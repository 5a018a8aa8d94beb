"""What SQLite's errors mean.

Owns telling a full disk from a home that cannot be used, a file that is damaged, and a text that is
none. Must not know what is kept in it.
"""

import os
import sqlite3
from typing import Final

from localproc.errors import (
    EnvironmentProblem,
    HomeUnusable,
    InvalidInputs,
    NoSpace,
    StoreCorrupted,
    StoreLocked,
)

BUSY: Final = 30.0  #: seconds that others may hold the store

#: A disk that refuses to take more says so in many ways.
_NO_ROOM: Final = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR_WRITE,
        sqlite3.SQLITE_IOERR_FSYNC,
        sqlite3.SQLITE_IOERR_DIR_FSYNC,
        sqlite3.SQLITE_IOERR_SHMSIZE,
        sqlite3.SQLITE_IOERR_TRUNCATE,
    }
)
_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


def explained(error: sqlite3.DatabaseError, path: str) -> EnvironmentProblem:
    """Return what an error means to whoever owns the home that the file is in."""
    said = str(error)
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    if code in _NO_ROOM:
        return NoSpace(
            f"no space left for {path}: the disk is full, or your quota is used up",
            hint=f"make room on the disk of {os.path.dirname(path)}",
        )
    if "readonly" in said or "unable to open" in said:
        return HomeUnusable(
            f"{path} cannot be written: {said}",
            hint="choose another home with --home or LOCALPROC_HOME",
        )
    if "locked" in said:
        return stayed_locked(path)
    if code & 0xFF not in _DAMAGED:
        return EnvironmentProblem(f"the store {path} does not work: {said}")
    jobs = os.path.join(os.path.dirname(path), "jobs")
    return StoreCorrupted(
        f"the store {path} is damaged: {said}",
        hint=f"move it away (mv {path} {path}.damaged; mv {jobs} {jobs}.old) to begin a new one, "
        "or restore a backup elsewhere; results and logs in the home stay as they are",
    )


def stayed_locked(path: str) -> StoreLocked:
    """Say that others have held the store for too long."""
    return StoreLocked(
        f"{path} stayed locked by another process for {BUSY:g} s",
        hint="localproc doctor shows which engines use the home",
    )


def no_text(error: UnicodeEncodeError) -> InvalidInputs:
    """Say which text it was that cannot be kept or looked for."""
    return InvalidInputs(f"{error.object!r:.200} is not a text in UTF-8")
