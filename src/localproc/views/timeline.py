"""The steps of a job along time.

Owns where the bar of a step begins and how long it is. Must not know how it is drawn.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from localproc.frozen import frozen
from localproc.model import JobRecord, Step

LENGTH: Final = 1000.0  #: of the whole time of a job
_SHORTEST: Final = 6.0


@frozen
class TimelineRow:
    """A step with its bar, from ``x`` on; ``seconds`` is ``None`` before it has begun."""

    step: Step
    x: float
    length: float
    seconds: float | None


def timeline(job: JobRecord, steps: Sequence[Step], began: datetime | None) -> list[TimelineRow]:
    """Return the bars of steps; ``began`` is the start of the first of all, ``None`` before it."""
    now = job.finished or datetime.now(UTC)
    began = began or now
    ended = max([now, *(step.end for step in steps if step.end is not None)])
    whole = max((ended - began).total_seconds(), 1e-6)
    return [_row(step, began, ended, whole) for step in steps]


def _row(step: Step, began: datetime, ended: datetime, whole: float) -> TimelineRow:
    if step.start is None:
        return TimelineRow(step, 0.0, 0.0, None)
    seconds = ((step.end or ended) - step.start).total_seconds()
    length = max(seconds / whole * LENGTH, _SHORTEST)
    x = min((step.start - began).total_seconds() / whole * LENGTH, LENGTH - length)
    return TimelineRow(step, round(max(x, 0.0), 1), round(min(length, LENGTH), 1), seconds)
