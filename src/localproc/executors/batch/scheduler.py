"""The protocol of a batch scheduler: what a plugin writes for one.

Owns the questions that it is asked, and the terms of the answers. Must not know how they are put.
"""

from collections.abc import Collection, Mapping
from typing import Protocol

from localproc.errors import ExecutorUnavailable
from localproc.executors.batch.grouping import Request
from localproc.frozen import frozen
from localproc.model import TaskState
from localproc.plugins.backend import Refused


@frozen
class Allocation:
    """What the scheduler is asked for.

    ``name`` is the job's, ``script`` the file that it runs, ``log`` what it says, ``folder`` where
    it begins. ``count`` is the number of equal jobs of an array, counted from 0; 0 for no array.
    """

    name: str
    script: str
    log: str
    folder: str
    request: Request
    count: int = 0


@frozen
class Seen:
    """A job, or an element of an array, as the scheduler sees it.

    ``state`` is ``QUEUED`` or ``RUNNING``; ``ENDED`` for one that went to its end, whatever its
    exit code; ``TIMED_OUT``, ``OUT_OF_MEMORY``, ``CANCELLED``, ``NODE_LOST``; ``NEVER_STARTED`` for
    one that is gone, and was cancelled unless it has begun; ``LOST`` for one that was taken away
    and may run again; ``REFUSED`` for one that waits and never will run. One that runs may be
    ``paused``. One that has gone may be begun ``again`` if it had not begun: the scheduler itself
    has ended it. ``name`` is that of the job, if it is known: a scheduler that has lost its memory
    gives ids out twice.
    """

    state: TaskState
    reason: str = ""
    host: str = ""
    name: str = ""
    paused: bool = False
    again: bool = False

    def is_of(self, name: str) -> bool:
        """Whether it may be the job of that name."""
        return self.name in ("", name)


class TooMany(ExecutorUnavailable):
    """It takes no more jobs of this user for now: not so many at once, or none until some end."""


class Scheduler(Protocol):
    """Asks one scheduler. Every verb may block, for a bounded time, and raise
    ``ExecutorUnavailable``. An element of an array has an id of its own.
    """  # noqa: D205

    @property
    def job_variable(self) -> str:
        """The environment variable of a job that has its id."""

    @property
    def index_variable(self) -> str:
        """The environment variable of an array's element that has its number."""

    @property
    def first_index(self) -> int:
        """The number that it has in the first element: 0, or 1 where it counts from there."""

    @property
    def mpirun(self) -> str:
        """The command that starts processes on the nodes of a job, where no option names another.

        ``-n`` and their number follow; ``{cores}`` in it stands for those of each.
        """

    def unfit(self, request: Request) -> str:
        """Return why there is no place for such a job; empty if there is. May not block."""

    def submit(self, allocation: Allocation) -> str | Refused:
        """Hand in a job or an array; return its id. Raises ``TooMany`` where fewer may be taken."""

    def element(self, job: str, number: int) -> str:
        """Return the id of an element of an array."""

    def jobs(self) -> Mapping[str, Seen]:
        """Return the jobs of this user that wait or run, by id, in one query.

        One that is left out has ended: raise ``ExecutorUnavailable`` for an answer that cannot be
        read in full. Of arrays it has the elements, by the ids of ``element``.
        """

    def places(self) -> Mapping[str, int]:
        """Return how many jobs, of anybody, come before each that waits, by id, in one query.

        Jobs that have no place, and all where the scheduler does not tell, are left out.
        """

    def named(self, names: Collection[str]) -> Mapping[str, str]:
        """Return the ids of jobs by their names, those that have ended included if it can.

        Of an array it is the id that ``submit`` returns.
        """

    def ended(self, ids: Collection[str]) -> Mapping[str, Seen]:
        """Return what is known of jobs that are not in the queue any more.

        Those that wait or run, and those that nothing is known of, are left out.
        """

    def poke(self, ids: Collection[str]) -> None:
        """Send URG to the scripts of jobs that run; whether to others as well does not matter."""

    def kill(self, ids: Collection[str]) -> None:
        """Send KILL to all processes of jobs."""

    def cancel(self, ids: Collection[str]) -> None:
        """Remove jobs; one that is not there is no error."""
