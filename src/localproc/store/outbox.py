"""The table of callbacks that are still to be delivered.

Owns its statements. Must not know how callbacks are delivered.
"""

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from localproc.model import Callback
from localproc.store import rows
from localproc.store.database import Database

#: Numbers are given again, and one may be that of another callback by the time a lease has ended.
_SAME: Final = "n = ? AND job = ? AND uri = ? AND kind = ?"


def post(db: sqlite3.Connection, callbacks: Sequence[Callback]) -> None:
    """Put callbacks into the outbox, as part of a transaction."""
    if not callbacks:
        return
    db.executemany(
        "INSERT INTO outbox (job, uri, kind, due) VALUES (?, ?, ?, 0)",
        [(callback.job_id, callback.uri, callback.kind) for callback in callbacks],
    )


def _named(callback: Callback) -> tuple[object, ...]:
    return callback.number, callback.job_id, callback.uri, callback.kind


class OutboxTable(Database):
    """Callbacks that wait for delivery."""

    def take_callbacks(self, now: datetime, until: datetime, most: int) -> list[Callback]:
        """Take callbacks that are due; unless they are settled, they are due again at ``until``."""
        with self.transaction() as db:
            found = db.execute(
                "UPDATE outbox SET due = ?, attempts = attempts + 1 WHERE n IN "
                "(SELECT n FROM outbox WHERE due <= ? ORDER BY due, n LIMIT ?) "
                "RETURNING n, job, uri, kind, attempts",
                (rows.micros(until), rows.micros(now), most),
            ).fetchall()
        return [
            Callback(row["job"], row["uri"], row["kind"], row["n"], row["attempts"])
            for row in sorted(found, key=lambda row: row["n"])
        ]

    def settle_callback(self, callback: Callback) -> None:
        """Forget a callback: it was delivered, or was given up."""
        with self.transaction() as db:
            db.execute(f"DELETE FROM outbox WHERE {_SAME}", _named(callback))  # noqa: S608

    def put_off_callback(self, callback: Callback, due: datetime) -> None:
        """Keep a callback for a later attempt, unless somebody else has taken it meanwhile."""
        with self.transaction() as db:
            db.execute(
                f"UPDATE outbox SET due = ? WHERE {_SAME} AND attempts = ?",  # noqa: S608
                (rows.micros(due), *_named(callback), callback.attempts),
            )

    def next_callback(self) -> datetime | None:
        """Return the time at which the next callback is due, ``None`` if there is none."""
        with self.reading() as db:
            due = db.execute("SELECT min(due) FROM outbox").fetchone()[0]
        return None if due is None else rows.time(due)
