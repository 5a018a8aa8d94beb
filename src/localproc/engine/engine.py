"""The engine: what a program holds to run application packages.

Owns the public verbs, for one namespace of a home. Must not know any face.
"""

import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from localproc.engine.admission.accept import Acceptance
from localproc.engine.handles import Job, Process
from localproc.engine.home.home import check_namespace
from localproc.engine.home.settings import Settings, check_finite
from localproc.engine.home.tokens import Tokens
from localproc.engine.namespace import Records
from localproc.engine.packages.registry import Registry
from localproc.engine.runtime import Runtime
from localproc.model import (
    InputPolicy,
    JobFilter,
    JobStatus,
)
from localproc.views import execution_log


class Engine(Records):
    """Runs application packages, in this process, and keeps what happens in a home.

    ``home`` is a folder; several engines, in one process or several, may share it. ``settings`` are
    those of ``localproc.Settings``, by name. ``plugins`` are added to the installed ones.
    ``run_jobs=False`` opens the home to look at: nothing is run or taken over. ``allow_remote``
    lets packages include documents from the network.

    Raises ``HomeUnusable`` or ``StoreCorrupted``.

    As a context manager it waits, when left in peace, for the jobs that it has accepted; left by an
    exception, it leaves them to the next engine that opens the home. Raises ``EnvironmentProblem``
    if it has stopped by itself and they cannot be waited for.
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
        runtime = Runtime(home, plugins, Settings(**settings), run_jobs=run_jobs)
        self._set_up(runtime, runtime.settings.namespace, allow_remote=allow_remote)

    def within(self, namespace: str) -> Self:
        """Give the same engine for another namespace: its processes and jobs are its own.

        Raises ``InvalidInputs`` for a name that no folder or URL could have.
        """
        other = type(self).__new__(type(self))
        other._set_up(self._runtime, check_namespace(namespace), allow_remote=self._allow_remote)  # noqa: SLF001
        return other

    def _set_up(self, runtime: Runtime, namespace: str, *, allow_remote: bool) -> None:
        self._runtime = runtime
        self._allow_remote = allow_remote
        self.namespace = namespace
        self._registry = Registry(
            runtime.store,
            namespace,
            runtime.package_cache,
            runtime.storage,
            allow_remote=allow_remote,
        )
        self._acceptance = Acceptance(runtime, namespace)
        self.tokens = Tokens(runtime.store, namespace)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._runtime.completions.wait_for_all()
                self.check()
        finally:
            self.close()

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders of this machine that no client on a network is told of."""
        results = self._acceptance.results
        return (self._runtime.home.path, *([results] if os.path.isabs(results) else []))

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
        ``bases`` and ``references`` (see ``localproc.ogc.request``).

        Raises ``NoSuchProcess``; ``InvalidInputs`` with every problem and its JSON path;
        ``UnsupportedPackage`` if the executor lacks what the package requires. Nothing is left
        behind then.
        """
        self._runtime.check_open()
        self.check()
        record = process.record if isinstance(process, Process) else self._registry.get(process)
        request = self._acceptance.request(record, inputs, options)
        if detached or not self._runtime.run_jobs:
            return Job(self, self._acceptance.accept(record, request, owner=None).id)
        job = self._acceptance.accept(record, request, owner=self._runtime.owner())
        self._runtime.loop().accept(job)
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
        self._runtime.check_open()
        if not isinstance(package, Process):
            self.warm_up(options.get("executor", ""))
            package = self.deploy(package)
        return package.execute(inputs, **options).wait()

    def warm_up(self, executor: str = "") -> None:
        """Start what runs jobs while there is still something else to do before the first one."""
        if self._runtime.run_jobs and not self._runtime.closed:
            self._runtime.loop().warm_up(executor or self._runtime.settings.executor)

    def stand_by(self) -> None:
        """Take over jobs that nobody runs from now on; otherwise that begins with the first job."""
        if self._runtime.run_jobs and not self._runtime.closed:
            self._runtime.loop()

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
        before; raises ``NoSuchJob``).
        """
        if filters.get("before") is not None:
            self.record(filters["before"])
        check_finite({name: filters.get(name) for name in ("min_duration", "max_duration")})
        wanted = JobFilter(
            namespace=self.namespace,
            processes=_several(process),
            statuses=tuple(map(JobStatus, _several(status))),
            limit=limit,
            **filters,
        )
        return [Job(self, record.id, record) for record in self._runtime.store.jobs(wanted)]

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
        """Take over the jobs of the home that nobody runs; give all that are open.

        They may be those of any namespace. Those that were put aside are tried again.
        """
        self._runtime.store.reconsider()
        self._runtime.loop().ring()
        return self.jobs_of_all(JobStatus.ACCEPTED, JobStatus.RUNNING)

    def jobs_of_all(self, *statuses: JobStatus, limit: int = 10_000) -> list[Job]:
        """Give the jobs of all namespaces that are in one of these states, newest first."""
        found = self._runtime.store.jobs(JobFilter(statuses=statuses, limit=limit))
        engines = {record.namespace: self.within(record.namespace) for record in found}
        return [Job(engines[record.namespace], record.id, record) for record in found]

    def close(self) -> None:
        """Let go. Jobs that have not ended stay in the home; what of them runs goes on."""
        self._runtime.close()


def _several(names: str | Sequence[str]) -> tuple[str, ...]:
    """Give one name, none (an empty one) or several as several."""
    return tuple(filter(None, [names])) if isinstance(names, str) else tuple(names)
