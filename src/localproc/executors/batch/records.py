"""What tasks of a batch have left of their ends, and what the scheduler adds to it.

Owns reading exit records of the shell and journals of keepers, and which report they are with what
the scheduler has seen. Pure: an end that needs the scheduler's word says so.
"""

import re
from collections.abc import Mapping
from dataclasses import field
from datetime import UTC, datetime
from typing import Any, Final

from localproc.executors.batch.scheduler import Seen
from localproc.frozen import frozen
from localproc.model import Report, TaskState

_TIMES: Final = re.compile(r"(\d+)m([\d.]+)s (\d+)m([\d.]+)s")
#: A file that ls shows; a name with other characters may not be shown as it is.
_FILE: Final = re.compile(r"^file (\d+) ([\w.+@=,~-]+)$", re.ASCII | re.MULTILINE)
_KILLED: Final = (-9, 137)
_WHY: Final = {
    "late": TaskState.TIMED_OUT,
    "timed-out": TaskState.TIMED_OUT,
    "out-of-memory": TaskState.OUT_OF_MEMORY,
    "note": TaskState.CANCELLED,
    "stop": TaskState.CANCELLED,
}


@frozen
class Record:
    """How a task ended, by what was at its side. ``told`` is false for a kill of unknown cause."""

    code: int
    state: TaskState = TaskState.ENDED
    told: bool = True
    host: str = ""
    job: str = ""
    started: datetime | None = None
    ended: datetime | None = None
    cpu: float | None = None
    rss: int | None = None  #: KiB
    reason: str = ""
    files: Mapping[str, int] = field(default_factory=dict)  #: that it has left, by name: bytes


def shell_record(text: str, started: float | None, ended: float) -> Record | None:
    """Read an exit record that the shell has written; ``None`` for one that makes no sense."""
    words = dict(line.split(" ", 1) for line in text.splitlines() if " " in line)
    times = _TIMES.findall(text)
    if not words.get("code", "").isdigit() or len(times) < 2:
        return None
    code, why = int(words["code"]), words.get("why", "")
    if int(words.get("oom", "0") or 0) > 0 and code in _KILLED:
        why = "out-of-memory"
    peak = int(words["peak"]) if words.get("peak", "").isdigit() else 0
    minutes, seconds, system_minutes, system_seconds = map(float, times[-1])
    return Record(
        code=code,
        state=_WHY.get(why, TaskState.ENDED),
        told=why in _WHY or (why != "TERM" and code not in _KILLED),
        host=words.get("host", ""),
        job=words.get("job", ""),
        started=_moment(started),
        ended=_moment(ended),
        cpu=minutes * 60 + seconds + system_minutes * 60 + system_seconds,
        rss=peak // 1024 or None,
        files={name: int(size) for size, name in _FILE.findall(text)},
    )


def keeper_record(entry: Mapping[str, Any], host: str, job: str) -> Record:
    """Return the record that a keeper's line is. It has looked itself why something was killed."""
    why = entry.get("why", "")
    return Record(
        code=entry["code"],
        state=_WHY.get(why, TaskState.ENDED),
        told=why != "TERM",
        host=host,
        job=job,
        started=_moment(entry["started"]),
        ended=_moment(entry["at"]),
        cpu=entry.get("cpu"),
        rss=entry.get("rss"),
        reason="" if why in _WHY or why == "TERM" else why.strip(),
        files=entry.get("files", {}),
    )


def report(key: str, record: Record, seen: Seen | None, queued: float | None) -> Report:
    """Return the report of a record, with what the scheduler says of a kill."""
    state, reason = record.state, record.reason
    if not record.told and seen is not None and seen.state is not TaskState.ENDED:
        state, reason = seen.state, seen.reason
    return Report(
        key,
        state,
        exit_code=record.code,
        started=record.started,
        ended=record.ended,
        cpu=record.cpu,
        rss=record.rss,
        reason=reason,
        host=record.host,
        native_id=record.job,
        queued=queued,
    )


def unrecorded(key: str, seen: Seen, job: str, *, begun: bool, log: str) -> Report:
    """Return the report of a task whose job has gone without a record, by what is said of it."""
    state, reason = seen.state, seen.reason
    if seen.again and not begun:
        state, reason = TaskState.LOST, "the scheduler ended it before it had begun"
    elif state is TaskState.NEVER_STARTED:
        state = TaskState.LOST if begun else TaskState.CANCELLED
        reason = "the scheduler has forgotten it, and it left no exit record" if begun else reason
    elif state in (TaskState.ENDED, TaskState.LOST) and not begun:
        state = TaskState.REFUSED if state is TaskState.ENDED else TaskState.LOST
        reason = _join("its script did not begin on the node", seen.reason, log)
    elif state is TaskState.ENDED:
        state = TaskState.LOST
        reason = _join("its job has ended, and it left no exit record", seen.reason, log)
    return Report(key, state, reason=reason, host=seen.host, native_id=job)


def _join(*parts: str) -> str:
    return ": ".join(part for part in parts if part)


def _moment(stamp: float | None) -> datetime | None:
    return None if stamp is None else datetime.fromtimestamp(stamp, UTC)
