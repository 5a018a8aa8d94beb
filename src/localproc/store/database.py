"""One SQLite file and its connections.

Owns opening it, transactions, and what becomes of both in a forked child. Must not know what
is kept in it.

One connection writes for all threads of a process, behind a lock: a transaction costs less than
handing it to a thread that owns the connection. Whoever reads takes a connection of those that
nobody uses, so that no thread waits for another that holds a lock and waits for the interpreter.
Other processes share the file through SQLite's own locks. Commits survive the death of any process;
surviving a power cut too is ``durable=True``.
"""

import contextlib
import os
import sqlite3
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from typing import Final

from localproc.errors import EnvironmentProblem, StoreCorrupted
from localproc.store.checkpoints import ENOUGH, Checkpoints
from localproc.store.copies import copy_store
from localproc.store.gate import Gate
from localproc.store.migrations import FORMAT, check_format, known_format, migrate
from localproc.store.sqlite_errors import BUSY, explained, no_text
from localproc.store.wal import LOG, closing, opening

_READERS: Final = 8  #: connections that are kept to read with
_CACHE: Final = 8192  #: KiB that one of them has at the most of pages that it has read
_WRITTEN: Final = 512  #: ... and the one that writes, which seldom reads again what it has written
_MUCH: Final = 256  #: pages that nobody uses, worth giving back
_INCREMENTAL: Final = 2  #: what SQLite calls the way in which a store can shrink
#: A script and ``commit`` let go of the interpreter once, a statement up to five times. Whoever
#: takes it meanwhile keeps the writer waiting, and all others with it.
_BEGIN: Final = "BEGIN IMMEDIATE"
_FORKING: Final = 5.0  #: seconds that a fork waits for a transaction to end


class Database:
    """The connections."""

    def __init__(self, path: str, *, journal: str = "wal", durable: bool = False) -> None:
        self._path = path
        self._lock = threading.RLock()
        self._gate = Gate()
        self._closed = False
        self._readers: deque[sqlite3.Connection] = deque()  # those that nobody uses
        self._logs = journal == "wal"
        self._checkpoints = Checkpoints(self._path + LOG, self.reading, self._lock)
        with self._meaning():
            with self._in_turn(opening):
                self._db = self._connect()
                with self._closed_if_it_fails():
                    found = self._configure(journal, durable=durable)
            with self._closed_if_it_fails():
                self._migrate(found)
        _OPEN.add(self)

    def shrink(self) -> None:
        """Give room that is not used any more back to the disk, once there is much of it.

        It is done a little at a time, so that nobody waits for long who writes.
        """
        free, before = self._free(), None
        while free >= _MUCH and free != before:
            with self._lock, self._meaning():  # a script is run to its end; a statement not
                self._db.executescript(f"PRAGMA incremental_vacuum({_MUCH})")
            free, before = self._free(), free

    def _free(self) -> int:
        """Return how many pages nobody uses."""
        with self._lock, self._meaning():
            return int(self._db.execute("PRAGMA freelist_count").fetchone()[0])

    def copy_to(self, path: str) -> None:
        """Write a copy of the store as it was recorded last, while it is in use."""
        with self.reading() as db:
            copy_store(db, self._path, path)

    def version(self) -> int:
        """Return a number that changes when another process has written."""
        with self._lock, self._meaning():  # to this connection, its own writes are no news
            return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    def check(self) -> list[str]:
        """Let SQLite check the whole file."""
        try:
            with self.reading() as db:
                found = [str(row[0]) for row in db.execute("PRAGMA integrity_check")]
        except StoreCorrupted as error:
            return [error.message]
        return [] if found == ["ok"] else found

    def close(self) -> None:
        """Close the connections. What is asked afterwards is read through one of its own."""
        self.settle()
        with self._lock:
            self._closed = True
            with self._in_turn(closing):
                self._db.close()
                self._close_readers()

    def settle(self) -> None:
        """Wait until nothing is being moved from the log into the store."""
        self._checkpoints.settle()

    def hold(self) -> bool:
        """Before a fork: wait until nothing is being written or read; whether that came to be."""
        if not self._lock.acquire(timeout=_FORKING):
            return False
        if not self._gate.shut(_FORKING):
            self._lock.release()
            return False
        return True

    def go_on(self) -> None:
        """After it, in the parent."""
        self._gate.open()
        self._lock.release()

    def left_behind(self) -> None:
        """After it, in the child: SQLite's connections may not be used there, so close them.

        While they are open SQLite believes that this process holds the locks of its parent.
        """
        self._closed = True
        self._close_readers()
        self._db.close()
        self._gate = Gate()
        self._checkpoints = Checkpoints(self._path + LOG, self.reading, self._lock)
        self._lock.release()

    def _close_readers(self) -> None:
        """Close those that nobody uses; whoever reads just now may take one."""
        with contextlib.suppress(IndexError):
            while True:
                self._readers.pop().close()

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(
            self._path, timeout=BUSY, isolation_level=None, check_same_thread=False
        )
        db.row_factory = sqlite3.Row
        try:
            db.execute(f"PRAGMA cache_size = -{_CACHE}")  # taken as it is needed
        except sqlite3.Error:
            db.close()
            raise
        return db

    @contextlib.contextmanager
    def _closed_if_it_fails(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self._db.close()
            raise

    def _in_turn(
        self, step: Callable[[str], contextlib.AbstractContextManager[None]]
    ) -> contextlib.AbstractContextManager[None]:
        """Return what others wait for who open or close the store, if it has a log."""
        return step(self._path) if self._logs else contextlib.nullcontext()

    def _configure(self, journal: str, *, durable: bool) -> int:
        """Have the connection work as all do; return the format of what it has found."""
        db = self._db
        if db.execute("PRAGMA auto_vacuum").fetchone()[0] != _INCREMENTAL:  # saying so writes
            db.execute("PRAGMA auto_vacuum = INCREMENTAL")
        db.execute(f"PRAGMA cache_size = -{_WRITTEN}")
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("PRAGMA wal_autocheckpoint = 0")
        db.execute(f"PRAGMA journal_size_limit = {ENOUGH}")
        if db.execute("PRAGMA journal_mode").fetchone()[0] != journal:
            db.execute(f"PRAGMA journal_mode = {journal}")
        full = durable or journal != "wal"
        db.execute(f"PRAGMA synchronous = {'FULL' if full else 'NORMAL'}")
        found = known_format(db, self._path)
        check_format(found, self._path)
        self._file = os.stat(self._path)
        return found

    def _migrate(self, found: int) -> None:
        """Bring a store of another format to the one of today."""
        if found < FORMAT:
            with self.transaction() as db:
                migrate(db, self._path)
        if 0 < found < FORMAT:
            with contextlib.suppress(sqlite3.OperationalError):  # others are at work, or no room
                self._db.execute("VACUUM")  # from here on it can shrink

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Give the connection that writes, for a transaction of its own."""
        with self._lock:
            if self._closed:
                raise EnvironmentProblem("the engine is closed")
            self._check_place()
            db = self._db
            try:
                db.executescript(_BEGIN)
                yield db
                db.commit()
            except BaseException as error:
                if db.in_transaction:
                    db.rollback()
                if isinstance(error, sqlite3.DatabaseError):
                    raise explained(error, self._path) from error
                if isinstance(error, UnicodeEncodeError):
                    raise no_text(error) from error
                raise
        if self._logs:
            self._checkpoints.committed()

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give a connection to read from."""
        try:
            with self._gate:
                try:
                    db = self._readers.pop()
                except IndexError:
                    self._check_place()
                    db = self._connect()
                try:
                    yield db
                finally:
                    if len(self._readers) >= _READERS and not self._closed:
                        db.close()
                    else:
                        self._readers.append(db)
                    if self._closed:  # asked last: it may have been closed until here
                        with self._in_turn(closing):
                            self._close_readers()
        except sqlite3.DatabaseError as error:
            raise explained(error, self._path) from error
        except UnicodeEncodeError as error:
            raise no_text(error) from error

    def _check_place(self) -> None:
        """Raise ``StoreCorrupted`` if what is written would not be found again."""
        try:
            found = os.stat(self._path)
        except FileNotFoundError:
            found = None
        if found is not None and os.path.samestat(found, self._file):
            return
        raise StoreCorrupted(
            f"the store {self._path} was removed or replaced while it was in use",
            hint="put it back, or restore a backup; then open the home again",
        )

    @contextlib.contextmanager
    def _meaning(self) -> Iterator[None]:
        """Say what SQLite's errors mean to whoever owns the home."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise explained(error, self._path) from error


@contextlib.contextmanager
def at_once(db: sqlite3.Connection) -> Iterator[None]:
    """Have all that is read within be as it is at one moment."""
    db.execute("BEGIN")
    try:
        yield
    finally:
        db.rollback()


_OPEN: Final["weakref.WeakSet[Database]"] = weakref.WeakSet()
_HELD: Final[dict[int, list[Database]]] = {}  # by the threads that are forking


def _before_fork() -> None:
    _HELD[threading.get_ident()] = [one for one in _all_open() if one.hold()]


def _all_open() -> list[Database]:
    while True:
        with contextlib.suppress(RuntimeError):  # another thread has just opened one
            return list(_OPEN)


def _in_parent() -> None:
    for one in _HELD.pop(threading.get_ident(), ()):
        one.go_on()


def _in_child() -> None:
    held = _HELD.pop(threading.get_ident(), ())
    _HELD.clear()
    _OPEN.clear()
    for one in held:
        one.left_behind()


os.register_at_fork(before=_before_fork, after_in_parent=_in_parent, after_in_child=_in_child)
