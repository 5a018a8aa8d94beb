"""How a step instance of a job begins.

Owns the way from an instance to its task, or to its outputs where it needs none: skipped, an
expression, reused. What takes no time is done here and now, the rest by a worker. Must not know
what becomes of tasks.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from localproc.cwl.run.plan import Invocation, Skipped
from localproc.cwl.run.prepare import Prepared
from localproc.cwl.run.reuse_key import may_be_reused
from localproc.engine.job import failure_text
from localproc.engine.job.effects import Effects, Evaluate, Prepare, Recall
from localproc.engine.job.event_writer import EventWriter
from localproc.engine.job.facts import Done, Made, Recalled
from localproc.engine.job.replay import Known
from localproc.engine.job.step_names import StepNames
from localproc.engine.job.task_factory import TaskFactory
from localproc.errors import JobFailed, LocalprocError
from localproc.model import StepStatus, Task
from localproc.storage.disk import TooBig


class StepStarts:
    """The step instances of one job that have no task yet.

    ``ended`` is told the outputs of each that ends well, and gives the job's progress; ``failed``
    is told why one did not. ``prepared`` is told of every task that is worked out, and whether the
    loop did that, ``given_up`` of one that cannot be. Once ``stopping`` is set, what ends counts as
    dismissed.
    """

    def __init__(
        self,
        writer: EventWriter,
        effects: Effects,
        tasks: TaskFactory,
        names: StepNames,
        ended: Callable[[str, Mapping[str, Any]], int],
        failed: Callable[[JobFailed], None],
        prepared: Callable[[Prepare, tuple[Prepared, Task, str], bool], None],
        given_up: Callable[[Prepare], None],
    ) -> None:
        self.asked: Counter[str] = Counter()  #: instances that workers have, by executor
        self.stopping = False
        self._writer = writer
        self._effects = effects
        self._tasks = tasks
        self._setup = tasks.setup
        self._names = names
        self._ended = ended
        self._failed = failed
        self._is_prepared = prepared
        self._given_up = given_up

    def start(self, instance: Invocation | Skipped) -> None:
        """Start a step instance in the way that is right for it."""
        name = self._names.take(instance.step)
        if isinstance(instance, Skipped):
            self._writer.passed(instance, name, StepStatus.SKIPPED)
        elif self._setup.is_retry or (self._setup.reuse and self._may_be_reused(instance)):
            self._ask(Recall(name, instance))
        else:
            self._begin(name, instance)

    def launch(self, name: str, invocation: Invocation, attempt: int, **more: Any) -> None:
        """Have the task of a step worked out, for an attempt of its own."""
        self._prepare(Prepare(name, invocation, attempt, self._setup.tmpdir(), **more))

    def take_up(self, invocation: Invocation, known: Known) -> None:
        """Have the task worked out that an earlier engine has launched."""
        self._prepare(
            Prepare(
                known.name,
                invocation,
                known.attempt,
                known.tmpdir,
                lost=known.lost,
                failures=known.failures,
                taken_up=True,
            )
        )

    def broke(self, key: str, error: LocalprocError) -> None:
        """Fail a step whose inputs could not be worked out."""
        step = key.rpartition("/")[2].partition("[")[0]
        self._fail(key, self._names.take(step), error)

    def answer(self, effect: Evaluate | Recall | Prepare, done: Done) -> None:
        """Take what a worker has made of an instance."""
        self.asked[self._executor(effect)] -= 1
        if self.stopping:
            self._dismiss(effect)
        elif done.error is not None:
            self._broke(effect, done.error)
        elif isinstance(effect, Evaluate):
            self._evaluated(effect, done.value)
        elif isinstance(effect, Recall):
            self._recalled(effect, done.value)
        else:
            self._is_prepared(effect, done.value, False)

    # Here and now, or by a worker

    def _begin(
        self, name: str, invocation: Invocation, identity: str = "", because: str = ""
    ) -> None:
        """Run a step, for nobody has its outputs."""
        if invocation.tool.expression is not None:
            self._evaluate(Evaluate(name, invocation, because))
        else:
            self.launch(name, invocation, 1, identity=identity, because=because)

    def _evaluate(self, effect: Evaluate) -> None:
        self._try(effect, lambda: self._tasks.evaluate(effect), self._evaluated)

    def _prepare(self, effect: Prepare) -> None:
        self._try(
            effect,
            lambda: self._tasks.prepare(effect, self._setup.files()),
            lambda _, made: self._is_prepared(effect, made, True),
        )

    def _try(
        self,
        effect: Any,
        work: Callable[[], Any],
        then: Callable[[Any, Any], None],
    ) -> None:
        is_kept = self._setup.durable and isinstance(effect, Evaluate)
        is_boxed = (
            self._setup.where(effect.invocation).runtime != ""
        )  # there is an image to look at
        if is_kept or is_boxed or not self._tasks.is_quick(effect.invocation):
            self._ask(effect)
            return
        try:
            value = work()
        except TooBig:
            self._ask(effect)
        except (LocalprocError, OSError) as error:
            self._broke(effect, error)
        else:
            then(effect, value)

    def _ask(self, effect: Evaluate | Recall | Prepare) -> None:
        self.asked[self._executor(effect)] += 1
        self._tasks.log_path(effect.name)  # it gets its name here, in the order of starting
        self._effects.ask(effect)

    def _executor(self, effect: Evaluate | Recall | Prepare) -> str:
        return self._setup.where(effect.invocation).executor

    # What follows

    def _evaluated(self, effect: Evaluate, made: Made) -> None:
        progress = self._ended(effect.invocation.key, made.outputs)
        self._writer.passed(
            effect.invocation,
            effect.name,
            StepStatus.SUCCESSFUL,
            progress,
            outputs=made.outputs,
            given=made.given,
            made=made.made,
            because=effect.because,
        )

    def _may_be_reused(self, invocation: Invocation) -> bool:
        """Whether it is worth looking; where that is not easily said, whoever looks will see.

        What an image was at the time of an earlier step is only known where its runtime is.
        """
        if invocation.tool.expression is not None:
            return False
        if self._tasks.is_boxed(invocation):
            return self._setup.where(invocation).runtime != ""
        return not self._tasks.is_plain(invocation) or may_be_reused(
            invocation.tool, invocation.inputs
        )

    def _recalled(self, effect: Recall, recalled: Recalled) -> None:
        """Reuse the outputs of an equal step if there are any, else run the step."""
        found = recalled.found
        if found is None:
            self._begin(effect.name, effect.invocation, recalled.identity, recalled.because)
            return
        progress = self._ended(effect.invocation.key, found.outputs)
        self._writer.passed(
            effect.invocation,
            effect.name,
            StepStatus.REUSED,
            progress,
            outputs=found.outputs,
            reused_from=found.job_id,
            reused_step=found.step,
            given=found.given,
            made=found.made,
            ran_in=found.ran_in,
            box=found.box,
            software=found.software,
        )

    def _dismiss(self, effect: Evaluate | Recall | Prepare) -> None:
        """Note that a step was stopped before it had a task of this attempt."""
        if isinstance(effect, Prepare):
            self._given_up(effect)
            if effect.taken_up:
                return  # its task has been sought, and ends with its own report
            if effect.attempt > 1:
                self._writer.ended(effect.name, StepStatus.DISMISSED)
                return
        self._writer.passed(effect.invocation, effect.name, StepStatus.DISMISSED)

    def _broke(self, effect: Evaluate | Recall | Prepare, error: Exception) -> None:
        if isinstance(effect, Prepare):
            self._given_up(effect)
        self._fail(effect.invocation.key, effect.name, error)

    def _fail(self, key: str, name: str, error: Exception) -> None:
        problem = failure_text.step_broke(self._writer.job.id, name, error)
        self._writer.broke(key, name, problem)
        self._failed(problem)
