"""The executors that a loop has opened.

Owns when each is asked for news, and how much room it has. Must not know jobs.
"""

import selectors
import threading
from collections.abc import Callable, Collection, Iterator
from time import monotonic
from typing import Final

from localproc.model import Report
from localproc.plugins.executor import Executor
from localproc.shortages import started

_PATIENCE: Final = 10.0  #: seconds that closing an executor may take

#: Opens an executor by its name; raises ``LocalprocError``.
OpenExecutor = Callable[[str], Executor]


class ExecutorPool:
    """Executors by name. Those that have a descriptor wake ``selector``."""

    def __init__(
        self,
        open_executor: OpenExecutor,
        selector: selectors.BaseSelector,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._open = open_executor
        self._selector = selector
        self._clock = clock
        self._known: dict[str, Executor] = {}
        self._files: dict[str, int] = {}
        self._asked: dict[str, float] = {}

    def get(self, name: str) -> Executor:
        """Return an executor; it is opened the first time. Raises ``LocalprocError``."""
        found = self._known.get(name)
        if found is None:
            found = self._known[name] = self._open(name)
            if (file := found.fileno()) is not None:
                self._files[name] = file
                self._selector.register(file, selectors.EVENT_READ)
        return found

    def patience(self, most: float) -> float:
        """Return after how many seconds one of them wants to be asked anyway."""
        for name in self._known:
            wait = self._wait(name)
            if wait is not None and wait < most:
                most = wait
        return most

    def reports(self, ready: Collection[int]) -> Iterator[Report]:
        """Return the news of those whose descriptors are ready, and of those whose time it is."""
        for name, executor in self._known.items():
            if self._files.get(name) in ready or self._wait(name) == 0:
                self._asked[name] = self._clock()
                yield from executor.poll()

    def room(self) -> dict[str, int]:
        """Return how many tasks each would take, by its name."""
        return {name: executor.room() for name, executor in self._known.items()}

    def close(self, *, tidy: bool) -> None:
        """Let go of all; ``tidy`` when no job of the home is open any more.

        One that does not answer is left to itself after some seconds.
        """

        def let_go(executor: Executor) -> None:
            if tidy:
                executor.tidy()
            executor.close()

        threads = []
        for executor in self._known.values():
            thread = threading.Thread(target=let_go, args=(executor,), daemon=True)
            if started(thread):
                threads.append(thread)
            else:
                let_go(executor)
        deadline = self._clock() + _PATIENCE
        for thread in threads:
            thread.join(max(0, deadline - self._clock()))

    def _wait(self, name: str) -> float | None:
        """Return how long an executor is not asked yet; ``None`` if it need not be."""
        interval = self._known[name].interval()
        if interval is None:
            return None
        return max(0.0, self._asked.get(name, -interval) + interval - self._clock())
