"""The engine: what a program holds to run application packages.

Owns the public verbs and what they are made of. Must not know any face.
"""

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from localproc.cwl.process import tools
from localproc.cwl.request import Request
from localproc.engine import presence
from localproc.engine.handles import Job, Process
from localproc.engine.history import request_data
from localproc.engine.home import Home
from localproc.engine.ids import new_id
from localproc.engine.inputs import read_inputs
from localproc.engine.loop import Loop
from localproc.engine.observers import Observers
from localproc.engine.presence import Presence
from localproc.engine.registry import Registry
from localproc.engine.settings import Settings
from localproc.errors import EnvironmentProblem, InvalidInputs, NoSuchJob, UnsupportedPackage
from localproc.machine import new_job
from localproc.model import Event, JobFilter, JobRecord, JobRequest, JobStatus, Kind, ProcessRecord
from localproc.plugins.box import PluginBox
from localproc.plugins.executor import Executor, ExecutorSettings
from localproc.plugins.storage import Storage
from localproc.plugins.store import Store
from localproc.storage.access import Access
from localproc.storage.disk import Disk
from localproc.storage.publish import results_uri
from localproc.store import SqliteStore


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
        self.settings = Settings(**settings)
        self._home = Home(os.path.abspath(os.path.expanduser(os.fspath(home))))
        self._plugins = PluginBox(plugins)
        self._run_jobs = run_jobs
        self._storages: dict[str, Storage] = {}
        self._requests: dict[str, Request] = {}
        self._mine: list[str] = []
        self._lock = threading.RLock()
        self._closed = False
        self._presence: Presence | None = None
        self._loop: Loop | None = None
        journal = self._home.prepare()
        self._home.keep_ballast()
        self._store: Store = SqliteStore(
            self._home.store, journal=journal, durable=self.settings.durable
        )
        self._access = Access(self._storage, self.settings.policy)
        self._registry = Registry(
            self._store, self.settings.namespace, self._access.read if allow_remote else None
        )
        self._observers = Observers(self._plugins)
        if run_jobs and self.settings.adopt and self._store.owners():
            self._start()

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
                self.job(job_id).wait()
        self.close()

    @property
    def home(self) -> Path:
        """The home's folder."""
        return Path(self._home.path)

    @property
    def plugins(self) -> PluginBox:
        """The plugins of this engine, and which of them are broken."""
        return self._plugins

    # Processes

    def deploy(
        self,
        package: object,
        *,
        process_id: str = "",
        fragment: str = "",
        replace: bool = True,
        mutable: bool = True,
    ) -> Process:
        """Deploy an application package.

        ``package`` is a path or URL of a CWL document (``#fragment`` picks a process of a
        ``$graph``), its text, its bytes, or a mapping. What the same id held before is replaced;
        its revisions stay for the jobs that ran them.

        Raises ``InvalidPackage`` with every problem and its line, ``UnsupportedPackage``,
        ``DuplicatedProcess`` (with ``replace=False``), ``ImmutableProcess``.
        """
        record = self._registry.deploy(
            package, process_id=process_id, fragment=fragment, replace=replace, mutable=mutable
        )
        return Process(self, record)

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
        **options: Any,
    ) -> Job:
        """Accept a job, and start it as soon as there is room.

        ``inputs`` is a mapping, or the path of a YAML or JSON file; paths in it are relative to
        that file, or to the current folder. ``options``: ``outputs`` (which, and how), ``results``
        (folder or URI), ``executor``, ``title``, ``tags``, ``reason``, ``trigger``, ``run_as``,
        ``environment``, ``service``, ``base`` (the folder of relative paths), ``references`` (see
        ``localproc.cwl.request``), ``detached`` (leave the job to another engine).

        Raises ``NoSuchProcess``; ``InvalidInputs`` with every problem and its JSON path;
        ``UnsupportedPackage`` if the executor lacks what the package requires. Nothing is left
        behind then.
        """
        if self._closed:
            raise EnvironmentProblem("the engine is closed")
        record = process.record if isinstance(process, Process) else self._registry.get(process)
        detached = bool(options.pop("detached", False)) or not self._run_jobs
        request = self._request(record, inputs, options)
        self._check_executor(record, request.executor)
        job = self._accept(record, request, detached=detached)
        if not detached:
            self._mine.append(job.id)
            self._running_loop().accept(job)
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
        """Give a job of the home by its id, or by the beginning of one; raises ``NoSuchJob``."""
        self.record(job_id)
        return Job(self, job_id)

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
        ``trigger``, ``run_as``, ``tag``, and ``before`` (the last job of the page before).
        """
        wanted = JobFilter(
            namespace=self.settings.namespace,
            processes=(process,) if isinstance(process, str) else tuple(process),
            statuses=tuple(
                JobStatus(one) for one in ([status] if isinstance(status, str) else status)
            ),
            limit=limit,
            **filters,
        )
        return [Job(self, record.id, record) for record in self._store.jobs(wanted)]

    def resume(self) -> list[Job]:
        """Take over the jobs of the home that nobody runs; give all that are open."""
        self._running_loop().ring()
        open_states = (JobStatus.ACCEPTED, JobStatus.RUNNING)
        return self.jobs(status=open_states, limit=10_000)

    def has_open_jobs(self) -> bool:
        """Whether any job of the home has not ended."""
        return bool(self._store.owners())

    def close(self) -> None:
        """Let go. Jobs that have not ended stay in the home; what of them runs goes on."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            if self._loop is not None:
                self._loop.stop()
            if self._presence is not None:
                self._presence.leave()
            self._observers.close()
            self._store.close()

    # For the handles

    def record(self, job_id: str) -> JobRecord:
        """Give a job's row; raises ``NoSuchJob``."""
        found = self._store.job(job_id)
        if found is None or found.namespace != self.settings.namespace:
            raise NoSuchJob(job_id)
        return found

    def events(self, job_id: str, after: int = 0) -> list[Event]:
        """Give a job's events."""
        return self._store.events(job_id, after)

    def revision(self, job: JobRecord) -> ProcessRecord:
        """Give the process revision that a job runs."""
        found = self._store.process(job.namespace, job.process_id, job.revision)
        return self._registry.get(job.process_id) if found is None else found

    def job_folder(self, job_id: str) -> str:
        """Give a job's folder."""
        return self._home.job(job_id)

    def logs_folder(self, job_id: str) -> str:
        """Give the folder of a job's logs."""
        return self._home.logs(job_id)

    def wait_for(self, job_id: str, timeout: float | None) -> JobRecord:
        """Wait until a job has ended; give its row, whether it has or the time was over."""
        deadline = None if timeout is None else datetime.now(UTC).timestamp() + timeout
        ended = self._loop.waiter(job_id) if self._loop is not None else threading.Event()
        while True:
            record = self.record(job_id)
            if record.status.final:
                return record
            left = 0.1 if not self._runs(record) else 1.0
            if deadline is not None:
                left = min(left, deadline - datetime.now(UTC).timestamp())
                if left <= 0:
                    return record
            ended.wait(left)

    def dismiss(self, job_id: str) -> None:
        """Ask for a job to stop, whoever runs it."""
        if not self._store.request_dismiss(job_id):
            return
        record = self.record(job_id)
        if self._runs(record):
            self._running_loop().ring()
        elif record.owner is not None and presence.is_alive(self._home.engines, record.owner):
            presence.ring(self._home.engines, record.owner)
        else:
            self._running_loop().ring()

    def delete(self, job_id: str) -> bool:
        """Forget a job that has ended; its folder goes too, its published results stay."""
        import shutil

        self.record(job_id)
        if not self._store.delete_job(job_id):
            return False
        shutil.rmtree(self._home.job(job_id), ignore_errors=True)
        return True

    def store_problems(self) -> list[str]:
        """Let the store check itself; give what is wrong."""
        return self._store.check()

    def alive(self) -> Iterator[tuple[str, int | None]]:
        """Give the other engines that use the home now, with their process ids."""
        for one in presence.engines(self._home.engines):
            if presence.is_alive(self._home.engines, one):
                yield one, presence.pid_of(self._home.engines, one)

    # Inside

    def _request(
        self, record: ProcessRecord, inputs: Any, options: Mapping[str, Any]
    ) -> JobRequest:
        rest = dict(options)
        values, base = read_inputs(inputs, rest.pop("base", None))
        references = rest.pop("references", True)
        takes = self._requests.get(record.revision)
        if takes is None:
            main = record.resolved["processes"][record.resolved["main"]]
            takes = self._requests[record.revision] = Request(
                main["inputs"], record.resolved.get("namespaces")
            )
        job_object = takes.job_object(values, base, Disk(), references=references)
        self._plugins.hook.localproc_check_inputs(process=record, inputs=job_object)
        results = rest.pop("results", None)
        if results is not None:
            rest["results"] = results_uri(os.fspath(results))
        rest["tags"] = tuple(rest.get("tags", ()))
        rest.setdefault("executor", self.settings.executor)
        unknown = set(rest) - set(JobRequest.__slots__)
        if unknown:
            raise InvalidInputs(f"unknown options: {', '.join(sorted(unknown))}")
        if rest.get("outputs") is not None:
            _check_outputs(record, rest["outputs"])
        return JobRequest(inputs=job_object, **rest)

    def _check_executor(self, record: ProcessRecord, name: str) -> None:
        """Refuse what the executor cannot run before the job is accepted."""
        self._plugins.executor(name)
        if name != "local":
            return
        for tool in tools(self._compiled(record)):
            if "DockerRequirement" in tool.requirements.required:
                raise UnsupportedPackage(
                    f"{tool.id} requires a container, and the executor {name!r} has none",
                    hint="use an executor with containers, or move DockerRequirement to hints",
                )

    def _compiled(self, record: ProcessRecord) -> Any:
        from localproc.cwl.process import compile_package

        return compile_package(record.resolved)

    def _accept(self, record: ProcessRecord, request: JobRequest, *, detached: bool) -> JobRecord:
        at = datetime.now(UTC)
        event = Event(Kind.ACCEPTED, at, request_data(request), message="accepted")
        job = new_job(new_id(at), record.namespace, record.id, record.revision, request, event)
        if not detached:
            self._running_loop()
            assert self._presence is not None
            job = replace(job, owner=self._presence.id)
        self._store.add_job(job, event)
        return job

    def _running_loop(self) -> Loop:
        if self._loop is None:
            self._start()
        assert self._loop is not None
        return self._loop

    def _start(self) -> None:
        with self._lock:
            if self._loop is not None:
                return
            self._presence = Presence(self._home.engines)
            self._loop = Loop(
                self._home,
                self._store,
                self._presence,
                self.settings,
                self._access,
                self._open_executor,
                self._registry.compiled,
                self._observers,
            )
            self._loop.start()

    def _open_executor(self, name: str) -> Executor:
        assert self._presence is not None
        cores, ram, slots = self.settings.capacity()
        return self._plugins.executor(name).open(
            ExecutorSettings(
                folder=self._home.keepers if name == "local" else f"{self._home.path}/{name}",
                engine=self._presence.id,
                cores=cores,
                ram=ram,
                slots=slots,
                options=self.settings.executor_options,
            )
        )

    def _storage(self, scheme: str) -> Storage:
        with self._lock:
            found = self._storages.get(scheme)
            if found is None:
                options = dict(self.settings.storage_options.get(scheme, {}))
                options.setdefault("guarded", self.settings.policy.guarded)
                found = self._storages[scheme] = self._plugins.storage(scheme).open(options)
            return found

    def _runs(self, record: JobRecord) -> bool:
        return self._presence is not None and record.owner == self._presence.id


def _check_outputs(record: ProcessRecord, wanted: Mapping[str, Any]) -> None:
    from localproc.errors import Problem

    known = record.description["outputs"]
    problems = [
        Problem(
            f"there is no output {name!r}", f"outputs.{name}", hint=f"there is: {', '.join(known)}"
        )
        for name in wanted
        if name not in known
    ]
    if problems:
        raise InvalidInputs("some outputs do not exist", problems)
