"""Moving what was committed from the log into the store itself.

Owns when that is done, and the thread that does it. Must not know what was committed.

SQLite would do so within a commit, once the log is long: it waits for the disk then, twice, and
with it whoever commits, and all who want to. Another connection can do it meanwhile. The log is
begun anew by the first commit that finds all of it moved, and nobody reading it. There is none
while others commit all the time: once the log is too long they wait until the little that they have
committed while it was moved is moved as well. A log that is not begun anew would grow for ever, and
writing to where there was nothing before takes longer.
"""

import logging
import os
import sqlite3
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from functools import partial
from typing import Final

from localproc.errors import LocalprocError
from localproc.shortages import started

_LOG: Final = logging.getLogger("localproc")
#: Bytes of the log after which it is time. It is cut to as many when it is begun anew: while it has
#: more it is as long as that.
ENOUGH: Final = 16 << 20
MUCH: Final = 20 << 20  #: bytes after which whoever commits has to wait for the rest
OFTEN: Final = 16  #: commits between two looks at it
SELDOM: Final = 512  #: ... after one that was in vain: somebody goes on reading
_PASSES: Final = 32  #: times that what was committed meanwhile is moved too


class Checkpoints:
    """The checkpoints of one store, whose log is the file ``log``.

    ``reading`` gives a connection that is not the writer's; nobody of this process commits while
    ``writing`` is held, which is taken before such a connection.
    """

    def __init__(
        self,
        log: str,
        reading: Callable[[], AbstractContextManager[sqlite3.Connection]],
        writing: AbstractContextManager[object],
    ) -> None:
        self._log = log
        self._reading = reading
        self._writing = writing
        self._commits = 0
        self._next_look = 1
        self._working = threading.Lock()

    def committed(self) -> None:
        """Take note of a transaction."""
        self._commits += 1
        if self._commits < self._next_look:
            return
        self._next_look = self._commits + OFTEN
        size = self._size()
        if size <= ENOUGH or not self._working.acquire(blocking=False):
            return
        move = partial(self._move, is_much=size > MUCH)
        if not started(threading.Thread(target=move, name="localproc-checkpoint", daemon=True)):
            move()

    def settle(self) -> None:
        """Wait until nothing is being moved."""
        with self._working:
            pass

    def _size(self) -> int:
        try:
            return os.stat(self._log).st_size
        except OSError:  # whoever closed the store last has removed it
            return 0

    def _move(self, *, is_much: bool) -> None:
        try:
            with suppress(LocalprocError):
                if not self._is_moved():
                    self._next_look = self._commits + SELDOM
                elif is_much:
                    with self._writing:
                        self._is_moved()
        except Exception as error:
            _LOG.exception("what was committed stays in the log: %s", error)
        finally:
            self._working.release()

    def _is_moved(self) -> bool:
        with self._reading() as db:
            return _is_moved(db)


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
