"""The pages of the execution log.

Owns what is on them beside the executions: the timeline back and ahead, and the form that runs one
again. Must not know which executions are listed.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from starlette.responses import Response

from localproc.engine.handles import Job
from localproc.errors import LocalprocError, NoSuchProcess
from localproc.http.exchange import Exchange
from localproc.http.formatting import pretty
from localproc.model import JobStatus, Trigger
from localproc.views.agenda import agenda
from localproc.views.execution_log import SHOWN

#: How far back a list may go, by what people call it.
LAST: Final = {
    "12h": timedelta(hours=12),
    "24h": timedelta(hours=24),
    "48h": timedelta(hours=48),
    "week": timedelta(days=7),
    "month": timedelta(days=31),
}
_SPANS: Final = {"12h": "12 hours", "24h": "24 hours", "48h": "48 hours", "week": "7 days"}
_OPEN: Final = (JobStatus.ACCEPTED, JobStatus.RUNNING)
_BARS: Final = 300  #: jobs on the timeline
_SCHEDULES: Final = 50  #: whose next runs are shown, those first that are due first
_RUNS: Final = 40  #: of each
_TOLD: Final = 20  #: runs to come that are listed
_DEFINITION: Final = 1 << 16  #: characters of a package that are shown


def executions_page(
    exchange: Exchange,
    executions: Sequence[Mapping[str, Any]],
    links: Sequence[Mapping[str, str]],
    filters: Mapping[str, Any],
) -> Response:
    """Answer with a list of executions, below what has run and what will along time."""
    now, last = datetime.now(UTC), exchange.query("last") or "12h"
    coming = _coming(exchange, now + LAST[last], str(filters["process"]))
    jobs = _jobs(exchange, now - LAST[last], filters)
    content = {
        "executions": executions,
        "links": links,
        "last": LAST,
        "statuses": SHOWN,
        "triggers": list(Trigger),
        "coming": coming[:_TOLD],
        "agenda": agenda([job.snapshot for job in jobs], coming, now, LAST[last]),
        "span": _SPANS.get(last, "31 days"),
    }
    return exchange.page("executions.html", content)


def _jobs(exchange: Exchange, since: datetime, filters: Mapping[str, Any]) -> list[Job]:
    """Return the jobs that a list is of and that ran after a time, the newest of them."""
    found = exchange.engine.jobs(**{**filters, "began_since": since, "limit": _BARS})
    still = [one for one in _OPEN if one in (filters["status"] or _OPEN)]
    if still:  # those that have run for longer as well
        known = {job.id for job in found}
        longer = exchange.engine.jobs(**{**filters, "status": still, "limit": _BARS})
        found += [job for job in longer if job.id not in known]
    return found


def _coming(exchange: Exchange, until: datetime, process: str) -> list[tuple[datetime, str, str]]:
    """Return what is due until then: when, which schedule, which process."""
    due = [
        (one.due, one)
        for one in exchange.engine.schedules.all()
        if one.due and one.due <= until and process in ("", one.schedule.process)
    ]
    found = [
        (at, one.name, one.schedule.process)
        for _, one in sorted(due, key=lambda pair: pair[0])[:_SCHEDULES]
        for at in one.next_runs(_RUNS)
        if at <= until
    ]
    return sorted(found)


def execution_page(
    exchange: Exchange, job: Job, error: LocalprocError | None = None, text: str | None = None
) -> Response:
    """Answer with one execution; ``error`` is why it is not run again with the inputs ``text``."""
    said = exchange.addressed(job, job.execution())
    if text is None:
        text = pretty(exchange.addressed(job, dict(job.inputs)))
    content = {"one": said, "inputs": text, "definition": _definition(job), "wrong": None}
    if error is None:
        return exchange.page("execution.html", content)
    problem = error.to_problem()
    return exchange.page("execution.html", {**content, "wrong": problem}, problem["status"])


def _definition(job: Job) -> str:
    """Return the package that was run, nothing if it is gone or no text."""
    try:
        return job.process.package[:_DEFINITION].decode()
    except (NoSuchProcess, UnicodeDecodeError):
        return ""
