"""One job's life inside an engine.

Owns the decisions: facts in (a report of a task, inputs staged, a dismissal), events and orders
out. Must not know threads, the store or any executor; the loop records ``events`` and then does
``orders``. The only disk it looks at is the one it is given, for inputs and outputs of steps.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from localproc import machine
from localproc.cwl.collect import collect, succeeded
from localproc.cwl.entry import complete, fill
from localproc.cwl.files import has_files, is_local, is_reference, local_path, walk
from localproc.cwl.identity import may_be_reused
from localproc.cwl.plan import Invocation, Plan, Skipped
from localproc.cwl.prepare import Prepared
from localproc.cwl.process import Tool, Workflow
from localproc.engine import story
from localproc.engine.history import History, Known
from localproc.engine.orders import (
    Close,
    Collect,
    Done,
    Launch,
    Order,
    Recall,
    Remember,
    StageIn,
    StageOut,
    Stop,
)
from localproc.engine.steplog import log_name, tail
from localproc.engine.workshop import Surroundings, Workshop
from localproc.errors import JobFailed, LocalprocError
from localproc.model import Event, JobRecord, Kind, Report, StepStatus, Task, TaskState
from localproc.plugins.store import Change
from localproc.storage.disk import TooBig, is_full

STAGE_IN: Final = "stage_in"
STAGE_OUT: Final = "stage_out"
_OWN: Final = frozenset({STAGE_IN, STAGE_OUT})
_MOST_ATTEMPTS: Final = 3
_BEFORE, _STEPS = 2, 95  #: percent of progress for staging in, and for all steps together


@dataclass(slots=True)
class Running:
    """A task that has been launched. ``identity`` is set if its outputs are to be remembered."""

    invocation: Invocation
    name: str
    attempt: int
    task: Task
    prepared: Prepared
    identity: str = ""
    told_running: bool = False
    started: datetime | None = None


class JobRun:
    """A job that an engine has taken on."""

    def __init__(
        self,
        job: JobRecord,
        history: History,
        process: Tool | Workflow,
        around: Surroundings,
    ) -> None:
        self.job = job
        self.request = history.request
        self.recorded = history.events
        self.events: list[Event] = []
        self.orders: list[Order] = []
        self.running: dict[str, Running] = {}
        self.recalling = 0  #: steps whose earlier outputs are being looked for
        self._history = history
        self._process = process
        self._around = around
        self._workshop = Workshop(job.id, around, history.names)
        self._inputs: Mapping[str, Any] = {}
        self._plan: Plan | None = None
        self._ready: deque[Invocation | Skipped] = deque()
        self._collecting: dict[str, Running] = {}
        self._busy = 0  # orders that are being done in the background
        self._staging_out = False
        self._resuming = bool(history.steps)
        self._ending: tuple[Kind, JobFailed | None] | None = None

    # What the loop asks

    @property
    def can_start_more(self) -> bool:
        """Whether there may be steps to start now."""
        return self._plan is not None and self._ending is None and not self._staging_out

    def begin(self) -> None:
        """Start, or go on after another engine."""
        if not self._history.started:
            self._note(Kind.STARTED, message="started")
        if self.job.dismiss_requested:
            self._ending = (Kind.DISMISSED, None)
        elif self._history.problem is not None:
            self._ending = (Kind.FAILED, JobFailed.from_problem(self._history.problem))
        staged = self._history.steps.get(STAGE_IN)
        if staged is not None and staged.outputs is not None:
            self._plan_steps(staged.outputs)
        elif self._ending is None:
            self._take_inputs()
        self._advance()

    def pull(self) -> bool:
        """Start the next step, if there is one; whether there was."""
        if not self.can_start_more:
            return False
        assert self._plan is not None
        try:
            instance = self._ready.popleft() if self._ready else self._plan.pull()
            if instance is None:
                self._advance()  # a scatter over nothing ends without ever having begun
                return False
            known = self._history.steps.get(instance.key)
            if known is None:
                self._start(instance)
            else:
                self._already_ended(instance, known)
        except LocalprocError as error:
            self._broke(self._plan.current, error)
        return True

    def unfinished(self) -> list[Task]:
        """Find the tasks that an earlier engine had launched and whose end is not recorded.

        Steps that had ended are passed over; new ones wait until ``pull`` asks for them.
        """
        steps = self._history.steps
        waiting = {key for key, known in steps.items() if not known.ended and key not in _OWN}
        while waiting and self._plan is not None:
            try:
                instance = self._plan.pull()
            except LocalprocError as error:
                self._broke(self._plan.current, error)
                break
            if instance is None:
                break
            known = steps.get(instance.key)
            if known is not None and not known.ended and isinstance(instance, Invocation):
                waiting.discard(instance.key)
                self._prepare(instance, known.name, known.attempt, known.tmpdir)
            elif known is not None:
                self._already_ended(instance, known)
            else:
                self._ready.append(instance)
        return [running.task for running in self.running.values()]

    def change(self) -> Change:
        """Give what is to be recorded."""
        told = machine.letters(self.job.id, self.request.subscriber, self.events)
        return Change(self.job, self.events, self.recorded, told)

    def has_untold(self) -> bool:
        """Whether tasks run of which that has not been recorded."""
        return any(not one.told_running for one in self.running.values())

    # Facts

    def reattached(self, found: Mapping[str, Report], tasks: list[Task]) -> None:
        """Take in what the executor knows of the tasks that ``unfinished`` gave."""
        for task in tasks:
            report = found.get(task.key)
            if report is None or report.state is TaskState.LOST:
                running = self.running.pop(task.key)
                if self._ending is None:
                    self._launch_again(running)
                else:
                    self._finish_step(running.name, StepStatus.DISMISSED, report)
            else:
                self.report(report)
        self._resuming = False
        if self._ending is not None:
            self._stop()
        self._advance()

    def report(self, report: Report) -> None:
        """Take news of a task."""
        running = self.running.get(report.key)
        if running is None or report.state is TaskState.QUEUED:
            return
        if report.state is TaskState.RUNNING:
            running.started = report.started
            return
        del self.running[report.key]
        self._around.done_with(running.task.tmpdir)
        ended_well = report.state is TaskState.ENDED and succeeded(
            running.prepared.tool, report.exit_code or 0
        )
        if report.state is TaskState.CANCELLED or self._ending is not None:
            self._finish_step(running.name, StepStatus.DISMISSED, report)
        elif report.state is TaskState.LOST and running.attempt < _MOST_ATTEMPTS:
            self._launch_again(running)
        elif ended_well:
            self._collect(running, report)
        else:
            self._failed(running, report)
        self._advance()

    def not_launched(self, key: str, error: LocalprocError) -> None:
        """Take note that a task's files could not be put in place."""
        running = self.running.pop(key)
        self._around.done_with(running.task.tmpdir)
        self._step_broke(running.name, None, error)

    def note_running(self, longer_than: datetime) -> None:
        """Record which tasks run, but for those that have only just begun and may be over soon."""
        for one in self.running.values():
            if not one.told_running and one.started and one.started < longer_than:
                one.told_running = True
                self._note(Kind.STEP_RUNNING, name=one.name, started=one.started.isoformat())

    def done(self, done: Done) -> None:
        """Take in what came of an order."""
        self._busy -= 1
        match done.order:
            case Collect(name=name, report=report):
                running = self._collecting.pop(name)
                if done.error is not None:
                    self._step_broke(name, report, done.error)
                else:
                    self._step_ended(running, report, done.value)
            case Recall():
                self._recalled(done.order, done)
            case StageIn():
                self._staged_in(done)
            case StageOut():
                self._staged_out(done)
        self._advance()

    def dismiss(self) -> None:
        """Take note that somebody wants the job to stop."""
        if self.job.status.final or self._ending_kind is Kind.DISMISSED:
            return
        self._note(Kind.DISMISS_REQUESTED, message="dismissing")
        self._ending = (Kind.DISMISSED, None)
        self._stop()
        self._maybe_end()

    def fail(self, error: JobFailed) -> None:
        """End the job as failed, once all that it has started has stopped."""
        if self._ending is None and not self.job.status.final:
            self._ending = (Kind.FAILED, error)
            self._stop()
            self._maybe_end()

    # Steps

    def _take_inputs(self) -> None:
        """Stage the inputs in if there are files among them."""
        try:
            inputs = fill(self._process, self.request.inputs)
        except LocalprocError as error:
            self.fail(story.step_broke(self.job.id, self._process.id, error, ""))
            return
        if has_files(inputs) or any(map(is_reference, inputs.values())):
            self._stage_in(inputs)
        else:
            self._plan_steps(inputs)

    def _plan_steps(self, inputs: Mapping[str, Any]) -> None:
        self._inputs = inputs
        try:
            self._plan = Plan(self._process, inputs, self._around.files())
        except LocalprocError as error:
            self.fail(story.step_broke(self.job.id, self._process.id, error, ""))

    def _start(self, instance: Invocation | Skipped) -> None:
        name = self._workshop.name(instance.step)
        if isinstance(instance, Skipped):
            self._note_instant(instance, name, StepStatus.SKIPPED)
            self._advance()
        elif instance.tool.expression is not None:
            self._evaluate(instance, name)
        elif self._around.reuse and may_be_reused(instance.tool, instance.inputs):
            self.recalling += 1
            self._ask(Recall(name, instance))
        else:
            self._launch(instance, name, 1)

    def _evaluate(self, invocation: Invocation, name: str) -> None:
        """Run an ExpressionTool here and now."""
        try:
            outputs = self._workshop.evaluate(invocation, name)
        except (LocalprocError, OSError) as error:
            self._instant_broke(invocation.key, name, error)
            return
        progress = self._finished(invocation.key, outputs)
        self._note_instant(
            invocation, name, StepStatus.SUCCESSFUL, outputs=outputs, progress=progress
        )
        self._advance()

    def _recalled(self, order: Recall, done: Done) -> None:
        self.recalling -= 1
        if self._ending is not None:
            self._note_instant(order.invocation, order.name, StepStatus.DISMISSED)
            return
        if done.error is not None:
            self._instant_broke(order.invocation.key, order.name, done.error)
            return
        identity, found = done.value
        if found is None:
            self._launch(order.invocation, order.name, 1, identity)
            return
        self._note_instant(
            order.invocation,
            order.name,
            StepStatus.REUSED,
            outputs=found.outputs,
            reused_from=found.job_id,
            progress=self._finished(order.invocation.key, found.outputs),
        )

    def _launch(self, invocation: Invocation, name: str, attempt: int, identity: str = "") -> None:
        running = self._prepare(invocation, name, attempt, self._around.tmpdir())
        if running is None:
            return
        running.identity = identity
        self._note(
            Kind.STEP_SUBMITTED,
            key=invocation.key,
            name=name,
            attempt=attempt,
            log=log_name(name),
            command=running.task.argv,
            tmpdir=running.task.tmpdir,
            message=f"running {name}",
        )
        self.orders.append(Launch(running.task))

    def _prepare(
        self, invocation: Invocation, name: str, attempt: int, tmpdir: str
    ) -> Running | None:
        try:
            prepared, task = self._workshop.prepare(invocation, name, attempt, tmpdir)
        except (LocalprocError, OSError) as error:
            self._around.done_with(tmpdir)
            self._instant_broke(invocation.key, name, error)
            return None
        running = Running(invocation, name, attempt, task, prepared)
        self.running[task.key] = running
        return running

    def _launch_again(self, running: Running) -> None:
        """Run a task that was lost as a new attempt, in a folder of its own."""
        self._launch(running.invocation, running.name, running.attempt + 1, running.identity)

    def _already_ended(self, instance: Invocation | Skipped, known: Known) -> None:
        if isinstance(instance, Invocation) and known.outputs is not None:
            self._finished(instance.key, known.outputs)
            self._advance()

    def _collect(self, running: Running, report: Report) -> None:
        try:
            outputs = collect(running.prepared, report.exit_code or 0, self._around.files())
        except TooBig:
            self._collecting[running.name] = running
            self._ask(Collect(running.name, running.prepared, report))
        except (LocalprocError, OSError) as error:
            self._step_broke(running.name, report, error)
        else:
            self._step_ended(running, report, outputs)

    def _step_ended(self, running: Running, report: Report, outputs: Mapping[str, Any]) -> None:
        self._finish_step(
            running.name,
            StepStatus.SUCCESSFUL,
            report,
            outputs=outputs,
            progress=self._finished(running.invocation.key, outputs),
        )
        if running.identity:
            self.orders.append(Remember(running.identity, outputs, running.task.outdir))

    def _failed(self, running: Running, report: Report) -> None:
        problem = story.step_failed(
            self.job.id,
            running.name,
            report,
            tail(running.task.stderr),
            self._log(running.name),
            disk_full=is_full(running.task.outdir),
        )
        self._finish_step(running.name, StepStatus.FAILED, report, problem)
        self.fail(problem)

    def _step_broke(self, name: str, report: Report | None, error: Exception) -> None:
        """A step that was launched could not be started, or its outputs not be collected."""
        problem = story.step_broke(self.job.id, name, as_ours(error), self._log(name))
        self._finish_step(name, StepStatus.FAILED, report, problem)
        self.fail(problem)

    def _broke(self, key: str, error: LocalprocError) -> None:
        """A step's inputs could not be worked out."""
        step = key.rpartition("/")[2].partition("[")[0]
        self._instant_broke(key, self._workshop.name(step), error)

    def _instant_broke(self, key: str, name: str, error: Exception) -> None:
        """A step failed before it was ever launched."""
        problem = story.step_broke(self.job.id, name, as_ours(error), "")
        self._note(
            Kind.STEP_FINISHED,
            name=name,
            key=key,
            log=log_name(name),
            status=StepStatus.FAILED,
            problem=problem.to_problem(),
            said=problem.message,
        )
        self.fail(problem)

    def _note_instant(
        self,
        instance: Invocation | Skipped,
        name: str,
        status: StepStatus,
        progress: int | None = None,
        **data: Any,
    ) -> None:
        """Record a step that begins and ends in one."""
        self._note(
            Kind.STEP_FINISHED,
            progress=progress,
            name=name,
            key=instance.key,
            log=log_name(name),
            status=status,
            **data,
        )

    def _finish_step(
        self,
        name: str,
        status: StepStatus,
        report: Report | None,
        problem: JobFailed | None = None,
        outputs: Mapping[str, Any] | None = None,
        progress: int | None = None,
    ) -> None:
        data: dict[str, Any] = {"name": name, "status": status}
        if report is not None:
            data |= {
                "exit_code": report.exit_code,
                "started": report.started and report.started.isoformat(),
                "ended": report.ended and report.ended.isoformat(),
            }
            if report.rss is not None:
                data |= {"rss": report.rss, "cpu": report.cpu}
        if outputs is not None:
            data["outputs"] = outputs
        if problem is not None:
            data |= {"problem": problem.to_problem(), "said": problem.message}
        self._note(Kind.STEP_FINISHED, progress=progress, **data)

    def _finished(self, key: str, outputs: Mapping[str, Any]) -> int:
        """Tell the plan; give the job's progress."""
        assert self._plan is not None
        try:
            self._plan.finish(key, outputs)
        except LocalprocError as error:
            self.fail(story.step_broke(self.job.id, self._process.id, error, ""))
        return _BEFORE + int(_STEPS * self._plan.progress)

    # Staging

    def _stage_in(self, inputs: Mapping[str, Any]) -> None:
        if STAGE_IN not in self._history.steps:
            self._note_own(STAGE_IN)
        self._note(Kind.STEP_RUNNING, name=STAGE_IN, message="staging inputs")
        self._ask(StageIn(inputs, self._log(STAGE_IN)))

    def _staged_in(self, done: Done) -> None:
        if done.error is None:
            try:
                filled = fill(self._process, done.value)
                inputs = complete(self._process, filled, self._around.files(), discover=True)
            except LocalprocError as error:
                done = Done(done.order, error=error)
        if self._own_step_failed(STAGE_IN, done):
            return
        self._finish_step(STAGE_IN, StepStatus.SUCCESSFUL, None, outputs=inputs, progress=_BEFORE)
        self._plan_steps(inputs)

    def _stage_out(self, outputs: Mapping[str, Any]) -> None:
        self._staging_out = True
        wanted = self.request.outputs
        if wanted is not None:
            outputs = {name: value for name, value in outputs.items() if name in wanted}
        if not has_files(outputs):
            self._succeed(outputs, {})
            return
        self._note_own(STAGE_OUT)
        self._note(Kind.STEP_RUNNING, name=STAGE_OUT, message="publishing results")
        known = tuple(local_path(one) for one in walk(self._inputs) if is_local(one))
        self._ask(StageOut(outputs, known, self._log(STAGE_OUT)))

    def _staged_out(self, done: Done) -> None:
        if self._own_step_failed(STAGE_OUT, done):
            return
        self._finish_step(STAGE_OUT, StepStatus.SUCCESSFUL, None)
        self._succeed(*done.value)

    def _note_own(self, name: str) -> None:
        log = log_name(name)
        self._note(Kind.STEP_SUBMITTED, key=name, name=name, attempt=1, log=log, command=[])

    def _own_step_failed(self, name: str, done: Done) -> bool:
        if self._ending is not None:
            self._finish_step(name, StepStatus.DISMISSED, None)
            return True
        if done.error is None:
            return False
        problem = story.step_broke(self.job.id, name, done.error, self._log(name))
        self._finish_step(name, StepStatus.FAILED, None, problem)
        self.fail(problem)
        return True

    # Endings

    def _advance(self) -> None:
        """Do what follows when nothing is left to wait for."""
        if self._ending is not None:
            self._maybe_end()
            return
        waits = self.running or self._busy or self._resuming or self._staging_out
        if self._plan is not None and self._plan.outputs is not None and not waits:
            self._stage_out(self._plan.outputs)

    def _succeed(self, outputs: Mapping[str, Any], features: Mapping[str, Any]) -> None:
        self._note(Kind.SUCCEEDED, message="successful", outputs=outputs, features=features)
        self.orders.append(Close(keep=False))

    def _stop(self) -> None:
        self.orders.append(Stop(tuple(self.running)))

    def _maybe_end(self) -> None:
        waits = self.running or self._busy or self._resuming
        if self._ending is None or waits or self.job.status.final:
            return
        kind, error = self._ending
        if error is None:
            self._note(kind, message="dismissed")
        else:
            self._note(kind, message=error.message, problem=error.to_problem())
        self.orders.append(Close(keep=kind is Kind.FAILED))

    # Helpers

    def _ask(self, order: Collect | Recall | StageIn | StageOut) -> None:
        self._busy += 1
        self.orders.append(order)

    def _note(
        self, kind: Kind, *, message: str | None = None, progress: int | None = None, **data: Any
    ) -> None:
        event = Event(kind, self._around.now(), data, progress, message)
        self.job = machine.apply(self.job, event)
        self.events.append(event)

    def _log(self, name: str) -> str:
        return self._workshop.log_path(log_name(name))

    @property
    def _ending_kind(self) -> Kind | None:
        return None if self._ending is None else self._ending[0]


def as_ours(error: Exception) -> LocalprocError:
    """Give any error as one of ours."""
    if isinstance(error, LocalprocError):
        return error
    if isinstance(error, OSError):
        where = f": {error.filename}" if error.filename else ""
        hint = "the disk is full: make room" if error.errno == 28 else ""
        return LocalprocError(f"{error.strerror or error}{where}", hint=hint)
    return LocalprocError(f"{type(error).__name__}: {error}")
