"""Jobs of a namespace: the one that a person means, those that filters let through.

Owns how such filters are read, and pages of the execution log. Must not know how they are stored.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from localproc.engine.handles import Job
from localproc.engine.home.settings import check_finite
from localproc.engine.namespace import Namespace
from localproc.engine.options import (
    LAST,
    JobFilters,
    read_trigger,
)
from localproc.errors import AmbiguousJob, InvalidInputs, NoSuchJob, Problem
from localproc.model import JobFilter, JobRecord, JobStatus
from localproc.views import execution_log

_NO_JOB: Final = "no job has been accepted in this home yet"
_STATES: Final = tuple(JobStatus)
_CANDIDATES: Final = 8  #: jobs that are told of where it is not clear which one is meant


def find_job(namespace: Namespace, name: str) -> Job:
    """Return the job that a person means by ``name``; see ``Engine.find_job``."""
    if name == LAST or name.startswith(f"{LAST}:"):
        return _last(namespace, name)
    try:
        return Job(namespace, name, namespace.record(name))
    except NoSuchJob:
        found = _with_piece(namespace, name.lower()) if name else []
        if not found:
            raise
    if len(found) > 1:
        raise AmbiguousJob(name, [_told(job.snapshot) for job in found])
    return found[0]


def _with_piece(namespace: Namespace, piece: str) -> list[Job]:
    return list_jobs(namespace, (), (), _CANDIDATES, JobFilters(piece=piece))


def _last(namespace: Namespace, name: str) -> Job:
    status = name.partition(":")[2]
    newest = list_jobs(namespace, (), status, 1, JobFilters())
    if not newest:
        said = f"no job of this home is {status}" if status else _NO_JOB
        raise NoSuchJob(name, hint=said)
    return newest[0]


def list_jobs(
    namespace: Namespace,
    process: str | Sequence[str],
    status: str | Sequence[str],
    limit: int,
    filters: JobFilters,
) -> list[Job]:
    """Return jobs, newest first; see ``Engine.jobs``."""
    if limit != int(limit) or limit < 0:
        problem = Problem(f"there cannot be {limit!r} jobs", "limit")
        raise InvalidInputs("the jobs cannot be listed so", [problem])
    if filters.get("before") is not None:
        namespace.record(str(filters["before"]))
    check_finite(
        {
            "min_duration": filters.get("min_duration"),
            "max_duration": filters.get("max_duration"),
        }
    )
    if (since := filters.get("since")) is not None:
        filters["since"] = since.astimezone()
    if (until := filters.get("until")) is not None:
        filters["until"] = until.astimezone()
    if filters.get("trigger") is not None:
        filters["trigger"] = read_trigger(str(filters["trigger"]))
    wanted = JobFilter(
        namespace=namespace.name,
        processes=_several("process", process),
        statuses=_statuses(status),
        limit=int(limit),
        **filters,
    )
    return [Job(namespace, record.id, record) for record in namespace.jobs(wanted)]


def list_executions(
    namespace: Namespace,
    process: str | Sequence[str],
    wanted: str,
    limit: int,
    filters: JobFilters,
) -> list[dict[str, Any]]:
    """Return jobs as entries of the execution log, newest first; see ``Engine.executions``."""
    if wanted and wanted not in execution_log.SHOWN:
        hint = f"there is: {', '.join(execution_log.SHOWN)}"
        problem = Problem(f"there is no status {wanted!r}", "status", hint=hint)
        raise InvalidInputs("some states do not exist", [problem])
    states = execution_log.SHOWN.get(wanted, ())
    found: list[dict[str, Any]] = []
    while len(found) < limit:
        page = list_jobs(namespace, process, states, limit, filters)
        shown = (job.execution() for job in page)
        found += (one for one in shown if wanted in ("", one["status"]))
        if len(page) < limit:
            break
        filters["before"] = page[-1].id
    return found[:limit]


def jobs_everywhere(namespace: Namespace, *statuses: JobStatus, limit: int = 10_000) -> list[Job]:
    """Return the jobs of all namespaces that are in one of these states, newest first."""
    found = namespace.jobs_everywhere(statuses, limit)
    spaces = {record.namespace: namespace.within(record.namespace) for record in found}
    return [Job(spaces[record.namespace], record.id, record) for record in found]


def _told(record: JobRecord) -> str:
    """Return a line that tells a job from others."""
    created = record.created.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    return " ".join([record.id, record.process_id, record.status, created, record.title]).rstrip()


def _several(what: str, names: Any) -> tuple[str, ...]:
    """Return one name, none (an empty one) or several as several; raises ``InvalidInputs``."""
    if isinstance(names, str):
        return tuple(filter(None, [names]))
    if isinstance(names, Iterable) and not isinstance(names, bytes):
        found = tuple(names)
        if all(isinstance(one, str) for one in found):
            return found
    problem = Problem(f"expected a name or several, got {names!r:.80}", what)
    raise InvalidInputs("the jobs cannot be listed so", [problem])


def _statuses(names: str | Iterable[str]) -> tuple[JobStatus, ...]:
    wanted = _several("status", names)
    problems = [
        Problem(f"there is no state {name!r}", "status", hint=f"there is: {', '.join(_STATES)}")
        for name in wanted
        if name not in _STATES
    ]
    if problems:
        raise InvalidInputs("some states do not exist", problems)
    return tuple(map(JobStatus, wanted))
