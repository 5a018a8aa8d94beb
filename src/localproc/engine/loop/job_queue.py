"""The jobs that come to an engine.

Owns which jobs there are to run: those that it accepted, and those that nobody runs any more; which
of them have to be read first, by a worker; and what becomes of one that cannot be taken up. Must
not know what a job is given, nor what happens then.
"""

import logging
from collections.abc import Callable
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
from localproc.engine.loop.job_reading import JobReader, Past, Unread
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
from localproc.model import JobRecord, JobRequest
from localproc.plugins.store import Change, Store
from localproc.shortages import is_shortage

_LOG: Final = logging.getLogger("localproc")


class JobQueue:
    """The jobs of one engine that wait for their turn; ``lost`` is told of those it gives up.

    Jobs are read by a worker, but for those that this engine has just accepted: their requests are
    at hand. ``reader`` has done so before they are taken up, and what it has read holds for as long
    as they are this engine's.
    """

    def __init__(
        self,
        store: Store,
        owner: str,
        engines: str,
        settings: Settings,
        reader: JobReader,
        starts: JobStarts,
        opening: Opening,
        committer: Committer,
        lost: Callable[[str], None],
    ) -> None:
        self._store = store
        self._owner = owner
        self._engines = engines
        self._settings = settings
        self._reader = reader
        self._starts = starts
        self._opening = opening
        self._committer = committer
        self._lost = lost
        self._later: list[JobRecord] = []  #: they wait for plugins that are not here, or the store
        self._told: set[str] = set()
        self._waiting = WaitingJobs()
        self._asked: dict[str, JobRequest] = {}  #: of those that need not be read
        self._unread: dict[str, JobRecord] = {}  #: those that are being read
        self._read: dict[str, Past | Unread] = {}  #: what came of that, until they are taken up
        self._is_more = False  #: whether there were more to claim than there was room for
        self._without: dict[str, list[JobRecord]] = {}  #: by executors that are being opened

    def add(self, job: JobRecord, request: JobRequest | None = None) -> None:
        """Take note of a job that this engine has accepted; without its request it is read."""
        if request is not None:
            self._asked[job.id] = request
        self._waiting.add([job])

    def may_begin(self, room: int) -> bool:
        """Whether there may be a job to take up, where there is room for so many."""
        if room <= 0:
            return False
        return self._reader.is_over or (len(self._unread) < room and self._is_any)

    @property
    def _is_any(self) -> bool:
        return bool(self._waiting) or (self._is_more and self._room > 0)

    @property
    def _room(self) -> int:
        """How many jobs it would take on now."""
        parked = sum(map(len, self._without.values())) + len(self._unread)
        return self._settings.active * 2 - len(self._waiting) - parked

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

    def next(self, room: int) -> Active | None:
        """Take up the next job that can be; ``None`` if there is none.

        No more are read at a time than there is ``room`` for: so they begin in their order.
        """
        self._let_go_on()
        while len(self._unread) < room and self._is_any:
            if not self._waiting:
                self.adopt()
            elif (job := self._waiting.take()) and (active := self._take_up(job)) is not None:
                return active
        return None

    def _let_go_on(self) -> None:
        """Let the jobs wait for their turn again that have been read, or have their executor."""
        if not (self._unread or self._without or self._reader.is_over):
            return
        for job_id, past in self._reader.over():
            self._read[job_id] = past
        read = [one for one in self._unread if one in self._read]
        self._waiting.add_first(map(self._unread.pop, read))
        for name in [one for one in self._without if self._opening.is_over(one)]:
            self._waiting.add_first(self._without.pop(name))

    def dismiss(self, job_id: str) -> Active | None:
        """Take up a job that is to stop, before all others; ``None`` if that is not needed, or yet.

        One that has begun nothing and waits for its executor is dismissed at once.
        """
        self._let_go_on()
        if (job := self._waiting.take(job_id)) is not None:
            return self._take_up(job.changed(dismiss_requested=True))
        if (job := self._unread.get(job_id)) is not None:
            self._unread[job_id] = job.changed(dismiss_requested=True)
        parked = [one for jobs in self._without.values() for one in jobs if one.id == job_id]
        if not parked:
            return None
        for jobs in self._without.values():
            jobs[:] = [one for one in jobs if one.id != job_id]
        return self._take_up(parked[0].changed(dismiss_requested=True))

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
        """Return a job that can be run now; others have to wait, or are left alone, or end."""
        past, asked = self._read.pop(job.id, None), self._asked.pop(job.id, None)
        if past is None and asked is not None:
            past = self._reader.accepted(job, asked)
        if past is None:
            self._unread[job.id] = job
            self._reader.begin(job)
            return None
        if isinstance(past, Unread):
            self._cannot_go_on(job, past)
            return None
        try:
            return self._begin(job, past)
        except Exception as error:
            if isinstance(error, PluginMissing):  # it need not be read again
                self._read[job.id] = past
            self._cannot_go_on(job, Unread(error, past.history.events, past.history))
        return None

    def _begin(self, job: JobRecord, past: Past) -> Active | None:
        """Return a job that can be run now; one whose executor is being opened has to wait."""
        if past.missing and not job.dismiss_requested:
            raise JobPutAside(job.id, past.missing)
        places = self._starts.places(past.history)
        for name in places.names:
            if not self._opening.is_over(name):
                if not (job.dismiss_requested and self._dismissed(job, past.history)):
                    self._read[job.id] = past
                    self._without.setdefault(name, []).append(job)
                return None
        return self._starts.take_up(job, past, places)

    def _cannot_go_on(self, job: JobRecord, unread: Unread) -> None:
        """Leave a job alone for now, or for good, or end it, by what went wrong."""
        error, past = unread.error, unread.history
        if isinstance(error, JobPutAside):
            self._put_aside(job, unread.events, error)
        elif isinstance(error, StoreCorrupted):  # its process cannot be read
            self._put_aside(job, unread.events, JobPutAside(job.id, error.message))
        elif isinstance(error, PluginMissing) and past is not None:
            # another engine had it, so there may be one again
            if job.dismiss_requested and self._dismissed(job, past):
                self._read.pop(job.id, None)
            else:
                self._wait(job, error)
        elif isinstance(error, StoreLocked) or is_shortage(error):
            self._wait(job, as_ours(error))
        elif past is not None:
            self._give_up(job, past, as_ours(error))
        else:
            self._put_aside(job, unread.events, JobPutAside(job.id, as_ours(error).message))

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
