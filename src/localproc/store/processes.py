"""The tables of processes and their texts.

Owns their statements. Must not know what packages are. A row that cannot be read keeps nobody from
the others.
"""

import logging
import sqlite3
from collections.abc import Iterable, Iterator

from localproc.errors import StoreCorrupted
from localproc.model import ProcessRecord
from localproc.store import rows
from localproc.store.database import Database

_LOG = logging.getLogger("localproc")


class ProcessTables(Database):
    """Processes and their revisions."""

    def put_process(self, process: ProcessRecord, *, if_absent: bool = False) -> bool:
        """Record a revision and make it the current one; whether that was done."""
        with self.transaction() as db:
            if if_absent and _is_there(db, process):
                return False
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
        return True

    def process(
        self, namespace: str, process_id: str, revision: str | None = None
    ) -> ProcessRecord | None:
        """Return a revision, the current one if none is named; raises ``StoreCorrupted``."""
        which = "current = 1" if revision is None else "revision = ?"
        values = [namespace, process_id, *([] if revision is None else [revision])]
        with self.reading() as db:
            row = db.execute(
                f"SELECT * FROM processes WHERE namespace = ? AND id = ? AND {which}",  # noqa: S608
                values,
            ).fetchone()
            return None if row is None else self._process(db, row)

    def processes(self, namespace: str) -> list[ProcessRecord]:
        """Return the current revisions in a namespace, by id; what cannot be read is left out."""
        with self.reading() as db:
            found = db.execute(
                "SELECT * FROM processes WHERE namespace = ? AND current = 1 ORDER BY id",
                (namespace,),
            ).fetchall()
            return list(self._readable(db, found))

    def processes_from(self, namespace: str, entry: str) -> list[ProcessRecord]:
        """Return the current revisions that were deployed from a URI, and can be read."""
        with self.reading() as db:
            found = db.execute(
                "SELECT * FROM processes WHERE namespace = ? AND current = 1 AND entry <> '' "
                "AND entry = ?",
                (namespace, entry),
            ).fetchall()
            return list(self._readable(db, found))

    def remove_process(self, namespace: str, process_id: str) -> bool:
        """Make a process undeployed."""
        with self.transaction() as db:
            gone = db.execute(
                "UPDATE processes SET current = 0 WHERE namespace = ? AND id = ? AND current = 1",
                (namespace, process_id),
            )
        return gone.rowcount > 0

    def _readable(
        self, db: sqlite3.Connection, found: Iterable[sqlite3.Row]
    ) -> Iterator[ProcessRecord]:
        for row in found:
            try:
                yield self._process(db, row)
            except StoreCorrupted as error:
                _LOG.warning("%s", error)

    def _process(self, db: sqlite3.Connection, row: sqlite3.Row) -> ProcessRecord:
        texts = db.execute(
            "SELECT name, data FROM texts WHERE revision = ? ORDER BY position", (row["revision"],)
        )
        try:
            return rows.process_from(row, {one["name"]: one["data"] for one in texts})
        except (TypeError, ValueError, OverflowError) as error:
            raise StoreCorrupted(
                f"the process {row['id']!r} cannot be read: {error}",
                hint="deploy it again, or undeploy it; the other processes go on",
            ) from error


def _is_there(db: sqlite3.Connection, process: ProcessRecord) -> bool:
    found = db.execute(
        "SELECT 1 FROM processes WHERE namespace = ? AND id = ? AND current = 1",
        (process.namespace, process.id),
    )
    return found.fetchone() is not None
