"""The tables of triggers, and of what has set them off.

Owns their statements, and that a firing and its job are recorded together or not at all. Must not
know when anything is due.
"""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from localproc.model import Callback
from localproc.model.trigger import Accepting, Firing, TriggerRecord
from localproc.store import outbox, rows
from localproc.store.jobs import JobTables

_COLUMNS: Final = "n, namespace, kind, name, definition, enabled, due, state, revision"
_FIRING: Final = "key, due, job, said, attempt, again, open"
#: What the name of a letter's trigger begins with in the outbox, in the place of a job's id.
LETTER: Final = "trigger:"
_KEPT: Final = 1000  #: firings of a schedule; its due times only rise


class TriggerTables(JobTables):
    """Triggers and firings."""

    def put_trigger(self, trigger: TriggerRecord) -> None:
        """Record a trigger; one of the same name is replaced, and keeps what it remembers."""
        values = (
            json.dumps(trigger.definition),
            int(trigger.enabled),
            _micros(trigger.due),
            trigger.namespace,
            trigger.kind,
            trigger.name,
        )
        with self.transaction() as db:
            changed = db.execute(
                "UPDATE triggers SET definition = ?, enabled = ?, due = ?, revision = revision + 1 "
                "WHERE namespace = ? AND kind = ? AND name = ?",
                values,
            )
            if not changed.rowcount:
                db.execute(
                    "INSERT INTO triggers (definition, enabled, due, namespace, kind, name, state) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (*values, json.dumps(trigger.state)),
                )

    def triggers(
        self, namespace: str | None, kind: str, name: str | None = None
    ) -> list[TriggerRecord]:
        """Return triggers of a kind, by name."""
        with self.reading() as db:
            found = db.execute(
                f"SELECT {_COLUMNS} FROM triggers WHERE kind = ? "  # noqa: S608
                "AND namespace = coalesce(?, namespace) AND name = coalesce(?, name) "
                "ORDER BY namespace, name",
                (kind, namespace, name),
            ).fetchall()
        return list(map(_trigger, found))

    def due_triggers(self, kind: str, now: datetime, most: int) -> list[TriggerRecord]:
        """Return those that have to be looked at, the most overdue first."""
        with self.reading() as db:
            found = db.execute(
                f"SELECT {_COLUMNS} FROM triggers INDEXED BY triggers_due "  # noqa: S608
                "WHERE enabled = 1 AND due <= ? AND kind = ? ORDER BY due LIMIT ?",
                (rows.micros(now), kind, most),
            ).fetchall()
        return list(map(_trigger, found))

    def next_trigger(self) -> datetime | None:
        """Return when the next schedule, or the next attempt of a job, is due."""
        with self.reading() as db:
            due = db.execute(
                "SELECT min(due) FROM triggers WHERE enabled = 1 AND kind = 'schedule'"
            ).fetchone()[0]
            again = db.execute("SELECT min(again) FROM firings WHERE again > 0").fetchone()[0]
        found = [one for one in (due, again) if one is not None]
        return rows.time(min(found)) if found else None

    def remove_trigger(self, namespace: str, kind: str, name: str) -> bool:
        """Forget a trigger and its firings; its jobs stay."""
        with self.transaction() as db:
            gone = db.execute(
                "DELETE FROM triggers WHERE namespace = ? AND kind = ? AND name = ?",
                (namespace, kind, name),
            )
        return gone.rowcount > 0

    def fire(
        self,
        trigger: TriggerRecord,
        firings: Sequence[tuple[Firing, Accepting | None]],
        due: datetime | None,
        state: Mapping[str, Any] | None = None,
    ) -> list[str] | None:
        """Record what has set a trigger off, each only if nothing of its key was recorded before.

        Jobs are accepted in the same transaction, and so is when the trigger is due next and what
        it remembers. Give the ids of the jobs; ``None``, and nothing is recorded, if the trigger
        has been changed or looked at by somebody else.
        """
        accepted = []
        with self.transaction() as db:
            moved = db.execute(
                "UPDATE triggers SET due = ?, state = ? WHERE n = ? AND revision = ? AND due IS ?",
                (
                    _micros(due),
                    json.dumps(trigger.state if state is None else state),
                    trigger.number,
                    trigger.revision,
                    _micros(trigger.due),
                ),
            )
            if not moved.rowcount:
                return None
            for firing, accepting in firings:
                new = db.execute(
                    "INSERT OR IGNORE INTO firings (trigger, key, due, job, said, attempt, again, "
                    "open) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    (trigger.number, *_firing_row(firing)),
                )
                if new.rowcount and firing.letter_to:
                    letter = Callback(f"{LETTER}{trigger.number}", firing.letter_to, firing.key)
                    outbox.post(db, [letter])
                if new.rowcount and accepting is not None:
                    self._insert_job(db, accepting.job, accepting.event)
                    accepted.append(accepting.job.id)
            if trigger.kind == "schedule":
                _prune(db, trigger.number)
        return accepted

    def firings(self, trigger: TriggerRecord, limit: int) -> list[Firing]:
        """Return what has set a trigger off, the last one first."""
        with self.reading() as db:
            found = db.execute(
                f"SELECT {_FIRING} FROM firings WHERE trigger = ? "  # noqa: S608
                "ORDER BY due DESC, attempt DESC LIMIT ?",
                (trigger.number, limit),
            ).fetchall()
        return list(map(_firing, found))

    def fired(self, trigger: TriggerRecord, keys: Sequence[str]) -> set[str]:
        """Return those of the keys that were recorded."""
        with self.reading() as db:
            found = db.execute(
                "SELECT key FROM firings WHERE trigger = ? "
                "AND key IN (SELECT value FROM json_each(?))",
                (trigger.number, json.dumps(list(keys))),
            ).fetchall()
        return {row["key"] for row in found}

    def open_firings(self) -> list[tuple[TriggerRecord, Firing]]:
        """Return those whose job was not seen to end, and has; and those to be tried again."""
        columns = ", ".join(
            f"triggers.{one.strip()} AS t_{one.strip()}" for one in _COLUMNS.split(",")
        )
        firing = ", ".join(f"firings.{one.strip()}" for one in _FIRING.split(","))
        with self.reading() as db:
            found = db.execute(
                f"SELECT {columns}, {firing} FROM firings "  # noqa: S608
                "JOIN triggers ON triggers.n = firings.trigger "
                "LEFT JOIN jobs ON jobs.id = firings.job "
                "WHERE (firings.open = 1 AND coalesce(jobs.status, '') NOT IN "
                "('accepted', 'running')) OR firings.again > 0"
            ).fetchall()
        return [(_trigger(row, "t_"), _firing(row)) for row in found]

    def close_firing(self, trigger: TriggerRecord, firing: Firing) -> None:
        """Record what was seen of a firing's job."""
        with self.transaction() as db:
            db.execute(
                "UPDATE firings SET said = ?, again = ?, open = ? WHERE trigger = ? AND key = ?",
                (
                    firing.said,
                    _micros(firing.again),
                    int(firing.is_open),
                    trigger.number,
                    firing.key,
                ),
            )

    def fire_again(
        self, trigger: TriggerRecord, before: Firing, firing: Firing, accepting: Accepting
    ) -> bool:
        """Record another attempt, unless somebody else has; whether it was."""
        with self.transaction() as db:
            taken = db.execute(
                "UPDATE firings SET again = NULL WHERE trigger = ? AND key = ? AND again > 0",
                (trigger.number, before.key),
            )
            if not taken.rowcount:
                return False
            db.execute(
                "INSERT INTO firings (trigger, key, due, job, said, attempt, again, open) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (trigger.number, *_firing_row(firing)),
            )
            self._insert_job(db, accepting.job, accepting.event)
        return True

    def letter(self, callback: Callback) -> str | None:
        """Return what a letter in the outbox says, ``None`` for a callback of a job."""
        if not callback.job_id.startswith(LETTER):
            return None
        with self.reading() as db:
            row = db.execute(
                "SELECT said FROM firings WHERE trigger = ? AND key = ?",
                (int(callback.job_id.removeprefix(LETTER)), callback.kind),
            ).fetchone()
        return "" if row is None else str(row["said"])

    def firing_of(self, job_ids: Sequence[str]) -> dict[str, Firing]:
        """Return what jobs were set off by, by their ids; others have none."""
        with self.reading() as db:
            found = db.execute(
                f"SELECT {_FIRING} FROM firings "  # noqa: S608
                "WHERE job IN (SELECT value FROM json_each(?))",
                (json.dumps(list(job_ids)),),
            ).fetchall()
        return {row["job"]: _firing(row) for row in found}


def _prune(db: sqlite3.Connection, number: int) -> None:
    """Forget the oldest firings of a schedule once there are many more than are shown."""
    count = db.execute("SELECT count(*) FROM firings WHERE trigger = ?", (number,)).fetchone()[0]
    if count > 2 * _KEPT:
        db.execute(
            "DELETE FROM firings WHERE trigger = ? AND open = 0 AND again IS NULL AND due < "
            "(SELECT due FROM firings WHERE trigger = ? ORDER BY due DESC LIMIT 1 OFFSET ?)",
            (number, number, _KEPT),
        )


def _trigger(row: sqlite3.Row, prefix: str = "") -> TriggerRecord:
    due = row[f"{prefix}due"]
    return TriggerRecord(
        namespace=row[f"{prefix}namespace"],
        kind=row[f"{prefix}kind"],
        name=row[f"{prefix}name"],
        definition=json.loads(row[f"{prefix}definition"]),
        enabled=bool(row[f"{prefix}enabled"]),
        due=None if due is None else rows.time(due),
        state=json.loads(row[f"{prefix}state"]),
        number=row[f"{prefix}n"],
        revision=row[f"{prefix}revision"],
    )


def _firing(row: sqlite3.Row) -> Firing:
    again = row["again"]
    return Firing(
        key=row["key"],
        due=rows.time(row["due"]),
        job_id=row["job"],
        said=row["said"],
        attempt=row["attempt"],
        again=None if again is None else rows.time(again),
        is_open=bool(row["open"]),
    )


def _firing_row(firing: Firing) -> tuple[Any, ...]:
    due, again = rows.micros(firing.due), _micros(firing.again)
    open_ = int(firing.is_open)
    return firing.key, due, firing.job_id, firing.said, firing.attempt, again, open_


def _micros(time: datetime | None) -> int | None:
    return None if time is None else rows.micros(time)
