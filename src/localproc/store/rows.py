"""Records to rows and back.

Owns how values are written into columns. Must not know connections or statements' order.
"""

import json
import sqlite3
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from localproc.model import (
    Encoded,
    Event,
    JobRecord,
    JobStatus,
    ProcessRecord,
    TokenRecord,
    Trigger,
)
from localproc.model.events import Unreadable, read_event
from localproc.store import apart
from localproc.store.home_paths import HomePaths
from localproc.store.pieces import compact

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_NO_TAGS: Final = "[]"
_parsed: Final = json.JSONDecoder().decode

#: In the order of the fields of a record.
JOB_COLUMNS: Final = (
    "id, namespace, process, revision, status, created, updated, started, finished, progress, "
    "message, dismiss, hidden, owner, trigger, reason, run_as, environment, service, title, tags, "
    "aside, priority, once"
)


def micros(at: datetime) -> int:
    """Return a time as an integer."""
    return (at - _EPOCH) // _MICROSECOND


def time(value: int) -> datetime:
    """Return an integer as a time."""
    return _EPOCH + timedelta(0, 0, value)


def job_row(job: JobRecord) -> tuple[Any, ...]:
    """Return the values of ``JOB_COLUMNS``."""
    return (
        job.id,
        job.namespace,
        job.process_id,
        job.revision,
        str(job.status),
        micros(job.created),
        micros(job.updated),
        None if job.started is None else micros(job.started),
        None if job.finished is None else micros(job.finished),
        job.progress,
        job.message,
        int(job.dismiss_requested),
        int(job.hidden),
        job.owner,
        str(job.trigger),
        job.reason,
        job.run_as,
        job.environment,
        job.service,
        job.title,
        json.dumps(job.tags) if job.tags else _NO_TAGS,
        job.aside,
        job.priority,
        job.once,
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("it is no text")
    return value


def _number(value: Any) -> int:
    if not isinstance(value, int):
        raise TypeError("it is no number")
    return value


def _tags(value: str) -> tuple[str, ...]:
    return () if value == _NO_TAGS else tuple(json.loads(value))


def _moment(value: int | None) -> datetime | None:
    return None if value is None else time(value)


def _owner(value: Any) -> str | None:
    return value if isinstance(value, str) else None


#: How the columns are read whose values stand for something else, or may be none that can be read;
#: and what stands there then.
_READ: Final[Mapping[str, tuple[Callable[[Any], Any], Any]]] = {
    "process": (_text, ""),
    "revision": (_text, ""),
    "status": (lru_cache(JobStatus), JobStatus.FAILED),
    "created": (time, _EPOCH),
    "updated": (time, None),
    "started": (_moment, None),
    "finished": (_moment, None),
    "progress": (_number, 0),
    "message": (_text, ""),
    "dismiss": (bool, False),
    "hidden": (bool, False),
    "owner": (_owner, None),
    "trigger": (lru_cache(Trigger), Trigger.MANUAL),
    "tags": (_tags, ()),
    "priority": (_number, 0),
    "once": (_text, ""),
}
_COLUMNS: Final = JOB_COLUMNS.split(", ")
_PLACES: Final = {column: place for place, column in enumerate(_COLUMNS)}
_READERS: Final = [(_PLACES[column], *how) for column, how in _READ.items()]


def job_from(row: sqlite3.Row) -> JobRecord:
    """Return the record of a row that begins with ``JOB_COLUMNS``.

    One that cannot be read counts as put aside, so that it keeps nobody from the others.
    """
    values = list(row[: len(_COLUMNS)])
    aside = []
    for place, read, otherwise in _READERS:
        try:
            values[place] = read(values[place])
        except (TypeError, ValueError, OverflowError) as error:
            aside.append(f"its {_COLUMNS[place]} cannot be read: {error}")
            values[place] = otherwise
    if aside:
        values[_PLACES["updated"]] = values[_PLACES["updated"]] or values[_PLACES["created"]]
        values[_PLACES["aside"]] = values[_PLACES["aside"]] or "; ".join(aside)
    return JobRecord(*values)


def event_row(
    seq: int, event: Event, paths: HomePaths, data: dict[str, Any] | None = None
) -> tuple[Any, ...]:
    """Return the values of an ``events`` row, but for the number of its job, which is the first.

    ``data`` is that of the event, if it is at hand.
    """
    data = event.to_data() if data is None else data
    if Encoded in map(type, data.values()):
        large = [name for name, value in data.items() if type(value) is Encoded]
        names = {name: data.pop(name).name for name in large}
        text = apart.referring(paths.shortened(compact(data)), names)
    else:
        text = paths.shortened(compact(data))
    return (
        seq,
        str(event.kind),
        event.version,
        micros(event.at),
        text,
        event.progress,
        event.message,
    )


def event_from(row: sqlite3.Row, paths: HomePaths, whole: Callable[[str], str]) -> Event:
    """Return the event of a row; one that cannot be read is an ``Unreadable``.

    ``whole`` gives the text of an event of which members are apart, with these.
    """
    try:
        at = time(row["at"])
    except (TypeError, OverflowError):
        at = _EPOCH
    try:
        text = row["data"]
        data = _parsed(paths.whole(whole(text) if apart.refers(text) else text))
    except (TypeError, ValueError) as error:
        return Unreadable(at, problem=f"the event {row['kind']!r} is no JSON: {error}")
    return read_event(
        row["kind"],
        data,
        at,
        version=row["version"],
        progress=row["progress"],
        message=row["message"],
    )


def process_row(process: ProcessRecord) -> tuple[Any, ...]:
    """Return the values of a ``processes`` row."""
    return (
        process.namespace,
        process.id,
        process.revision,
        process.version,
        process.title,
        int(process.mutable),
        micros(process.deployed),
        json.dumps(process.description),
        json.dumps(process.resolved),
        process.media_type,
        process.entry,
    )


def _mapping(text: str) -> dict[str, Any]:
    found = json.loads(text)
    if not isinstance(found, dict):
        raise TypeError("it is no object")
    return found


#: What the interpreter reads of a package is the same for each of its jobs, and never changed.
_resolved: Final = lru_cache(maxsize=32)(_mapping)


def process_from(row: sqlite3.Row, texts: Mapping[str, bytes]) -> ProcessRecord:
    """Return the record of a row and its texts; raises ``ValueError`` or ``TypeError``."""
    return ProcessRecord(
        id=row["id"],
        namespace=row["namespace"],
        version=row["version"],
        revision=row["revision"],
        title=row["title"],
        mutable=bool(row["mutable"]),
        deployed=time(row["deployed"]),
        description=_mapping(row["description"]),
        resolved=_resolved(row["resolved"]),
        texts=texts,
        media_type=row["media_type"],
        entry=row["entry"],
    )


def token_from(row: sqlite3.Row) -> TokenRecord:
    """Return the record of a ``tokens`` row."""
    return TokenRecord(row["namespace"], row["name"], time(row["created"]))
