"""Moving what was committed from the log into the store itself.

Owns when that is done, and the thread that does it. Must not know what was committed.

SQLite would do so within a commit, once the log is long: it waits for the disk then, twice, and
with it whoever commits, and all who want to. Another connection can do it meanwhile. The log is
begun anew by the first commit that finds all of it moved, and nobody reading it; so what was
committed while it was moved is moved as well, until there is nothing.
"""

import logging
import os
import sqlite3
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import Final

from localproc.errors import LocalprocError
from localproc.shortages import started

_LOG: Final = logging.getLogger("localproc")
#: Bytes of the log after which it is time. It is cut to as many when it is begun anew: while it has
#: more it is as long as that.
ENOUGH: Final = 16 << 20
OFTEN: Final = 16  #: commits between two looks at it
SELDOM: Final = 512  #: ... after one that was in vain: somebody goes on reading
_PASSES: Final = 32  #: times that what was committed meanwhile is moved too


class Checkpoints:
    """The checkpoints of one store, whose log is the file ``log``.

    ``reading`` gives a connection that is not the writer's.
    """

    def __init__(
        self, log: str, reading: Callable[[], AbstractContextManager[sqlite3.Connection]]
    ) -> None:
        self._log = log
        self._reading = reading
        self._commits = 0
        self._next_look = 1
        self._working = threading.Lock()

    def committed(self) -> None:
        """Take note of a transaction."""
        self._commits += 1
        if self._commits < self._next_look:
            return
        self._next_look = self._commits + OFTEN
        if not self._is_long() or not self._working.acquire(blocking=False):
            return
        thread = threading.Thread(target=self._move, name="localproc-checkpoint", daemon=True)
        if not started(thread):
            self._move()

    def settle(self) -> None:
        """Wait until nothing is being moved."""
        with self._working:
            pass

    def _is_long(self) -> bool:
        try:
            return os.stat(self._log).st_size > ENOUGH
        except OSError:  # whoever closed the store last has removed it
            return False

    def _move(self) -> None:
        try:
            with suppress(LocalprocError), self._reading() as db:
                if not _is_moved(db):
                    self._next_look = self._commits + SELDOM
        except Exception as error:
            _LOG.exception("what was committed stays in the log: %s", error)
        finally:
            self._working.release()


def _is_moved(db: sqlite3.Connection) -> bool:
    """Move all that can be; whether that is all that there is, as long as it came on."""
    before = 0
    for _ in range(_PASSES):
        _, there, moved = db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        if moved == there:
            return True
        if moved == before:
            return False
        before = moved
    return True
