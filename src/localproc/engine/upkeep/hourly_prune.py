"""Upkeep that nobody asks for.

Owns when a home is pruned by itself: as the settings say, once an hour, by whichever engine comes
first. Must not know what is removed.
"""

import logging
import os
import threading
import time
from collections.abc import Callable
from typing import Final

from localproc.shortages import started

_LOG: Final = logging.getLogger("localproc")
_EVERY: Final = 3600.0


class HourlyPrune:
    """A thread that calls ``prune`` now and then; it is given what tells that it is to stop.

    ``stamp`` is a file whose time says when an engine of the home did so last.
    """

    def __init__(self, stamp: str, prune: Callable[[Callable[[], bool]], object]) -> None:
        self._stamp = stamp
        self._prune = prune
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._live, name="localproc-upkeep", daemon=True)
        self._runs = started(self._thread)

    def stop(self) -> None:
        """End it; what is being removed is removed whole."""
        self._stop.set()
        if self._runs:
            self._thread.join()

    def _live(self) -> None:
        while not self._stop.is_set():
            try:
                if self._is_due():
                    self._prune(self._stop.is_set)
            except Exception as error:
                _LOG.warning("the home could not be pruned: %s", error)
            self._stop.wait(_EVERY)

    def _is_due(self) -> bool:
        """Whether it is time, and this engine is the first to see so.

        A time to come is of a clock that has been set back since.
        """
        try:
            if 0 <= time.time() - os.stat(self._stamp).st_mtime < _EVERY:
                return False
        except FileNotFoundError:
            pass
        with open(self._stamp, "w", encoding="utf-8"):
            os.utime(self._stamp)
        return True
