"""How an engine takes up a job, from its beginning or from where its history ends.

Owns what a job is given: its process, its folder, where its steps run, what they may know. Must not
know which jobs there are, nor what happens then.
"""

import os
import threading
from collections.abc import Callable, Mapping

from localproc.cwl.base.files import walk
from localproc.cwl.run.plan import Invocation
from localproc.cwl.run.process import Tool, Workflow, own_files
from localproc.cwl.run.reads import place
from localproc.engine.home.clock import booted, job_clock
from localproc.engine.home.settings import base_environment
from localproc.engine.home.variables import read_variables
from localproc.engine.job import replay
from localproc.engine.job.earlier import EarlierJob
from localproc.engine.job.executor_choice import Boxes, Destination, ExecutorChoice
from localproc.engine.job.job_run import JobRun
from localproc.engine.job.reusable import Surroundings
from localproc.engine.job.step_secrets import StepSecrets
from localproc.engine.job.steplog import LogNames
from localproc.engine.job.task_factory import JobSetup, TaskFactory
from localproc.engine.loop.active import Active
from localproc.engine.loop.executor_pool import ExecutorPool
from localproc.engine.loop.job_context import JobContext
from localproc.engine.loop.job_reading import Past
from localproc.engine.loop.loop_parts import LoopParts
from localproc.engine.loop.quick_disk import QuickDisk
from localproc.engine.loop.step_executors import StepExecutors
from localproc.engine.loop.tmpdirs import TmpDirs
from localproc.errors import NoSuchJob
from localproc.frozen import frozen
from localproc.machine.retries import from_data
from localproc.model import JobRecord
from localproc.model.events import STAGE_IN
from localproc.plugins.backend import Capabilities
from localproc.storage.disk import stage
from localproc.uris import uri_path


@frozen
class Places:
    """Where the steps of a job run; ``names`` are those of all executors that they need."""

    choice: ExecutorChoice
    boxes: Boxes
    names: tuple[str, ...]


class JobStarts:
    """Takes up jobs for one engine."""

    def __init__(self, parts: LoopParts, executors: ExecutorPool, tmpdirs: TmpDirs) -> None:
        self._store = parts.store
        self._home = parts.home
        self._settings = parts.settings
        self._compiled = parts.compiled
        self._storages = parts.storages
        self._containers = parts.containers
        self._secrets = parts.secrets
        self._software = parts.software
        self._executors = executors
        self._tmpdirs = tmpdirs
        self._rules = read_variables(parts.settings.variables)
        self._env = base_environment()
        self._jobs = parts.home.jobs
        self._no_links = os.path.realpath(self._jobs) == self._jobs

    def places(self, past: replay.History) -> Places:
        """Return where the steps of a job run; raises ``LocalprocError``."""
        choice = ExecutorChoice.read(past.request.executor)
        boxes = self._containers.boxes(past.request.containers, past.request.passed_over)
        return Places(choice, boxes, (*choice.names(), *filter(None, [boxes.executor])))

    def take_up(self, job: JobRecord, read: Past, places: Places) -> Active:
        """Return a job that goes on; its executors are open. Raises ``LocalprocError``."""
        past, process = read.history, read.process
        tasks = TaskFactory(job.id, self._set_up(job, past, places), LogNames(past.logs))
        if past.started and not job.dismiss_requested:
            self._storages.check(_uris(past))
        own, home = own_files(process), os.path.dirname(self._jobs)
        context = JobContext(
            job.id,
            tasks.setup.folder,
            past.request,
            threading.Event(),
            process,
            tasks,
            Surroundings(own, past.request.inputs, home, uri_path(past.request.results)),
            own,
            job.namespace,
            self._earlier(job, past),
        )
        executors = StepExecutors(self._executors.get, places.names)
        active = Active(JobRun(job, past, process, tasks), executors, context)
        active.let(JobRun.begin)
        return active

    def _set_up(
        self,
        job: JobRecord,
        past: replay.History,
        places: Places,
    ) -> JobSetup:
        able = {name: self._executors.get(name).capabilities for name in places.names}
        folder = f"{self._jobs}/{job.id}"
        work = f"{folder}/work"
        is_new = _make(folder)
        _make(f"{folder}/logs")
        _make(work)
        no_links = (self._no_links and is_new) or os.path.realpath(work) == work
        return JobSetup(
            now=job_clock(job),
            folder=folder,
            base_env=self._env,
            where=_where(places, able),
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
            secrets=self._step_secrets(job, past),
            software=self._software,
            named=past.request.named,
            progress=past.request.progress,
            process=job.process_id,
        )

    def _step_secrets(self, job: JobRecord, past: replay.History) -> StepSecrets | None:
        """Return what steps are given that does not come from the package, if there is anything."""
        given = past.request.variables
        rules = (*self._rules, *read_variables(given)) if given else self._rules
        named = frozenset(past.request.secrets)
        if not rules and not named:
            return None
        return StepSecrets(rules, job.process_id, named, self._secrets)

    def _earlier(self, job: JobRecord, past: replay.History) -> EarlierJob | None:
        """Return the job that is retried, if it is one; nothing of it is read yet."""
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


def _where(places: Places, able: Mapping[str, Capabilities]) -> Callable[[Invocation], Destination]:
    """Return what says where a step runs: for all its instances it is the same."""
    known: dict[tuple[str, Tool], Destination] = {}
    last: tuple[Invocation | None, Destination | None] = (None, None)  #: workers ask as well

    def of(invocation: Invocation) -> Destination:
        nonlocal last
        asked, found = last
        if asked is invocation and found is not None:
            return found
        at = place(invocation.key), invocation.tool
        found = known.get(at)
        if found is None:
            found = known[at] = places.boxes.place(places.choice, able, *at)
        last = invocation, found
        return found

    return of


def _uris(past: replay.History) -> list[str]:
    """Return the URIs that a job has still to read from or to write to."""
    staged = past.steps.get(STAGE_IN)
    inputs = [] if staged is not None and staged.ended else list(walk(past.request.inputs))
    return [past.request.results, *(str(one["location"]) for one in inputs if "location" in one)]


def _make(folder: str) -> bool:
    """Make a folder; whether it was not there."""
    try:
        os.mkdir(folder)
    except FileExistsError:
        return False
    except FileNotFoundError:  # somebody has removed the folder of all jobs
        os.makedirs(folder)
    return True
