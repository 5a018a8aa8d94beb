"""What is written down of a job.

Owns a job's row and the events that have not been recorded yet: each thing that happens is one
method, and the only place where its event gets its form. Must not decide what happens.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from localproc import machine
from localproc.cwl.run.plan import Invocation, Skipped
from localproc.engine.job.steplog import log_name
from localproc.errors import JobFailed
from localproc.model import Event, JobRecord, Kind, Report, StepStatus, Task


class EventWriter:
    """The row of one job as it is after ``events``, those since the last ``tear_off``."""

    def __init__(self, job: JobRecord, now: Callable[[], datetime]) -> None:
        self.job = job
        self.events: list[Event] = []
        self._now = now

    def tear_off(self) -> list[Event]:
        """Give the events, which have been recorded now, and begin a new page."""
        events, self.events = self.events, []
        return events

    # The job

    def started(self) -> None:
        """The job has been taken up for the first time."""
        self._note(Kind.STARTED, message="started")

    def dismiss_requested(self) -> None:
        """Somebody wants the job to stop."""
        self._note(Kind.DISMISS_REQUESTED, message="dismissing")

    def succeeded(self, outputs: Mapping[str, Any], features: Mapping[str, Any]) -> None:
        """The job has ended well, and its outputs are where they are to be."""
        self._note(Kind.SUCCEEDED, message="successful", outputs=outputs, features=features)

    def failed(self, problem: JobFailed) -> None:
        """The job has failed, and nothing of it runs any more."""
        self._note(Kind.FAILED, message=problem.message, problem=problem.to_problem())

    def dismissed(self) -> None:
        """The job has been stopped, and nothing of it runs any more."""
        self._note(Kind.DISMISSED, message="dismissed")

    # Its steps

    def launched(self, key: str, name: str, attempt: int, task: Task) -> None:
        """A step's task is handed to the executor."""
        self._note(
            Kind.STEP_SUBMITTED,
            key=key,
            name=name,
            attempt=attempt,
            log=log_name(name),
            command=task.argv,
            tmpdir=task.tmpdir,
            message=f"running {name}",
        )

    def begun(self, name: str, message: str, *, again: bool) -> None:
        """One of the engine's own steps begins, or goes on after another engine."""
        if not again:
            log = log_name(name)
            self._note(Kind.STEP_SUBMITTED, key=name, name=name, attempt=1, log=log, command=[])
        self._note(Kind.STEP_RUNNING, name=name, message=message)

    def running(self, name: str, started: datetime) -> None:
        """A step's task has been started."""
        self._note(Kind.STEP_RUNNING, name=name, started=started.isoformat())

    def ended(
        self,
        name: str,
        status: StepStatus,
        report: Report | None = None,
        *,
        problem: JobFailed | None = None,
        outputs: Mapping[str, Any] | None = None,
        progress: int | None = None,
    ) -> None:
        """A step that was launched or begun has ended; ``report`` is what its executor told."""
        data: dict[str, Any] = {"name": name, "status": status, **_reported(report)}
        if outputs is not None:
            data["outputs"] = outputs
        self._note(Kind.STEP_FINISHED, progress=progress, **data, **_told(problem))

    def passed(
        self,
        instance: Invocation | Skipped,
        name: str,
        status: StepStatus,
        progress: int | None = None,
        **data: Any,
    ) -> None:
        """A step began and ended in one: it was skipped, reused, or an expression."""
        self._instant(instance.key, name, status, progress, **data)

    def broke(self, key: str, name: str, problem: JobFailed) -> None:
        """A step failed before it was ever launched."""
        self._instant(key, name, StepStatus.FAILED, None, **_told(problem))

    def _instant(
        self, key: str, name: str, status: StepStatus, progress: int | None, **data: Any
    ) -> None:
        data |= {"name": name, "key": key, "log": log_name(name), "status": status}
        self._note(Kind.STEP_FINISHED, progress=progress, **data)

    def _note(
        self, kind: Kind, *, message: str | None = None, progress: int | None = None, **data: Any
    ) -> None:
        event = Event(kind, self._now(), data, progress, message)
        self.job = machine.apply(self.job, event)
        self.events.append(event)


def _reported(report: Report | None) -> dict[str, Any]:
    if report is None:
        return {}
    data: dict[str, Any] = {
        "exit_code": report.exit_code,
        "started": report.started and report.started.isoformat(),
        "ended": report.ended and report.ended.isoformat(),
    }
    return data if report.rss is None else {**data, "rss": report.rss, "cpu": report.cpu}


def _told(problem: JobFailed | None) -> dict[str, Any]:
    return {} if problem is None else {"problem": problem.to_problem(), "said": problem.message}
