"""The index of logs: what steps have written, to be searched by words.

Owns a file of its own with a full-text table (SQLite's FTS5). All in it can be read again from the
logs, so it may be lost, and it never keeps whoever writes to the store waiting. Must not know where
logs lie, nor how large they may be.
"""

import contextlib
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final

from localproc.errors import EnvironmentProblem
from localproc.frozen import frozen
from localproc.store import rows
from localproc.store.sqlite_errors import BUSY, explained

_FORMAT: Final = 1
_TABLES: Final = (
    """
    CREATE TABLE jobs (
      n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, namespace TEXT NOT NULL,
      created INTEGER NOT NULL, complete INTEGER NOT NULL DEFAULT 0
    )
    """,
    "CREATE INDEX jobs_incomplete ON jobs (namespace, created) WHERE complete = 0",
    """
    CREATE TABLE logs (
      n INTEGER PRIMARY KEY, job INTEGER NOT NULL, name TEXT NOT NULL, size INTEGER NOT NULL,
      kept INTEGER NOT NULL, UNIQUE (job, name)
    )
    """,
    "CREATE VIRTUAL TABLE texts USING fts5(text, tokenize = 'unicode61 remove_diacritics 0')",
    f"PRAGMA user_version = {_FORMAT}",
)


@frozen
class IndexedLog:
    """The log of a step: ``text`` is what is kept of its ``size`` bytes."""

    name: str
    size: int
    text: str


@frozen
class JobLogs:
    """Logs of a job that were read; ``complete`` if there will be no more of any."""

    job_id: str
    logs: Sequence[IndexedLog]
    complete: bool


class LogIndex:
    """The index in a file, which is made when it is first needed; threads and processes share it.

    What it cannot do is an ``EnvironmentProblem``.
    """

    def __init__(self, path: str) -> None:
        self._path = path

    def unknown(self, job_ids: Sequence[str]) -> set[str]:
        """Return those of some jobs that were not noted yet."""
        with self._using() as db:
            marks = ", ".join("?" * len(job_ids))
            found = db.execute(f"SELECT id FROM jobs WHERE id IN ({marks})", job_ids)  # noqa: S608
            return set(job_ids) - {row["id"] for row in found}

    def note(self, namespace: str, jobs: Iterable[tuple[str, datetime]]) -> None:
        """Note jobs, with the times they were accepted, to be read later: all of them or none."""
        with self._using() as db:
            db.executemany(
                "INSERT OR IGNORE INTO jobs (id, namespace, created) VALUES (?, ?, ?)",
                [(job, namespace, rows.micros(created)) for job, created in jobs],
            )

    def incomplete(self, namespace: str) -> dict[str, dict[str, int]]:
        """Return the jobs that may have more to be read, newest first.

        Each with how large those of its logs were that have been read.
        """
        with self._using() as db:
            found = db.execute(
                "SELECT id, name, size FROM jobs LEFT JOIN logs ON logs.job = jobs.n "
                "WHERE namespace = ? AND complete = 0 ORDER BY created DESC, jobs.n DESC",
                (namespace,),
            ).fetchall()
        sizes: dict[str, dict[str, int]] = {}
        for row in found:
            logs = sizes.setdefault(row["id"], {})
            if row["name"] is not None:
                logs[row["name"]] = row["size"]
        return sizes

    def put(self, read: Iterable[JobLogs]) -> None:
        """Keep what was read of jobs that were noted, in the place of what was known of it."""
        with self._using() as db:
            for one in read:
                job = db.execute("SELECT n FROM jobs WHERE id = ?", (one.job_id,)).fetchone()
                if job is None:  # it was removed meanwhile
                    continue
                for log in one.logs:
                    _forget(db, "job = ? AND name = ?", job["n"], log.name)
                    _keep(db, job["n"], log)
                db.execute("UPDATE jobs SET complete = ? WHERE n = ?", (one.complete, job["n"]))

    def trim(self, most: int) -> None:
        """Let go of the logs of the oldest jobs, until what is kept is no more than that."""
        with self._using() as db:
            over = db.execute("SELECT coalesce(sum(kept), 0) FROM logs").fetchone()[0] - most
            if over <= 0:
                return
            oldest = db.execute(
                "SELECT logs.n, kept FROM logs JOIN jobs ON jobs.n = job ORDER BY created, logs.n"
            ).fetchall()
            for row in oldest:
                if over <= 0:
                    break
                _forget(db, "n = ?", row["n"])
                over -= row["kept"]

    def remove(self, job_id: str) -> None:
        """Forget a job."""
        if not os.path.exists(self._path):
            return
        with self._using() as db:
            _forget(db, "job = (SELECT n FROM jobs WHERE id = ?)", job_id)
            db.execute("DELETE FROM jobs WHERE id = ?", (job_id,))

    def find(self, namespace: str, phrases: Sequence[str], most: int) -> list[tuple[str, str, str]]:
        """Return job, name and text of logs that have all phrases, those of the newest jobs first.

        The last word of a phrase may be the beginning of one.
        """
        query = " ".join('"{}"*'.format(one.replace('"', '""')) for one in phrases)
        with self._using() as db:
            found = db.execute(
                "SELECT id, name, text FROM texts JOIN logs ON logs.n = texts.rowid "
                "JOIN jobs ON jobs.n = job WHERE logs.n IN (SELECT logs.n FROM texts "
                "JOIN logs ON logs.n = texts.rowid JOIN jobs ON jobs.n = job "
                "WHERE texts MATCH ? AND namespace = ? ORDER BY created DESC, logs.n LIMIT ?) "
                "ORDER BY created DESC, logs.n",
                (query, namespace, most),
            ).fetchall()
        return [(row["id"], row["name"], row["text"]) for row in found]

    @contextlib.contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        """Give a connection with a transaction of its own."""
        try:
            with contextlib.closing(
                sqlite3.connect(self._path, timeout=BUSY, isolation_level=None)
            ) as db:
                db.row_factory = sqlite3.Row
                db.execute("PRAGMA synchronous = OFF")
                db.execute("BEGIN IMMEDIATE")
                if db.execute("PRAGMA user_version").fetchone()[0] != _FORMAT:
                    for statement in _TABLES:
                        db.execute(statement)
                yield db
                db.execute("COMMIT")
        except sqlite3.OperationalError as error:
            if "fts5" in str(error):
                raise EnvironmentProblem(
                    "logs cannot be searched: the SQLite of this Python has no full-text search",
                    hint="use a Python whose SQLite has FTS5, or grep in the home's jobs/*/logs",
                ) from error
            raise explained(error, self._path) from error
        except sqlite3.DatabaseError as error:
            with contextlib.suppress(FileNotFoundError):
                os.remove(self._path)
            raise EnvironmentProblem(
                f"the index of logs {self._path} was damaged ({error}), and has been removed",
                hint="search again: it is made anew from the logs",
            ) from error


def _keep(db: sqlite3.Connection, job: int, log: IndexedLog) -> None:
    """Put a log into the index."""
    text = log.text.encode(errors="replace").decode()
    added = db.execute(
        "INSERT INTO logs (job, name, size, kept) VALUES (?, ?, ?, ?)",
        (job, log.name, log.size, len(text)),
    )
    db.execute("INSERT INTO texts (rowid, text) VALUES (?, ?)", (added.lastrowid, text))


def _forget(db: sqlite3.Connection, which: str, *values: object) -> None:
    """Take logs out of the index."""
    rowids = f"SELECT n FROM logs WHERE {which}"  # noqa: S608
    db.execute(f"DELETE FROM texts WHERE rowid IN ({rowids})", values)  # noqa: S608
    db.execute(f"DELETE FROM logs WHERE {which}", values)  # noqa: S608
