"""Removing results that could not be removed when their jobs ended.

Owns when that is tried again, and which of them are really to go. Must not know why they were left.
"""

import logging
import secrets
import threading
from collections.abc import Callable
from typing import Final

from localproc.errors import LocalprocError
from localproc.model import JobStatus
from localproc.plugins.storage import Storage
from localproc.plugins.store import Store
from localproc.shortages import started
from localproc.storage.remnants import Remnant, Remnants
from localproc.storage.withdraw import remove_results

_LOG: Final = logging.getLogger("localproc")
_FIRST, _LONGEST = 5.0, 600.0  #: seconds until the next try; they double
_LAST: Final = 5.0  #: seconds that a closing engine waits for what is being removed

#: Opens the storage of a URI for a namespace.
OpenStorage = Callable[[str, str], Storage]


class Remains:
    """Those of a home. ``remove`` raises what the storage does."""

    def __init__(self, remnants: Remnants, store: Store, storage: OpenStorage) -> None:
        self._remnants = remnants
        self._store = store
        self._storage = storage

    def any(self) -> bool:
        """Whether there are any, also of jobs that are about to end."""
        return bool(self._remnants.all())

    def due(self) -> list[Remnant]:
        """Return what is to be removed of jobs that have ended."""
        return [one for one in self._remnants.all() if self._is_over(one)]

    def remove(self, one: Remnant) -> None:
        """Remove it, and forget it."""
        remove_results(self._storage(one.root, one.namespace), one.root)
        self.forget(one.job_id)

    def broken_off(self, folder: str, namespace: str) -> None:
        """Have swept what a look at a place for results may have left there, of no job yet."""
        name = f"look-{secrets.token_hex(8)}"
        self._remnants.leave(Remnant(name, namespace, f"{folder}/{name}"))

    def forget(self, job_id: str) -> None:
        """Note that a job has none."""
        self._remnants.forget(job_id)

    def _is_over(self, one: Remnant) -> bool:
        """Whether nobody publishes the results any more: an open job may be taken up again."""
        job = self._store.job(one.job_id)
        return job is None or (job.status.final and job.status is not JobStatus.SUCCESSFUL)


class Remover:
    """A thread that removes them, until there are none; ``ring`` starts it."""

    def __init__(self, remains: Remains) -> None:
        self._remains = remains
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()

    def ring(self) -> None:
        """Begin, unless it is under way."""
        with self._lock:
            if self._closed.is_set() or self._thread is not None:
                return
            thread = threading.Thread(target=self._live, name="localproc-remains", daemon=True)
            self._thread = thread if started(thread) else None  # else the next ring tries again

    def close(self) -> None:
        """End; what is being removed is waited for, some seconds."""
        with self._lock:
            self._closed.set()
            thread = self._thread
        if thread is not None:
            thread.join(_LAST)

    def _live(self) -> None:
        wait = _FIRST
        while not self._is_done():
            self._closed.wait(wait)
            wait = min(wait * 2, _LONGEST)

    def _is_done(self) -> bool:
        """Try all once; whether the thread is to end, as there are none or the engine leaves."""
        try:
            self._try()
            with self._lock:
                if self._closed.is_set() or not self._remains.any():
                    self._thread = None
                    return True
        except (LocalprocError, OSError) as error:  # the store, or the home, cannot be used now
            _LOG.warning("results are still to be removed: %s", error)
        return self._closed.is_set()

    def _try(self) -> None:
        for one in self._remains.due():
            if self._closed.is_set():
                break
            try:
                self._remains.remove(one)
            except Exception as error:  # whatever it is, there is another time
                _LOG.info("what was left in %s is still there: %s", one.root, error)
