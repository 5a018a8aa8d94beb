"""How a step of a job ends.

Owns what follows from the end of a task: its outputs are collected, or its step has failed, and
either is recorded. Must not know how tasks begin, nor which step comes next.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from localproc.cwl.run.collect import succeeded
from localproc.cwl.run.prepare import Prepared
from localproc.engine.job import failure_text
from localproc.engine.job.effects import (
    Collect,
    Effects,
    Prepare,
    Release,
    Remember,
)
from localproc.engine.job.event_writer import EventWriter
from localproc.engine.job.facts import Done, Made
from localproc.engine.job.steplog import tail
from localproc.engine.job.task_factory import TaskFactory
from localproc.errors import JobFailed, LocalprocError
from localproc.model import Report, StepStatus, Task
from localproc.storage.disk import TooBig, is_full


@dataclass(slots=True)
class StepRun:
    """A task that has been launched, now or by an earlier engine.

    ``made`` is from what; it is not there for one that only has to be stopped. ``quick``: the loop
    has worked it out. ``sought``: the executor has not yet said what it knows of it. ``told``: it
    is recorded that it runs. ``noted``: so is the end of its step.
    """

    name: str
    task: Task
    made: tuple[Prepare, Prepared] | None
    quick: bool = False
    sought: bool = False
    told: bool = False
    noted: bool = False


class StepEnds:
    """The ends of the tasks of one job.

    ``ended`` is told the outputs of each step that ends well, and gives the job's progress;
    ``failed`` is told why one did not; ``try_again`` says whether one that ended badly has another
    attempt. Once ``stopping`` is set, what breaks counts as dismissed.
    """

    def __init__(
        self,
        writer: EventWriter,
        effects: Effects,
        tasks: TaskFactory,
        ended: Callable[[str, Mapping[str, Any]], int],
        failed: Callable[[JobFailed], None],
        try_again: Callable[[StepRun, Report, JobFailed], bool],
    ) -> None:
        self.stopping = False
        self._collecting: dict[str, StepRun] = {}
        self._writer = writer
        self._effects = effects
        self._tasks = tasks
        self._setup = tasks.setup
        self._ended = ended
        self._failed = failed
        self._try_again = try_again

    def collect(self, running: StepRun, report: Report) -> None:
        """Collect the outputs of a task that has ended well: now, or in a worker."""
        assert running.made is not None
        effect, prepared = running.made
        order = Collect(running.name, prepared, report, running.task.secrets)
        may_have_links = prepared.folders.inner != ""  # all that is there is looked at then
        quick = running.quick or self._tasks.is_quick(effect.invocation)
        if self._setup.durable or may_have_links or not quick:
            self._ask_to_collect(running, order)
            return
        try:
            made = self._tasks.collect(order, self._setup.files())
        except TooBig:
            self._ask_to_collect(running, order)
        except (LocalprocError, OSError) as error:
            self.broke(running, report, error)
        else:
            self._succeeded(running, report, made)

    def _ask_to_collect(self, running: StepRun, order: Collect) -> None:
        self._collecting[running.name] = running
        self._effects.ask(order)

    def take(self, effect: Collect, done: Done) -> None:
        """Take what a worker has collected."""
        running = self._collecting.pop(effect.name)
        if done.error is None:
            self._succeeded(running, effect.report, done.value)
        else:
            self.broke(running, effect.report, done.error)

    def _succeeded(self, running: StepRun, report: Report, made: Made) -> None:
        assert running.made is not None
        effect, _ = running.made
        progress = self._ended(effect.invocation.key, made.outputs)
        self.note(
            running,
            StepStatus.SUCCESSFUL,
            report,
            outputs=made.outputs,
            made=made.made,
            progress=progress,
        )
        if effect.identity:
            log, outdir = self._log(running.name), running.task.outdir
            self._effects.ask(Remember(effect.identity, made.outputs, outdir, running.name, log))

    def task_failed(self, running: StepRun, report: Report) -> None:
        """Fail the step of a task that has ended badly, or have it tried again."""
        problem = failure_text.step_failed(
            self._writer.job.id,
            running.name,
            report,
            tail(running.task.stderr),
            self._log(running.name),
            disk_full=is_full(running.task.outdir),
            task=running.task,
            scattered=_scattered(running),
        )
        if self._try_again(running, report, problem):
            return
        self.note(running, StepStatus.FAILED, report, problem=problem)
        self._failed(problem)

    def broke(self, running: StepRun, report: Report | None, error: Exception) -> None:
        """Fail a step that could not be started, or whose outputs could not be collected."""
        if self.stopping:  # it may not have been done to the end
            self.note(running, StepStatus.DISMISSED, report)
            return
        log = self._log(running.name)
        problem = failure_text.step_broke(
            self._writer.job.id, running.name, error, log, task=running.task
        )
        self.note(running, StepStatus.FAILED, report, problem=problem)
        self._failed(problem)

    def note(
        self, running: StepRun, status: StepStatus, report: Report | None, **more: Any
    ) -> None:
        """Record the end of a step; then its executor may forget the task."""
        if not running.noted:
            self._writer.ended(running.name, status, report, **more)
        self._effects.give(Release(running.task.key))

    def _log(self, name: str) -> str:
        return self._tasks.log_path(name)


def _scattered(running: StepRun) -> Mapping[str, Any] | None:
    """Return the inputs of one instance of a scatter: they tell it from the others."""
    if running.made is None:
        return None
    invocation = running.made[0].invocation
    return invocation.inputs if "[" in invocation.key else None


def ended_well(running: StepRun, report: Report) -> bool:
    """Whether a task has ended as its tool says that it does when it succeeds."""
    return running.made is not None and succeeded(running.made[1].tool, report.exit_code or 0)
