"""The tasks of a job that are under way.

Owns what becomes of a task until it ends: launched or found again, lost, stopped. Must not know in
which order steps come, nor how a job begins and ends.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from localproc.cwl.run.plan import Invocation, Skipped
from localproc.cwl.run.prepare import Prepared
from localproc.engine.job.effects import (
    Collect,
    Effects,
    FillFolder,
    Launch,
    Prepare,
    Reattach,
    Release,
    Remember,
    Stop,
)
from localproc.engine.job.event_writer import EventWriter
from localproc.engine.job.facts import Done
from localproc.engine.job.replay import Known
from localproc.engine.job.step_attempts import StepAttempts
from localproc.engine.job.step_ends import StepEnds, StepRun, ended_well
from localproc.engine.job.step_names import StepNames
from localproc.engine.job.step_starts import StepStarts
from localproc.engine.job.task_factory import TaskFactory, is_light
from localproc.errors import JobFailed, LocalprocError
from localproc.model import Container, Report, StepStatus, Task, TaskState

_MOST_LOSSES: Final = 2  #: times that a task is run again because it was lost
_RESTARTED: Final = "the machine was restarted before its end was recorded"
_LOST: Final = frozenset({TaskState.LOST, TaskState.NODE_LOST, TaskState.NEVER_STARTED})


class StepRuns:
    """The steps of one job that have been started.

    ``unfinished`` are those, by their places, that an earlier engine had launched, until the
    executor is asked for them. ``ended`` is told the outputs of each step that ends well, and gives
    the job's progress; ``failed`` is told why one did not. Once ``stop`` has been called, what ends
    counts as dismissed.
    """

    def __init__(
        self,
        writer: EventWriter,
        effects: Effects,
        tasks: TaskFactory,
        names: StepNames,
        unfinished: dict[str, Known],
        ended: Callable[[str, Mapping[str, Any]], int],
        failed: Callable[[JobFailed], None],
    ) -> None:
        self.running: dict[str, StepRun] = {}  #: by the keys of their tasks
        self.unfinished = unfinished
        self._placing: dict[str, str] = {}  #: tasks, and the executor that each will go to
        self._writer = writer
        self._effects = effects
        self._tasks = tasks
        self._setup = tasks.setup
        self._attempts = StepAttempts(writer, effects, tasks)
        self._ends = StepEnds(writer, effects, tasks, ended, failed, self._attempts.try_again)
        self._starts = StepStarts(
            writer, effects, tasks, names, ended, failed, self._begin, self._give_up
        )

    @property
    def under_way(self) -> int:
        """How many steps take up room of executors, now or soon."""
        asked = self._starts.asked
        return len(self.running) + (sum(asked.values()) if asked else 0)

    @property
    def to_come(self) -> Counter[str]:
        """How many of them each executor does not know of yet."""
        if not self._placing:
            return self._starts.asked
        return self._starts.asked + Counter(self._placing.values())

    @property
    def due(self) -> datetime | None:
        """When the next step may be tried again, if one waits for that."""
        return self._attempts.due

    @property
    def waits(self) -> bool:
        """Whether a step is to be tried again."""
        return self._attempts.waits

    def start(self, instance: Invocation | Skipped) -> None:
        """Start a step instance, or go on with the one of an earlier engine."""
        known = self.unfinished.get(instance.key)
        if known is None or not isinstance(instance, Invocation):
            self._starts.start(instance)
        elif known.due is None:
            self._starts.take_up(instance, known)
        else:
            del self.unfinished[instance.key]
            self._attempts.go_on(known, known.due, instance)

    def later(self, at: datetime) -> None:
        """Take note of what time it is."""
        self._attempts.later(at)

    def start_again(self, full: Collection[str]) -> str | None:
        """Try a step again that is due, but none of the executors in ``full``.

        Return the name of its executor, ``None`` if there is no such step.
        """
        one = self._attempts.next(full)
        if one is None:
            return None
        self._starts.launch(
            one.name,
            one.invocation,
            one.attempt,
            identity=one.identity,
            lost=one.lost,
            failures=one.failures,
        )
        return self._setup.where(one.invocation).executor

    def broke(self, key: str, error: LocalprocError) -> None:
        """Fail a step whose inputs could not be worked out."""
        self._starts.broke(key, error)

    def stop(self) -> None:
        """Have all tasks stopped; those of an earlier engine have to be found first."""
        self._starts.stopping = self._ends.stopping = True
        left, self.unfinished = self.unfinished, {}
        waiting = self._attempts.drop()
        for name in [*waiting, *(one.name for one in left.values() if one.due is not None)]:
            self._writer.ended(name, StepStatus.DISMISSED)
        there = [one for one in left.values() if one.due is None]
        self._seek(*(StepRun(one.name, self._named(one), None) for one in there))
        known = (key for key, one in self.running.items() if not one.sought)
        self._effects.give(Stop(tuple(key for key in known if key not in self._placing)))

    # Facts

    def report(self, report: Report) -> None:
        """Take news of a task."""
        running = self.running.get(report.key)
        if running is None:
            return
        if report.state in (TaskState.QUEUED, TaskState.RUNNING):
            self._goes_on(running, report)
            return
        self._forget(running)
        if running.sought and self._is_doubtful(report):
            report = replace(report, state=TaskState.LOST, reason=_RESTARTED)
        if self._starts.stopping or running.noted:
            self._ends.note(running, StepStatus.DISMISSED, report)
        elif report.state in _LOST and self._launch_again(running, report):
            return
        elif report.state is TaskState.ENDED and ended_well(running, report):
            self._ends.collect(running, report)
        else:
            self._ends.task_failed(running, report)

    def not_launched(self, key: str, error: LocalprocError) -> None:
        """Take note that a task's files could not be put in place."""
        running = self.running.get(key)
        if running is None:
            return
        self._forget(running)
        self._ends.broke(running, None, error)

    def answer(self, done: Done) -> None:
        """Take what came of an effect for a step."""
        match done.effect:
            case Collect() as effect:
                self._ends.take(effect, done)
            case FillFolder(task):
                self._placed(task, done)
            case Remember():
                return  # the end of the job has waited for it
            case effect:
                self._starts.answer(effect, done)  # type: ignore[arg-type]

    # Beginnings

    def _begin(self, effect: Prepare, made: tuple[Prepared, Task, str], quick: bool) -> None:
        """Have a task launched, or found if an earlier engine has launched it."""
        prepared, task, given = made
        running = StepRun(effect.name, task, (effect, prepared), quick)
        self.running[task.key] = running
        key = effect.invocation.key
        if effect.taken_up:
            del self.unfinished[key], self.running[task.key]
            self._seek(running)
            return
        self._writer.launched(
            key,
            effect.name,
            effect.attempt,
            task,
            lost=effect.lost,
            given=given,
            because=effect.because,
        )
        self._release_lost(effect)
        if is_light(task.stage):
            self._effects.give(Launch(task))
        else:
            self._placing[task.key] = task.executor
            self._effects.ask(FillFolder(task))

    def _placed(self, task: Task, done: Done) -> None:
        self._placing.pop(task.key, None)
        running = self.running.get(task.key)
        if running is None:
            return
        if done.error is not None:
            self.not_launched(task.key, done.error)
        elif self._starts.stopping:
            self._forget(running)
            self._ends.note(running, StepStatus.DISMISSED, None)
        else:
            self._effects.give(Launch(task, placed=True))

    def _give_up(self, effect: Prepare) -> None:
        """Let go of a task that will not be there; one of an earlier engine has to be stopped."""
        known = self.unfinished.pop(effect.invocation.key, None)
        if known is not None:
            self._seek(StepRun(known.name, self._named(known), None, noted=True))
        elif not effect.taken_up:
            self._setup.done_with(effect.tmpdir)
            self._release_lost(effect)

    def _release_lost(self, effect: Prepare) -> None:
        """What became of a step whose task was lost is recorded now; a failure was at once."""
        if effect.replaces:
            self._effects.give(Release(self._tasks.key(effect.name, effect.attempt - 1)))

    def _seek(self, *lost_sight_of: StepRun) -> None:
        """Have the executor say what it knows of tasks that an earlier engine has launched."""
        for running in lost_sight_of:
            running.sought = True
            self.running[running.task.key] = running
        if lost_sight_of:
            self._effects.give(Reattach(tuple(one.task for one in lost_sight_of)))

    def _named(self, known: Known) -> Task:
        box = Container(known.image, "", runtime=known.containers) if known.containers else None
        return self._tasks.named(known.name, known.attempt, known.tmpdir, known.executor, box)

    def _launch_again(self, running: StepRun, report: Report) -> bool:
        """Run a task that was lost as a new attempt, if that may help."""
        if running.made is None:
            return False
        effect, _ = running.made
        never = report.state is TaskState.NEVER_STARTED and running.sought
        if effect.lost >= _MOST_LOSSES and not never:
            return False
        lost = effect.lost + (0 if never else 1)
        self._starts.launch(
            effect.name,
            effect.invocation,
            effect.attempt + 1,
            identity=effect.identity,
            lost=lost,
            failures=effect.failures,
            replaces=True,
        )
        return True

    # Ends

    def _goes_on(self, running: StepRun, report: Report) -> None:
        if running.sought:
            running.sought = False
            if self._starts.stopping:
                self._effects.give(Stop((report.key,)))
        if report.state is TaskState.QUEUED:
            self._writer.queued(running.name, report)
        elif not running.told:
            running.told = True
            self._writer.running(running.name, report)

    def _is_doubtful(self, report: Report) -> bool:
        """Whether a task ended here before this machine was started: its files may be lost."""
        booted = self._setup.booted
        return booted is not None and report.ended is not None and report.ended < booted

    def _forget(self, running: StepRun) -> None:
        del self.running[running.task.key]
        self._setup.done_with(running.task.tmpdir)
