"""Recording what jobs have decided.

Owns one transaction for all that happened in a turn of the loop, what to do when the disk is full
or somebody holds the store, and telling others of what has been recorded. Must not know what the
events mean.
"""

import logging
import threading
from collections.abc import Callable, Collection, Sequence
from typing import Final

from localproc.engine.home.home import Home
from localproc.engine.notify.observers import Observers
from localproc.errors import NoSpace, StoreLocked
from localproc.model import JobRecord
from localproc.plugins.store import Change, Store

_LOG: Final = logging.getLogger("localproc")
_RETRY: Final = 1.0


class Committer:
    """The store as one engine writes to it.

    ``ended`` is told each job whose end has been recorded; ``posted`` is called when
    there are callbacks.
    """

    def __init__(
        self,
        store: Store,
        owner: str,
        home: Home,
        observers: Observers,
        ended: Callable[[JobRecord], None],
        posted: Callable[[], None],
    ) -> None:
        self._store = store
        self._owner = owner
        self._home = home
        self._observers = observers
        self._ended = ended
        self._posted = posted
        self._closing = False

    def record(self, changes: Sequence[Change]) -> Collection[str]:
        """Record changes; give the ids of jobs that are this engine's no more.

        Raises ``NoSpace`` or ``StoreLocked`` only once ``close`` has been called.
        """
        if not changes:
            return ()
        lost = self._commit(changes)
        for change in changes:
            if change.job.id not in lost:
                self._observers.tell(change.job, change.events)
                if change.job.status.final:
                    self._ended(change.job)
        if any(change.callbacks for change in changes):
            self._posted()
        return lost

    def close(self) -> None:
        """Wait for room on the disk, or for whoever holds the store, no longer."""
        self._closing = True

    def _commit(self, changes: Sequence[Change]) -> Collection[str]:
        """Nothing may be acted upon that is not recorded, so wait until that can be."""
        while True:
            try:
                return self._store.commit(self._owner, changes)
            except (NoSpace, StoreLocked) as error:
                if isinstance(error, NoSpace) and self._home.drop_ballast():
                    continue
                if self._closing:
                    raise
                _LOG.error("%s", error)
                threading.Event().wait(_RETRY)
