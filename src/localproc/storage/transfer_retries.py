"""Trying again what fails for a moment: the one place where anything is.

Owns how often, how long in between, and ending at once when nobody waits any more. Must not know
what is tried, nor which storage it is asked of: that raises ``StorageUnavailable``.
"""

import random
import time
from collections.abc import Callable
from typing import Final, TypeVar

from localproc.errors import StagingError, StorageUnavailable
from localproc.frozen import frozen

_T = TypeVar("_T")

_FIRST: Final = 0.25  #: seconds before the second try; they double
_SLICE: Final = 0.05  #: seconds between two looks at whether anybody still waits


@frozen
class Patience:
    """``tries`` at the most, with no more than ``longest`` seconds between two of them."""

    tries: int
    longest: float


#: For what is read: others may have it wrong, and a job can be run again.
READING: Final = Patience(6, 60.0)
#: For what is written: all the work has been done by then. It is some 40 minutes.
WRITING: Final = Patience(48, 60.0)


def go_on(stopped: Callable[[], bool]) -> None:
    """Raise ``StagingError`` if nobody waits for the files any more."""
    if stopped():
        raise StagingError("stopped: the job was dismissed")


def retrying(
    action: Callable[[], _T],
    patience: Patience,
    stopped: Callable[[], bool],
    told: Callable[[str], None],
) -> _T:
    """Return what an action gives, trying again while it raises ``StorageUnavailable``.

    A storage that asks to be left alone for longer than the patience lasts is not asked again.
    ``told`` is given a line about each further try.
    """
    for number in range(1, patience.tries):
        go_on(stopped)
        try:
            return action()
        except StorageUnavailable as error:
            if error.retry_after > patience.longest * 5:
                raise
            wait = min(_FIRST * 2 ** (number - 1), patience.longest) * random.uniform(0.75, 1.25)  # noqa: S311
            wait = max(wait, error.retry_after)
            told(f"{error.message}; it is tried again in {wait:.1f} s")
            _pause(wait, stopped)
    go_on(stopped)
    return action()


def _pause(seconds: float, stopped: Callable[[], bool]) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        go_on(stopped)
        time.sleep(min(left, _SLICE))
