"""A batch that was written down, and who has begun it.

Owns what is known of one. Must not know where that is written, nor any scheduler.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

from localproc.executors.batch.grouping import Mode, Request
from localproc.executors.journals import Journal

_AGAIN: Final = 0.5  #: seconds after which a folder is listed again that seems to be as it was


@dataclass(frozen=True, slots=True)
class Begun:
    """A marker: ``job`` is empty if nobody will ever begin."""

    job: str
    host: str
    at: float


class Listed:
    """What there is in a folder that others write to.

    A name is looked for in a list of all: one that is asked for before it is there may stay unknown
    for a minute on a network file system, while a list is asked of the server.
    """

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._stamp = 0
        self._next = 0.0

    def has(self, folder: str, name: str, *, now: bool = False) -> bool:
        """Whether a name is there; ``now`` rather than some moments ago."""
        if name in self._names:
            return True
        try:
            stamp = os.stat(folder).st_mtime_ns  # it may be an old one: so not it alone counts
            if now or stamp != self._stamp or monotonic() >= self._next:
                self._names = set(os.listdir(folder))
                self._stamp, self._next = stamp, monotonic() + _AGAIN
        except OSError:
            return False
        return name in self._names


@dataclass(slots=True)
class Handed:
    """A batch that was written down; ``job`` is empty until the scheduler has taken it."""

    name: str
    folder: str
    mode: Mode
    keys: tuple[str, ...]
    request: Request
    job: str = ""
    at: float = 0.0  #: when it was handed in
    left: set[str] = field(default_factory=set)  #: keys that are not forgotten
    journal: Journal | None = None
    begun: dict[str, Begun] = field(default_factory=dict)  #: markers that have been seen
    outdirs: tuple[str, ...] = ()  #: where tasks leave their files
    listed: Listed = field(default_factory=Listed)

    def marker(self, number: int) -> str:
        """Return the name of what is there once a task may have begun."""
        return "bundle" if self.mode is Mode.BUNDLE else str(number)

    def first_of_markers(self) -> Iterable[int]:
        """Return a number for each marker that it may have."""
        return [0] if self.mode is Mode.BUNDLE else range(len(self.keys))

    def handle(self, number: int) -> str:
        """Return the handle of a task."""
        return f"{self.name}/{number}"
