"""How many bytes of a job's files have come or gone.

Owns adding up what several transfers tell, and telling it now and then. Must not know what is
transferred. Any thread may use it.
"""

import threading
from collections.abc import Callable
from time import monotonic
from typing import Final

_FIRST: Final = 1.0  #: seconds until anything is told, and between two times
_PART: Final = 0.05  #: of the time that it has taken so far: hours are told of some dozen times


class Meter:
    """Counts the bytes of some transfers, each by a key.

    ``told`` is given the bytes so far, and those of all, ``None`` where nobody knows: that of one
    that was begun and not expected.
    """

    def __init__(
        self,
        told: Callable[[int, int | None], None] = lambda _, __: None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._told = told
        self._clock = clock
        self._began = clock()
        self._next = self._began + _FIRST
        self._expected: dict[str, int] = {}
        self._done: dict[str, int] = {}
        self._lock = threading.Lock()

    def expect(self, key: str, size: int) -> None:
        """Note how large something is that is going to be transferred."""
        with self._lock:
            self._expected[key] = size

    def count(self, key: str, done: int) -> None:
        """Take note of how many bytes of something have been transferred so far."""
        with self._lock:
            self._done[key] = done
            now = self._clock()
            if now < self._next:
                return
            self._next = now + max(_FIRST, (now - self._began) * _PART)
            known = self._done.keys() <= self._expected.keys()
            whole = sum(self._expected.values()) if known else None
            self._told(sum(self._done.values()), whole)
