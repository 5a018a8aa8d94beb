"""The table of letters that are still to be delivered.

Owns its statements. Must not know how letters are delivered.
"""

import sqlite3
from collections.abc import Iterable
from datetime import datetime

from localproc.model import Letter
from localproc.store import rows
from localproc.store.database import Database


def post(db: sqlite3.Connection, letters: Iterable[Letter]) -> None:
    """Put letters into the outbox, as part of a transaction."""
    db.executemany(
        "INSERT INTO outbox (job, uri, kind, due) VALUES (?, ?, ?, 0)",
        [(letter.job_id, letter.uri, letter.kind) for letter in letters],
    )


class OutboxTable(Database):
    """Letters."""

    def take_letters(self, now: datetime, until: datetime, most: int) -> list[Letter]:
        """Take letters that are due; unless they are settled, they are due again at ``until``."""
        with self.transaction() as db:
            found = db.execute(
                "UPDATE outbox SET due = ?, attempts = attempts + 1 WHERE n IN "
                "(SELECT n FROM outbox WHERE due <= ? ORDER BY due, n LIMIT ?) "
                "RETURNING n, job, uri, kind, attempts",
                (rows.micros(until), rows.micros(now), most),
            ).fetchall()
        return [
            Letter(row["job"], row["uri"], row["kind"], row["n"], row["attempts"])
            for row in sorted(found, key=lambda row: row["n"])
        ]

    def settle_letter(self, number: int) -> None:
        """Forget a letter: it was delivered, or was given up."""
        with self.transaction() as db:
            db.execute("DELETE FROM outbox WHERE n = ?", (number,))

    def put_off_letter(self, number: int, due: datetime) -> None:
        """Keep a letter for a later attempt."""
        with self.transaction() as db:
            db.execute("UPDATE outbox SET due = ? WHERE n = ?", (rows.micros(due), number))

    def next_letter(self) -> datetime | None:
        """Give the time at which the next letter is due, ``None`` if there is none."""
        with self.reading() as db:
            due = db.execute("SELECT min(due) FROM outbox").fetchone()[0]
        return None if due is None else rows.time(due)
