"""The engine's own steps of a job: staging its inputs in, and its outputs out.

Owns their names, and what is staged. Must not know how files are fetched or published.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from localproc.cwl.base.files import (
    has_files,
    is_reference,
)
from localproc.cwl.run.effort import has_few_parts
from localproc.cwl.run.process import Tool, Workflow
from localproc.cwl.run.process_inputs import fill
from localproc.cwl.run.remote_defaults import DEFAULTS, remote_defaults
from localproc.engine.job.effects import (
    Effects,
    FillInputs,
    StageIn,
    StageOut,
    Withdraw,
    WriteOutputs,
)
from localproc.engine.job.event_writer import EventWriter
from localproc.engine.job.facts import Done
from localproc.engine.job.replay import Known
from localproc.engine.job.step_names import StepNames
from localproc.engine.job.task_factory import TaskFactory
from localproc.lengths import LARGE, is_within
from localproc.model import StepStatus
from localproc.model.events import STAGE_IN, STAGE_OUT

OWN_STEPS: Final = frozenset({STAGE_IN, STAGE_OUT})


class Staging:
    """Both steps of one job. Where there are no files there is nothing to stage, and no step.

    They are told of as ``stage_in`` and ``stage_out``, unless a step of the package is called so.
    ``known`` are the steps of the job that an earlier engine had begun.
    """

    def __init__(
        self,
        process: Tool | Workflow,
        writer: EventWriter,
        effects: Effects,
        tasks: TaskFactory,
        names: StepNames,
        known: Mapping[str, Known],
    ) -> None:
        self._process = process
        self._writer = writer
        self._effects = effects
        self._tasks = tasks
        self._step_names = names
        self._again = False
        self._names = {key: known[key].name for key in OWN_STEPS if key in known}
        self._is_left = STAGE_OUT in known and not known[STAGE_OUT].ended

    def stage_in(self, inputs: Mapping[str, Any], *, again: bool) -> Mapping[str, Any] | None:
        """Return the inputs if they need no staging, else ask for it.

        ``again``: an earlier engine had begun it. Where there is too much to look for files in,
        that is asked for first. Raises ``LocalprocError``.
        """
        self._again = again
        if is_within(inputs, LARGE) and has_few_parts(self._process):
            return self._bring(*filled_inputs(self._process, inputs))
        self._effects.ask(FillInputs(inputs))
        return None

    def _bring(self, inputs: Mapping[str, Any], is_needed: bool) -> Mapping[str, Any] | None:
        if not is_needed:
            return inputs
        self._begin(STAGE_IN, "staging inputs", again=self._again)
        self._effects.ask(StageIn(inputs, self.log(STAGE_IN)))
        return None

    def staged_in(self, done: Done, progress: int) -> Mapping[str, Any] | None:
        """Return the inputs that have been staged in; ``None``: not yet.

        Raises ``LocalprocError``.
        """
        if done.error is not None:
            raise done.error
        if isinstance(done.effect, FillInputs):
            return self._bring(*done.value)
        inputs: Mapping[str, Any] = done.value
        self._writer.ended(
            self.name(STAGE_IN), StepStatus.SUCCESSFUL, outputs=inputs, progress=progress
        )
        return inputs

    def stage_out(self, outputs: Mapping[str, Any], inputs: Mapping[str, Any]) -> bool:
        """Ask for the outputs to be published; whether there is anything to publish.

        Outputs may be, or lead to, the files among the inputs. Where there is too much to look for
        files in, that is asked for first.
        """
        if not is_within(outputs, LARGE):
            self._effects.ask(WriteOutputs(outputs))
            return True
        return has_files(outputs) and self._ask_to_publish(outputs, inputs)

    def _ask_to_publish(self, outputs: Mapping[str, Any], inputs: Mapping[str, Any]) -> bool:
        self._is_left = False  # what is published now is the same, or the rest of it
        self._begin(STAGE_OUT, "publishing results", again=False)
        self._effects.ask(StageOut(outputs, inputs, self.log(STAGE_OUT)))
        return True

    def withdraw(self) -> None:
        """Ask for what has been published to be taken back: the job does not end with it."""
        self._effects.ask(Withdraw(self.log(STAGE_OUT)))

    def take_back(self) -> None:
        """Withdraw what an earlier engine was publishing, if nobody has gone on with that."""
        if self._is_left:
            self.withdraw()

    def staged_out(
        self, done: Done, inputs: Mapping[str, Any]
    ) -> tuple[Mapping[str, Any], Mapping[str, Any]] | None:
        """Return the published outputs and the features of catalogs; ``None``: not yet.

        Raises ``LocalprocError``.
        """
        if done.error is not None:
            raise done.error
        if isinstance(done.effect, StageOut):
            self._writer.ended(self.name(STAGE_OUT), StepStatus.SUCCESSFUL)
        elif isinstance(done.effect, WriteOutputs) and done.value is None:
            self._ask_to_publish(done.effect.outputs, inputs)
            return None
        outputs, features = done.value
        return outputs, features

    def progressed(self, news: Any) -> None:
        """Note how many bytes have come or gone."""
        self._writer.progressed(self.name(news.key), news.done, news.total)

    def name(self, key: str) -> str:
        """Return what one of them is called in this job."""
        name = self._names.get(key)
        if name is None:
            usual = key.removeprefix("/")
            is_taken = usual in _step_ids(self._process)
            name = self._step_names.take(f"localproc_{usual}" if is_taken else usual)
            self._names[key] = name
        return name

    def log(self, key: str) -> str:
        """Return the path of the log of one of them."""
        return self._tasks.log_path(self.name(key))

    def _begin(self, key: str, message: str, *, again: bool) -> None:
        self._writer.begun(key, self.name(key), message, again=again)


def _step_ids(process: Tool | Workflow) -> Iterator[str]:
    """Yield the names that the steps of a package have, at any depth."""
    if isinstance(process, Tool):
        yield process.id
        return
    for step in process.steps:
        yield step.id
        if isinstance(step.run, Workflow):
            yield from _step_ids(step.run)


def filled_inputs(
    process: Tool | Workflow, inputs: Mapping[str, Any]
) -> tuple[dict[str, Any], bool]:
    """Return the inputs with defaults, and whether files have to be brought in for them.

    Raises ``LocalprocError``.
    """
    values = fill(process, inputs)
    if defaults := remote_defaults(process):
        values[DEFAULTS] = list(defaults)
    return values, has_files(values) or any(map(is_reference, values.values()))
