"""What has been read of the jobs that are looked at.

Owns keeping it for the next look, so that each look reads only what is new: jobs may have a hundred
thousand steps, and many may ask for one. Must not know who looks, nor how jobs are run.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from operator import attrgetter
from typing import Final

from localproc.errors import NoSuchJob
from localproc.machine import StepBook
from localproc.model import Event, JobRequest, Step
from localproc.model.events import Dismissed, Failed, Succeeded, request_of

_JOBS: Final = 64
_EVENTS: Final = 500_000
_seen: Final = attrgetter("seen")

#: Gives a job's events without the first so many.
Events = Callable[[str, int], list[Event]]


class JobHistory:
    """One job's history, as far as it has been read."""

    def __init__(self, job_id: str, events: Events) -> None:
        self._job_id = job_id
        self._events = events
        self._book = StepBook()
        self._lock = threading.Lock()
        self._first: list[Event] = []
        self._last = 0
        self.seen = 0

    def look(self) -> None:
        """Read what is new."""
        with self._lock:
            for event in self._events(self._job_id, self.seen):
                self.seen += 1
                self._first = self._first or [event]
                if isinstance(event, (Succeeded, Failed, Dismissed)):
                    self._last = self.seen
                self._book.take(event)

    @property
    def request(self) -> JobRequest:
        """What the job was accepted for; raises ``JobPutAside``."""
        if not self._first:
            self.look()
        return request_of(self._job_id, self._first)

    @property
    def last(self) -> Event | None:
        """The event that ended it, ``None`` before. It is read anew: results may be large."""
        self.look()
        if not self._last:
            return None
        for event in self._events(self._job_id, self._last - 1):
            return event
        raise NoSuchJob(self._job_id)  # it has just been deleted

    def steps(self) -> tuple[int, list[Step]]:
        """Return how many events there are now, and the steps that they add up to."""
        self.look()
        with self._lock:
            return self.seen, self._book.steps()

    def book(self) -> tuple[int, StepBook]:
        """Return how many events there are now, and a book of steps that goes on from there."""
        self.look()
        with self._lock:
            return self.seen, self._book.copy()

    def has_ended(self, log: str) -> bool:
        """Whether the step that writes a log has ended."""
        self.look()
        with self._lock:
            return self._book.has_ended(log)


class Histories:
    """The histories of the jobs that were looked at last, of all namespaces of a home."""

    def __init__(self, events: Events) -> None:
        self._events = events
        self._lock = threading.Lock()
        self._known: OrderedDict[str, JobHistory] = OrderedDict()

    def of(self, job_id: str) -> JobHistory:
        """Return the history of a job."""
        with self._lock:
            found = self._known.get(job_id)
            is_new = found is None
            if found is None:
                found = self._known[job_id] = JobHistory(job_id, self._events)
            self._known.move_to_end(job_id)
            if is_new or found.seen > _EVENTS // _JOBS:  # else it cannot have become too much
                while len(self._known) > 1 and self._is_too_much():
                    self._known.popitem(last=False)
            return found

    def _is_too_much(self) -> bool:
        return len(self._known) > _JOBS or sum(map(_seen, self._known.values())) > _EVENTS
