"""How a job comes to its end, unless all goes well.

Owns what ends it (a step that failed, a package that cannot be gone on with, its limit of time, a
dismissal), having what runs stopped, and the last event then. Must not know how steps are started,
nor threads, the store or any executor.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from localproc.cwl.run.process import Tool, Workflow
from localproc.engine.job import failure_text
from localproc.engine.job.effects import (
    Asked,
    Close,
    Effects,
    FillInputs,
    StageIn,
    StageOut,
    WriteOutputs,
)
from localproc.engine.job.event_writer import EventWriter
from localproc.engine.job.replay import History
from localproc.engine.job.staging import OWN_STEPS, Staging
from localproc.engine.job.step_runs import StepRuns
from localproc.errors import JobDismissed, JobFailed, LocalprocError
from localproc.machine.phases import Act, Phase
from localproc.model import JobRecord, JobRequest, StepStatus
from localproc.model.events import STAGE_IN, STAGE_OUT

_OVER: Final = (Phase.STOPPING, Phase.ENDED)

#: Does an act for a job with the fact that it follows from; whether the plan gave a step instance.
Handler = Callable[[Any, Any], bool | None]


class JobEndings:
    """The part of a job's run that is about its end."""

    request: JobRequest
    phase: Phase
    _process: Tool | Workflow
    _writer: EventWriter
    _effects: Effects
    _staging: Staging
    _steps: StepRuns
    _now: Callable[[], datetime]
    _has_limit: bool
    _problems: list[JobFailed]  #: of steps, while the others go on
    _has_made: bool
    _ending: JobFailed | JobDismissed | None  #: what it is to end as

    @property
    def job(self) -> JobRecord:
        """The job's row as it is now."""
        return self._writer.job

    # Time

    @property
    def is_timed(self) -> bool:
        """Whether it has to be told what time it is."""
        return (self._has_limit or self._steps.waits) and self.phase not in _OVER

    @property
    def due(self) -> datetime | None:
        """When it has to be told what time it is, by its own clock; ``None`` if it need not."""
        if not self.is_timed:
            return None
        times = [one for one in (self._steps.due, self._limit) if one is not None]
        return min(times, default=None)

    def patience(self, most: float) -> float:
        """How many seconds may pass before it has to be told what time it is."""
        due = self.due
        return most if due is None else max(0.0, min(most, (due - self._now()).total_seconds()))

    @property
    def _limit(self) -> datetime | None:
        seconds = self.request.time_limit
        if seconds is None or (started := self.job.started) is None:
            return None
        return started + timedelta(seconds=seconds)

    def _is_late(self) -> bool:
        limit = self._limit
        return limit is not None and self._now() >= limit

    def _take_time(self, later: Any) -> None:
        limit, seconds = self._limit, self.request.time_limit
        if limit is not None and seconds is not None and later.at >= limit:
            self._fail(failure_text.took_too_long(self.job.id, seconds))
        else:
            self._steps.later(later.at)

    # Stopping

    def _step_failed(self, problem: JobFailed) -> None:
        """End with the first step that fails, or go on with what does not depend on it."""
        if self.request.keep_going and self.phase is Phase.RUNNING:
            self._problems.append(problem)
        else:
            self._fail(problem)

    def _may_go_on(self, history: History) -> bool:
        """Whether the steps that have failed so far leave others to be run."""
        own = (history.steps[key] for key in OWN_STEPS if key in history.steps)
        return self.request.keep_going and not any(one.status is StepStatus.FAILED for one in own)

    def _take_failure(self, news: Any) -> None:
        self._fail(news.problem)

    def _take_dismissal(self, _: Any) -> None:
        if isinstance(self._ending, JobDismissed):
            return
        self._writer.dismiss_requested()
        self._stop(JobDismissed(f"job {self.job.id} was dismissed"))

    def _close_staging(self, done: Any) -> None:
        if isinstance(done.effect, StageOut) and done.error is None:
            self._staging.withdraw()
            return
        if isinstance(done.effect, FillInputs | WriteOutputs):
            return  # these are no steps
        key = STAGE_IN if isinstance(done.effect, StageIn) else STAGE_OUT
        self._writer.ended(self._staging.name(key), StepStatus.DISMISSED)

    def _process_broke(self, error: LocalprocError) -> None:
        self._fail(failure_text.step_broke(self.job.id, self._process.id, error))

    def _staging_broke(self, effect: Asked, error: LocalprocError) -> None:
        """Fail with one of the engine's own steps, or with what was gone through before it."""
        if isinstance(effect, FillInputs | WriteOutputs):
            self._process_broke(error)
            return
        key = STAGE_IN if isinstance(effect, StageIn) else STAGE_OUT
        name, log = self._staging.name(key), self._staging.log(key)
        problem = failure_text.step_broke(self.job.id, name, error, log)
        self._writer.ended(name, StepStatus.FAILED, problem=problem)
        self._fail(problem)

    def _fail(self, problem: JobFailed) -> None:
        if self._ending is None and self.phase is not Phase.ENDED:
            self._stop(problem)

    def _stop(self, ending: JobFailed | JobDismissed) -> None:
        self._ending = ending
        if self.phase is not Phase.STOPPING:
            self.phase = Phase.STOPPING
            self._steps.stop()
            self._staging.take_back()

    def _end(self) -> None:
        if isinstance(self._ending, JobFailed):
            self._writer.failed(self._ending)
        else:
            self._writer.dismissed()
        # What has been made is there for whoever retries the job.
        self._close(keep=self._has_made or isinstance(self._ending, JobFailed))

    def _close(self, *, keep: bool) -> None:
        self.phase = Phase.ENDED
        self._effects.give(Close(keep))

    #: What does each act of ``machine.phases`` that is about the end.
    acts: ClassVar[Mapping[Act, Handler]] = {
        Act.TAKE_TIME: _take_time,
        Act.CLOSE_STAGING: _close_staging,
        Act.FAIL: _take_failure,
        Act.DISMISS: _take_dismissal,
    }
