"""Runs the triggers of a home: one process at a time, whatever their number.

Owns the thread, and the lock that says which process it is. Must not know what triggers do.
"""

import fcntl
import logging
import os
import threading
from datetime import UTC, datetime
from typing import Final

from localproc.engine.namespace import Namespace
from localproc.engine.triggers.scheduler import Scheduler
from localproc.errors import LocalprocError

_LOG: Final = logging.getLogger("localproc")
_LOOK: Final = 1.0  #: seconds between looks at what others have changed
_STAND_BY: Final = 1.0  #: seconds between attempts to take over from another process
_MOST: Final = 100


class TriggerRunner:
    """Sees to triggers until it is closed; ``space`` is a namespace of the home."""

    def __init__(self, space: Namespace) -> None:
        self._runtime = space.runtime
        self._store = space.runtime.store
        self._spaces = {space.name: space}
        self._space = space
        self._scheduler = Scheduler(self._store, self._within, self._owner)
        self._stopping = threading.Event()
        self._lock: int | None = None
        self._thread = threading.Thread(target=self._live, name="localproc-triggers", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End; what is due then is another process's, or made up for later."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    @property
    def is_running(self) -> bool:
        """Whether this process is the one that sees to triggers."""
        return self._lock is not None

    def _live(self) -> None:
        while not self._stopping.is_set():
            pause = _STAND_BY
            try:
                if self._is_mine():
                    pause = self._look()
            except LocalprocError as error:
                _LOG.warning("triggers wait: %s", error)
            except Exception:  # whatever is wrong with one, the others are seen to later
                _LOG.exception("triggers wait")
            self._stopping.wait(pause)

    def _is_mine(self) -> bool:
        """Whether this process has the lock; the death of another one gives it free."""
        if self._lock is not None:
            return True
        path = os.path.join(self._runtime.home.path, "triggers.lock")
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return False
        self._lock = file
        return True

    def _look(self) -> float:
        """See to what is due; return how many seconds to wait."""
        now = datetime.now(UTC)
        waiting = False
        for trigger in self._store.due_triggers(now, _MOST):
            if self._stopping.is_set():
                return 0.0
            if trigger.kind == "schedule":
                waiting |= self._scheduler.waits(trigger)
                self._run(self._scheduler.look(trigger, now))
        self._run(self._scheduler.follow(now))
        due = None if waiting else self._store.next_trigger()
        if due is None:
            return _LOOK
        return max(0.0, min(_LOOK, (due - datetime.now(UTC)).total_seconds()))

    def _run(self, jobs: list[str]) -> None:
        """Have new jobs run here, if this process runs any."""
        for job_id in jobs:
            job = self._store.job(job_id)
            if job is not None and self._runtime.run_jobs:
                self._runtime.observers.tell(job, self._store.events(job.id))
                self._runtime.loop().accept(job)

    def _owner(self) -> str | None:
        return self._runtime.owner() if self._runtime.run_jobs else None

    def _within(self, name: str) -> Namespace:
        if name not in self._spaces:
            self._spaces[name] = self._space.within(name)
        return self._spaces[name]
