"""The protocol of an executor: who runs tasks.

Owns the verbs that the engine speaks with an executor. Must not know how any executor works.

An executor may be used by one thread only, the engine's loop. Truth about a task's end is its exit
record, which outlives the engine; absence of news is never success and never failure.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from localproc.model import Report, Task


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an executor can do; the engine asks these flags, never the class."""

    containers: bool = False  #: runs tools in the container that they require
    limits: bool = False  #: enforces cores and ram, not just counts them


@dataclass(frozen=True, slots=True)
class ExecutorSettings:
    """What an executor is opened with.

    ``folder`` is its own within the home, shared with the executors of other engines on the same
    home. ``engine`` is the id of the engine. ``cores`` and ``ram`` (MiB) are what it may use at a
    time, ``slots`` how many tasks. ``options`` are those of ``Engine(executor_options=...)``.
    """

    folder: str
    engine: str
    cores: float
    ram: int
    slots: int
    options: Mapping[str, Any] = field(default_factory=dict)


class Executor(Protocol):
    """Runs tasks."""

    def fileno(self) -> int | None:
        """Give a descriptor that is readable when ``poll`` has news, ``None`` if there is none."""

    def interval(self) -> float | None:
        """Give the seconds after which ``poll`` is worth a call anyway, ``None`` for never."""

    def room(self) -> int:
        """Give how many more tasks it would take now. More may be submitted: they wait."""

    def submit(self, tasks: Sequence[Task]) -> None:
        """Take tasks on. One whose key it has is left alone: submitting twice is harmless.

        Raises ``ExecutorUnavailable`` if it cannot take any now; the engine asks again.
        """

    def poll(self) -> Sequence[Report]:
        """Give the news since the last call, of all its tasks at once.

        That a task runs need not be told of one that has ended by then. Raises
        ``ExecutorUnavailable`` for "no news".
        """

    def cancel(self, keys: Iterable[str], grace: float) -> None:
        """Stop tasks and all they have started: TERM, ``grace`` seconds, KILL.

        Returns at once; each task is reported as cancelled, or as ended, when nothing of it is
        left. Unknown keys are reported as cancelled too.
        """

    def reattach(self, tasks: Sequence[Task]) -> Mapping[str, Report]:
        """Find tasks that an earlier engine submitted, by their keys.

        Running ones are this executor's from now on. A task without a report was never started;
        one that is lost left neither a process nor an exit record.
        """

    def tidy(self) -> None:
        """Remove what is left of earlier tasks: no job of the home is open any more."""

    def close(self) -> None:
        """Let go. Tasks that run go on, and can be reattached to."""


@dataclass(frozen=True, slots=True)
class ExecutorPlugin:
    """An executor that can be opened by name."""

    name: str
    open: Callable[[ExecutorSettings], Executor]
    summary: str = ""
    capabilities: Capabilities = Capabilities()
