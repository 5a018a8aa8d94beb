"""Runs the triggers of a home: one process at a time, whatever their number.

Owns the thread, and the lock that says which process it is. Must not know what triggers do.
"""

import logging
import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from localproc import locks
from localproc.engine.namespace import Namespace
from localproc.engine.triggers.accepting import TriggeredJobs
from localproc.engine.triggers.subscriber import Subscriber
from localproc.engine.triggers.timekeeper import Timekeeper
from localproc.errors import EnvironmentProblem, LocalprocError
from localproc.shortages import THREADS, started

_LOG: Final = logging.getLogger("localproc")
_LOOK: Final = 1.0  #: seconds between looks at what others have changed
_STAND_BY: Final = 1.0  #: seconds between attempts to take over from another process
_LEAST: Final = 0.01
_MOST: Final = 100


class TriggerRunner:
    """Sees to triggers until it is closed; ``space`` is a namespace of the home."""

    def __init__(self, space: Namespace) -> None:
        self._runtime = space.runtime
        self._store = space.runtime.store
        self._jobs = TriggeredJobs(space)
        self._scheduler = Timekeeper(self._store, self._jobs)
        self._subscriber = Subscriber(self._store, self._jobs)
        self._taking = threading.Lock()
        self._stopping = threading.Event()
        self._lock: int | None = None
        #: Looking for files and items may take long, and keeps no schedule waiting.
        self._threads = [
            threading.Thread(target=self._live, args=(look,), name=f"localproc-{name}", daemon=True)
            for name, look in (
                ("schedules", self._see_to_schedules),
                ("subscriptions", self._see_to_subscriptions),
            )
        ]

    def start(self) -> None:
        """Begin; raises ``EnvironmentProblem`` if the system has no threads for it."""
        if not all(map(started, self._threads)):
            self.close()
            raise EnvironmentProblem("there are no threads to see to triggers in", hint=THREADS)

    def close(self) -> None:
        """End; what is due then is another process's, or made up for later."""
        self._stopping.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()
        self._let_go()

    def _live(self, look: Callable[[], float]) -> None:
        while not self._stopping.is_set():
            pause = _STAND_BY
            try:
                self._runtime.check()
            except LocalprocError as error:  # what is set off here would be run by nobody
                _LOG.error("triggers are left to other processes: %s", error)
                self._let_go()
                return
            try:
                if self._is_mine():
                    pause = look()
            except LocalprocError as error:
                _LOG.warning("triggers wait: %s", error)
            except Exception:  # whatever is wrong with one, the others are seen to later
                _LOG.exception("triggers wait")
            self._stopping.wait(pause)

    def _is_mine(self) -> bool:
        """Whether this process has the lock; the death of another one gives it free."""
        with self._taking:
            return self._lock is not None or self._take()

    def _take(self) -> bool:
        self._lock = locks.take(os.path.join(self._runtime.home.path, "triggers.lock"))
        return self._lock is not None

    def _let_go(self) -> None:
        with self._taking:
            if self._lock is not None:
                os.close(self._lock)
                self._lock = None

    def _see_to_schedules(self) -> float:
        """See to schedules that are due; return how many seconds to wait."""
        now = datetime.now(UTC)
        waiting = False
        for trigger in self._store.due_triggers("schedule", now, _MOST):
            if self._stopping.is_set():
                return 0.0
            waiting |= self._scheduler.waits(trigger)
            self._jobs.begin(self._scheduler.look(trigger, now))
        self._jobs.begin(self._scheduler.follow(now))
        due = None if waiting else self._store.next_trigger()
        if due is None:
            return _LOOK
        return max(_LEAST, min(_LOOK, (due - datetime.now(UTC)).total_seconds()))

    def _see_to_subscriptions(self) -> float:
        """See to subscriptions that are due; return how many seconds to wait."""
        now = datetime.now(UTC)
        for trigger in self._store.due_triggers("subscription", now, _MOST):
            if self._stopping.is_set():
                return 0.0
            self._jobs.begin(self._subscriber.look(trigger, now))
            if "process" not in trigger.definition["target"]:
                self._runtime.ring_callbacks()
        return _LOOK
