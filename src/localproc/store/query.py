"""The job list as SQL.

Owns turning a filter into a statement that an index serves. Must not know rows' meaning beyond the
filter's (OGC API - Processes Part 1, class "job list").
"""

import sqlite3
import time
from typing import Any, Final

from localproc.model import JobFilter, JobStatus
from localproc.store import rows

_LONGEST: Final = float(1 << 62)
#: One look into an index for each, however many jobs it has.
_NAMESPACES: Final = (
    "WITH RECURSIVE names (name) AS (SELECT min(namespace) FROM jobs UNION ALL "
    "SELECT (SELECT min(namespace) FROM jobs WHERE namespace > name) FROM names "
    "WHERE name IS NOT NULL) SELECT name FROM names WHERE name IS NOT NULL"
)


def jobs_query(db: sqlite3.Connection, wanted: JobFilter) -> tuple[str, list[Any]]:
    """Return the statement and its values; newest first, by creation and then by order of entry."""
    clauses: list[str] = []
    values: list[Any] = []

    def where(clause: str, *arguments: Any) -> None:
        clauses.append(clause)
        values.extend(arguments)

    def among(column: str, choices: tuple[str, ...]) -> None:
        if choices:
            where(f"{column} IN ({', '.join('?' * len(choices))})", *choices)

    among("namespace", () if wanted.namespace is None else (wanted.namespace,))
    if wanted.namespace is None and wanted.since is not None:
        where(f"namespace IN ({_NAMESPACES})")  # else all jobs are looked at for the newest
    among("process", wanted.processes)
    among("status", tuple(status.value for status in wanted.statuses))
    _times(wanted, where)
    if wanted.trigger is not None:
        where("trigger = ?", wanted.trigger.value)
    if wanted.run_as is not None:
        where("run_as = ?", wanted.run_as)
    if not wanted.hidden:
        where("hidden = 0")
    if wanted.tag is not None:
        where("EXISTS (SELECT 1 FROM json_each(tags) WHERE value = ?)", wanted.tag)
    if wanted.piece is not None:
        where("instr(id, ?) > 0", wanted.piece)
    _durations(wanted, where)
    if wanted.before is not None:
        where("(created, n) < (?, ?)", *_cursor(db, wanted.before))
    if wanted.after is not None:
        where("(created, n) > (?, ?)", *_cursor(db, wanted.after))
    condition = f"WHERE {' AND '.join(clauses)} " if clauses else ""
    near = "ASC" if wanted.after is not None else "DESC"  # a page lies next to its cursor
    page = f"SELECT n FROM jobs {condition}ORDER BY created {near}, n {near} LIMIT ?"  # noqa: S608
    order = "ORDER BY created DESC, n DESC"
    sql = f"SELECT {rows.JOB_COLUMNS} FROM jobs WHERE n IN ({page}) {order}"  # noqa: S608
    return sql, [*values, wanted.limit]


def _cursor(db: sqlite3.Connection, job_id: str) -> tuple[int, int]:
    """Return the place of a job in the list; one that is gone is before all others."""
    found = db.execute("SELECT created, n FROM jobs WHERE id = ?", (job_id,)).fetchone()
    return (0, 0) if found is None else (found["created"], found["n"])


def _times(wanted: JobFilter, where: Any) -> None:
    """Bound when jobs were accepted, when they were started, and when they ended."""
    if wanted.since is not None:
        where("created >= ?", rows.micros(wanted.since))
    if wanted.until is not None:
        where("created <= ?", rows.micros(wanted.until))
    if wanted.ended_since is not None:
        where("finished >= ?", rows.micros(wanted.ended_since))
    if wanted.began_since is not None:
        where("coalesce(started, created) >= ?", rows.micros(wanted.began_since))
    if wanted.began_until is not None:
        until = rows.micros(wanted.began_until)
        where("coalesce(started, created) <= ? AND created <= ?", until, until)


def _durations(wanted: JobFilter, where: Any) -> None:
    if wanted.min_duration is None and wanted.max_duration is None:
        return
    now = time.time_ns() // 1000
    duration = "(coalesce(finished, ?) - started)"
    where("started IS NOT NULL")
    if not wanted.statuses:
        where("status <> ?", JobStatus.ACCEPTED.value)
    if wanted.min_duration is not None:
        where(f"{duration} >= ?", now, _micros(wanted.min_duration))
    if wanted.max_duration is not None:
        where(f"{duration} <= ?", now, _micros(wanted.max_duration))


def _micros(seconds: float) -> int:
    """Return seconds as rows have them; what is longer than any row can hold is as long as that."""
    return int(max(-_LONGEST, min(_LONGEST, seconds * 1e6)))
