"""The page of a job.

Owns which of its steps are shown as rows of their own, and what is told of each. Must not know how
they look.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from starlette.responses import Response

from localproc.cwl.run.reads import place
from localproc.engine.handles import Job
from localproc.frozen import frozen
from localproc.http.exchange import Exchange
from localproc.http.steppage import StepPage
from localproc.model import StepStatus
from localproc.views.step_rows import StepRow, step_rows
from localproc.views.timeline import TimelineRow, timeline


@frozen
class _Shown:
    """A row: ``whole`` are all steps at its place, ``bars`` those on this page."""

    whole: StepRow
    bars: Sequence[TimelineRow]
    seconds: float | None


def job_page(
    exchange: Exchange,
    job: Job,
    page: StepPage,
    said: Mapping[str, Any],
    note: str,
    status: int,
) -> Response:
    """Answer with the page; ``page`` are the steps on it, ``said`` is the status document."""
    record = job.snapshot
    bars = {one.step.name: one for one in timeline(record, page.steps, page.began)}
    now = record.finished or datetime.now(UTC)
    # Of a job whose history cannot be read, nothing but its record is told.
    whole = {place(row.steps[0].key): row for row in job.rows()} if page.steps else {}
    rows = []
    for some in step_rows(page.steps):
        row = whole[place(some.steps[0].key)]
        rows.append(_Shown(row, [bars[step.name] for step in some.steps], row.seconds(now)))
    failed = [step for step in page.steps if step.status is StepStatus.FAILED]
    details = {one["name"]: one for one in job.step_details(failed)}
    content = {
        "job": job,
        "record": record,
        "rows": rows,
        "page": page,
        "info": said,
        "details": details,
        "note": note,
        "expected": None if record.status.final else job.expected_end(),
        "abandoned": job.abandoned,
    }
    return exchange.page("job.html", content, status)
