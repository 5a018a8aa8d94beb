"""What has run and what will, along time.

Owns the rows of processes, where the bars of their jobs begin and how long they are, where their
next runs are, and the times along the edge. Must not know how it is drawn.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from localproc.frozen import frozen
from localproc.model import JobRecord
from localproc.views.execution_log import STATUSES
from localproc.views.ogc import timestamp

_NOW: Final = 500.0  #: in the middle of 1000
_SHORTEST: Final = 4.0
_MOST_ROWS: Final = 24
_DAY: Final = timedelta(days=1)


@frozen
class Bar:
    """A job, from ``x`` on; ``status`` is that of the execution log."""

    job_id: str
    status: str
    x: float
    length: float
    title: str


@frozen
class Due:
    """A run that is to come."""

    schedule: str
    x: float
    title: str


@frozen
class AgendaRow:
    """A process; ``said`` tells of it in words what the bars show."""

    process: str
    bars: Sequence[Bar]
    due: Sequence[Due]
    said: str


@frozen
class Agenda:
    """Rows, ``more`` processes that have none, and what stands at both ends and the middle."""

    rows: Sequence[AgendaRow]
    more: int
    edge: Sequence[str]


def agenda(
    jobs: Iterable[JobRecord],
    coming: Iterable[tuple[datetime, str, str]],
    now: datetime,
    span: timedelta,
) -> Agenda:
    """Return what has happened so long before ``now``, and will so long after it.

    ``coming`` has when what is due, the name of its schedule and its process.
    """
    bars: dict[str, list[Bar]] = {}
    due: dict[str, list[Due]] = {}
    for job in jobs:
        bars.setdefault(job.process_id, []).append(_bar(job, now, span))
    for at, schedule, process in coming:
        title = f"{schedule}: {at:%Y-%m-%d %H:%M %Z}"
        due.setdefault(process, []).append(Due(schedule, _place(at, now, span), title))
    names = sorted({*bars, *due})
    rows = [_row(name, bars.get(name, ()), due.get(name, ())) for name in names[:_MOST_ROWS]]
    written = "%H:%M" if span < _DAY else "%m-%d %H:%M"
    edge = [f"{at:{written}}" for at in (now - span, now, now + span)]
    return Agenda(rows, len(names) - len(rows), edge)


def _bar(job: JobRecord, now: datetime, span: timedelta) -> Bar:
    begun = job.started or job.created
    x, end = _place(begun, now, span), _place(job.finished or now, now, span)
    length = max(end - x, _SHORTEST)
    status = STATUSES[job.status]
    return Bar(job.id, status, x, round(length, 1), f"{status}, {timestamp(begun)}")


def _place(at: datetime, now: datetime, span: timedelta) -> float:
    return round(min(max(_NOW + (at - now) / span * _NOW, 0.0), 2 * _NOW - _SHORTEST), 1)


def _row(process: str, bars: Sequence[Bar], due: Sequence[Due]) -> AgendaRow:
    counts = Counter(bar.status for bar in bars)
    said = [f"{count} {status}" for status, count in sorted(counts.items())]
    said += [f"{len(due)} to come, the next is {due[0].title}"] if due else []
    return AgendaRow(process, bars, due, ", ".join(said))
