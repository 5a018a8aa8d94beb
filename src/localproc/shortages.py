"""What a system, or a container, may have none left of for now: threads, processes, descriptors.

Owns telling such a shortage, which passes, from what is wrong. Must not know what is done about it.
"""

import errno
import threading
from typing import Final

_SCARCE: Final = (errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE)


def started(thread: threading.Thread) -> bool:
    """Start a thread; return whether the system had room for it."""
    try:
        thread.start()
    except RuntimeError:
        return False
    return True


def is_shortage(error: OSError) -> bool:
    """Whether the system had no room: it is worth trying again."""
    return error.errno in _SCARCE
