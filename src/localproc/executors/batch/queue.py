"""The queue of a scheduler as it was last seen.

Owns when it is asked for: at most once a second whatever the number of tasks, less often while
nothing changes; and what is asked instead: of jobs that are not in it any more, what they have
ended as; twice a minute, while tasks wait, which places they have among everybody's. Must not know
what follows from an answer.
"""

import threading
from collections.abc import Collection, Iterable, Mapping
from time import monotonic, time
from typing import Final

from localproc.executors.batch.commands import QUERY
from localproc.executors.batch.grouping import Mode
from localproc.executors.batch.handed import Handed
from localproc.executors.batch.scheduler import Scheduler, Seen
from localproc.model import TaskState

_SHARE: Final = 4  #: looking at it takes at most one part in so many, and one, of the time
_CALM: Final = 5.0  #: seconds between two looks while nothing happens
_WAIT: Final = 5.0  #: seconds that tasks have waited before it is asked for their places
_PLACES: Final = 30.0  #: seconds between two times that it is: everybody's jobs are listed


class Queue:
    """Asks a scheduler, for all threads; each verb that asks may raise ``ExecutorUnavailable``."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._asking = threading.Lock()
        self._lock = threading.Lock()
        self._seen: Mapping[str, Seen] | None = None
        self._at = self._wall = 0.0
        self._next = 0.0
        self._calm = QUERY
        self._places: Mapping[str, int] = {}
        self._next_places: float | None = None  #: while tasks wait
        self._finals: dict[str, tuple[float, Seen]] = {}
        self._wanted: set[str] = set()
        self._asked_ends = False  #: whether that was the last question: one and the other in turn

    def job(self, handed: Handed, number: int) -> str:
        """Return the id of the job that a task of a batch is; empty if there is none yet."""
        if handed.mode is Mode.ARRAY and handed.job:
            return self._scheduler.element(handed.job, number)
        return handed.job

    def is_due(self) -> bool:
        """Whether it is time to look at it again."""
        return monotonic() >= self._next

    def expect_news(self) -> None:
        """Have it looked at soon: a job has been handed in."""
        self._next = min(self._next, monotonic() + QUERY)
        self._calm = QUERY

    def is_older_than(self, moment: float) -> bool:
        """Whether it has not been looked at since a moment."""
        return self._seen is None or self._wall <= moment

    def is_newer_than(self, moment: float) -> bool:
        """Whether it has been looked at since a moment (monotonic)."""
        return self._seen is not None and self._at > moment

    def seen(self, job: str, name: str) -> Seen | None:
        """Return a job of that name, if it was there."""
        found = (self._seen or {}).get(job)
        return found if found is not None and found.is_of(name) else None

    def place(self, job: str) -> int | None:
        """Return how many jobs come before one that waits, as far as that is known."""
        return self._places.get(job)

    def final(self, job: str, name: str) -> tuple[float, Seen] | None:
        """Return what a job is said to have ended as, and since when that is known."""
        found = self._finals.get(job)
        return found if found is not None and found[1].is_of(name) else None

    def want(self, job: str) -> None:
        """Have it asked what a job has ended as."""
        with self._lock:
            self._wanted.add(job)
        self._next = min(self._next, self._at + QUERY)

    def forget(self, job: str) -> None:
        """Have it asked no more, and let go of the answer."""
        with self._lock:
            self._wanted.discard(job)
            self._finals.pop(job, None)

    def ask(self, own: Collection[str] = ()) -> Collection[str]:
        """Look at it; or ask for the ends that are wanted, or the places of ``own`` jobs that wait.

        Return the jobs that there is news of.
        """
        with self._lock:
            wanted = self._wanted - self._finals.keys()
        self._asked_ends = bool(wanted) and not self._asked_ends
        if self._asked_ends:
            return self._ask_ends(wanted)
        if self._next_places is not None and monotonic() >= self._next_places:
            return self._ask_places(own)
        before = self._seen or {}
        after = self.of_now(0.0)
        self._expect_places(job for job in own if _waits(after.get(job)))
        changed = {job for job in {*before, *after} if before.get(job) != after.get(job)}
        self._calm = QUERY if changed or wanted else min(_CALM, self._calm * 1.5)
        self._next = max(self._next, monotonic() + self._calm)
        return changed

    def _ask_ends(self, wanted: Collection[str]) -> Collection[str]:
        now = monotonic()
        ended = self._scheduler.ended(wanted)
        self._next = monotonic() + QUERY
        with self._lock:
            self._finals.update((job, (now, seen)) for job, seen in ended.items())
        return wanted

    def _expect_places(self, waiting: Iterable[str]) -> None:
        """Have it asked for places after a while, if jobs wait."""
        if not any(True for _ in waiting):
            self._next_places, self._places = None, {}
        elif self._next_places is None:
            self._next_places = monotonic() + _WAIT

    def _ask_places(self, own: Collection[str]) -> Collection[str]:
        before, began = self._places, monotonic()
        self._next_places = began + _PLACES
        self._next = began + QUERY
        found = self._scheduler.places()
        took = monotonic() - began
        self._next = monotonic() + max(QUERY, _SHARE * took)
        self._places = {job: found[job] for job in own if job in found}
        return {job for job in own if self._places.get(job) != before.get(job)}

    def of_now(self, age: float) -> Mapping[str, Seen]:
        """Return it as it was at most so many seconds ago."""
        with self._asking:
            if self._seen is not None and age and monotonic() - self._at < age:
                return self._seen
            before, wall = monotonic(), time()
            found = self._scheduler.jobs()
            took = monotonic() - before
            self._seen, self._at, self._wall = found, before, wall
            self._next = monotonic() + max(QUERY, _SHARE * took)
            return found


def _waits(seen: Seen | None) -> bool:
    return seen is not None and seen.state is TaskState.QUEUED
