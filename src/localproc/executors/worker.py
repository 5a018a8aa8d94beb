"""A thread that does one thing again and again, whatever becomes of it.

Owns waking it, waiting longer and longer while nobody answers, and starting it anew after it broke.
Must not know what it does.
"""

import logging
import threading
from collections.abc import Callable
from time import monotonic
from typing import Final

from localproc.errors import ExecutorUnavailable
from localproc.shortages import started

_LOG: Final = logging.getLogger("localproc")
_LAST: Final = 60.0  #: seconds before it is tried again, at the most


class Worker:
    """Calls ``turn``, which returns the seconds until its next turn, or ``None``: when rung.

    An error that ``turn`` raises is logged, the first of its kind, and followed by a pause that a
    ring does not shorten: ``first`` seconds, and longer each time.
    """

    def __init__(self, name: str, turn: Callable[[], float | None], first: float = 0.5) -> None:
        self._name = name
        self._turn = turn
        self._first = first
        self._pause = 0.0
        self._rung = False
        self._closed = False
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._said: set[str] = set()

    def ring(self) -> None:
        """Have it take a turn; its thread is started if there is none."""
        with self._changed:
            self._rung = True
            self._changed.notify()
        self.revive()

    def hasten(self) -> None:
        """What it waits for may be there: a pause becomes no longer than the first one."""
        with self._changed:
            self._pause = min(self._pause, self._first)
            self._changed.notify()

    def revive(self) -> bool:
        """Start its thread again if it is wanted and gone, or could not be started before.

        Return whether it has what it wants: not where the system gives no thread.
        """
        with self._changed:  # several threads may find that there is none
            thread = self._thread
            if self._closed or not self._rung or (thread is not None and thread.is_alive()):
                return True
            self._thread = threading.Thread(target=self._live, name=self._name, daemon=True)
            if not started(self._thread):  # it is tried again
                self._thread = None
                self._say_waiting()
            return self._thread is not None

    def close(self) -> None:
        """Have it end after this turn, and one more if it was rung."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def join(self, seconds: float) -> bool:
        """Wait for its end; whether that came."""
        if self._thread is not None:
            self._thread.join(seconds)
        return self._thread is None or not self._thread.is_alive()

    def _live(self) -> None:
        while self._rung or not self._closed:
            self._rung = False
            wait = self._take_turn()
            with self._changed:
                if self._pause:
                    self._be_patient()
                else:
                    self._changed.wait_for(lambda: self._closed or self._rung, wait)

    def _be_patient(self) -> None:
        """Pause, for less time if that is shortened meanwhile."""
        began = monotonic()
        while not self._closed and (left := began + self._pause - monotonic()) > 0:
            self._changed.wait(left)

    def _take_turn(self) -> float | None:
        try:
            wait = self._turn()
        except BaseException as error:  # whatever it is, nobody else would see it
            self._pause = min(_LAST, self._pause * 2 or self._first)
            self._note(error)
            return self._pause
        self._pause = 0.0
        self._said.clear()
        return wait

    def _say_waiting(self) -> None:
        said = f"{self._name} waits for a thread: the system gives none"
        if said not in self._said:
            self._said.add(said)
            _LOG.warning(said)

    def _note(self, error: BaseException) -> None:
        said = f"{self._name}: {type(error).__name__}: {error}"
        if said in self._said:
            return
        self._said.add(said)
        if isinstance(error, ExecutorUnavailable):
            _LOG.info("%s: no answer, it is asked again: %s", self._name, error.message)
        else:
            _LOG.error(said, exc_info=error)
