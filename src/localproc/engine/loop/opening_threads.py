"""Opening executors without keeping the loop waiting.

Owns a thread for each executor that is being opened, and what came of it. Must not know jobs.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from localproc.engine.loop.executor_pool import OpenExecutor
from localproc.errors import LocalprocError
from localproc.plugins.executor import Executor
from localproc.shortages import is_shortage, started

_LOG: Final = logging.getLogger("localproc")
_PATIENCE: Final = 10.0  #: seconds that closing waits for what is being opened


class Opening:
    """Executors on their way. ``ready`` is called, in a thread, when one is there or cannot be."""

    def __init__(self, open_executor: OpenExecutor, ready: Callable[[], None]) -> None:
        self._open = open_executor
        self._ready = ready
        self._outcomes: dict[str, Executor | LocalprocError] = {}
        self._begun: set[str] = set()
        self._taken: set[str] = set()
        self._threads: list[threading.Thread] = []
        self._closed = False

    def is_over(self, name: str) -> bool:
        """Begin to open an executor, if that has not begun; whether it has come to an end.

        Then ``take`` gives what came of it, once; one that could not be opened is tried again.
        """
        if name in self._taken:
            return True
        if name not in self._begun:
            thread = threading.Thread(
                target=self._work, args=(name,), name=f"localproc-open-{name}", daemon=True
            )
            self._begun.add(name)  # before the thread says otherwise
            if started(thread):
                self._threads.append(thread)
            else:
                self._begun.discard(name)
                _LOG.warning("the executor %r waits for a thread: the system gives none", name)
        return name in self._outcomes

    def take(self, name: str) -> Executor:
        """Return an executor that has been opened; raises ``LocalprocError`` where that failed."""
        self._begun.discard(name)
        outcome = self._outcomes.pop(name)
        if isinstance(outcome, LocalprocError):
            raise outcome
        self._taken.add(name)
        return outcome

    def close(self) -> None:
        """Let go of those that nobody has taken.

        Those on their way write to the home: they are waited for, some seconds.
        """
        self._closed = True
        deadline = time.monotonic() + _PATIENCE
        for thread in self._threads:
            thread.join(max(0, deadline - time.monotonic()))
        self._let_go()

    def _let_go(self) -> None:
        for name in list(self._outcomes):
            outcome = self._outcomes.pop(name, None)  # a thread may do the same now
            if outcome is not None and not isinstance(outcome, LocalprocError):
                outcome.close()

    def _work(self, name: str) -> None:
        try:
            self._outcomes[name] = self._open(name)
            if self._closed:
                self._let_go()
        except LocalprocError as error:
            self._outcomes[name] = error
        except Exception as error:
            if is_shortage(error):
                _LOG.warning("the executor %r cannot be opened yet: %s", name, error)
                self._begun.discard(name)  # the loop's next look begins anew
                return
            self._fail(name, error)
        self._ready()

    def _fail(self, name: str, error: Exception) -> None:
        _LOG.error("the executor %r cannot be opened: %s", name, error, exc_info=error)
        self._outcomes[name] = LocalprocError(f"{type(error).__name__}: {error}")
