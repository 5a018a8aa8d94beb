"""The store in SQLite.

Owns the connection, its transactions and what SQLite's errors mean. Must not know what jobs do.

One connection serves all threads of a process, behind a lock: a transaction costs less than
handing it to a thread that owns the connection. Other processes share the file through SQLite's own
locks. Commits survive the death of any process; surviving a power cut too is ``durable=True``.
"""

import contextlib
import os
import sqlite3
import threading
from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final

from localproc.errors import EnvironmentProblem, HomeUnusable, NoSpace, StoreCorrupted
from localproc.model import Event, JobFilter, JobRecord, ProcessRecord
from localproc.plugins.store import Change
from localproc.store import rows
from localproc.store.query import jobs_query
from localproc.store.schema import SCHEMA, VERSION

_BUSY: Final = 30.0
_OPEN: Final = "status IN ('accepted', 'running')"
_UPDATE: Final = (
    "UPDATE jobs SET status = ?, updated = ?, started = ?, finished = ?, progress = ?, "
    "message = ?, dismiss = max(dismiss, ?) WHERE n = ? AND owner = ?"
)


class SqliteStore:
    """Implements ``localproc.plugins.store.Store``."""

    def __init__(self, path: str, *, journal: str = "wal", durable: bool = False) -> None:
        self._path = path
        self._lock = threading.RLock()
        self._numbers: dict[str, int] = {}
        self._closed = False
        with self._meaning():
            self._db = sqlite3.connect(
                path, timeout=_BUSY, isolation_level=None, check_same_thread=False
            )
            self._db.row_factory = sqlite3.Row
            try:
                self._configure(journal, durable=durable)
            except BaseException:
                self._db.close()
                raise

    def add_job(self, job: JobRecord, event: Event) -> None:
        """Record a job that has been accepted, and its first event."""
        marks = ", ".join("?" * 21)
        with self._transaction() as db:
            inserted = db.execute(
                f"INSERT INTO jobs ({rows.JOB_COLUMNS}) VALUES ({marks})",  # noqa: S608
                rows.job_row(job),
            )
            number = inserted.lastrowid
            assert number is not None
            db.execute(_INSERT_EVENT, rows.event_row(number, 1, event))
        self._numbers[job.id] = number

    def commit(self, owner: str, changes: Sequence[Change]) -> Collection[str]:
        """Record changes of the owner's jobs; give the jobs that it does not own any more."""
        lost: set[str] = set()
        events: list[tuple[Any, ...]] = []
        with self._transaction() as db:
            for change in changes:
                number = self._number(db, change.job.id)
                if number is None or not self._update(db, number, owner, change.job):
                    lost.add(change.job.id)
                    continue
                for seq, event in enumerate(change.events, change.after + 1):
                    events.append(rows.event_row(number, seq, event))
            db.executemany(_INSERT_EVENT, events)
        for change in changes:
            if change.job.status.final:
                self._numbers.pop(change.job.id, None)
        return lost

    def job(self, job_id: str) -> JobRecord | None:
        """Give a job's row."""
        with self._reading() as db:
            row = db.execute(
                f"SELECT {rows.JOB_COLUMNS} FROM jobs WHERE id = ?",  # noqa: S608
                (job_id,),
            ).fetchone()
        return None if row is None else rows.job_from(row)

    def jobs(self, wanted: JobFilter) -> list[JobRecord]:
        """Give one page of jobs, newest first."""
        with self._reading() as db:
            sql, values = jobs_query(db, wanted)
            return [rows.job_from(row) for row in db.execute(sql, values)]

    def events(self, job_id: str, after: int = 0) -> list[Event]:
        """Give the job's events in order."""
        with self._reading() as db:
            number = self._number(db, job_id)
            found = db.execute(
                "SELECT kind, at, data, progress, message FROM events "
                "WHERE job = ? AND seq > ? ORDER BY seq",
                (number, after),
            ).fetchall()
        return [rows.event_from(row) for row in found]

    def delete_job(self, job_id: str) -> bool:
        """Forget a job that has ended."""
        with self._transaction() as db:
            gone = db.execute(f"DELETE FROM jobs WHERE id = ? AND NOT {_OPEN}", (job_id,))  # noqa: S608
        self._numbers.pop(job_id, None)
        return gone.rowcount > 0

    def hide_job(self, job_id: str) -> None:
        """Take a job off the lists; it stays as a tombstone."""
        with self._transaction() as db:
            db.execute("UPDATE jobs SET hidden = 1 WHERE id = ?", (job_id,))

    def request_dismiss(self, job_id: str) -> bool:
        """Note that the job should stop."""
        with self._transaction() as db:
            found = db.execute(f"UPDATE jobs SET dismiss = 1 WHERE id = ? AND {_OPEN}", (job_id,))  # noqa: S608
        return found.rowcount > 0

    def to_dismiss(self, owner: str) -> list[str]:
        """Give the owner's jobs that should stop."""
        with self._reading() as db:
            found = db.execute(
                f"SELECT id FROM jobs WHERE owner = ? AND dismiss = 1 AND {_OPEN}",  # noqa: S608
                (owner,),
            ).fetchall()
        return [row["id"] for row in found]

    def claim(self, owner: str, from_owners: Collection[str], most: int) -> list[JobRecord]:
        """Take over open jobs that belong to nobody or to one of ``from_owners``."""
        marks = ", ".join("?" * len(from_owners))
        with self._transaction() as db:
            found = db.execute(
                f"UPDATE jobs SET owner = ? WHERE n IN (SELECT n FROM jobs WHERE {_OPEN} "  # noqa: S608
                f"AND (owner IS NULL OR owner IN ({marks})) ORDER BY n LIMIT ?) "
                f"RETURNING n, {rows.JOB_COLUMNS}",
                (owner, *from_owners, most),
            ).fetchall()
        self._numbers.update((row["id"], row["n"]) for row in found)
        return [rows.job_from(row) for row in sorted(found, key=lambda row: row["n"])]

    def release(self, owner: str) -> None:
        """Give the owner's open jobs up."""
        with self._transaction() as db:
            db.execute(f"UPDATE jobs SET owner = NULL WHERE owner = ? AND {_OPEN}", (owner,))  # noqa: S608

    def owners(self) -> set[str | None]:
        """Give the owners of all open jobs, ``None`` if some belong to nobody."""
        with self._reading() as db:
            found = db.execute(f"SELECT DISTINCT owner FROM jobs WHERE {_OPEN}").fetchall()  # noqa: S608
        return {row["owner"] for row in found}

    def version(self) -> int:
        """Give a number that changes when another process has written."""
        with self._reading() as db:
            return int(db.execute("PRAGMA data_version").fetchone()[0])

    def put_process(self, process: ProcessRecord) -> None:
        """Record a revision and make it the current one."""
        with self._transaction() as db:
            db.execute(
                "UPDATE processes SET current = 0 WHERE namespace = ? AND id = ?",
                (process.namespace, process.id),
            )
            db.execute(
                "INSERT OR REPLACE INTO processes (namespace, id, revision, version, title, "
                "mutable, deployed, description, resolved, media_type, entry, current) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)",
                rows.process_row(process),
            )
            db.executemany(
                "INSERT OR REPLACE INTO texts (revision, position, name, data) VALUES (?, ?, ?, ?)",
                [
                    (process.revision, position, name, data)
                    for position, (name, data) in enumerate(process.texts.items())
                ],
            )

    def process(
        self, namespace: str, process_id: str, revision: str | None = None
    ) -> ProcessRecord | None:
        """Give a revision, the current one if none is named."""
        which = "current = 1" if revision is None else "revision = ?"
        values = [namespace, process_id, *([] if revision is None else [revision])]
        with self._reading() as db:
            row = db.execute(
                f"SELECT * FROM processes WHERE namespace = ? AND id = ? AND {which}",  # noqa: S608
                values,
            ).fetchone()
            return None if row is None else self._process(db, row)

    def processes(self, namespace: str) -> list[ProcessRecord]:
        """Give the current revisions in a namespace, by id."""
        with self._reading() as db:
            found = db.execute(
                "SELECT * FROM processes WHERE namespace = ? AND current = 1 ORDER BY id",
                (namespace,),
            ).fetchall()
            return [self._process(db, row) for row in found]

    def processes_from(self, namespace: str, entry: str) -> list[ProcessRecord]:
        """Give the current revisions that were deployed from a URI."""
        with self._reading() as db:
            found = db.execute(
                "SELECT * FROM processes WHERE namespace = ? AND current = 1 AND entry <> '' "
                "AND entry = ?",
                (namespace, entry),
            ).fetchall()
            return [self._process(db, row) for row in found]

    def remove_process(self, namespace: str, process_id: str) -> bool:
        """Make a process undeployed."""
        with self._transaction() as db:
            gone = db.execute(
                "UPDATE processes SET current = 0 WHERE namespace = ? AND id = ? AND current = 1",
                (namespace, process_id),
            )
        return gone.rowcount > 0

    def open_jobs(self, namespace: str, process_id: str) -> int:
        """Give how many jobs of a process have not ended."""
        with self._reading() as db:
            found = db.execute(
                f"SELECT count(*) FROM jobs WHERE namespace = ? AND process = ? AND {_OPEN}",  # noqa: S608
                (namespace, process_id),
            ).fetchone()
        return int(found[0])

    def check(self) -> list[str]:
        """Let SQLite check the whole file."""
        try:
            with self._reading() as db:
                found = [str(row[0]) for row in db.execute("PRAGMA integrity_check")]
        except StoreCorrupted as error:
            return [error.message]
        return [] if found == ["ok"] else found

    def close(self) -> None:
        """Close the connection. What is asked afterwards is read through one of its own."""
        with self._lock:
            self._closed = True
            self._db.close()

    def _configure(self, journal: str, *, durable: bool) -> None:
        db = self._db
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("PRAGMA cache_size = -16384")
        if db.execute("PRAGMA journal_mode").fetchone()[0] != journal:
            db.execute(f"PRAGMA journal_mode = {journal}")
        full = durable or journal != "wal"
        db.execute(f"PRAGMA synchronous = {'FULL' if full else 'NORMAL'}")
        known = self._known_version()
        if known is None:
            self._create()
        elif known > VERSION:
            raise EnvironmentProblem(
                f"{self._path} was written by a newer localproc (format {known})",
                hint="upgrade localproc, or use another home",
            )

    def _known_version(self) -> int | None:
        db = self._db
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone():
            return None
        row = db.execute("SELECT value FROM meta WHERE key = 'version'").fetchone()
        return None if row is None else int(row[0])

    def _create(self) -> None:
        with self._transaction() as db:
            if self._known_version() is None:  # another process may have been quicker
                for statement in SCHEMA.split(";"):
                    db.execute(statement)
                db.execute("INSERT INTO meta VALUES ('version', ?)", (str(VERSION),))

    def _process(self, db: sqlite3.Connection, row: sqlite3.Row) -> ProcessRecord:
        texts = db.execute(
            "SELECT name, data FROM texts WHERE revision = ? ORDER BY position", (row["revision"],)
        )
        return rows.process_from(row, {one["name"]: one["data"] for one in texts})

    def _number(self, db: sqlite3.Connection, job_id: str) -> int | None:
        number = self._numbers.get(job_id)
        if number is None:
            row = db.execute("SELECT n FROM jobs WHERE id = ?", (job_id,)).fetchone()
            number = None if row is None else int(row[0])
        return number

    def _update(self, db: sqlite3.Connection, number: int, owner: str, job: JobRecord) -> bool:
        updated = db.execute(
            _UPDATE,
            (
                job.status.value,
                rows.micros(job.updated),
                None if job.started is None else rows.micros(job.started),
                None if job.finished is None else rows.micros(job.finished),
                job.progress,
                job.message,
                int(job.dismiss_requested),
                number,
                owner,
            ),
        )
        return updated.rowcount > 0

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._meaning():
            if self._closed:
                raise EnvironmentProblem("the engine is closed")
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._meaning():
            if not self._closed:
                yield self._db
                return
            with contextlib.closing(sqlite3.connect(self._path, timeout=_BUSY)) as db:
                db.row_factory = sqlite3.Row
                yield db

    @contextlib.contextmanager
    def _meaning(self) -> Iterator[None]:
        """Say what SQLite's errors mean to whoever owns the home."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise _explained(error, self._path) from error


_INSERT_EVENT: Final = (
    "INSERT INTO events (job, seq, kind, at, data, progress, message) VALUES (?, ?, ?, ?, ?, ?, ?)"
)


def _explained(error: sqlite3.DatabaseError, path: str) -> EnvironmentProblem:
    said = str(error)
    folder = os.path.dirname(path)
    if "full" in said:
        return NoSpace(f"no space left for {path}", hint=f"make room on the disk of {folder}")
    if "readonly" in said or "unable to open" in said:
        return HomeUnusable(
            f"{path} cannot be written: {said}",
            hint="choose another home with --home or LOCALPROC_HOME",
        )
    if "locked" in said:
        return HomeUnusable(
            f"{path} stayed locked by another process for {_BUSY:g} s",
            hint="localproc doctor shows which engines use the home",
        )
    if isinstance(error, sqlite3.OperationalError) and "disk I/O" not in said:
        return EnvironmentProblem(f"the store {path} does not work: {said}")
    return StoreCorrupted(
        f"the store {path} is damaged: {said}",
        hint=f"move it away (mv {path} {path}.damaged) to begin a new one; "
        "results and logs in the home stay as they are",
    )
