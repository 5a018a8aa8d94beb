"""Calls of libraries that may never come back.

Owns the threads that make them, which are left behind with what does not answer: whoever waits for
that has an end of it, and so has the process. Must not know what is called.

A thread cannot be interrupted. One that was left alone ends when its call does; how many there may
be is bounded, and while there are as many nothing else is begun.
"""

import logging
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Any, Final, Generic, TypeVar

from localproc.shortages import THREADS, started
from localproc.storage.pace import patience

_T = TypeVar("_T")

_LOOK: Final = 0.05  #: seconds between two looks at whether anybody still waits
_MOST: Final = 64  #: threads of this process that are left alone with what does not answer
_IDLE: Final = 16  #: that are kept for the next call
_LOG: Final = logging.getLogger("localproc")

#: Is called with the bytes that have moved so far; what it raises ends a call.
Told = Callable[[int], None]


class Left(Exception):
    """Nobody waits for this call any more: it is to do nothing further."""


class _Call(Generic[_T]):
    """A call, and what came of it. ``watch`` is told of what moves, by one thread at a time."""

    def __init__(self, action: Callable[[Told], _T], watch: Told) -> None:
        self.over = threading.Event()
        self.last = monotonic()  #: when it told anything
        self._action = action
        self._watch = watch
        self._moved = 0
        self._lock = threading.Lock()
        self._is_left = False
        self._value: _T
        self._error: BaseException | None = None

    def make(self) -> None:
        """Make it, in the thread that may be left behind."""
        try:
            self._value = self._action(self._tell)
        except BaseException as error:  # it is raised where it is waited for
            self._error = None if self._is_left else error
        self.over.set()

    def _tell(self, moved: int) -> None:
        with self._lock:
            if self._is_left:
                raise Left
            self.last, self._moved = monotonic(), moved
            self._watch(moved)

    def look(self) -> None:
        """See whether anybody is still interested, while nothing is told."""
        with self._lock:
            self._watch(self._moved)

    def leave(self) -> None:
        """Have it end as soon as it tells anything."""
        with self._lock:
            self._is_left = True

    def value(self) -> _T:
        """Return what it gave; raises what it raised."""
        error, self._error = self._error, None
        try:
            if error is not None:
                raise error
            return self._value
        finally:
            del error  # it knows the frames that know it: connections would stay open with it


class Helper:
    """A thread that makes calls, one after the other; ``kept`` is what it has open.

    Nothing of that is used by another thread: connections of some libraries cannot be shared.
    """

    _left: Final[set["Helper"]] = set()
    _lock: Final = threading.Lock()

    def __init__(self, slowest: float) -> None:
        self.kept: dict[str, Any] = {}
        self.is_left = False
        self._slowest = slowest
        self._calls: queue.SimpleQueue[_Call[Any] | None] = queue.SimpleQueue()
        if len(self._left) >= _MOST:
            raise TimeoutError(f"{_MOST} threads wait already for what does not answer")
        if not started(threading.Thread(target=self._run, name="localproc-call", daemon=True)):
            raise TimeoutError(f"there is no thread left; {THREADS}")

    def do(
        self,
        action: Callable[[Told], _T],
        asked: int = 0,
        watch: Told = lambda _: None,
    ) -> _T:
        """Return what an action gives, which brings so many bytes.

        Raises ``TimeoutError`` if it takes too long, and tells nothing meanwhile (``patience``);
        what ``watch`` raises ends it as well.
        """
        call, limit = _Call(action, watch), patience(asked, self._slowest)
        self._calls.put(call)
        try:
            while not call.over.wait(_LOOK):
                call.look()
                if monotonic() - call.last > limit:
                    _LOG.warning("a call has not come back in %.0f s: its thread is left", limit)
                    raise TimeoutError(f"there was no answer within {limit:.0f} s")
        except BaseException:
            self._leave(call)
            raise
        return call.value()

    def end(self) -> None:
        """Let it end once it has made what it was asked for."""
        self._calls.put(None)

    def _leave(self, call: _Call[Any]) -> None:
        call.leave()
        with self._lock:
            self.is_left = True
            self._left.add(self)
        self.end()

    def _run(self) -> None:
        for call in iter(self._calls.get, None):
            call.make()
        with suppress(Exception):
            self.kept.clear()
        with self._lock:
            self._left.discard(self)


class Helpers:
    """Those of a storage. Threads may share it."""

    def __init__(self, slowest: float) -> None:
        self._slowest = slowest
        self._lock = threading.Lock()
        self._idle: list[Helper] = []
        self._closed = False

    @contextmanager
    def one(self) -> Iterator[Helper]:
        """Give one that nobody else uses meanwhile; raises ``TimeoutError`` if there is none."""
        with self._lock:
            found = self._idle.pop() if self._idle else None
        helper = found or Helper(self._slowest)
        try:
            yield helper
        finally:
            if not helper.is_left:
                self._keep(helper)

    def close(self) -> None:
        """Let them end; nobody waits for that."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for helper in idle:
            helper.end()

    def _keep(self, helper: Helper) -> None:
        with self._lock:
            if not self._closed and len(self._idle) < _IDLE:
                self._idle.append(helper)
                return
        helper.end()
