"""The steps of a job that are under way.

Owns what becomes of a step instance: evaluated, reused or launched; collected, run again or failed.
Must not know in which order steps come, nor how a job begins and ends.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from localproc.cwl.run.collect import collect, succeeded
from localproc.cwl.run.plan import Invocation, Skipped
from localproc.cwl.run.prepare import Prepared
from localproc.cwl.run.reuse_key import may_be_reused
from localproc.engine.job import failure_text
from localproc.engine.job.effects import Collect, Done, Effects, Launch, Recall, Remember
from localproc.engine.job.event_writer import EventWriter
from localproc.engine.job.replay import Known
from localproc.engine.job.steplog import tail
from localproc.engine.job.task_factory import JobSetup, TaskFactory
from localproc.errors import JobFailed, LocalprocError
from localproc.model import Report, StepStatus, Task, TaskState
from localproc.storage.disk import TooBig, is_full

_MOST_ATTEMPTS: Final = 3


@dataclass(slots=True)
class StepRun:
    """A task that has been launched. ``identity`` is set if its outputs are to be remembered."""

    invocation: Invocation
    name: str
    attempt: int
    task: Task
    prepared: Prepared
    identity: str = ""
    told: bool = False  #: whether it is recorded that it runs


class StepRuns:
    """The step instances of one job.

    ``ended`` is told the outputs of each that ends well, and gives the job's progress; ``failed``
    is told why one did not. Once ``stopping`` is set, what ends counts as dismissed.
    """

    def __init__(
        self,
        writer: EventWriter,
        effects: Effects,
        tasks: TaskFactory,
        setup: JobSetup,
        ended: Callable[[str, Mapping[str, Any]], int],
        failed: Callable[[JobFailed], None],
    ) -> None:
        self.running: dict[str, StepRun] = {}  #: by the keys of their tasks
        self.recalling = 0  #: steps whose earlier outputs are being looked for
        self.stopping = False
        self._collecting: dict[str, StepRun] = {}
        self._writer = writer
        self._effects = effects
        self._tasks = tasks
        self._setup = setup
        self._ended = ended
        self._failed = failed

    # Beginnings

    def start(self, instance: Invocation | Skipped) -> None:
        """Start a step instance in the way that is right for it."""
        name = self._tasks.name(instance.step)
        if isinstance(instance, Skipped):
            self._writer.passed(instance, name, StepStatus.SKIPPED)
        elif instance.tool.expression is not None:
            self._evaluate(instance, name)
        elif self._setup.reuse and may_be_reused(instance.tool, instance.inputs):
            self.recalling += 1
            self._effects.ask(Recall(name, instance))
        else:
            self._launch(instance, name, 1)

    def take_up(self, invocation: Invocation, known: Known) -> None:
        """Go on with a step that an earlier engine had launched."""
        self._prepare(invocation, known.name, known.attempt, known.tmpdir)

    def launch_again(self, running: StepRun) -> None:
        """Run a task that was lost as a new attempt, in a folder of its own."""
        self._launch(running.invocation, running.name, running.attempt + 1, running.identity)

    def broke(self, key: str, error: LocalprocError) -> None:
        """Fail a step whose inputs could not be worked out."""
        step = key.rpartition("/")[2].partition("[")[0]
        self._never_launched(key, self._tasks.name(step), error)

    # Facts

    def report(self, report: Report) -> None:
        """Take news of a task."""
        running = self.running.get(report.key)
        if running is None:
            return
        if report.state is TaskState.QUEUED:
            self._writer.queued(running.name, report)
            return
        if report.state is TaskState.RUNNING:
            if not running.told and report.started is not None:
                running.told = True
                self._writer.running(running.name, report)
            return
        self._forget(running)
        if report.state is TaskState.CANCELLED or self.stopping:
            self._writer.ended(running.name, StepStatus.DISMISSED, report)
        elif report.state is TaskState.LOST and running.attempt < _MOST_ATTEMPTS:
            self.launch_again(running)
        elif report.state is TaskState.ENDED and _succeeded(running, report):
            self._collect(running, report)
        else:
            self._task_failed(running, report)

    def missing(self, task: Task, report: Report | None) -> None:
        """Take note that nobody knows the end of a task that an earlier engine had launched."""
        running = self.running[task.key]
        self._forget(running)
        if self.stopping:
            self._writer.ended(running.name, StepStatus.DISMISSED, report)
        else:
            self.launch_again(running)

    def not_launched(self, key: str, error: LocalprocError) -> None:
        """Take note that a task's files could not be put in place."""
        running = self.running[key]
        self._forget(running)
        self._step_broke(running, None, error)

    def collected(self, effect: Collect, done: Done) -> None:
        """Take the outputs of a task that was collected in the background."""
        running = self._collecting.pop(effect.name)
        if done.error is not None:
            self._step_broke(running, effect.report, done.error)
        else:
            self._succeeded(running, effect.report, done.value)

    def recalled(self, effect: Recall, done: Done) -> None:
        """Reuse the outputs of an equal step if there are any, else launch the step."""
        self.recalling -= 1
        invocation, name = effect.invocation, effect.name
        if self.stopping:
            self._writer.passed(invocation, name, StepStatus.DISMISSED)
            return
        if done.error is not None:
            self._never_launched(invocation.key, name, done.error)
            return
        identity, found = done.value
        if found is None:
            self._launch(invocation, name, 1, identity)
            return
        self._writer.passed(
            invocation,
            name,
            StepStatus.REUSED,
            self._ended(invocation.key, found.outputs),
            outputs=found.outputs,
            reused_from=found.job_id,
        )

    # What follows

    def _evaluate(self, invocation: Invocation, name: str) -> None:
        """Run an ExpressionTool here and now."""
        try:
            outputs = self._tasks.evaluate(invocation, name)
        except (LocalprocError, OSError) as error:
            self._never_launched(invocation.key, name, error)
            return
        progress = self._ended(invocation.key, outputs)
        self._writer.passed(invocation, name, StepStatus.SUCCESSFUL, progress, outputs=outputs)

    def _launch(self, invocation: Invocation, name: str, attempt: int, identity: str = "") -> None:
        running = self._prepare(invocation, name, attempt, self._setup.tmpdir())
        if running is not None:
            running.identity = identity
            self._writer.launched(invocation.key, name, attempt, running.task)
            self._effects.give(Launch(running.task))

    def _prepare(
        self, invocation: Invocation, name: str, attempt: int, tmpdir: str
    ) -> StepRun | None:
        try:
            prepared, task = self._tasks.prepare(invocation, name, attempt, tmpdir)
        except (LocalprocError, OSError) as error:
            self._setup.done_with(tmpdir)
            self._never_launched(invocation.key, name, error)
            return None
        running = self.running[task.key] = StepRun(invocation, name, attempt, task, prepared)
        return running

    def _collect(self, running: StepRun, report: Report) -> None:
        try:
            outputs = collect(running.prepared, report.exit_code or 0, self._setup.files())
        except TooBig:
            self._collecting[running.name] = running
            self._effects.ask(Collect(running.name, running.prepared, report))
        except (LocalprocError, OSError) as error:
            self._step_broke(running, report, error)
        else:
            self._succeeded(running, report, outputs)

    def _succeeded(self, running: StepRun, report: Report, outputs: Mapping[str, Any]) -> None:
        progress = self._ended(running.invocation.key, outputs)
        self._writer.ended(
            running.name, StepStatus.SUCCESSFUL, report, outputs=outputs, progress=progress
        )
        if running.identity:
            self._effects.give(Remember(running.identity, outputs, running.task.outdir))

    def _task_failed(self, running: StepRun, report: Report) -> None:
        problem = failure_text.step_failed(
            self._writer.job.id,
            running.name,
            report,
            tail(running.task.stderr),
            self._log(running.name),
            disk_full=is_full(running.task.outdir),
            task=running.task,
            scattered=_scattered(running.invocation),
        )
        self._writer.ended(running.name, StepStatus.FAILED, report, problem=problem)
        self._failed(problem)

    def _step_broke(self, running: StepRun, report: Report | None, error: Exception) -> None:
        """Fail a step that could not be started, or whose outputs could not be collected."""
        name = running.name
        problem = failure_text.step_broke(
            self._writer.job.id, name, error, self._log(name), task=running.task
        )
        self._writer.ended(name, StepStatus.FAILED, report, problem=problem)
        self._failed(problem)

    def _never_launched(self, key: str, name: str, error: Exception) -> None:
        problem = failure_text.step_broke(self._writer.job.id, name, error)
        self._writer.broke(key, name, problem)
        self._failed(problem)

    def _forget(self, running: StepRun) -> None:
        del self.running[running.task.key]
        self._setup.done_with(running.task.tmpdir)

    def _log(self, name: str) -> str:
        return self._tasks.log_path(name)


def _scattered(invocation: Invocation) -> Mapping[str, Any] | None:
    """Return the inputs of one instance of a scatter: they tell it from the others."""
    return invocation.inputs if "[" in invocation.key else None


def _succeeded(running: StepRun, report: Report) -> bool:
    return succeeded(running.prepared.tool, report.exit_code or 0)
