"""The jobs that come to an engine.

Owns which jobs there are to run: those that it accepted, and those that nobody runs any more; and
taking each up, from its beginning or from where its history ends. Must not know what happens then.
"""

import os
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Final

from localproc import machine
from localproc.cwl.run.plan import Invocation
from localproc.cwl.run.process import Tool, Workflow, own_files
from localproc.cwl.run.reads import place
from localproc.engine.home import liveness
from localproc.engine.home.home import Home
from localproc.engine.home.settings import Settings, base_environment
from localproc.engine.job import replay
from localproc.engine.job.failure_text import as_ours
from localproc.engine.job.job_run import JobRun
from localproc.engine.job.placement import Placement
from localproc.engine.job.task_factory import JobSetup
from localproc.engine.loop.active import Active
from localproc.engine.loop.background import JobContext
from localproc.engine.loop.committer import Committer
from localproc.engine.loop.executor_pool import ExecutorPool
from localproc.engine.loop.step_executors import StepExecutors
from localproc.engine.loop.tmpdirs import TmpDirs
from localproc.errors import JobFailed, LocalprocError, NoSpace
from localproc.model import JobRecord, Task
from localproc.model.events import Failed
from localproc.plugins.store import Change, Store
from localproc.storage.disk import Disk, stage

_BUDGET: Final = 4 << 20  #: bytes of outputs that may be read for checksums within the loop

#: Gives the process that a job runs; raises ``LocalprocError``.
Compiled = Callable[[JobRecord, replay.History], Tool | Workflow]


class JobQueue:
    """The jobs of one engine that wait for their turn."""

    def __init__(
        self,
        store: Store,
        owner: str,
        home: Home,
        settings: Settings,
        executors: ExecutorPool,
        committer: Committer,
        tmpdirs: TmpDirs,
        compiled: Compiled,
    ) -> None:
        self._store = store
        self._owner = owner
        self._home = home
        self._settings = settings
        self._executors = executors
        self._committer = committer
        self._tmpdirs = tmpdirs
        self._compiled = compiled
        self._env = base_environment()
        self._no_links = os.path.realpath(home.jobs) == home.jobs
        self._waiting: deque[JobRecord] = deque()

    def add(self, job: JobRecord) -> None:
        """Take note of a job that this engine has accepted."""
        self._waiting.append(job)

    def adopt(self) -> None:
        """Take over the jobs that nobody runs: all, or those that are to stop."""
        owners = self._store.owners()
        dead = [one for one in owners if one and one != self._owner and not self._lives(one)]
        if dead or None in owners:
            room = max(0, self._settings.active * 2 - len(self._waiting))
            stopping = not self._settings.adopt
            with suppress(NoSpace):  # they will be there at the next look
                self._waiting += self._store.claim(self._owner, dead, room, dismissed=stopping)

    def next(self, job_id: str = "") -> Active | None:
        """Take up the next job that can be, or a certain one; ``None`` if there is none."""
        while self._waiting:
            job = self._pick(job_id)
            if job is None:
                return None
            active = self._take_up(job)
            if active is not None:
                return active
        return None

    def _pick(self, job_id: str) -> JobRecord | None:
        if not job_id:
            return self._waiting.popleft()
        found = next((job for job in self._waiting if job.id == job_id), None)
        if found is not None:
            self._waiting.remove(found)
        return found

    def _lives(self, engine: str) -> bool:
        return liveness.is_alive(self._home.engines, engine)

    def _take_up(self, job: JobRecord) -> Active | None:
        past = replay.read(job.id, self._store.events(job.id))
        try:
            placement = Placement.read(past.request.executor)
            self._executors.get(placement.default)
            process = self._compiled(job, past)
            setup = self._set_up(job, past, placement)
        except Exception as error:
            self._give_up(job, past, as_ours(error))
            return None
        stopped, own = threading.Event(), tuple(own_files(process))
        context = JobContext(job.id, setup.folder, past.request, stopped, own)
        executors = StepExecutors(self._executors.get, placement.default)
        active = Active(JobRun(job, past, process, setup), executors, context)
        active.let(JobRun.begin)
        if active.run.resuming:
            _reattach(active)
        return active

    def _set_up(self, job: JobRecord, past: replay.History, placement: Placement) -> JobSetup:
        folder = self._home.job(job.id)
        work = os.path.join(folder, "work")
        is_new = _make(folder)
        _make(self._home.logs(job.id))
        _make(work)
        no_links = (self._no_links and is_new) or os.path.realpath(work) == work
        return JobSetup(
            now=lambda: datetime.now(UTC),
            folder=folder,
            base_env=self._env,
            where=partial(self._where, placement),
            files=lambda: Disk(_BUDGET, work if no_links else ""),
            make=stage,
            tmpdir=self._tmpdirs.take,
            done_with=self._tmpdirs.give_back,
            reuse=self._settings.reuse if past.request.reuse is None else past.request.reuse,
        )

    def _where(self, placement: Placement, invocation: Invocation) -> tuple[str, bool]:
        """Return the name of the executor for a step, and whether it has containers."""
        names_one = invocation.tool.requirements.has("DockerRequirement")
        name = placement.choose(place(invocation.key), container=names_one)
        return name, self._executors.get(name).capabilities.containers

    def _give_up(self, job: JobRecord, past: replay.History, error: LocalprocError) -> None:
        """End a job that cannot even be begun."""
        problem = JobFailed(
            error.message, job_id=job.id, hint=error.hint, cause=type(error).__name__
        )
        event = Failed(datetime.now(UTC), problem=problem.to_problem(), message=error.message)
        job = machine.apply(job, event)
        told = machine.callbacks(job.id, past.request.subscriber, [event])
        self._committer.record([Change(job, [event], past.events, told)])


def _make(folder: str) -> bool:
    """Make a folder; whether it was not there."""
    try:
        os.makedirs(folder)
    except FileExistsError:
        return False
    return True


def _reattach(active: Active) -> None:
    """Have the tasks found of a job that another engine had begun."""
    tasks: list[Task] = []
    active.let(lambda run: tasks.extend(run.unfinished()))
    if tasks:
        active.executors.reattach(tasks)
