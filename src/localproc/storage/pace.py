"""How slowly something may come or go.

Owns counting the bytes that move while a server is waited for, giving it up, and how long a call is
waited for that does not tell how many there are. Must not know what is asked for. Each silence has
an end of its own, but a byte before each of them would keep a transfer for years.
"""

import io
import math
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any, Final

from localproc.errors import EnvironmentProblem

SLOWEST: Final = 1024  #: bytes a second
#: What the option ``slowest`` of a storage means.
MEANING: Final = "bytes a second that have to come or go, over a minute: 1024; 0 for any"
SPAN: Final = 60.0  #: seconds that a server is waited for until they are counted
#: Of a call that brings many and does not tell how it goes: its seconds, and how much faster it is.
_QUIET, _FASTER = 600.0, 64


def slowest_of(options: Mapping[str, Any]) -> float:
    """Return what options say; raises ``EnvironmentProblem`` for what is no rate."""
    found = options.get("slowest", SLOWEST)
    if not isinstance(found, bool) and isinstance(found, int | float) and 0 <= found < math.inf:
        return float(found)
    raise EnvironmentProblem(
        f"the option 'slowest' of a storage is a number of bytes a second, not {found!r}",
        hint="0 waits for whatever still comes",
    )


def patience(asked: int, slowest: float) -> float:
    """Return the seconds that a call may take which brings ``asked`` bytes, and tells nothing.

    As long as these may take; ten minutes are enough for some MiB, and for many it is faster.
    """
    if not (asked and slowest):
        return math.inf if asked else SPAN
    return max(SPAN, min(asked / slowest, max(_QUIET, asked / slowest / _FASTER)))


class Pace:
    """Counts what comes; ``slowest`` are the bytes a second that have to."""

    def __init__(self, slowest: float) -> None:
        self._slowest = slowest
        self._waited = 0.0
        self._moved = 0

    def waited(self, seconds: float, moved: int) -> None:
        """Note how long bytes were waited for; raises ``TimeoutError`` if they are too few."""
        self._waited += seconds
        self._moved += moved
        if self._waited < SPAN:
            return
        if self._moved < self._slowest * self._waited:
            raise TimeoutError(
                f"{self._moved} bytes came in {self._waited:.0f} s, "
                f"fewer than {self._slowest:.0f} a second"
            )
        self._waited, self._moved = 0.0, 0


class PacedReader(io.RawIOBase):
    """What is read from a server; ``slowest`` are the bytes a second that have to come.

    Time that passes between two reads, with a slow disk, does not count. Raises ``TimeoutError``.
    """

    def __init__(
        self, source: io.RawIOBase, slowest: float, clock: Callable[[], float] | None = None
    ) -> None:
        self._source = source
        self._pace = Pace(slowest)
        self._clock = clock or monotonic

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: memoryview) -> int | None:  # type: ignore[override]
        """Read what is there, as soon as there is anything."""
        began = self._clock()
        count = self._source.readinto(buffer)
        if count:
            self._pace.waited(self._clock() - began, count)
        return count

    def close(self) -> None:
        """Close the source as well."""
        if not self.closed:
            self._source.close()
        super().close()
