"""What is written down of a job.

Owns a job's row and the events that have not been recorded yet: each thing that happens is one
method, and the only place where its event gets its form. Must not decide what happens.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from localproc import machine
from localproc.cwl.run.plan import Invocation, Skipped
from localproc.engine.job.steplog import LogNames
from localproc.errors import JobFailed
from localproc.model import Container, Event, JobRecord, Report, StepStatus, Task
from localproc.model.events import (
    Dismissed,
    DismissRequested,
    Failed,
    Started,
    StepFinished,
    StepProgress,
    StepQueued,
    StepRetrying,
    StepRunning,
    StepSubmitted,
    Succeeded,
    TakenOver,
)


class EventWriter:
    """The row of one job as it is after ``events``, those since the last ``tear_off``.

    ``logs`` names the log files of its steps, ``executor`` is the name of what runs them.
    """

    def __init__(
        self, job: JobRecord, now: Callable[[], datetime], logs: LogNames, executor: str
    ) -> None:
        self.job = job
        self.events: list[Event] = []
        self._now = now
        self._logs = logs
        self._executor = executor
        self._reasons: dict[str, str] = {}  # why steps wait, as was told last

    def tear_off(self) -> list[Event]:
        """Return the events, which have been recorded now, and begin a new page."""
        events, self.events = self.events, []
        return events

    # The job

    def started(self) -> None:
        """The job has been taken up for the first time."""
        self._note(Started(self._now(), engine=self.job.owner or "", message="started"))

    def taken_over(self) -> None:
        """This engine goes on with the job of another one."""
        self._note(TakenOver(self._now(), engine=self.job.owner or ""))

    def dismiss_requested(self) -> None:
        """Somebody wants the job to stop."""
        self._note(DismissRequested(self._now(), message="dismissing"))

    def succeeded(
        self, outputs: Mapping[str, Any], features: Mapping[str, Any], *, tidy: bool
    ) -> None:
        """The job has ended well, and its outputs are where they are to be."""
        self._note(
            Succeeded(
                self._now(), outputs=outputs, features=features, tidy=tidy, message="successful"
            )
        )

    def failed(self, problem: JobFailed) -> None:
        """The job has failed, and nothing of it runs any more."""
        self._note(Failed(self._now(), problem=problem.to_problem(), message=problem.message))

    def dismissed(self) -> None:
        """The job has been stopped, and nothing of it runs any more."""
        self._note(Dismissed(self._now(), message="dismissed"))

    # Its steps

    def launched(
        self,
        key: str,
        name: str,
        attempt: int,
        task: Task,
        *,
        lost: int = 0,
        given: str = "",
        because: str = "",
    ) -> None:
        """A step's task is handed to the executor."""
        self._reasons.pop(name, None)
        box = task.container
        self._note(
            StepSubmitted(
                self._now(),
                name=name,
                key=key,
                attempt=attempt,
                lost=lost,
                log=self._logs.of(name),
                command=task.argv,
                tmpdir=task.tmpdir,
                executor=task.executor or self._executor,
                image="" if box is None else box.image,
                digest="" if box is None else box.digest,
                containers="" if box is None else box.runtime,
                software=task.software,
                without=task.without,
                given=given,
                because=because,
                message=f"starting {name}",
            )
        )

    def begun(self, key: str, name: str, message: str, *, again: bool) -> None:
        """One of the engine's own steps begins, or goes on after another engine."""
        if not again:
            self._note(StepSubmitted(self._now(), name=name, key=key, log=self._logs.of(name)))
        self._note(StepRunning(self._now(), name=name, message=message))

    def progressed(self, name: str, done: int, total: int | None) -> None:
        """So many bytes have come or gone for one of the engine's own steps."""
        self._note(StepProgress(self._now(), name=name, done=done, total=total))

    def told(self, name: str, share: float, said: str, progress: int) -> None:
        """A step's tool has told how far it is."""
        text = f"{name}: {share:.0%} {said}".rstrip()
        self._note(
            StepProgress(
                self._now(), name=name, share=share, said=said, progress=progress, message=text
            )
        )

    def queued(self, name: str, report: Report) -> None:
        """A step's task waits at the executor; told where the reason is new."""
        if report.reason != self._reasons.get(name, ""):
            self._reasons[name] = report.reason
            native_id = report.native_id
            self._note(
                StepQueued(self._now(), name=name, reason=report.reason, native_id=native_id)
            )

    def running(self, name: str, report: Report) -> None:
        """A step's task has been started."""
        self._note(
            StepRunning(
                self._now(),
                name=name,
                started=report.started,
                host=report.host,
                native_id=report.native_id,
                queued=report.queued,
                message=f"running {name}",
            )
        )

    def retrying(
        self, name: str, attempt: int, due: datetime, report: Report, problem: JobFailed
    ) -> None:
        """An attempt of a step has ended badly; another one is to begin at ``due``."""
        said = problem.message.removeprefix(f"step {name} ")
        self._note(
            StepRetrying(
                self._now(),
                name=name,
                attempt=attempt,
                due=due,
                said=said,
                exit_code=report.exit_code,
                cause=problem.cause,
                message=f"{name} waits to be tried again: {said}",
            )
        )

    def now(self) -> datetime:
        """Return the time as of the last event, which is never later than that of the next."""
        return self._now()

    def ended(
        self,
        name: str,
        status: StepStatus,
        report: Report | None = None,
        *,
        made: str = "",
        problem: JobFailed | None = None,
        outputs: Mapping[str, Any] | None = None,
        progress: int | None = None,
    ) -> None:
        """A step that was launched or begun has ended; ``report`` is what its executor told."""
        self._note(
            StepFinished(
                self._now(),
                name=name,
                status=status,
                outputs=outputs,
                made=made,
                progress=progress,
                **_reported(report),
                **_told(problem),
            )
        )

    def passed(
        self,
        instance: Invocation | Skipped,
        name: str,
        status: StepStatus,
        progress: int | None = None,
        *,
        outputs: Mapping[str, Any] | None = None,
        reused_from: str | None = None,
        reused_step: str = "",
        given: str = "",
        made: str = "",
        because: str = "",
        ran_in: str = "",
        box: Container | None = None,
        software: tuple[str, ...] = (),
    ) -> None:
        """A step began and ended in one: it was skipped, reused, or an expression."""
        self._note(
            StepFinished(
                self._now(),
                name=name,
                key=instance.key,
                log=self._logs.of(name),
                status=status,
                outputs=outputs,
                reused_from=reused_from,
                reused_step=reused_step,
                given=given,
                made=made,
                because=because,
                ran_in=ran_in,
                progress=progress,
                software=software,
                **_boxed(box),
            )
        )

    def broke(self, key: str, name: str, problem: JobFailed) -> None:
        """A step failed before it was ever launched."""
        self._note(
            StepFinished(
                self._now(),
                name=name,
                key=key,
                log=self._logs.of(name),
                status=StepStatus.FAILED,
                **_told(problem),
            )
        )

    def _note(self, event: Event) -> None:
        self.job = machine.apply(self.job, event)
        self.events.append(event)


def _reported(report: Report | None) -> dict[str, Any]:
    if report is None:
        return {}
    return {
        "exit_code": report.exit_code,
        "started": report.started,
        "ended": report.ended,
        "cpu": report.cpu,
        "rss": report.rss,
        "host": report.host,
        "native_id": report.native_id,
        "queued": report.queued,
        "reason": report.reason,
        "without": report.without,
    }


def _told(problem: JobFailed | None) -> dict[str, Any]:
    return {} if problem is None else {"problem": problem.to_problem(), "said": problem.message}


def _boxed(box: Container | None) -> dict[str, Any]:
    if box is None:
        return {}
    return {"image": box.image, "digest": box.digest, "containers": box.runtime}
