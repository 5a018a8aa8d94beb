"""How long tests wait before they give up.

They wait for conditions, never for a time to pass. What they take for "never" is one factor times
what this machine needs: a machine that is that much slower passes them too.
"""

import time
from collections.abc import Callable
from typing import Any, Final

#: How much slower a machine may be.
FACTOR: Final = 10
_PAUSE: Final = 0.01


def patient(seconds: float) -> float:
    """Return the timeout, in seconds, of what takes at most so many here."""
    return seconds * FACTOR


def until(condition: Callable[[], Any], seconds: float = 15) -> Any:
    """Wait until a condition holds; return what it gave."""
    deadline = time.monotonic() + patient(seconds)
    while not (found := condition()):
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(_PAUSE)
    return found
