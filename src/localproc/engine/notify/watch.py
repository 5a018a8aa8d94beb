"""Watching a job from outside.

Owns looking at a history piece by piece, and waiting for more of it. Must not know how jobs are
run: what it sees is what has been recorded.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Final

from localproc.machine import StepBook
from localproc.model import Event, JobRecord, Step

_PAUSE: Final = 0.05


class Watch:
    """The steps of one job as they change: each look reads only what is new.

    ``record`` gives the job's row, ``events`` its events without the first so many.
    """

    def __init__(
        self, record: Callable[[], JobRecord], events: Callable[[int], list[Event]]
    ) -> None:
        self._record = record
        self._events = events
        self._book = StepBook()
        self._seen = 0
        self._over = False

    def look(self) -> list[Step]:
        """Return the steps that have changed since the last look, once for each change."""
        final = self._record().status.final  # before its events: they are all there then
        events = self._events(self._seen)
        self._seen += len(events)
        self._over = final
        return [step for event in events for step in self._book.take(event)]

    @property
    def over(self) -> bool:
        """Whether the job had ended when it was looked at last."""
        return self._over

    def until_the_end(self, end: AbstractContextManager[threading.Event]) -> Iterator[Step]:
        """Yield each step as it changes, until the job has ended; ``end`` is set when it has."""
        with end as ended:
            while not self._over:
                changed = self.look()
                yield from changed
                if not (changed or self._over) and ended.wait(_PAUSE):
                    ended.clear()  # the engine was closed: the job goes on elsewhere


class Changes(Iterator[Step]):
    """Each step of a job as it changes, until the job has ended: for ``for`` and ``async for``.

    It is gone through once, in one of the two ways.
    """

    def __init__(self, watch: Watch, end: AbstractContextManager[threading.Event]) -> None:
        self._watch = watch
        self._waiting = watch.until_the_end(end)
        self._found: deque[Step] = deque()

    def __next__(self) -> Step:
        return next(self._waiting)

    def __aiter__(self) -> "Changes":
        return self

    async def __anext__(self) -> Step:
        import asyncio  # whoever awaits has it; others need not load it

        while not self._found:
            if self._watch.over:
                raise StopAsyncIteration
            self._found += await asyncio.to_thread(self._watch.look)
            if not (self._found or self._watch.over):
                await asyncio.sleep(_PAUSE)
        return self._found.popleft()
