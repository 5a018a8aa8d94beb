"""Jobs whose histories are made up, so that they may be as long as a test needs them."""

from datetime import UTC, datetime, timedelta

from localproc import Engine
from localproc.engine.handles import Job
from localproc.machine import apply
from localproc.model import Event, StepStatus
from localproc.model.events import Failed, Started, StepFinished, StepRunning, StepSubmitted
from localproc.plugins.store import Change


def job_of_steps(engine: Engine, count: int, *, running: int = 0) -> Job:
    """Give a job with so many steps, the last of which run; no engine runs it."""
    job = engine.execute("echo", {}, detached=True)
    store = engine._namespace.runtime.store
    (record,) = store.claim("nobody", set(), 1)
    at = record.created
    events: list[Event] = [Started(at, message="started")]
    for number in range(count):
        name = f"step_{number}"
        at += timedelta(milliseconds=1)
        log = f"node_{name}.log"
        events.append(StepSubmitted(at, name=name, key=name, log=log, command=("true",)))
        events.append(StepRunning(at, name=name, started=at))
        if number < count - running:
            events.append(finished(name, at=at))
    for event in events:
        record = apply(record, event)
    assert not store.commit("nobody", [Change(record, events, 1)])
    return job


def went_on(engine: Engine, job: Job, *events: Event) -> None:
    """Add events to such a job."""
    store, record = engine._namespace.runtime.store, job.record
    for event in events:
        record = apply(record, event)
    assert not store.commit("nobody", [Change(record, events, len(job.events()))])


def finished(
    name: str,
    status: StepStatus = StepStatus.SUCCESSFUL,
    *,
    log: str = "",
    at: datetime | None = None,
) -> Event:
    """Give the event of a step's end."""
    at = at or datetime.now(UTC)
    return StepFinished(at, name=name, key=name, status=status, log=log, exit_code=0, ended=at)


def failed() -> Event:
    """Give the event of a job's failure."""
    return Failed(datetime.now(UTC), problem={"detail": "no"}, message="no")
