"""How much room is taken in a folder, whichever of several processes takes it.

Owns a file with the number of bytes, and that one process at a time looks at it and makes room.
Must not know what the bytes are.
"""

import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

_DIGITS: Final = 32


class SharedRoom:
    """``most`` bytes in all.

    ``counted`` looks how many there are, which each process does once: one that was killed has not
    told of all. ``freed`` makes room, and returns how many are left.
    """

    def __init__(
        self, path: str, most: int, counted: Callable[[], int], freed: Callable[[], int]
    ) -> None:
        self._path = path
        self._most = most
        self._counted = counted
        self._freed = freed
        self._has_looked = False
        self._lock = threading.Lock()

    def take(self, size: int) -> None:
        """Note that so many more bytes are there, and see that they are not too many.

        Raises ``OSError``.
        """
        with self._lock, self._alone() as file:
            noted = os.pread(file, _DIGITS, 0).strip() if self._has_looked else b""
            used = int(noted) + size if noted.isdigit() else self._counted()
            self._has_looked = True
            if used > self._most:
                used = self._freed()
            os.pwrite(file, str(used).ljust(_DIGITS).encode(), 0)

    @contextmanager
    def _alone(self) -> Iterator[int]:
        file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            with suppress(OSError):  # without locks two may make room at once, and too much of it
                fcntl.flock(file, fcntl.LOCK_EX)
            yield file
        finally:
            os.close(file)
