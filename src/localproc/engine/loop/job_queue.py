"""The jobs that come to an engine.

Owns which jobs there are to run: those that it accepted, and those that nobody runs any more; and
taking each up, from its beginning or from where its history ends. Must not know what happens then.
"""

import logging
import os
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Final

from localproc import machine
from localproc.cwl.base.files import walk
from localproc.cwl.run.plan import Invocation
from localproc.cwl.run.process import Tool, Workflow, own_files
from localproc.cwl.run.reads import place
from localproc.engine.containers import Containers
from localproc.engine.home import liveness
from localproc.engine.home.clock import booted, job_clock
from localproc.engine.home.home import Home
from localproc.engine.home.secrets import SecretKeeper
from localproc.engine.home.settings import Settings, base_environment
from localproc.engine.home.variables import read_variables
from localproc.engine.job import replay
from localproc.engine.job.earlier import EarlierJob
from localproc.engine.job.event_writer import EventWriter
from localproc.engine.job.executor_choice import Boxes, ExecutorChoice, Place
from localproc.engine.job.failure_text import as_ours
from localproc.engine.job.job_run import JobRun
from localproc.engine.job.step_secrets import StepSecrets
from localproc.engine.job.steplog import LogNames
from localproc.engine.job.task_factory import JobSetup, TaskFactory
from localproc.engine.loop.active import Active
from localproc.engine.loop.background import JobContext
from localproc.engine.loop.committer import Committer
from localproc.engine.loop.executor_pool import ExecutorPool
from localproc.engine.loop.opening import Opening
from localproc.engine.loop.quick_disk import QuickDisk
from localproc.engine.loop.step_executors import StepExecutors
from localproc.engine.loop.tmpdirs import TmpDirs
from localproc.errors import (
    JobFailed,
    JobPutAside,
    LocalprocError,
    NoSpace,
    NoSuchJob,
    PluginMissing,
    StoreCorrupted,
)
from localproc.machine.retries import from_data
from localproc.model import Event, JobRecord, SoftwarePackage
from localproc.model.events import STAGE_IN
from localproc.plugins.backend import Capabilities
from localproc.plugins.store import Change, Store
from localproc.software.resolution import Provided
from localproc.storage.disk import stage
from localproc.storage.storages import Storages

_LOG: Final = logging.getLogger("localproc")

#: Gives the process that a job runs; raises ``LocalprocError``.
Compiled = Callable[[JobRecord, replay.History], Tool | Workflow]


class JobQueue:
    """The jobs of one engine that wait for their turn; ``lost`` is told of those it gives up."""

    def __init__(
        self,
        store: Store,
        owner: str,
        home: Home,
        settings: Settings,
        executors: ExecutorPool,
        opening: Opening,
        committer: Committer,
        tmpdirs: TmpDirs,
        compiled: Compiled,
        lost: Callable[[str], None],
        storages: Storages,
        containers: Containers,
        secrets: SecretKeeper,
        software: Callable[[Sequence[SoftwarePackage]], Provided] | None = None,
    ) -> None:
        self._store = store
        self._owner = owner
        self._home = home
        self._settings = settings
        self._executors = executors
        self._opening = opening
        self._committer = committer
        self._tmpdirs = tmpdirs
        self._compiled = compiled
        self._lost = lost
        self._storages = storages
        self._containers = containers
        self._secrets = secrets
        self._rules = read_variables(settings.variables)
        self._software = software
        self._later: list[JobRecord] = []  #: they wait for plugins that this engine does not have
        self._told: set[str] = set()
        self._env = base_environment()
        self._no_links = os.path.realpath(home.jobs) == home.jobs
        self._waiting: deque[JobRecord] = deque()
        self._is_more = False  #: whether there were more to claim than there was room for
        self._without: dict[str, list[JobRecord]] = {}  #: by executors that are being opened

    def add(self, job: JobRecord) -> None:
        """Take note of a job that this engine has accepted."""
        self._waiting.append(job)

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
        later, self._later = self._later, []
        self._waiting += [self._store.job(job.id) or job for job in later]  # it may be dismissed
        owners = self._store.owners()
        dead = [one for one in owners if one and one != self._owner and not self._lives(one)]
        room = self._room
        self._is_more = bool(dead or None in owners) and room <= 0
        if (dead or None in owners) and room > 0:
            stopping = not self._settings.adopt
            with suppress(NoSpace):  # they will be there at the next look
                claimed = self._store.claim(self._owner, dead, room, dismissed=stopping)
                self._is_more = len(claimed) == room
                self._waiting += claimed

    def next(self, job_id: str = "") -> Active | None:
        """Take up the next job that can be, or a certain one; ``None`` if there is none."""
        for name in [one for one in self._without if self._opening.is_over(one)]:
            self._waiting.extendleft(reversed(self._without.pop(name)))
        while self._waiting or (self.is_waiting and not job_id):
            if not self._waiting:
                self.adopt()
                continue
            job = self._pick(job_id)
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
                past = replay.read(job.id, self._store.events(job.id))
                if not past.started:
                    jobs.remove(job)
                    writer = EventWriter(job, _now, LogNames(past.logs), past.request.executor)
                    writer.dismiss_requested()
                    writer.dismissed()
                    self._record(writer, past)

    def _pick(self, job_id: str) -> JobRecord | None:
        if not job_id:
            first = max(self._waiting, key=lambda job: job.priority)  # the oldest of these
            self._waiting.remove(first)
            return first
        found = next((job for job in self._waiting if job.id == job_id), None)
        if found is not None:
            self._waiting.remove(found)
        return found

    def _lives(self, engine: str) -> bool:
        return liveness.is_alive(self._home.engines, engine)

    def _take_up(self, job: JobRecord) -> Active | None:
        """Give a job that can be run now; one whose executor is being opened has to wait."""
        events = self._store.events(job.id)
        try:
            past = _past(job, events)
            self._check_secrets(job, past)
        except JobPutAside as error:
            self._put_aside(job, len(events), error)
            return None
        try:
            choice = ExecutorChoice.read(past.request.executor)
            boxes = self._containers.boxes(past.request.containers)
            names = (*choice.names(), *filter(None, [boxes.executor]))
            for name in names:
                if not self._opening.is_over(name):
                    self._without.setdefault(name, []).append(job)
                    return None
            process = self._compiled(job, past)
            tasks = TaskFactory(
                job.id, self._set_up(job, past, names, choice, boxes), LogNames(past.logs)
            )
            if past.started and not job.dismiss_requested:
                self._storages.check(_places(past))
        except PluginMissing as error:  # another engine had it, so there may be one again
            self._wait(job, error)
            return None
        except StoreCorrupted as error:  # its process cannot be read
            self._put_aside(job, len(events), JobPutAside(job.id, error.message))
            return None
        except Exception as error:
            self._give_up(job, past, as_ours(error))
            return None
        context = JobContext(
            job.id,
            tasks.setup.folder,
            past.request,
            threading.Event(),
            process,
            tasks,
            tuple(own_files(process)),
            job.namespace,
            self._earlier(job, past),
        )
        executors = StepExecutors(self._executors.get, names)
        active = Active(JobRun(job, past, process, tasks), executors, context)
        active.let(JobRun.begin)
        return active

    def _check_secrets(self, job: JobRecord, past: replay.History) -> None:
        """Raise ``JobPutAside`` if a secret that the job was given is not there any more."""
        if not job.dismiss_requested:
            for name in past.request.secrets:
                if why := self._secrets.missing(name):
                    raise JobPutAside(job.id, why)

    def _wait(self, job: JobRecord, error: LocalprocError) -> None:
        """Try a job again later; what it waits for is told once."""
        if job.id not in self._told:
            self._told.add(job.id)
            _LOG.warning("job %s waits: %s", job.id, error)
        self._later.append(job)

    def _set_up(
        self,
        job: JobRecord,
        past: replay.History,
        names: Sequence[str],
        choice: ExecutorChoice,
        boxes: Boxes,
    ) -> JobSetup:
        able = {name: self._executors.get(name).capabilities for name in names}
        folder = self._home.job(job.id)
        work = os.path.join(folder, "work")
        is_new = _make(folder)
        _make(self._home.logs(job.id))
        _make(work)
        no_links = (self._no_links and is_new) or os.path.realpath(work) == work
        return JobSetup(
            now=job_clock(job),
            folder=folder,
            base_env=self._env,
            where=partial(_where, choice, boxes, able),
            files=lambda: QuickDisk(work if no_links else ""),
            make=stage,
            tmpdir=self._tmpdirs.take,
            done_with=self._tmpdirs.give_back,
            reuse=bool(self._settings.reuse if past.request.reuse is None else past.request.reuse),
            is_retry=past.request.retry_of is not None,
            rules=from_data(past.request.retries),
            keep=self._settings.keep,
            durable=self._settings.durable,
            booted=booted() if self._settings.durable else None,
            secrets=StepSecrets(
                (*self._rules, *read_variables(past.request.variables)),
                job.process_id,
                frozenset(past.request.secrets),
                self._secrets,
            ),
            software=self._software,
            named=past.request.named,
            progress=past.request.progress,
        )

    def _earlier(self, job: JobRecord, past: replay.History) -> EarlierJob | None:
        """Give the job that is retried, if it is one; nothing of it is read yet."""
        retried = past.request.retry_of
        if retried is None:
            return None

        def load(job_id: str) -> tuple[Tool | Workflow, replay.History]:
            record = self._store.job(job_id)
            if record is None or record.namespace != job.namespace:
                raise NoSuchJob(job_id)
            history = replay.read(job_id, self._store.events(job_id))
            return self._compiled(record, history), history

        return EarlierJob(retried, self._home.job, load)

    def _put_aside(self, job: JobRecord, count: int, error: JobPutAside) -> None:
        """Leave a job that cannot be read alone, or end it if that is what somebody wants."""
        if job.dismiss_requested:
            writer = EventWriter(job, _now, LogNames({}), "")
            writer.dismissed()
            self._committer.record([Change(writer.job, writer.events, count)])
            return
        _LOG.warning("%s", error)
        with suppress(NoSpace):
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


def _where(
    choice: ExecutorChoice,
    boxes: Boxes,
    able: Mapping[str, Capabilities],
    invocation: Invocation,
) -> Place:
    """Return where a step runs."""
    return boxes.place(choice, able, place(invocation.key), invocation.tool)


def _now() -> datetime:
    return datetime.now(UTC)


def _past(job: JobRecord, events: Sequence[Event]) -> replay.History:
    if job.aside:
        raise JobPutAside(job.id, job.aside)
    return replay.read(job.id, events)


def _places(past: replay.History) -> list[str]:
    """Give the URIs that a job has still to read from or to write to."""
    staged = past.steps.get(STAGE_IN)
    inputs = [] if staged is not None and staged.ended else list(walk(past.request.inputs))
    return [past.request.results, *(str(one["location"]) for one in inputs if "location" in one)]


def _make(folder: str) -> bool:
    """Make a folder; whether it was not there."""
    try:
        os.makedirs(folder)
    except FileExistsError:
        return False
    return True
