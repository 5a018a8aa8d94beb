"""Moving what was committed from the log into the store itself.

Owns when that is done, and the thread that does it. Must not know what was committed.

SQLite would do so within a commit, once the log is long: it waits for the disk then, twice, and
with it whoever commits, and all who want to. Another connection can do it meanwhile.
"""

import logging
import sqlite3
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import Final

from localproc.errors import LocalprocError
from localproc.shortages import started

_LOG: Final = logging.getLogger("localproc")
#: Pages of the log after which it is time.
ENOUGH: Final = 4096
#: Pages of the log after which whoever commits does it after all: others keep it from being begun
#: anew, or there is no thread.
TOO_MANY: Final = 4 * ENOUGH
USUAL: Final = 8  #: pages, about, that a transaction writes


class Checkpoints:
    """The checkpoints of one store; ``reading`` gives a connection that is not the writer's."""

    def __init__(self, reading: Callable[[], AbstractContextManager[sqlite3.Connection]]) -> None:
        self._reading = reading
        self._pages = 0
        self._working = threading.Lock()

    def committed(self, pages: int) -> None:
        """Take note of a transaction that has written about so many pages."""
        self._pages += pages
        if self._pages < ENOUGH or not self._working.acquire(blocking=False):
            return
        self._pages = 0
        thread = threading.Thread(target=self._move, name="localproc-checkpoint", daemon=True)
        if not started(thread):
            self._working.release()

    def _move(self) -> None:
        try:
            with suppress(LocalprocError), self._reading() as db:
                db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        except Exception as error:
            _LOG.exception("what was committed stays in the log: %s", error)
        finally:
            self._working.release()
