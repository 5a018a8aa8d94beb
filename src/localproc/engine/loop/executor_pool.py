"""The executors that a loop has opened.

Owns when each is asked for news, and how much room it has. Must not know jobs.
"""

import logging
import selectors
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from time import monotonic
from typing import Final

from localproc.errors import ExecutorUnavailable, LocalprocError
from localproc.model import Report
from localproc.plugins.executor import Capabilities, Executor

_LOG: Final = logging.getLogger("localproc")
_PATIENCE: Final = 10.0  #: seconds that closing an executor may take

#: Opens an executor by its name; raises ``LocalprocError``.
OpenExecutor = Callable[[str], tuple[Executor, Capabilities]]


class ExecutorPool:
    """Executors by name. Those that have a descriptor wake ``selector``."""

    def __init__(self, open_executor: OpenExecutor, selector: selectors.BaseSelector) -> None:
        self._open = open_executor
        self._selector = selector
        self._known: dict[str, tuple[Executor, Capabilities]] = {}
        self._files: dict[str, int] = {}

    def get(self, name: str) -> tuple[Executor, Capabilities]:
        """Give an executor; it is opened the first time. Raises ``LocalprocError``."""
        found = self._known.get(name)
        if found is None:
            found = self._known[name] = self._open(name)
            if (file := found[0].fileno()) is not None:
                self._files[name] = file
                self._selector.register(file, selectors.EVENT_READ)
        return found

    def warm_up(self, name: str) -> None:
        """Open an executor ahead of its first job, which is told if that fails."""
        with suppress(LocalprocError):
            self.get(name)

    def patience(self, most: float) -> float:
        """Give after how many seconds one of them wants to be asked anyway."""
        intervals = (executor.interval() for executor, _ in self._known.values())
        return min((one for one in intervals if one is not None), default=most)

    def reports(self, ready: Collection[int]) -> Iterator[Report]:
        """Give the news of those whose descriptors are ready, and of those without one."""
        for name, (executor, _) in self._known.items():
            if self._files.get(name) in ready or executor.interval() is not None:
                try:
                    yield from executor.poll()
                except ExecutorUnavailable as error:
                    _LOG.debug("no news: %s", error)

    def room(self) -> dict[int, int]:
        """Give how many tasks each would take, by its ``id``."""
        return {id(executor): executor.room() for executor, _ in self._known.values()}

    def close(self, *, tidy: bool) -> None:
        """Let go of all; ``tidy`` when no job of the home is open any more.

        One that does not answer is left to itself after some seconds.
        """

        def let_go(executor: Executor) -> None:
            if tidy:
                executor.tidy()
            executor.close()

        threads = []
        for executor, _ in self._known.values():
            thread = threading.Thread(target=let_go, args=(executor,), daemon=True)
            try:
                thread.start()
            except RuntimeError:  # the system has no room for one
                let_go(executor)
            else:
                threads.append(thread)
        deadline = monotonic() + _PATIENCE
        for thread in threads:
            thread.join(max(0, deadline - monotonic()))
