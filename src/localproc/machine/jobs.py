"""The transition table of a job, and how one event changes its row.

Owns what may happen to a job and in which order. Must not know where rows and events are kept.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from localproc.errors import InvalidTransition
from localproc.model import Event, JobRecord, JobRequest, JobStatus, Kind

_ACCEPTED, _RUNNING = JobStatus.ACCEPTED, JobStatus.RUNNING
_ENDINGS: Final = {
    Kind.FAILED: JobStatus.FAILED,
    Kind.DISMISSED: JobStatus.DISMISSED,
}

#: What each fact makes of each state. A fact that is not named for a state is a bug, but for final
#: states: what is reported about a job that has ended comes too late and changes nothing.
TRANSITIONS: Final[Mapping[JobStatus, Mapping[Kind, JobStatus]]] = {
    _ACCEPTED: {
        Kind.STARTED: _RUNNING,
        Kind.DISMISS_REQUESTED: _ACCEPTED,
        Kind.TAKEN_OVER: _ACCEPTED,
        **_ENDINGS,
    },
    _RUNNING: {
        Kind.STEP_SUBMITTED: _RUNNING,
        Kind.STEP_QUEUED: _RUNNING,
        Kind.STEP_PROGRESS: _RUNNING,
        Kind.STEP_RUNNING: _RUNNING,
        Kind.STEP_RETRYING: _RUNNING,
        Kind.STEP_FINISHED: _RUNNING,
        Kind.DISMISS_REQUESTED: _RUNNING,
        Kind.TAKEN_OVER: _RUNNING,
        Kind.SUCCEEDED: JobStatus.SUCCESSFUL,
        **_ENDINGS,
    },
    JobStatus.SUCCESSFUL: {},
    JobStatus.FAILED: {},
    JobStatus.DISMISSED: {},
}


def new_job(
    job_id: str,
    namespace: str,
    process_id: str,
    revision: str,
    request: JobRequest,
    event: Event,
    *,
    owner: str | None = None,
) -> JobRecord:
    """Return the row of a job that has just been accepted."""
    return JobRecord(
        id=job_id,
        namespace=namespace,
        process_id=process_id,
        revision=revision,
        status=JobStatus.ACCEPTED,
        created=event.at,
        updated=event.at,
        message=event.message or "",
        owner=owner,
        trigger=request.trigger,
        reason=request.reason,
        run_as=request.run_as,
        environment=request.environment,
        service=request.service,
        title=request.title,
        tags=request.tags,
        priority=request.priority,
        once=request.once,
    )


def apply(job: JobRecord, event: Event) -> JobRecord:
    """Return the job after the event.

    A late event (the job has ended) gives the same object back. Times never run backwards,
    whatever the clock did: an event counts as no earlier than the last one. Progress never falls,
    and is 100 on success alone.

    Raises ``InvalidTransition`` where the table has no entry.
    """
    status = TRANSITIONS[job.status].get(event.kind)
    if status is None and job.status.final:
        return job
    if status is None:
        raise InvalidTransition(
            f"job {job.id} is {job.status}, which '{event.kind}' at {event.at.isoformat()} cannot "
            f"follow (created {job.created.isoformat()}, updated {job.updated.isoformat()})"
        )
    at = max(event.at, job.updated)
    progress = max(job.progress, min(event.progress or 0, 99))
    return job.changed(
        status=status,
        updated=at,
        started=at if event.kind is Kind.STARTED else job.started,
        finished=at if status.final else None,
        progress=100 if status is JobStatus.SUCCESSFUL else progress,
        message=job.message if event.message is None else event.message,
        dismiss_requested=job.dismiss_requested or event.kind is Kind.DISMISS_REQUESTED,
    )


def replay(job: JobRecord, events: Iterable[Event]) -> JobRecord:
    """Fold the events over a job that has just been accepted."""
    for event in events:
        job = apply(job, event)
    return job
