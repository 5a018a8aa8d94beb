"""How slowly an answer may come.

Owns counting the bytes that come while a server is waited for, and giving it up. Must not know what
is asked for. Each silence has an end of its own, but a byte before each of them would keep a
transfer for years.
"""

import io
import math
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any, Final

from localproc.errors import EnvironmentProblem

SLOWEST: Final = 1024  #: bytes a second
_SPAN: Final = 60.0  #: seconds that a server is waited for until they are counted


def slowest_of(options: Mapping[str, Any]) -> float:
    """Return what options say; raises ``EnvironmentProblem`` for what is no rate."""
    found = options.get("slowest", SLOWEST)
    if not isinstance(found, bool) and isinstance(found, int | float) and 0 <= found < math.inf:
        return float(found)
    raise EnvironmentProblem(
        f"the option 'slowest' of the web is a number of bytes a second, not {found!r}",
        hint="0 waits for whatever still comes",
    )


class PacedReader(io.RawIOBase):
    """What is read from a server; ``slowest`` are the bytes a second that have to come.

    Time that passes between two reads, with a slow disk, does not count. Raises ``TimeoutError``.
    """

    def __init__(
        self, source: io.RawIOBase, slowest: float, clock: Callable[[], float] | None = None
    ) -> None:
        self._source = source
        self._slowest = slowest
        self._clock = clock or monotonic
        self._waited = 0.0
        self._came = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: memoryview) -> int | None:  # type: ignore[override]
        """Read what is there, as soon as there is anything."""
        began = self._clock()
        count = self._source.readinto(buffer)
        self._waited += self._clock() - began
        self._came += count or 0
        if count and self._waited >= _SPAN:
            if self._came < self._slowest * self._waited:
                raise TimeoutError(
                    f"{self._came} bytes came in {self._waited:.0f} s, "
                    f"fewer than {self._slowest:.0f} a second"
                )
            self._waited, self._came = 0.0, 0
        return count

    def close(self) -> None:
        """Close the source as well."""
        if not self.closed:
            self._source.close()
        super().close()
