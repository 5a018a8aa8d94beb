"""Which tools to run next: the pure heart of a job.

Owns the order of a process's steps. ``pull`` gives the next invocation, ``finish`` takes the
outputs of one that has ended. The same outputs give the same keys in whatever order they come, so
a job is resumed by pulling again and finishing at once whatever its history says has ended. Must
not know tasks, events or time.

Scatters are expanded as they are pulled, and instances of a nested workflow depth first, so what is
held in memory is the results so far and the instances that are running.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from localproc.cwl.base.files import Files
from localproc.cwl.base.types import mismatches
from localproc.cwl.run.dataflow import Scatter, evaluated, linked, step_inputs
from localproc.cwl.run.in_place import InPlace
from localproc.cwl.run.process import Tool, Workflow, WorkflowStep
from localproc.cwl.run.process_inputs import workflow_inputs
from localproc.errors import StepError
from localproc.frozen import frozen

_Outputs: TypeAlias = Mapping[str, Any]
_Done: TypeAlias = Callable[[_Outputs], None]
_Instances: TypeAlias = "Iterator[Invocation | Skipped | None]"


@frozen
class Invocation:
    """A tool to run: ``key`` is its place (``items[1]/crop[0]``), ``step`` the innermost step."""

    key: str
    step: str
    tool: Tool
    inputs: Mapping[str, Any]


@frozen
class Skipped:
    """A step instance whose ``when`` was false. It has ended, with null for every output."""

    key: str
    step: str


class Plan:
    """The progress of one job through its process.

    ``outputs`` is set when everything has ended.
    """

    def __init__(self, process: Tool | Workflow, inputs: Mapping[str, Any], files: Files) -> None:
        self.outputs: _Outputs | None = None
        self._board = board = _Board(files, process.id, InPlace(process, files))
        self._ready: deque[_Instances] = deque()
        if isinstance(process, Tool):
            board.found.append(iter([board.run(process.id, process, inputs, self._end, 1.0)]))
        else:
            _Scope(board, process, "", inputs, self._end, 1.0)
        self.gather()

    @property
    def progress(self) -> float:
        """How much is done, from 0 to 1: every step has a share, weighted over those known."""
        return 1.0 if self.outputs is not None else min(1.0, self._board.progress)

    def share(self, key: str) -> float:
        """Return what an instance that runs will add to the progress; 0 for any other."""
        return self._board.running[key][1] if key in self._board.running else 0.0

    @property
    def current(self) -> str:
        """The key that was being worked out when an error came out of ``pull`` or ``finish``."""
        return self._board.current

    def pull(self) -> Invocation | Skipped | None:
        """Return the next instance to start, ``None`` while there is nothing to do but wait.

        Raises ``LocalprocError`` where the inputs of a step cannot be worked out.
        """
        self.gather()
        while self._ready:
            instances = self._ready.popleft()
            instance = next(instances, self)
            if instance is not self:
                self._ready.appendleft(instances)
            self.gather()
            if isinstance(instance, (Invocation, Skipped)):
                return instance
        return None

    def finish(self, key: str, outputs: _Outputs) -> None:
        """Take the outputs of an invocation that has ended well, and what follows from them."""
        self.take(key, outputs)
        self.gather()

    def take(self, key: str, outputs: _Outputs) -> None:
        """Take the outputs of an invocation that has ended well.

        That takes no time; what has come to its end with it waits for ``gather``, or ``pull``.
        """
        done, share = self._board.running.pop(key)
        self._board.current = key
        self._board.in_place.end(key, outputs)
        self._board.progress += share
        done(outputs)
        self._take_found()

    @property
    def has_to_gather(self) -> bool:
        """Whether there are scatters or workflows whose outputs are all there, and not yet one."""
        return bool(self._board.ends)

    def gather(self) -> None:
        """Put the outputs together of what has come to its end; raises ``LocalprocError``."""
        ends = self._board.ends
        while ends:
            ends.popleft()()
        self._take_found()

    def _take_found(self) -> None:
        """Put steps that have become ready first: what has begun is finished before more begins."""
        if found := self._board.found:
            self._ready.extendleft(reversed(found))
            found.clear()

    def _end(self, outputs: _Outputs) -> None:
        told = self._board.in_place.told
        self.outputs = {name: told(value) for name, value in outputs.items()}


@dataclass(slots=True)
class _Board:
    """What all scopes of a plan share.

    Steps that have become ready, what is running, and what is to be put together.
    """

    files: Files
    current: str
    in_place: InPlace
    progress: float = 0.0
    running: dict[str, tuple[_Done, float]] = field(default_factory=dict)
    found: list[_Instances] = field(default_factory=list)
    ends: deque[Callable[[], None]] = field(default_factory=deque)

    def run(
        self, key: str, tool: Tool, inputs: Mapping[str, Any], done: _Done, share: float
    ) -> Invocation:
        """Note that a tool is about to run."""
        self.in_place.begin(key, tool, inputs)
        self.running[key] = (done, share)
        step = key.rpartition("/")[2].partition("[")[0]
        return Invocation(key, step, tool, inputs)


class _Scope:
    """One run of one workflow: the values that its links carry so far."""

    def __init__(
        self,
        board: _Board,
        workflow: Workflow,
        prefix: str,
        inputs: Mapping[str, Any],
        done: _Done,
        share: float,
    ) -> None:
        self._board = board
        self._workflow = workflow
        self._prefix = prefix
        self._done = done
        self._values = workflow_inputs(workflow, inputs, board.files)
        self._open = len(workflow.steps)
        self._share = share / max(1, len(workflow.steps))
        self._missing: dict[str, int] = {}
        self._waiting: dict[str, list[WorkflowStep]] = {}
        for step in workflow.steps:
            self._enter(step)
        if not workflow.steps:
            board.ends.append(self._finish)

    def _enter(self, step: WorkflowStep) -> None:
        links = {source for one in step.inputs for source in one.sources if "/" in source}
        self._missing[step.id] = len(links)
        for link in links:
            self._waiting.setdefault(link, []).append(step)
        if not links:
            self._board.found.append(self._instances(step))

    def _instances(self, step: WorkflowStep) -> _Instances:
        """Yield the instances of a step that is ready; ``None`` where a nested workflow begins."""
        key = self._prefix + step.id
        self._board.current = key
        inputs = step_inputs(step, self._values)
        if not step.scatter:
            yield self._instance(step, key, inputs, lambda out: self._ended(step, out), self._share)
            return
        scatter = Scatter(step, inputs)
        gather = _Gather(step, scatter, lambda out: self._ended(step, out), self._board.ends)
        share = self._share / max(1, scatter.total)
        if not scatter.total:
            self._board.progress += self._share
        for index, values in enumerate(scatter):
            instance_key = f"{key}[{index}]"
            self._board.current = instance_key
            yield self._instance(step, instance_key, values, gather.slot(index), share)

    def _instance(
        self, step: WorkflowStep, key: str, inputs: Mapping[str, Any], done: _Done, share: float
    ) -> Invocation | Skipped | None:
        values, runs = evaluated(step, inputs, self._workflow, self._board.files)
        if not runs:
            self._board.progress += share
            done(dict.fromkeys(step.outputs))
            return Skipped(key, step.id)
        wanted = {port.id for port in step.run.inputs}
        own = {name: value for name, value in values.items() if name in wanted}
        if isinstance(step.run, Tool):
            return self._board.run(key, step.run, own, done, share)
        _Scope(self._board, step.run, key + "/", own, done, share)
        return None

    def _ended(self, step: WorkflowStep, outputs: _Outputs) -> None:
        for name in step.outputs:
            link = f"{step.id}/{name}"
            self._values[link] = outputs.get(name)
            for waiting in self._waiting.pop(link, ()):
                self._missing[waiting.id] -= 1
                if not self._missing[waiting.id]:
                    self._board.found.append(self._instances(waiting))
        self._open -= 1
        if not self._open:
            self._board.ends.append(self._finish)

    def _finish(self) -> None:
        outputs = {}
        for port in self._workflow.outputs:
            value = linked(port.id, port.spec.get("source", ()), port.spec, self._values)
            wrong = next(mismatches(value, port.type, port.id), None)
            if wrong is not None:
                raise StepError(f"{self._workflow.id}: the output {wrong[0]}: {wrong[1]}")
            outputs[port.id] = value
        self._done(outputs)


class _Gather:
    """The outputs of a scatter, filled in as its instances end."""

    def __init__(
        self, step: WorkflowStep, scatter: Scatter, done: _Done, ends: deque[Callable[[], None]]
    ) -> None:
        self._scatter = scatter
        self._done = done
        self._ends = ends
        self._open = scatter.total
        self._lists: dict[str, list[Any]] = {name: [None] * scatter.total for name in step.outputs}
        if not self._open:
            ends.append(self._finish)

    def slot(self, index: int) -> _Done:
        """Return what takes the outputs of one instance."""

        def take(outputs: _Outputs) -> None:
            for name, values in self._lists.items():
                values[index] = outputs.get(name)
            self._open -= 1
            if not self._open:
                self._ends.append(self._finish)

        return take

    def _finish(self) -> None:
        shaped = {name: self._scatter.shape(values) for name, values in self._lists.items()}
        self._lists.clear()
        self._done(shaped)
