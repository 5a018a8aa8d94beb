"""Which executor a step goes to.

Owns reading that from a text and choosing by it: ``slurm;node_stac=local;no-container=local``. Must
not know executors.
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from localproc.errors import InvalidInputs

#: Stands for the tools that name no container.
NO_CONTAINER: Final = "no-container"
_HINT: Final = "write an executor, then steps that go elsewhere: slurm;node_stac=local"


@dataclass(frozen=True, slots=True)
class ExecutorChoice:
    """A default, and the patterns of steps that go elsewhere; the first one that fits decides.

    A pattern is of a step's name, or of its place in nested workflows (``items/crop``), with ``*``
    and ``?``. ``without_container`` is for tools that name no container, if no pattern fits.
    """

    default: str
    patterns: tuple[tuple[str, str], ...] = ()
    without_container: str = ""

    @classmethod
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
        name = step.rpartition("/")[2]
        for pattern, executor in self.patterns:
            if fnmatchcase(name, pattern) or fnmatchcase(step, pattern):
                return executor
        return self.default if container else self.without_container or self.default
