"""A copy of a store in one file, made while the store is in use.

Owns that nobody may read a copy who may not read the store, and that nothing stays of one that
could not be made. Must not know what a copy is for.
"""

import contextlib
import os
import sqlite3
import stat

from localproc.errors import HomeUnusable
from localproc.store.sqlite_errors import explained


def copy_store(source: sqlite3.Connection, path: str, copy: str) -> None:
    """Copy the store at ``path`` as it was recorded last; what was at ``copy`` is replaced.

    Raises ``NoSpace``, or ``HomeUnusable`` that names the copy.
    """
    try:
        with contextlib.suppress(FileNotFoundError):
            os.remove(copy)
        mode = stat.S_IMODE(os.stat(path).st_mode)
        os.close(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode))
    except OSError as error:
        raise no_copy(error, copy) from error
    try:
        with contextlib.closing(sqlite3.connect(copy)) as target:
            source.backup(target)
    except BaseException as error:
        os.remove(copy)
        if isinstance(error, sqlite3.OperationalError) and "locked" not in str(error):
            raise explained(error, copy) from error  # else it is the store that is locked
        raise


def no_copy(error: OSError, copy: str) -> HomeUnusable:
    """Say that there can be no copy at a place, and why."""
    return HomeUnusable(
        f"{copy} cannot be written: {error.strerror or error}",
        hint="a copy of the store is made there: make way for it",
    )
