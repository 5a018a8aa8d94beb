"""Values that a task is given, and that nobody else is shown.

Owns that they never show in a text about a task, and putting them where they are meant to be. Must
not know where they come from.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from typing import Any, Final

from localproc.frozen import frozen

_MARK: Final = re.compile(r"\(secret:([A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)?)\)")


def mark(name: str) -> str:
    """Return what stands for a secret wherever it is told of: ``(secret:NAME)``."""
    return f"(secret:{name})"


def marked(value: Any) -> Iterator[str]:
    """Yield the names of the secrets that a value names, in texts at any depth."""
    if isinstance(value, str):
        if "(secret:" in value:
            yield from _MARK.findall(value)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from marked(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from marked(item)


def with_texts(value: Any, change: Callable[[str], str]) -> Any:
    """Return a value whose texts, at any depth, are changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {name: with_texts(item, change) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [with_texts(item, change) for item in value]
    return value


@frozen
class Secrets:
    """The secrets of one task.

    ``variables`` are those that it gets as variables of its environment, by their names: the name
    of the secret and its value. ``values`` are those that stand in its command line, environment
    and files as marks, by their names. ``files`` are the paths of files that have some.
    """

    variables: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)
    files: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<{len(self.variables) + len(self.values)} secrets>"

    def __bool__(self) -> bool:
        return bool(self.variables or self.values)

    def revealed(self, text: str) -> str:
        """Return a text with the values in place of their marks."""
        return _MARK.sub(lambda found: self.values.get(found[1], found[0]), text)

    def environment(self, env: Mapping[str, str]) -> dict[str, str]:
        """Return an environment with the values in it."""
        shown = {name: self.revealed(value) for name, value in env.items()}
        return shown | {name: value for name, (_, value) in self.variables.items()}

    def marks(self) -> dict[str, str]:
        """Return what is to be shown instead of each value."""
        named = {value: mark(name) for name, value in self.values.items()}
        return named | {value: mark(name) for name, value in self.variables.values()}


NO_SECRETS: Final = Secrets()
