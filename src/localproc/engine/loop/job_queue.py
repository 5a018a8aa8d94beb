"""The jobs that come to an engine.

Owns which jobs there are to run: those that it accepted, and those that nobody runs any more; and
what becomes of one that cannot be taken up. Must not know what a job is given, nor what happens
then.
"""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from localproc import machine
from localproc.engine.home import liveness
from localproc.engine.home.settings import Settings
from localproc.engine.job import replay
from localproc.engine.job.event_writer import EventWriter
from localproc.engine.job.failure_text import as_ours
from localproc.engine.job.steplog import LogNames
from localproc.engine.loop.active import Active
from localproc.engine.loop.committer import Committer
from localproc.engine.loop.job_starts import JobStarts
from localproc.engine.loop.opening_threads import Opening
from localproc.engine.loop.waiting_jobs import WaitingJobs
from localproc.errors import (
    JobFailed,
    JobPutAside,
    LocalprocError,
    NoSpace,
    PluginMissing,
    StoreCorrupted,
    StoreLocked,
)
from localproc.model import Event, JobRecord
from localproc.plugins.store import Change, Store

_LOG: Final = logging.getLogger("localproc")


class JobQueue:
    """The jobs of one engine that wait for their turn; ``lost`` is told of those it gives up."""

    def __init__(
        self,
        store: Store,
        owner: str,
        engines: str,
        settings: Settings,
        starts: JobStarts,
        opening: Opening,
        committer: Committer,
        lost: Callable[[str], None],
    ) -> None:
        self._store = store
        self._owner = owner
        self._engines = engines
        self._settings = settings
        self._starts = starts
        self._opening = opening
        self._committer = committer
        self._lost = lost
        self._later: list[JobRecord] = []  #: they wait for plugins that are not here, or the store
        self._told: set[str] = set()
        self._waiting = WaitingJobs()
        self._is_more = False  #: whether there were more to claim than there was room for
        self._without: dict[str, list[JobRecord]] = {}  #: by executors that are being opened

    def add(self, job: JobRecord) -> None:
        """Take note of a job that this engine has accepted."""
        self._waiting.add([job])

    @property
    def is_waiting(self) -> bool:
        """Whether there may be a job to take up."""
        return bool(self._waiting) or (self._is_more and self._room > 0)

    @property
    def _room(self) -> int:
        """How many jobs it would take on now."""
        taken = len(self._waiting) + sum(map(len, self._without.values()))
        return self._settings.active * 2 - taken

    def adopt(self) -> None:
        """Take over the jobs that nobody runs: all, or those that are to stop."""
        self._is_more = False
        with suppress(NoSpace, StoreLocked):  # they will be there at the next look
            later = [self._store.job(job.id) or job for job in self._later]  # it may be dismissed
            self._later = []
            self._waiting.add(later)
            self._claim()

    def _claim(self) -> None:
        owners = self._store.owners()
        dead = [one for one in owners if one and one != self._owner and not self._lives(one)]
        room = self._room
        self._is_more = bool(dead or None in owners) and room <= 0
        if (dead or None in owners) and room > 0:
            stopping = not self._settings.adopt
            claimed = self._store.claim(self._owner, dead, room, dismissed=stopping)
            self._is_more = len(claimed) == room
            self._waiting.add(claimed)

    def next(self, job_id: str = "") -> Active | None:
        """Take up the next job that can be, or a certain one; ``None`` if there is none."""
        if self._without:
            for name in [one for one in self._without if self._opening.is_over(one)]:
                self._waiting.add_first(self._without.pop(name))
        while self._waiting or (self._is_more and self._room > 0 and not job_id):
            if not self._waiting:
                self.adopt()
                continue
            job = self._waiting.take(job_id)
            if job is None:
                return None
            active = self._take_up(job)
            if active is not None:
                return active
        return None

    def dismiss(self, job_id: str) -> None:
        """Dismiss a job that waits for its executor and has begun nothing there."""
        for jobs in self._without.values():
            for job in [one for one in jobs if one.id == job_id]:
                if self._dismissed(job, replay.read(job.id, self._store.events(job.id))):
                    jobs.remove(job)

    def _dismissed(self, job: JobRecord, past: replay.History) -> bool:
        """End a job that is to stop, if it has begun nothing; whether that is so."""
        if not past.started:
            writer = EventWriter(job, _now, LogNames(past.logs), past.request.executor)
            writer.dismiss_requested()
            writer.dismissed()
            self._record(writer, past)
        return not past.started

    def _lives(self, engine: str) -> bool:
        try:
            return liveness.is_alive(self._engines, engine)
        except OSError as error:  # there are no descriptors, say: it is looked at again
            _LOG.info("whether the engine %s lives cannot be found out now: %s", engine, error)
            return True

    def _take_up(self, job: JobRecord) -> Active | None:
        """Return a job that can be run now; one whose executor is being opened has to wait."""
        try:
            events = self._store.events(job.id)
        except StoreLocked as error:
            self._wait(job, error)
            return None
        try:
            past = self._past(job, events)
        except JobPutAside as error:
            self._put_aside(job, len(events), error)
            return None
        try:
            places = self._starts.places(past)
            for name in places.names:
                if not self._opening.is_over(name):
                    self._without.setdefault(name, []).append(job)
                    return None
            return self._starts.take_up(job, past, places)
        except PluginMissing as error:  # another engine had it, so there may be one again
            if not (job.dismiss_requested and self._dismissed(job, past)):
                self._wait(job, error)
        except StoreLocked as error:
            self._wait(job, error)
        except StoreCorrupted as error:  # its process cannot be read
            self._put_aside(job, len(events), JobPutAside(job.id, error.message))
        except Exception as error:
            self._give_up(job, past, as_ours(error))
        return None

    def _past(self, job: JobRecord, events: Sequence[Event]) -> replay.History:
        """Return the history of a job that can be gone on with; raises ``JobPutAside``."""
        if job.aside:
            raise JobPutAside(job.id, job.aside)
        past = replay.read(job.id, events)
        if not job.dismiss_requested and (why := self._starts.missing_secret(past)):
            raise JobPutAside(job.id, why)
        return past

    def _wait(self, job: JobRecord, error: LocalprocError) -> None:
        """Try a job again later; what it waits for is told once."""
        if job.id not in self._told:
            self._told.add(job.id)
            _LOG.warning("job %s waits: %s", job.id, error)
        self._later.append(job)

    def _put_aside(self, job: JobRecord, count: int, error: JobPutAside) -> None:
        """Leave a job that cannot be read alone, or end it if that is what somebody wants."""
        if job.dismiss_requested:
            writer = EventWriter(job, _now, LogNames({}), "")
            writer.dismissed()
            self._committer.record([Change(writer.job, writer.events, count)])
            return
        _LOG.warning("%s", error)
        with suppress(NoSpace, StoreLocked):
            self._store.put_aside(self._owner, job.id, error.reason)
        self._lost(job.id)

    def _give_up(self, job: JobRecord, past: replay.History, error: LocalprocError) -> None:
        """End a job that cannot even be begun."""
        problem = JobFailed(
            error.message, job_id=job.id, hint=error.hint, cause=type(error).__name__
        )
        writer = EventWriter(job, _now, LogNames(past.logs), past.request.executor)
        writer.failed(problem)
        self._record(writer, past)

    def _record(self, writer: EventWriter, past: replay.History) -> None:
        told = machine.callbacks(writer.job.id, past.request.subscriber, writer.events)
        self._committer.record([Change(writer.job, writer.events, past.events, told)])


def _now() -> datetime:
    return datetime.now(UTC)
