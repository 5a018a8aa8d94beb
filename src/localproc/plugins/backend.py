"""The protocol of a backend: what an executor is made of whose verbs take their time.

Owns the verbs of a scheduler, a daemon or a service as a plugin writes them: each may block, and
raise ``ExecutorUnavailable`` for "ask again later". The engine makes an executor of it: threads,
batches, waiting longer and longer while nothing answers, and telling what is new. Must not know how
that is done.

No two calls of the same verb overlap, but different verbs may be called at the same time from
different threads. A key names a task, a handle is what the backend itself calls it.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Final, Protocol

from localproc.errors import ExecutorUnavailable
from localproc.frozen import frozen
from localproc.model import Report, Task


@frozen
class Capabilities:
    """What an executor can do; the engine asks these flags, never the class."""

    containers: bool = False  #: runs tools in the container that they require
    limits: bool = False  #: enforces cores and ram, not just counts them
    remote: bool = False  #: runs tasks on other machines, which see the same folders
    gpus: bool = False  #: gives tasks the devices that they ask for
    devices: int = 0  #: how many one task can have, 0 where nobody knows
    mpi: bool = False  #: starts as many processes of a task as it asks for
    secrets: bool = False  #: reveals a task's secrets to the task alone, and hides them in its logs
    sees_all: bool = False  #: shows tasks all of the disk: nobody works out what else they read


#: What there is on any machine.
PROCESSES: Final = Capabilities(secrets=True)


@frozen
class Refused:
    """A task that was not taken, and never will be: ``reason`` is for people."""

    reason: str


#: What became of a task that was handed on: its handle; it never will be taken; or not for now.
Answer = str | Refused | ExecutorUnavailable


class Backend(Protocol):
    """Runs tasks, by verbs that may block."""

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""

    @property
    def most(self) -> int:
        """How many tasks it wants to have at a time, those that wait included."""

    @property
    def pace(self) -> float:
        """The least seconds between two calls of ``look``."""

    def check(self, tasks: Sequence[Task]) -> Mapping[str, str]:
        """Return why tasks can never run here, by their keys. This verb alone may not block."""

    def submit(self, tasks: Sequence[Task]) -> Mapping[str, Answer]:
        """Hand tasks on; return the handle of each by its key, or why it has none.

        A task that was handed on by an earlier call, of this process or another one, is not handed
        on again: its handle is returned. The same tasks come again after ``ExecutorUnavailable``,
        if it is raised, or returned for some of them.
        """

    def look(self, handles: Mapping[str, str]) -> Mapping[str, Report]:
        """Return what is known of tasks, all in one query; ``handles`` are theirs by key.

        A task without a report is as it was. One of which nothing is known for a minute, though the
        queries are answered, counts as lost.
        """

    def stop(self, handles: Mapping[str, str], grace: float) -> None:
        """Stop tasks and all they have started: TERM, ``grace`` seconds, KILL.

        Return when nothing of them is left.
        """

    def find(self, tasks: Sequence[Task]) -> Mapping[str, str]:
        """Return the handles of tasks that were ever handed on, by key, whoever did that."""

    def forget(self, handles: Mapping[str, str]) -> None:
        """Remove what is kept of tasks that have ended: nobody asks for them again."""

    def watch(self, seconds: float) -> Collection[str] | None:
        """Wait so many ``seconds`` for something to happen; return the keys of tasks to look at.

        ``None``, at once: it cannot be waited for.
        """

    def tidy(self) -> None:
        """Remove what is left of all earlier tasks of the home."""

    def close(self) -> None:
        """Let go of connections; tasks go on."""
