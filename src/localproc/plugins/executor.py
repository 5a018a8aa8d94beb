"""The protocol of an executor: who runs tasks.

Owns the verbs that the engine speaks with an executor. Must not know how any executor works.

An executor is used by one thread only, the engine's loop, and no verb may block it: what takes
longer than some 50 ms is done elsewhere and told by ``poll``. Whoever would rather write verbs that
block writes a ``localproc.plugins.backend.Backend`` instead. Truth about a task's end is its exit
record, which outlives the engine; absence of news is never success and never failure.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from typing import Any, Literal, Protocol

from localproc.frozen import frozen
from localproc.model import Report, Task
from localproc.plugins.backend import PROCESSES, Backend, Capabilities
from localproc.spelling import public

__all__ = [
    "Capabilities",
    "Executor",
    "ExecutorPlugin",
    "ExecutorSettings",
    "Finding",
    "Leftover",
    "unfit",
]


def _never(_: str) -> bool:
    return False


@frozen
class ExecutorSettings:
    """What an executor is opened with.

    ``folder`` is its own within the home, shared with the executors of other engines on the same
    home. ``engine`` is the id of the engine. ``cores`` and ``ram`` (MiB) are what it may use at a
    time, ``slots`` how many tasks; 0 for an executor whose capabilities are ``remote`` where the
    user has set none: it knows best. ``options`` are those of ``executor_options={NAME: {...}}``.
    ``is_over`` says of a task's key, in any thread, whether its job has ended: what an engine that
    was killed has left of such a task may go.
    """

    folder: str
    engine: str
    cores: float
    ram: int
    slots: int
    options: Mapping[str, Any] = field(default_factory=dict)
    is_over: Callable[[str], bool] = _never


class Executor(Protocol):
    """Runs tasks. No verb raises on purpose: what goes wrong is a report, or no news."""

    @property
    def capabilities(self) -> Capabilities:
        """What this one can do, now that it is open."""

    def fileno(self) -> int | None:
        """Return a descriptor that is readable when ``poll`` has news, if there is one."""

    def interval(self) -> float | None:
        """Return the seconds between two calls of ``poll`` without news from ``fileno``.

        ``None``: it need not be asked.
        """

    def room(self) -> int:
        """Return how many more tasks it would take now. More may be submitted: they wait."""

    def check(self, tasks: Sequence[Task]) -> Mapping[str, str]:
        """Return why tasks can never run here, by their keys; nothing for those that can."""

    def submit(self, tasks: Sequence[Task], *, more: bool = False) -> None:
        """Take tasks on. One whose key it has is left alone: submitting twice is harmless.

        ``more``: others follow at once, so it may be worth waiting for them. A task that it does
        not take is reported as refused, for a reason; one that it cannot hand on yet, as queued.
        """

    def poll(self) -> Sequence[Report]:
        """Return the news since the last call, of all its tasks at once.

        That a task waits or runs need not be told of one that has ended by then.
        """

    def cancel(self, keys: Iterable[str], grace: float) -> None:
        """Have tasks stopped, and all they have started: TERM, ``grace`` seconds, KILL.

        Each is reported as cancelled, or as ended, when nothing of it is left. Unknown keys are
        reported as cancelled too.
        """

    def reattach(self, tasks: Sequence[Task]) -> None:
        """Have tasks found that an earlier engine may have submitted, by their keys.

        ``poll`` gives one report of each to begin with: it waits, runs, has ended, was never
        started, or is lost (it left neither a process nor an exit record). Those that wait or run
        are this executor's from then on.
        """

    def release(self, keys: Iterable[str]) -> None:
        """Let go of tasks whose ends have been recorded: nobody asks for them again."""

    def tidy(self) -> None:
        """Remove what is left of earlier tasks: no job of the home is open any more."""

    def close(self) -> None:
        """Let go. Tasks that run go on, and can be reattached to."""


@frozen
class Leftover:
    """Something that runs or lies about though the home it belonged to is gone.

    ``said`` is for people; ``end`` ends or removes it. ``containers``: that is what it consists of.
    """

    said: str
    end: Callable[[], None]
    containers: bool = False


@frozen
class Finding:
    """Something that is right or wrong with what an executor needs; ``hint`` says what to do."""

    state: Literal["ok", "warning", "failed"]
    what: str
    said: str
    hint: str = ""


def _nothing_left() -> Iterable[Leftover]:
    return ()


def _nothing_found(_: ExecutorSettings) -> Iterable[Finding]:
    return ()


def _nothing_wrong(_: ExecutorSettings, __: Sequence[Task]) -> Mapping[str, str]:
    return {}


@public
@frozen
class ExecutorPlugin:
    """An executor that can be opened by name.

    ``capabilities`` are what jobs may be accepted for before it is opened. ``check`` says by key
    why tasks can never run there, in any thread and without asking anybody: a job with such a step
    is not accepted; of the tasks only ``step``, ``container`` and ``resources`` are known by then.
    ``leftovers`` looks for what is left on this machine of homes that are gone, and raises
    ``ExecutorUnavailable`` where nobody can say; ``examine`` looks at all that the executor needs,
    for ``localproc doctor``.
    """

    name: str
    open: Callable[[ExecutorSettings], Executor | Backend]
    summary: str = ""
    capabilities: Capabilities = PROCESSES
    leftovers: Callable[[], Iterable[Leftover]] = _nothing_left
    check: Callable[[ExecutorSettings, Sequence[Task]], Mapping[str, str]] = _nothing_wrong
    examine: Callable[[ExecutorSettings], Iterable[Finding]] = _nothing_found


def unfit(task: Task, able: Capabilities) -> str:
    """Return why an executor that can do so much can never run a task; empty if it can."""
    needs = task.resources
    if task.container is not None and not able.containers:
        return f"it runs in the container {task.container.image}, and there are no containers"
    if needs.gpus and not able.gpus:
        return f"it needs {_counted(needs.gpus, 'GPU')}, and there are none"
    if needs.gpus > able.devices > 0:
        return f"it needs {_counted(needs.gpus, 'GPU')}, and there are {able.devices}"
    if needs.processes > 1 and not able.mpi:
        return f"it needs {needs.processes} MPI processes, and nothing starts them"
    if needs.nodes > 1 and not able.remote:
        return f"it needs {needs.nodes} machines, and this is one"
    if task.secrets and not able.secrets:
        return "it is given secrets, and this executor cannot keep them"
    return ""


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
