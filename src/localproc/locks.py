"""Locks on files, which the system gives back when whoever has them is gone.

Owns taking one and asking whether somebody has one. Must not know what they are locks of.
"""

import fcntl
import os


def take(path: str) -> int | None:
    """Lock a file, which is made if need be; return the descriptor that does, until it is closed.

    ``None`` if another one has it. Raises ``OSError`` where locks do not work.
    """
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(file)
        if isinstance(error, BlockingIOError):
            return None
        raise
    return file


def is_held(path: str, *, shared: bool = False) -> bool:
    """Return whether a living process holds the lock of a file; it does not if there is no file.

    Those who ask at the same moment do not take each other for holders. ``shared``: one that
    several may hold, for which they do. Raises ``OSError`` where that cannot be tried.
    """
    how = fcntl.LOCK_EX if shared else fcntl.LOCK_SH
    try:
        file = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False
