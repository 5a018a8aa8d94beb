"""The tables of jobs and events.

Owns their statements. Must not know what jobs do.
"""

import json
import os
import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any, Final

from localproc.model import Encoded, Event, JobFilter, JobRecord, Kind
from localproc.model.events import Unreadable
from localproc.plugins.store import Change
from localproc.store import apart, outbox, pieces, rows
from localproc.store.database import Database, at_once
from localproc.store.home_paths import HomePaths
from localproc.store.query import jobs_query

_OPEN: Final = "status IN ('accepted', 'running')"
_TO_RUN: Final = f"{_OPEN} AND (aside = '' OR dismiss = 1)"
_ON: Final = "UPDATE jobs SET updated = ?, progress = ?, message = ?, dismiss = max(dismiss, ?)"
_MOVED: Final = ", status = ?, started = ?, finished = ?"
_OWN: Final = " WHERE n = ? AND id = ? AND owner = ?"  #: numbers of deleted jobs are given again
#: What moves a job from one state to another. Nothing else touches a column of an index, and to
#: leave those alone makes half of the pages that a commit has to write.
_MOVES: Final = frozenset({Kind.STARTED, Kind.SUCCEEDED, Kind.FAILED, Kind.DISMISSED})
_INSERT_JOB: Final = (
    f"INSERT INTO jobs ({rows.JOB_COLUMNS}) "  # noqa: S608
    f"VALUES ({', '.join('?' for _ in rows.JOB_COLUMNS.split(','))})"
)
_EVENTS: Final = (
    "SELECT seq, kind, version, at, data, progress, message FROM events "
    "WHERE job = (SELECT n FROM jobs WHERE id = ?) AND seq > ? ORDER BY seq"
)
#: One look into the index for each owner, however many jobs it has.
_OWNERS: Final = (
    "WITH RECURSIVE them (owner) AS ("  # noqa: S608
    f"SELECT min(owner) FROM jobs INDEXED BY jobs_open WHERE {_OPEN} AND owner IS NOT NULL "
    f"UNION ALL SELECT (SELECT min(owner) FROM jobs INDEXED BY jobs_open WHERE {_OPEN} "
    "AND owner > them.owner) FROM them WHERE owner IS NOT NULL) "
    "SELECT owner FROM (SELECT owner FROM them WHERE owner IS NOT NULL UNION ALL SELECT NULL) AS o "
    "WHERE EXISTS (SELECT 1 FROM jobs INDEXED BY jobs_open "
    f"WHERE jobs.owner IS o.owner AND {_TO_RUN})"
)
_FEW: Final = 256  #: rows that are changed or removed in one transaction
_INSERT_EVENT: Final = (
    "INSERT INTO events (job, seq, kind, version, at, data, progress, message) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)


class JobTables(Database):
    """Jobs and their events. Paths in the folder of the store are kept relative to it."""

    def __init__(self, path: str, *, journal: str = "wal", durable: bool = False) -> None:
        self._numbers: dict[str, int] = {}
        self._paths = HomePaths(os.path.dirname(path))
        super().__init__(path, journal=journal, durable=durable)

    def add_job(self, job: JobRecord, event: Event) -> str:
        """Record a job that has been accepted, and its first event; give the job that there is."""
        data = event.to_data()
        large = {name: value for name, value in data.items() if pieces.is_large(value)}
        for name, value in large.items():
            data[name] = self.encoded(job.id, value, _go_on)
        row = rows.job_row(job)
        first = rows.event_row(1, event, self._paths, data)  # the loop may be waiting to commit
        with self.transaction() as db:
            other = self._once(db, job) if job.once else ""
            number = 0 if other else _insert(db, row, first)
        if number:
            self._numbers[job.id] = number
        elif large:
            apart.forget(self.transaction, job.id)
        return other or job.id

    def _once(self, db: sqlite3.Connection, job: JobRecord) -> str:
        """Return the job that has the same key and has not failed, if there is one."""
        found = db.execute(
            "SELECT id FROM jobs INDEXED BY jobs_once WHERE namespace = ? AND once = ? "
            "AND once <> '' AND status IN ('accepted', 'running', 'successful') "
            "ORDER BY n DESC LIMIT 1",
            (job.namespace, job.once),
        ).fetchone()
        return "" if found is None else str(found["id"])

    def encoded(
        self, job_id: str, value: Mapping[str, Any], go_on: Callable[[], object]
    ) -> Encoded:
        """Write a value apart, before the event that has it; return what stands for it there."""
        texts = map(self._paths.shortened, pieces.pieces(value))
        return Encoded(value, *apart.write(self.transaction, job_id, texts, go_on))

    def commit(self, owner: str, changes: Sequence[Change]) -> Collection[str]:
        """Record changes of the owner's jobs; give the jobs that it does not own any more."""
        lost: set[str] = set()
        events: list[tuple[Any, ...]] = []
        with self.transaction() as db:
            for change in changes:
                number = self._number(db, change.job.id)
                if number is None or not _update(db, number, owner, change):
                    lost.add(change.job.id)
                    continue
                for seq, event in enumerate(change.events, change.after + 1):
                    events.append((number, *rows.event_row(seq, event, self._paths)))
                outbox.post(db, change.callbacks)
            db.executemany(_INSERT_EVENT, events)
        for change in changes:
            if change.job.status.final or change.job.id in lost:
                self._numbers.pop(change.job.id, None)
        return lost

    def job(self, job_id: str) -> JobRecord | None:
        """Return a job's row."""
        with self.reading() as db:
            row = db.execute(
                f"SELECT {rows.JOB_COLUMNS} FROM jobs WHERE id = ?",  # noqa: S608
                (job_id,),
            ).fetchone()
        return None if row is None else rows.job_from(row)

    def jobs(self, wanted: JobFilter) -> list[JobRecord]:
        """Return one page of jobs, newest first."""
        with self.reading() as db:
            sql, values = jobs_query(db, wanted)
            return [rows.job_from(row) for row in db.execute(sql, values)]

    def events(self, job_id: str, after: int = 0) -> list[Event]:
        """Return the job's events in order."""
        with self.reading() as db:
            found = db.execute(_EVENTS, (job_id, after)).fetchall()
            if not any(apart.refers(row["data"]) for row in found):
                return self._read(found, after, str)
            with at_once(db):  # it may be deleted just now
                found = db.execute(_EVENTS, (job_id, after)).fetchall()
                return self._read(found, after, partial(apart.joined, db, job_id))

    def _read(
        self, found: Sequence[sqlite3.Row], after: int, whole: Callable[[str], str]
    ) -> list[Event]:
        events: list[Event] = []
        for row in found:
            event = rows.event_from(row, self._paths, whole)
            missing = row["seq"] - after - 1 - len(events)
            events += [Unreadable(event.at, problem="an event is missing here")] * missing
            events.append(event)
        return events

    def delete_job(self, job_id: str) -> bool:
        """Forget a job that has ended: of many events the last ones first, a few at a time."""
        while self._drop_events(job_id):
            pass
        with self.transaction() as db:
            gone = db.execute(f"DELETE FROM jobs WHERE id = ? AND NOT {_OPEN}", (job_id,))  # noqa: S608
            has_more = gone.rowcount > 0 and apart.has(db, job_id)
        if has_more:
            apart.forget(self.transaction, job_id)
        self._numbers.pop(job_id, None)
        if gone.rowcount:
            self.shrink()
        return gone.rowcount > 0

    def _drop_events(self, job_id: str) -> bool:
        """Remove the last events of a job that has ended, if there are many; whether there were."""
        with self.reading() as db:
            last = db.execute(
                "SELECT max(seq) FROM events WHERE job = "  # noqa: S608
                f"(SELECT n FROM jobs WHERE id = ? AND NOT {_OPEN})",
                (job_id,),
            ).fetchone()[0]
        if last is None or last <= _FEW:
            return False
        with self.transaction() as db:
            db.execute(
                "DELETE FROM events WHERE seq > ? AND job = "  # noqa: S608
                f"(SELECT n FROM jobs WHERE id = ? AND NOT {_OPEN})",
                (max(1, last - _FEW), job_id),
            )
        return True

    def hide_job(self, job_id: str) -> None:
        """Take a job off the lists; it stays as a tombstone."""
        with self.transaction() as db:
            db.execute("UPDATE jobs SET hidden = 1 WHERE id = ?", (job_id,))

    def request_dismiss(self, job_id: str) -> bool:
        """Note that the job should stop."""
        with self.transaction() as db:
            found = db.execute(f"UPDATE jobs SET dismiss = 1 WHERE id = ? AND {_OPEN}", (job_id,))  # noqa: S608
        return found.rowcount > 0

    def to_dismiss(self, owner: str) -> list[str]:
        """Return the owner's jobs that should stop."""
        with self.reading() as db:
            found = db.execute(
                f"SELECT id FROM jobs INDEXED BY jobs_stopping "  # noqa: S608
                f"WHERE owner = ? AND dismiss = 1 AND {_OPEN}",
                (owner,),
            ).fetchall()
        return [row["id"] for row in found]

    def claim(
        self, owner: str, from_owners: Collection[str], most: int, *, dismissed: bool = False
    ) -> list[JobRecord]:
        """Take over open jobs that belong to nobody or to one of ``from_owners``."""
        with self.transaction() as db:
            next_ones = _next(db, from_owners, most, dismissed=dismissed)
            found = db.execute(
                "UPDATE jobs SET owner = ? WHERE n IN (SELECT value FROM json_each(?)) "  # noqa: S608
                f"RETURNING {rows.JOB_COLUMNS}, n",
                (owner, json.dumps(next_ones)),
            ).fetchall()
        self._numbers.update((row["id"], row["n"]) for row in found)
        found.sort(key=lambda row: row["n"])
        return [rows.job_from(row) for row in found]

    def release(self, owner: str) -> None:
        """Give the owner's open jobs up, some at a time."""
        given_up = _FEW
        while given_up == _FEW:
            with self.transaction() as db:
                given_up = db.execute(
                    "UPDATE jobs SET owner = NULL WHERE n IN "  # noqa: S608
                    f"(SELECT n FROM jobs WHERE owner = ? AND {_OPEN} LIMIT ?)",
                    (owner, _FEW),
                ).rowcount

    def owners(self) -> set[str | None]:
        """Return the owners of all jobs to run, ``None`` if some belong to nobody."""
        with self.reading() as db:
            found = db.execute(_OWNERS).fetchall()
        return {row["owner"] if isinstance(row["owner"], str) else None for row in found}

    def put_aside(self, owner: str, job_id: str, reason: str) -> None:
        """Give up a job that cannot be read, and say why."""
        with self.transaction() as db:
            db.execute(
                f"UPDATE jobs SET owner = NULL, aside = ?, message = ? "  # noqa: S608
                f"WHERE id = ? AND owner = ? AND {_OPEN}",
                (reason, f"put aside: {reason}", job_id, owner),
            )

    def identity(self) -> str:
        """Return what was noted of where the home is."""
        with self.reading() as db:
            row = db.execute("SELECT value FROM meta WHERE key = 'identity'").fetchone()
        return "" if row is None else str(row[0])

    def become(self, identity: str, *, aside: str = "") -> None:
        """Note where the home is."""
        with self.transaction() as db:
            db.execute("INSERT OR REPLACE INTO meta VALUES ('identity', ?)", (identity,))
            if aside:
                db.execute(
                    f"UPDATE jobs SET owner = NULL, aside = ?, message = ? WHERE {_OPEN}",  # noqa: S608
                    (aside, f"put aside: {aside}"),
                )
                db.execute("DELETE FROM outbox")  # the original tells its subscribers

    def reconsider(self) -> None:
        """Let the jobs that were put aside be tried again."""
        with self.transaction() as db:
            db.execute(f"UPDATE jobs SET aside = '' WHERE aside <> '' AND {_OPEN}")  # noqa: S608

    def open_jobs(self, namespace: str, process_id: str | None = None) -> int:
        """Return how many jobs have not ended."""
        with self.reading() as db:
            found = db.execute(
                # Told which index: SQLite would rather count all jobs of the namespace.
                f"SELECT count(*) FROM jobs INDEXED BY jobs_open "  # noqa: S608
                f"WHERE {_OPEN} AND namespace = ? "
                "AND process = coalesce(?, process)",
                (namespace, process_id),
            ).fetchone()
        return int(found[0])

    def _insert_job(self, db: sqlite3.Connection, job: JobRecord, event: Event) -> int:
        """Record a job as part of a transaction; give its number."""
        return _insert(db, rows.job_row(job), rows.event_row(1, event, self._paths))

    def _number(self, db: sqlite3.Connection, job_id: str) -> int | None:
        number = self._numbers.get(job_id)
        if number is None:
            row = db.execute("SELECT n FROM jobs WHERE id = ?", (job_id,)).fetchone()
            number = None if row is None else int(row[0])
        return number


def _next(
    db: sqlite3.Connection, owners: Collection[str], most: int, *, dismissed: bool
) -> list[int]:
    """Return the numbers of the jobs to run next of nobody, or of some owners.

    What is no text is nobody. The index has the jobs of each in their order.
    """
    index = "jobs_stopping" if dismissed else "jobs_open"
    stopping = "AND dismiss = 1 " if dismissed else ""
    query = (
        f"SELECT n, CAST(priority AS INTEGER) AS rank FROM jobs INDEXED BY {index} "  # noqa: S608
        f"WHERE {_TO_RUN} {stopping}AND owner {{}} ORDER BY priority DESC, n LIMIT ?"
    )
    found = [
        *db.execute(query.format("IS NULL"), (most,)),
        *db.execute(query.format(">= x''"), (most,)),
        *(row for owner in owners for row in db.execute(query.format("= ?"), (owner, most))),
    ]
    found.sort(key=lambda row: (-row["rank"], row["n"]))
    return [row["n"] for row in found[:most]]


def _insert(db: sqlite3.Connection, job: tuple[Any, ...], first: tuple[Any, ...]) -> int:
    """Insert the rows of a job and of its first event; give its number."""
    number = db.execute(_INSERT_JOB, job).lastrowid
    assert number is not None
    db.execute(_INSERT_EVENT, (number, *first))
    return number


def _go_on() -> None:
    """Nobody ends it."""


def _update(db: sqlite3.Connection, number: int, owner: str, change: Change) -> bool:
    job = change.job
    values: list[Any] = [
        rows.micros(job.updated),
        job.progress,
        job.message,
        int(job.dismiss_requested),
    ]
    statement = _ON
    if not _MOVES.isdisjoint([event.kind for event in change.events]):
        statement += _MOVED
        values += [
            job.status.value,
            None if job.started is None else rows.micros(job.started),
            None if job.finished is None else rows.micros(job.finished),
        ]
    return db.execute(statement + _OWN, (*values, number, job.id, owner)).rowcount > 0
