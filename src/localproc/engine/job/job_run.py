"""One job's life inside an engine.

Owns the decisions: facts in (a report of a task, inputs staged, a dismissal), events and effects
out. Must not know threads, the store or any executor; the loop records the events and then does
the orders. The only disk it looks at is the one it is given, for inputs and outputs of steps.
"""

from collections import deque
from collections.abc import Mapping
from typing import Any

from localproc import machine
from localproc.cwl.run.plan import Invocation, Plan, Skipped
from localproc.cwl.run.process import Tool, Workflow
from localproc.engine.job import failure_text
from localproc.engine.job.effects import (
    Close,
    Collect,
    Done,
    Effect,
    Effects,
    Recall,
    StageIn,
    Stop,
)
from localproc.engine.job.event_writer import EventWriter
from localproc.engine.job.replay import History, Known
from localproc.engine.job.staging import OWN_STEPS, Staging
from localproc.engine.job.step_runs import StepRuns
from localproc.engine.job.steplog import LogNames
from localproc.engine.job.task_factory import JobSetup, TaskFactory
from localproc.errors import JobDismissed, JobFailed, LocalprocError
from localproc.model import JobRecord, Report, StepStatus, Task
from localproc.model.events import STAGE_IN, STAGE_OUT
from localproc.plugins.store import Change

_STAGED, _STEPS = 2, 95  #: percent of progress for staging in, and for all steps together


class JobRun:
    """A job that an engine has taken on.

    It begins, takes facts as they come, gives a step to start whenever it is asked for one, and
    ends. Every fact is followed by ``_advance``, which sees whether there is still something to
    wait for, and if not, what comes next: publishing the outputs, or the end.
    """

    def __init__(
        self, job: JobRecord, history: History, process: Tool | Workflow, setup: JobSetup
    ) -> None:
        self.request = history.request
        self._recorded = history.events
        self._history = history
        self._process = process
        self._setup = setup
        logs = LogNames(history.logs)
        self._writer = EventWriter(job, setup.now, logs, history.request.executor)
        self._effects = Effects()
        tasks = TaskFactory(job.id, setup, history.names, logs)
        self._staging = Staging(process, self._writer, self._effects, tasks, setup, history.steps)
        self._steps = StepRuns(
            self._writer, self._effects, tasks, setup, self._step_ended, self._fail
        )
        self._inputs: Mapping[str, Any] = {}
        self._plan: Plan | None = None
        self._passed_over: deque[Invocation | Skipped] = deque()
        self._resuming = bool(history.steps)
        self._sought: set[str] = set()  #: tasks of another engine that are being looked for
        self._ending: JobFailed | JobDismissed | None = None  #: why it is to end before its time

    # What the loop asks

    @property
    def job(self) -> JobRecord:
        """The job's row as it is now."""
        return self._writer.job

    @property
    def under_way(self) -> int:
        """How many steps have been started and take up room of the executor, now or soon."""
        return len(self._steps.running) + self._steps.recalling

    @property
    def recalling(self) -> int:
        """How many of them the executor does not know of yet."""
        return self._steps.recalling

    @property
    def can_start_more(self) -> bool:
        """Whether there may be steps to start now."""
        return self._ending is None and self._plan is not None and self._plan.outputs is None

    @property
    def changed(self) -> bool:
        """Whether there is something to record or to do."""
        return bool(self._writer.events or self._effects.waiting)

    def is_running(self, key: str) -> bool:
        """Whether a task has been launched and not been reported as ended."""
        return key in self._steps.running

    def change(self) -> Change | None:
        """Give what is to be recorded, if anything."""
        events = self._writer.events
        if not events:
            return None
        told = machine.callbacks(self.job.id, self.request.subscriber, events)
        return Change(self.job, events, self._recorded, told)

    def recorded(self) -> None:
        """What ``change`` gave has been recorded."""
        self._recorded += len(self._writer.tear_off())

    def effects(self) -> list[Effect]:
        """Give what is to be done, now that what led to it has been recorded."""
        return self._effects.take()

    # Beginning, and going on after another engine

    def begin(self) -> None:
        """Start, or go on after another engine."""
        history = self._history
        if history.engine != self.job.owner and (history.engine or history.started):
            self._writer.taken_over()
        if not history.started:
            self._writer.started()
        if self.job.dismiss_requested:
            self._end_as(JobDismissed(f"job {self.job.id} was dismissed"))
        elif history.problem is not None:
            self._end_as(JobFailed.from_problem(history.problem))
        staged = history.steps.get(STAGE_IN)
        if staged is not None and staged.outputs is not None:
            self._make_plan(staged.outputs)
        elif self._ending is None or (self._resuming and staged is None):
            self._stage_in(again=staged is not None)  # what is to stop has to be found first
        self._advance()

    @property
    def resuming(self) -> bool:
        """Whether another engine had begun steps of it: ``unfinished`` has to be asked for."""
        return self._resuming

    def unfinished(self) -> list[Task]:
        """Find the tasks that an earlier engine had launched and whose end is not recorded.

        Steps that had ended are passed over; new ones wait until ``pull`` asks for them.
        """
        steps = self._history.steps
        waiting = {key for key, known in steps.items() if not known.ended} - OWN_STEPS
        while waiting and (instance := self._next()) is not None:
            known = steps.get(instance.key)
            if known is None:
                self._passed_over.append(instance)
            elif known.ended:
                self._ended_before(instance, known)
            elif isinstance(instance, Invocation):
                waiting.discard(instance.key)
                self._steps.take_up(instance, known)
        tasks = [running.task for running in self._steps.running.values()]
        self._sought = {task.key for task in tasks}
        self._all_found()
        return tasks

    def _all_found(self) -> None:
        """Go on once the executor has told of every task that was sought."""
        if not self._sought and self._resuming:
            self._resuming = False
            if self._ending is not None:
                self._stop()
            self._advance()

    # Facts

    def pull(self) -> bool:
        """Start the next step, if there is one; whether there was."""
        if not self.can_start_more:
            return False
        instance = self._passed_over.popleft() if self._passed_over else self._next()
        if instance is not None:
            known = self._history.steps.get(instance.key)
            if known is None:
                self._steps.start(instance)
            else:
                self._ended_before(instance, known)
        self._advance()
        return instance is not None

    def report(self, report: Report) -> None:
        """Take news of a task."""
        self._steps.report(report)
        self._sought.discard(report.key)
        self._all_found()
        self._advance()

    def not_launched(self, key: str, error: LocalprocError) -> None:
        """Take note that a task's files could not be put in place."""
        self._steps.not_launched(key, error)
        self._advance()

    def done(self, done: Done) -> None:
        """Take in what came of an effect."""
        self._effects.unanswered -= 1
        match done.effect:
            case Collect() as effect:
                self._steps.collected(effect, done)
            case Recall() as effect:
                self._steps.recalled(effect, done)
            case _:
                self._staged(done)
        self._advance()

    def dismiss(self) -> None:
        """Take note that somebody wants the job to stop."""
        if not self.job.status.final and not isinstance(self._ending, JobDismissed):
            self._writer.dismiss_requested()
            self._end_as(JobDismissed(f"job {self.job.id} was dismissed"))
            self._advance()

    def fail(self, problem: JobFailed) -> None:
        """End the job as failed, once all that it has started has stopped."""
        self._fail(problem)
        self._advance()

    # Steps

    def _make_plan(self, inputs: Mapping[str, Any]) -> None:
        self._inputs = inputs
        try:
            self._plan = Plan(self._process, inputs, self._setup.files())
        except LocalprocError as error:
            self._process_broke(error)

    def _next(self) -> Invocation | Skipped | None:
        """Give the next step instance of the plan."""
        if self._plan is None:
            return None
        try:
            return self._plan.pull()
        except LocalprocError as error:
            self._steps.broke(self._plan.current, error)
            return None

    def _ended_before(self, instance: Invocation | Skipped, known: Known) -> None:
        if isinstance(instance, Invocation) and known.outputs is not None:
            self._step_ended(instance.key, known.outputs)

    def _step_ended(self, key: str, outputs: Mapping[str, Any]) -> int:
        """Tell the plan; give the job's progress."""
        assert self._plan is not None
        try:
            self._plan.finish(key, outputs)
        except LocalprocError as error:
            self._process_broke(error)
        return _STAGED + int(_STEPS * self._plan.progress)

    # Staging

    def _stage_in(self, *, again: bool) -> None:
        try:
            inputs = self._staging.stage_in(self.request.inputs, again=again)
        except LocalprocError as error:
            self._process_broke(error)
        else:
            if inputs is not None:
                self._make_plan(inputs)

    def _stage_out(self, outputs: Mapping[str, Any]) -> None:
        wanted = self.request.outputs
        if wanted is not None:
            outputs = {name: value for name, value in outputs.items() if name in wanted}
        if not self._staging.stage_out(outputs, self._inputs):
            self._succeed(outputs, {})

    def _staged(self, done: Done) -> None:
        key = STAGE_IN if isinstance(done.effect, StageIn) else STAGE_OUT
        name = self._staging.name(key)
        if self._ending is not None:
            self._writer.ended(name, StepStatus.DISMISSED)
            return
        try:
            if key == STAGE_IN:
                self._make_plan(self._staging.staged_in(done, _STAGED))
            else:
                self._succeed(*self._staging.staged_out(done))
        except LocalprocError as error:
            problem = failure_text.step_broke(self.job.id, name, error, self._staging.log(key))
            self._writer.ended(name, StepStatus.FAILED, problem=problem)
            self._fail(problem)

    # Endings

    def _advance(self) -> None:
        """Do what follows when nothing is left to wait for."""
        waits = self._steps.running or self._effects.unanswered or self._resuming
        if waits or self.job.status.final:
            return
        if self._ending is not None:
            self._end(self._ending)
        elif self._plan is not None and self._plan.outputs is not None:
            self._stage_out(self._plan.outputs)

    def _process_broke(self, error: LocalprocError) -> None:
        self._fail(failure_text.step_broke(self.job.id, self._process.id, error))

    def _fail(self, problem: JobFailed) -> None:
        if self._ending is None and not self.job.status.final:
            self._end_as(problem)

    def _end_as(self, ending: JobFailed | JobDismissed) -> None:
        self._ending = ending
        self._steps.stopping = True
        if not self._resuming:
            self._stop()

    def _stop(self) -> None:
        self._effects.give(Stop(tuple(self._steps.running)))

    def _succeed(self, outputs: Mapping[str, Any], features: Mapping[str, Any]) -> None:
        self._writer.succeeded(outputs, features)
        self._effects.give(Close(keep=False))

    def _end(self, ending: JobFailed | JobDismissed) -> None:
        if isinstance(ending, JobFailed):
            self._writer.failed(ending)
        else:
            self._writer.dismissed()
        self._effects.give(Close(keep=isinstance(ending, JobFailed)))
