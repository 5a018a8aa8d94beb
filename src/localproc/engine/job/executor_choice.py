"""Which executor a step goes to, and who runs its container.

Owns reading the former from a text and choosing by it:
``slurm;node_stac=local;no-container=local``. Must not know executors, nor container runtimes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Final, NamedTuple

from localproc.cwl.run.container import image, is_required
from localproc.cwl.run.process import Tool
from localproc.errors import InvalidInputs
from localproc.frozen import frozen
from localproc.plugins.backend import Capabilities

#: Stands for the tools that name no container.
NO_CONTAINER: Final = "no-container"
_HINT: Final = "write an executor, then steps that go elsewhere: slurm;node_stac=local"


@frozen
class ExecutorChoice:
    """A default, and the patterns of steps that go elsewhere; the first one that fits decides.

    A pattern is of a step's name, or of its place in nested workflows (``items/crop``), with ``*``
    and ``?``. ``without_container`` is for tools that name no container, if no pattern fits.
    """

    default: str
    patterns: tuple[tuple[str, str], ...] = ()
    without_container: str = ""

    @classmethod
    @lru_cache(maxsize=64)
    def read(cls, text: str) -> "ExecutorChoice":
        """Read one; raises ``InvalidInputs``."""
        default, *rules = [part.strip() for part in text.split(";")]
        split = [rule.rpartition("=") for rule in rules]
        pairs = [(pattern.strip(), name.strip()) for pattern, _, name in split]
        if not default or "=" in default or not all(all(pair) for pair in pairs):
            raise InvalidInputs(f"{text!r} does not say which executor runs what", hint=_HINT)
        named = dict(pairs)
        return cls(
            default,
            tuple((pattern, name) for pattern, name in pairs if pattern != NO_CONTAINER),
            named.get(NO_CONTAINER, ""),
        )

    def names(self) -> tuple[str, ...]:
        """Return the executors that it names, the default first."""
        others = (*(name for _, name in self.patterns), self.without_container)
        return tuple(dict.fromkeys((self.default, *filter(None, others))))

    def choose(self, step: str, *, container: bool) -> str:
        """Return the executor of a step by its place; ``container``: its tool names one."""
        for pattern, executor in self.patterns:
            if _fits(pattern, step):
                return executor
        return self.default if container else self.without_container or self.default

    def unused(self, steps: Sequence[str]) -> list[str]:
        """Return the patterns that fit none of the steps, which are all of a process."""
        return [
            pattern
            for pattern, _ in self.patterns
            if not any(_fits(pattern, step) for step in steps)
        ]


def _fits(pattern: str, step: str) -> bool:
    """Whether a pattern is one of a step, which is named by its place."""
    return fnmatchcase(step.rpartition("/")[2], pattern) or fnmatchcase(step, pattern)


class Destination(NamedTuple):
    """Where a step runs: the executor, what that can do, and whose containers there are.

    ``runtime`` is empty where there are none, and where the executor's are its own affair.
    ``bare``: the image that the tool names stands for this machine, or is but hinted at and passed
    over; ``passed_over`` says why.
    """

    executor: str
    able: Capabilities
    runtime: str = ""
    bare: bool = False
    passed_over: str = ""

    @property
    def containers(self) -> bool:
        """Whether there are containers."""
        return not self.bare and (self.able.containers or self.runtime != "")


@frozen
class Boxes:
    """Who runs containers for a job.

    ``runtime`` is the one that was chosen, empty for none, and ``executor`` where its tasks go to
    if they are not processes. ``own`` are the runtimes of executors that have containers
    themselves. ``is_local`` says of an image that its tools run on this machine, and
    ``passed_over`` why an image is not used that a tool hints at.
    """

    runtime: str = ""
    executor: str = ""
    own: Mapping[str, str] = field(default_factory=dict)
    is_local: Callable[[str], bool] = lambda _: False
    passed_over: Mapping[str, str] = field(default_factory=dict)

    def place(
        self, choice: ExecutorChoice, able: Mapping[str, Capabilities], step: str, tool: Tool
    ) -> Destination:
        """Return where a step runs; ``able`` is what executors can do.

        A daemon of this machine runs nothing for an executor of other machines.
        """
        names_one = tool.requirements.has("DockerRequirement")
        why = self._why_not(tool) if names_one else ""
        bare = names_one and (bool(why) or self.is_local(image(tool)))
        boxed = names_one and not bare
        name = choice.choose(step, container=boxed)
        if not boxed:
            return Destination(name, able[name], bare=bare, passed_over=why)
        if able[name].containers:
            return Destination(name, able[name], self.own.get(name, ""))
        if not self.runtime or (self.executor and able[name].remote):
            return Destination(name, able[name])
        goes_to = self.executor or name
        return Destination(goes_to, able[goes_to], self.runtime)

    def _why_not(self, tool: Tool) -> str:
        """Return why the image that a tool hints at is not used, empty if it is."""
        return "" if is_required(tool) else self.passed_over.get(image(tool), "")


def names_of(executor: str) -> tuple[str, ...]:
    """Return the executors that a job may name; of what makes no sense the job is told."""
    try:
        return ExecutorChoice.read(executor).names()
    except InvalidInputs:
        return ()
