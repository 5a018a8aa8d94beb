"""Stopping tasks of batches.

Owns the order: have nothing begin any more, ask what has begun to stop, kill it, and wait until it
is out of the queue. Must not know how a scheduler is asked.
"""

from collections.abc import Collection, Iterable, Sequence
from time import monotonic, sleep
from typing import Final

from localproc.errors import ExecutorUnavailable
from localproc.executors.batch.ends import Ends
from localproc.executors.batch.grouping import Mode
from localproc.executors.batch.handed import Handed
from localproc.executors.batch.queue import Queue
from localproc.executors.batch.scheduler import Scheduler
from localproc.executors.batch.spool import Spool

PACE: Final = 0.05
_GONE: Final = 5.0  #: seconds that a task has to go after KILL

Place = tuple[Handed, int]  #: a batch, and the number of a task there


class Stopping:
    """Stops tasks; may raise ``ExecutorUnavailable``, and is called again then."""

    def __init__(self, scheduler: Scheduler, spool: Spool, queue: Queue, ends: Ends) -> None:
        self._scheduler = scheduler
        self._spool = spool
        self._queue = queue
        self._ends = ends

    def stop(self, placed: Sequence[Place], grace: float) -> None:
        """Return when nothing of the tasks is left."""
        waiting, begun = self._noted(placed, grace)
        if waiting:
            self._scheduler.cancel(waiting)
        left: list[Place] = []
        if begun:
            self._scheduler.poke({self._queue.job(*at) for at in begun})
            left = self._await_records(begun, grace + _GONE)
        whole = {self._queue.job(*at) for at in begun if not self._goes_on(at[0], begun)}
        stuck = {self._queue.job(*at) for at in left}
        if stuck & whole:
            self._scheduler.kill(stuck & whole)
        self._await_end(whole | waiting)
        if stuck - whole:
            raise ExecutorUnavailable("tasks of bundles that go on do not stop yet")

    def _noted(self, placed: Sequence[Place], grace: float) -> tuple[set[str], list[Place]]:
        """Leave notes; return the jobs that never begin any more, and the tasks that may have."""
        open_ones = [at for at in placed if self._ends.get(*at) is None]
        for handed, number in open_ones:
            self._spool.note(handed, number, grace)
        waiting, begun = set(), []
        for handed, number in open_ones:
            if self._goes_on(handed, open_ones):
                if not self._spool.never_begins(handed, number):
                    begun.append((handed, number))
            elif self._spool.fence(handed, number):
                waiting.add(self._queue.job(handed, number))
            else:
                begun.append((handed, number))
        return waiting - {""}, begun

    def _goes_on(self, handed: Handed, stopped: Iterable[Place]) -> bool:
        """Whether others of a bundle, which are asked for still, are not stopped with these."""
        if handed.mode is not Mode.BUNDLE:
            return False
        numbers = {number for one, number in stopped if one is handed}
        return any(
            key in handed.left and number not in numbers and self._ends.get(handed, number) is None
            for number, key in enumerate(handed.keys)
        )

    def _await_records(self, begun: Sequence[Place], seconds: float) -> list[Place]:
        """Wait for the ends of tasks; return those that have left none."""
        until = monotonic() + seconds
        while True:
            self._ends.read()
            left = [at for at in begun if self._ends.get(*at) is None]
            if not left or monotonic() > until:
                return left
            sleep(PACE)

    def _await_end(self, jobs: Collection[str]) -> None:
        """Wait until jobs are out of the queue; raises ``ExecutorUnavailable`` if they stay."""
        until, killed = monotonic() + _GONE, False
        while jobs & self._queue.of_now(0.3).keys():
            if monotonic() > until:
                if killed:
                    raise ExecutorUnavailable("jobs that were killed are still in the queue")
                self._scheduler.kill(jobs)
                self._scheduler.cancel(jobs)
                until, killed = monotonic() + _GONE, True
            sleep(PACE)
