"""What a job wants done. The loop does it, after the events that led to it have been recorded.

Owns the shapes of these wishes and of what comes back. Must not know how either is done.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from localproc.cwl.run.plan import Invocation
from localproc.cwl.run.prepare import Prepared
from localproc.errors import LocalprocError
from localproc.model import Report, Task


@dataclass(frozen=True, slots=True)
class Launch:
    """Put a task's files in place and hand it to the executor."""

    task: Task


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop tasks and whatever works for the job in the background."""

    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Release:
    """Let the executor forget a task: its end is recorded."""

    key: str


@dataclass(frozen=True, slots=True)
class Close:
    """The job has ended: remove what nobody needs any more, and tell whoever waits."""

    keep: bool


@dataclass(frozen=True, slots=True)
class Recall:
    """Look for the outputs of an equal step; the value is its identity and a ``Found`` or None."""

    name: str
    invocation: Invocation


@dataclass(frozen=True, slots=True)
class Remember:
    """Keep the outputs of a step under its identity; nobody waits for that."""

    identity: str
    outputs: Mapping[str, Any]
    outdir: str


@dataclass(frozen=True, slots=True)
class Collect:
    """Collect the outputs of a task that has ended; too much to do in the loop."""

    name: str
    prepared: Prepared
    report: Report


@dataclass(frozen=True, slots=True)
class StageIn:
    """Bring the inputs in."""

    inputs: Mapping[str, Any]
    log: str


@dataclass(frozen=True, slots=True)
class StageOut:
    """Publish the outputs; they may be, or link to, the files in ``inputs``."""

    outputs: Mapping[str, Any]
    inputs: tuple[str, ...]
    log: str


#: What is done in the background, and answered.
Asked = StageIn | StageOut | Collect | Recall
Effect = Launch | Stop | Release | Close | Remember | Asked


@dataclass(frozen=True, slots=True)
class Done:
    """What came of an effect that was done in the background: a value or an error."""

    effect: Asked
    value: Any = None
    error: LocalprocError | None = None


class Effects:
    """The orders of one job: those that nobody has taken yet, and how many are to be answered."""

    def __init__(self) -> None:
        self.waiting: list[Effect] = []
        self.unanswered = 0

    def give(self, effect: Effect) -> None:
        """Ask for something to be done."""
        self.waiting.append(effect)

    def ask(self, effect: Asked) -> None:
        """Ask for something that is answered by a ``Done``."""
        self.unanswered += 1
        self.waiting.append(effect)

    def take(self) -> list[Effect]:
        """Give what is to be done now."""
        effects, self.waiting = self.waiting, []
        return effects
