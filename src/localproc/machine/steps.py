"""The steps of a job, read from its events.

Owns how step events add up to what people see. Must not know how steps are run.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Final

from localproc.model import Event, Step, StepStatus
from localproc.model.events import (
    Dismissed,
    DismissRequested,
    Failed,
    StepFinished,
    StepProgress,
    StepQueued,
    StepRetrying,
    StepRunning,
    StepSubmitted,
)

#: What is said of steps that were stopped though nobody had dismissed their job.
STOPPED: Final = "stopped, since the job had failed"


class StepBook:
    """The steps of one job, kept up to date event by event, in the order they were submitted."""

    def __init__(self) -> None:
        self._steps: dict[str, Step] = {}
        self._dismissed = False
        self._submitted: dict[str, datetime] = {}
        self._writers: dict[str, str] = {}  # of logs

    def steps(self) -> list[Step]:
        """Return the steps so far."""
        return list(self._steps.values())

    def __len__(self) -> int:
        return len(self._steps)

    def copy(self) -> "StepBook":
        """Return another one that goes on from here."""
        other = StepBook()
        other._steps, other._writers = dict(self._steps), dict(self._writers)
        other._submitted, other._dismissed = dict(self._submitted), self._dismissed
        return other

    def has_ended(self, log: str) -> bool:
        """Whether the step that writes a log is known, and has ended."""
        step = self._steps.get(self._writers.get(log, ""))
        return step is not None and step.status.final

    def take(self, event: Event) -> list[Step]:
        """Take one event in; give the steps that it changed."""
        match event:
            case DismissRequested():
                self._dismissed = True
                return []
            case Failed() | Dismissed():
                return self._close(event.at)
            case StepSubmitted():
                step = _submitted(self._steps.get(event.name), event)
                self._submitted[event.name] = event.at
            case StepQueued():
                step = _queued(self._known(event.name), event)
            case StepRunning():
                step = _running(self._known(event.name), event, self._earliest(event))
            case StepProgress():
                known = self._known(event.name)
                step = _progressed(known, event)
            case StepRetrying():
                step = _retrying(self._known(event.name), event)
            case StepFinished():
                step = _finished(self._known(event.name), event, self._earliest(event))
                step = self._told(step)
            case _:
                return []
        self._steps[step.name] = step
        self._writers[step.log] = step.name
        return [step]

    def _known(self, name: str) -> Step:
        """Return a step as it is; one that was never submitted begins with what is told now."""
        known = self._steps.get(name)
        return known or Step(name=name, key=name, status=StepStatus.ACCEPTED, log="")

    def _earliest(self, event: StepRunning | StepFinished) -> datetime | None:
        """When a step was submitted: by no clock did it begin before."""
        return self._submitted.get(event.name)

    def _close(self, at: datetime) -> list[Step]:
        """Steps that had not ended when their job did were stopped with it."""
        open_steps = [step for step in self._steps.values() if not step.status.final]
        stopped = partial(replace, status=StepStatus.DISMISSED, reason="", due=None)
        closed = [self._told(stopped(step, end=max(step.start or at, at))) for step in open_steps]
        self._steps.update((step.name, step) for step in closed)
        return closed

    def _told(self, step: Step) -> Step:
        """Tell a step that was stopped since another one failed from one that was dismissed."""
        if step.status is StepStatus.DISMISSED and not self._dismissed and not step.message:
            return replace(step, message=STOPPED)
        return step


def _submitted(before: Step | None, event: StepSubmitted) -> Step:
    """An attempt begins; why nothing was taken over for the step was said with the first one."""
    return Step(
        name=event.name,
        key=event.key,
        status=StepStatus.ACCEPTED,
        log=event.log,
        attempt=event.attempt,
        command=event.command,
        executor=event.executor,
        image=event.image,
        digest=event.digest,
        without=event.without,
        containers=event.containers,
        software=event.software,
        because=event.because or (before.because if before is not None else ""),
    )


def _progressed(step: Step, event: StepProgress) -> Step:
    if event.share is not None:
        return replace(step, share=event.share, said=event.said)
    return replace(step, bytes_done=event.done, bytes_total=event.total)


def _retrying(step: Step, event: StepRetrying) -> Step:
    """An attempt has ended badly; the step waits for the next one."""
    return replace(
        step,
        status=StepStatus.ACCEPTED,
        start=None,
        exit_code=event.exit_code,
        reason=f"attempt {event.attempt} {event.said}".rstrip(),
        due=event.due,
        share=None,
        said="",
    )


def _queued(step: Step, event: StepQueued) -> Step:
    return replace(step, reason=event.reason, native_id=event.native_id or step.native_id)


def _running(step: Step, event: StepRunning, earliest: datetime | None) -> Step:
    start = event.started or event.at
    return replace(
        step,
        status=StepStatus.RUNNING,
        start=start if earliest is None else max(start, earliest),
        reason="",
        host=event.host,
        native_id=event.native_id or step.native_id,
        queued=event.queued,
    )


def _finished(step: Step, event: StepFinished, earliest: datetime | None) -> Step:
    """Times are those of the clock where the step ran; if that is late, both are moved."""
    start = event.started or step.start or event.at
    end = event.ended or event.at
    if end < start:  # the clock was set back meanwhile
        end = max(start, event.at)
    if earliest is not None and start < earliest:
        start, end = earliest, end + (earliest - start)
    return replace(
        step,
        key=event.key or step.key,
        status=event.status,
        log=event.log or step.log,
        start=start,
        end=end,
        exit_code=event.exit_code,
        message=event.said,
        reused_from=event.reused_from,
        reused_step=event.reused_step,
        because=event.because or step.because,
        image=event.image or step.image,
        digest=event.digest or step.digest,
        containers=event.containers or step.containers,
        software=event.software or step.software,
        without=tuple(dict.fromkeys((*step.without, *event.without))),
        due=None,
        reason=event.reason,
        host=event.host or step.host,
        native_id=event.native_id or step.native_id,
        queued=step.queued if event.queued is None else event.queued,
        cpu=event.cpu,
        rss=event.rss,
        inputs=(event.problem or {}).get("inputs") or {},
        bytes_done=None,
        bytes_total=None,
        share=None,
        said="",
    )


def steps(events: Iterable[Event]) -> list[Step]:
    """Return the steps that the events add up to."""
    book = StepBook()
    for event in events:
        book.take(event)
    return book.steps()
