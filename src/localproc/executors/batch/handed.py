"""A batch that was written down, and who has begun it.

Owns what is known of one. Must not know where that is written, nor any scheduler.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from localproc.executors.batch.grouping import Mode, Request
from localproc.executors.batch.late_files import Listed
from localproc.executors.journals import Journal
from localproc.frozen import frozen


@frozen
class Begun:
    """A marker: ``job`` is empty if nobody will ever begin."""

    job: str
    host: str
    at: float


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
