"""The engine: what a program holds to run application packages.

Owns the public verbs, for one namespace of a home. Must not know any face.
"""

import os
import shutil
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from localproc.cwl.process import tools
from localproc.engine import presence
from localproc.engine.accept import Acceptance
from localproc.engine.core import Core
from localproc.engine.handles import Job, Process
from localproc.engine.history import request_data
from localproc.engine.home import check_namespace
from localproc.engine.ids import new_id
from localproc.engine.registry import Registry
from localproc.engine.settings import Settings
from localproc.engine.tokens import Tokens
from localproc.errors import EnvironmentProblem, NoSuchJob, UnsupportedPackage
from localproc.machine import new_job
from localproc.model import (
    Event,
    InputPolicy,
    JobFilter,
    JobRecord,
    JobRequest,
    JobStatus,
    Kind,
    ProcessRecord,
)
from localproc.plugins.box import PluginBox
from localproc.views import execution_log


class Engine:
    """Runs application packages, in this process, and keeps what happens in a home.

    ``home`` is a folder; several engines, in one process or several, may share it. ``settings`` are
    those of ``localproc.Settings``, by name. ``plugins`` are added to the installed ones.
    ``run_jobs=False`` opens the home to look at: nothing is run or taken over. ``allow_remote``
    lets packages include documents from the network.

    Raises ``HomeUnusable`` or ``StoreCorrupted``.

    As a context manager it waits, when left in peace, for the jobs that it has accepted; left by an
    exception, it leaves them to the next engine that opens the home.
    """

    def __init__(
        self,
        home: str | os.PathLike[str] = ".localproc",
        *,
        plugins: Sequence[object] = (),
        run_jobs: bool = True,
        allow_remote: bool = False,
        **settings: Any,
    ) -> None:
        core = Core(home, plugins, Settings(**settings), run_jobs=run_jobs)
        self._set_up(core, core.settings.namespace, allow_remote=allow_remote)

    def within(self, namespace: str) -> Self:
        """Give the same engine for another namespace: its processes and jobs are its own.

        Raises ``InvalidInputs`` for a name that no folder or URL could have.
        """
        other = type(self).__new__(type(self))
        other._set_up(self._core, namespace, allow_remote=self._allow_remote)  # noqa: SLF001
        return other

    def _set_up(self, core: Core, namespace: str, *, allow_remote: bool) -> None:
        self._core = core
        self._allow_remote = allow_remote
        self.namespace = check_namespace(namespace)
        self._registry = Registry(core.store, namespace, core.storage, allow_remote=allow_remote)
        self._acceptance = Acceptance(core.settings, core.plugins, core.home.results(namespace))
        self._mine: list[str] = []
        self.tokens = Tokens(core.store, namespace)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            for job_id in self._mine:
                with suppress(NoSuchJob):  # it was deleted meanwhile
                    self.wait_for(job_id, None)
        self.close()

    @property
    def home(self) -> Path:
        """The home's folder."""
        return Path(self._core.home.path)

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders of this machine that no client on a network is told of."""
        results = self._acceptance.results
        return (self._core.home.path, *([results] if os.path.isabs(results) else []))

    @property
    def settings(self) -> Settings:
        """How the engine is set up."""
        return self._core.settings

    @property
    def plugins(self) -> PluginBox:
        """The plugins of this engine, and which of them are broken."""
        return self._core.plugins

    # Processes

    def deploy(
        self,
        package: object,
        *,
        process_id: str = "",
        fragment: str = "",
        replace: bool = True,
        mutable: bool = True,
        policy: InputPolicy | None = None,
    ) -> Process:
        """Deploy an application package.

        ``package`` is a path or URL of a CWL document (``#fragment`` picks a process of a
        ``$graph``) or of an OGC application package, its text, its bytes, or a mapping. What the
        same id held before is replaced; its revisions stay for the jobs that ran them. ``policy``
        bounds what may be read for it.

        Raises ``InvalidPackage`` with every problem and its line, ``UnsupportedPackage``,
        ``DuplicatedProcess`` (with ``replace=False``), ``ImmutableProcess``.
        """
        record = self._registry.deploy(
            package,
            process_id=process_id,
            fragment=fragment,
            replace=replace,
            mutable=mutable,
            policy=policy,
        )
        return Process(self, record)

    def read(self, package: object, *, fragment: str = "") -> Process:
        """Give the process that a package would be, to look at: it is not deployed.

        Raises what ``deploy`` raises.
        """
        return Process(self, self._registry.read(package, fragment))

    def undeploy(self, process_id: str, *, force: bool = False) -> None:
        """Undeploy a process; its jobs stay. Raises ``ProcessInUse`` unless forced."""
        self._registry.undeploy(process_id, force=force)

    def process(self, process_id: str) -> Process:
        """Give a deployed process; raises ``NoSuchProcess``."""
        return Process(self, self._registry.get(process_id))

    def processes(self) -> list[Process]:
        """Give all deployed processes, by id."""
        return [Process(self, record) for record in self._registry.all()]

    # Jobs

    def execute(
        self,
        process: str | Process,
        inputs: Mapping[str, Any] | str | os.PathLike[str] | None = None,
        *,
        detached: bool = False,
        **options: Any,
    ) -> Job:
        """Accept a job, and start it as soon as there is room.

        ``inputs`` is a mapping, or the path of a YAML or JSON file; paths in it are relative to
        that file, or to the current folder. ``detached`` leaves the job to another engine.
        ``options``: ``outputs`` (which, and how), ``results`` (folder or URI), ``executor``,
        ``title``, ``tags``, ``reason``, ``trigger``, ``run_as``, ``environment``, ``service``,
        ``reuse``, ``policy``, ``subscriber``, ``base`` (the folder of relative paths),
        ``bases`` and ``references`` (see ``localproc.cwl.request``).

        Raises ``NoSuchProcess``; ``InvalidInputs`` with every problem and its JSON path;
        ``UnsupportedPackage`` if the executor lacks what the package requires. Nothing is left
        behind then.
        """
        if self._core.closed:
            raise EnvironmentProblem("the engine is closed")
        record = process.record if isinstance(process, Process) else self._registry.get(process)
        request = self._acceptance.request(record, inputs, options)
        self._check_executor(record, request.executor)
        if detached or not self._core.run_jobs:
            return Job(self, self._accept(record, request, None).id)
        job = self._accept(record, request, self._core.owner())
        self._mine.append(job.id)
        self._core.loop().accept(job)
        return Job(self, job.id)

    def run(
        self,
        package: object,
        inputs: Mapping[str, Any] | str | os.PathLike[str] | None = None,
        **options: Any,
    ) -> Job:
        """Deploy a package, execute it and wait for its end, whatever it is.

        The job's ``status`` tells how it ended; ``results()`` and ``raise_for_status()`` raise
        ``JobFailed`` with the story if it failed.
        """
        process = package if isinstance(package, Process) else self.deploy(package)
        return process.execute(inputs, **options).wait()

    def job(self, job_id: str) -> Job:
        """Give a job of the home by its id; raises ``NoSuchJob``."""
        return Job(self, job_id, self.record(job_id))

    def jobs(
        self,
        *,
        process: str | Sequence[str] = (),
        status: str | Sequence[str] = (),
        limit: int = 100,
        **filters: Any,
    ) -> list[Job]:
        """Give jobs, newest first.

        ``process`` and ``status`` are one or several; further ``filters`` are those of
        ``localproc.model.JobFilter``: ``since``, ``until``, ``min_duration``, ``max_duration``,
        ``trigger``, ``run_as``, ``tag``, ``hidden``, and ``before`` (the last job of the page
        before).
        """
        wanted = JobFilter(
            namespace=self.namespace,
            processes=_several(process),
            statuses=tuple(map(JobStatus, _several(status))),
            limit=limit,
            **filters,
        )
        return [Job(self, record.id, record) for record in self._core.store.jobs(wanted)]

    def executions(
        self,
        *,
        process: str | Sequence[str] = (),
        since: datetime | None = None,
        until: datetime | None = None,
        failed: bool = False,
        limit: int = 100,
        before: str | None = None,
    ) -> list[dict[str, Any]]:
        """Give jobs as entries of the execution log, newest first; see ``Job.execution``.

        ``since`` and ``until`` bound when they were accepted. ``failed``: only those whose status
        there is ``failed``, which dismissed ones have too. ``before`` is the ``_id`` of the last
        one of the page before.
        """
        found = self.jobs(
            process=process,
            status=execution_log.FAILED if failed else (),
            since=since,
            until=until,
            limit=limit,
            before=before,
        )
        return [job.execution() for job in found]

    def resume(self) -> list[Job]:
        """Take over the jobs of the home that nobody runs; give all that are open."""
        self._core.loop().ring()
        open_states = (JobStatus.ACCEPTED, JobStatus.RUNNING)
        return self.jobs(status=open_states, limit=10_000)

    def dismiss(self, job_id: str) -> None:
        """Ask for a job to stop, whoever runs it; one that has ended stays as it is."""
        self.record(job_id)
        if self._core.store.request_dismiss(job_id):
            self._core.call_owner(self.record(job_id))

    def hide(self, job_id: str) -> None:
        """Take a job off the lists; it stays as a tombstone that ``jobs(hidden=True)`` shows."""
        self.record(job_id)
        self._core.store.hide_job(job_id)

    def delete(self, job_id: str) -> bool:
        """Forget a job that has ended; its folder goes too, its published results stay."""
        self.record(job_id)
        if not self._core.store.delete_job(job_id):
            return False
        shutil.rmtree(self._core.home.job(job_id), ignore_errors=True)
        return True

    def open_jobs(self) -> int:
        """Count the jobs of the namespace that have not ended."""
        return self._core.store.open_jobs(self.namespace)

    def has_open_jobs(self) -> bool:
        """Whether any job of the home has not ended."""
        return bool(self._core.store.owners())

    def close(self) -> None:
        """Let go. Jobs that have not ended stay in the home; what of them runs goes on."""
        self._core.close()

    # For the handles and the faces

    def record(self, job_id: str) -> JobRecord:
        """Give a job's row; raises ``NoSuchJob``."""
        found = self._core.store.job(job_id)
        if found is None or found.namespace != self.namespace:
            raise NoSuchJob(job_id)
        return found

    def events(self, job_id: str, after: int = 0) -> list[Event]:
        """Give a job's events."""
        return self._core.store.events(job_id, after)

    def revision(self, job: JobRecord) -> ProcessRecord:
        """Give the process revision that a job runs."""
        found = self._core.store.process(job.namespace, job.process_id, job.revision)
        return self._registry.get(job.process_id) if found is None else found

    def job_folder(self, job_id: str) -> str:
        """Give a job's folder."""
        return self._core.home.job(job_id)

    def logs_folder(self, job_id: str) -> str:
        """Give the folder of a job's logs."""
        return self._core.home.logs(job_id)

    def wait_for(self, job_id: str, timeout: float | None) -> JobRecord:
        """Wait until a job has ended; give its row, whether it has or the time was over."""
        deadline = None if timeout is None else time.monotonic() + timeout
        loop = self._core.running_loop()
        ended = threading.Event() if loop is None else loop.waiter(job_id)
        while True:
            record = self.record(job_id)
            left = 1.0 if self._core.owns(record) else 0.1
            if deadline is not None:
                left = min(left, deadline - time.monotonic())
            if record.status.final or left <= 0:
                return record
            ended.wait(left)

    def store_problems(self) -> list[str]:
        """Let the store check itself; give what is wrong."""
        return self._core.store.check()

    def alive(self) -> Iterator[tuple[str, int | None]]:
        """Give the engines that use the home now, with their process ids."""
        folder = self._core.home.engines
        for one in presence.engines(folder):
            if presence.is_alive(folder, one):
                yield one, presence.pid_of(folder, one)

    # Inside

    def _check_executor(self, record: ProcessRecord, name: str) -> None:
        """Refuse what the executor cannot run before the job is accepted."""
        if self.plugins.executor(name).capabilities.containers:
            return
        for tool in tools(self._core.processes.of(record)):
            if "DockerRequirement" in tool.requirements.required:
                raise UnsupportedPackage(
                    f"{tool.id} requires a container, and the executor {name!r} has none",
                    hint="use an executor with containers, or move DockerRequirement to hints",
                )

    def _accept(self, record: ProcessRecord, request: JobRequest, owner: str | None) -> JobRecord:
        at = datetime.now(UTC)
        event = Event(Kind.ACCEPTED, at, request_data(request), message="accepted")
        job = new_job(new_id(at), record.namespace, record.id, record.revision, request, event)
        job = replace(job, owner=owner)
        self._core.store.add_job(job, event)
        self._core.observers.tell(job, [event])
        return job


def _several(names: str | Sequence[str]) -> tuple[str, ...]:
    """Give one name, none (an empty one) or several as several."""
    return tuple(filter(None, [names])) if isinstance(names, str) else tuple(names)
