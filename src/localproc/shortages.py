"""What a system, or a container, may have none left of for now: threads, processes, descriptors.

Owns telling such a shortage, which passes, from what is wrong. Must not know what is done about it.
"""

import errno
import threading
from typing import Final

_SCARCE: Final = (errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE)

#: What whoever misses a thread can do.
THREADS: Final = "there are limits: ulimit -u and -v, or those of the container"
_NO_THREAD: Final = "can't start new thread"  #: all that Python says of it


def started(thread: threading.Thread) -> bool:
    """Start a thread; return whether the system had room for it."""
    try:
        thread.start()
    except RuntimeError:
        return False
    return True


def is_shortage(error: Exception) -> bool:
    """Whether the system had no room: it is worth trying again."""
    if isinstance(error, OSError):
        return error.errno in _SCARCE
    return isinstance(error, RuntimeError) and str(error) == _NO_THREAD
