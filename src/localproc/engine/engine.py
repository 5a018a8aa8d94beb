"""The engine: what a program holds to run application packages.

Owns the public verbs, for one namespace of a home. Must not know any face.
"""

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, Unpack

from localproc.engine.handles import Job, Process
from localproc.engine.home.retention import Retention
from localproc.engine.home.settings import Settings
from localproc.engine.home.tokens import Tokens
from localproc.engine.job_lists import find_job, jobs_everywhere, list_executions, list_jobs
from localproc.engine.mirror import Mirror
from localproc.engine.namespace import Namespace
from localproc.engine.options import (
    EngineSettings,
    ExecuteOptions,
    Inputs,
    JobFilters,
    PruneOptions,
    check_options,
    check_types,
)
from localproc.engine.packages.packing import pack
from localproc.engine.runtime import Runtime
from localproc.engine.triggers.runner import TriggerRunner
from localproc.engine.triggers.schedules import Schedules
from localproc.engine.triggers.subscriptions import Subscriptions
from localproc.engine.upkeep.prune import Pruned
from localproc.model import InputPolicy, JobStatus, Trigger
from localproc.plugins.manager import PluginManager
from localproc.views import notebook
from localproc.views.found_lines import FoundLogs

_IN_NOTEBOOKS: Final = 20  #: jobs that are shown there


class LocalEngine:
    """Runs application packages, in this process, and keeps what happens in a home.

    ``localproc.Engine`` is this, with clients.
    """

    def __init__(
        self,
        home: str | os.PathLike[str] = ".localproc",
        *,
        plugins: Sequence[object] = (),
        run_jobs: bool = True,
        allow_remote: bool = False,
        **settings: Unpack[EngineSettings],
    ) -> None:
        check_options(type(self), settings, EngineSettings)
        check_types(type(self), {"home": (home, str | os.PathLike[str])})
        runtime = Runtime(home, plugins, Settings(**settings), run_jobs=run_jobs)
        name = runtime.settings.namespace
        self._namespace = Namespace(runtime, name, allow_remote=allow_remote)

    def __repr__(self) -> str:
        return f"<Engine {self.home}, namespace {self.namespace}>"

    def _repr_html_(self) -> str:
        jobs = [job.record for job in self.jobs(limit=_IN_NOTEBOOKS)]
        processes = [process.id for process in self.processes()]
        return notebook.jobs_html(f"{self.home}, namespace {self.namespace}", processes, jobs)

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
                self._namespace.runtime.completions.wait_for_all()
                self._namespace.check()
        finally:
            self.close()

    @property
    def home(self) -> Path:
        """The home's folder."""
        return Path(self._namespace.runtime.home.path)

    @property
    def namespace(self) -> str:
        """The namespace whose processes and jobs these are."""
        return self._namespace.name

    @property
    def settings(self) -> Settings:
        """How the engine is set up."""
        return self._namespace.runtime.settings

    @property
    def plugins(self) -> PluginManager:
        """The plugins of this engine, and which of them are broken."""
        return self._namespace.runtime.plugins

    @property
    def tokens(self) -> Tokens:
        """The tokens that let clients into this namespace over HTTP."""
        return self._namespace.tokens

    @property
    def schedules(self) -> Schedules:
        """The schedules of this namespace; a server, or ``run_triggers``, sees to them."""
        return Schedules(self._namespace)

    @property
    def subscriptions(self) -> Subscriptions:
        """The subscriptions of this namespace, seen to as its schedules are."""
        return Subscriptions(self._namespace)

    def run_triggers(self) -> None:
        """See to the schedules and subscriptions of the home until the engine is closed.

        One process does at a time; another one takes over when that one is gone.
        """
        runtime = self._namespace.runtime
        runtime.check_open()
        if runtime.triggers is None:
            runtime.triggers = TriggerRunner(self._namespace)
            runtime.triggers.start()

    @property
    def mirror(self) -> Mirror:
        """The inputs that are there without a network (``Settings.offline``)."""
        return Mirror(self._namespace)

    def within(self, namespace: str) -> Self:
        """Return the same engine for another namespace: its processes and jobs are its own.

        Raises ``InvalidInputs`` for a name that no folder or URL could have.
        """
        other = type(self).__new__(type(self))
        other._namespace = self._namespace.within(namespace)  # noqa: SLF001
        return other

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
        staging: str = "own",
    ) -> Process:
        """Deploy an application package and return it as a process.

        ``package`` is a path or URL of a CWL document (``#fragment`` picks a process of a
        ``$graph``) or of an OGC application package, its text, its bytes, or a mapping. What the
        same id held before is replaced; its revisions stay for the jobs that ran them. ``policy``
        bounds what may be read for it. ``staging="ours"``: of a package that came wrapped with
        steps that stage in and out, what they are around is deployed, and staged as any other.

        Raises ``InvalidPackage`` with every problem and its line, ``UnsupportedPackage``,
        ``DuplicatedProcess`` (with ``replace=False``), ``ImmutableProcess``.
        """
        record = self._namespace.processes.deploy(
            package,
            process_id=process_id,
            fragment=fragment,
            replace=replace,
            mutable=mutable,
            policy=policy,
            staging=staging,
        )
        return Process(self._namespace, record)

    def read(self, package: object, *, fragment: str = "") -> Process:
        """Return the process that a package would be, to look at: it is not deployed.

        Raises what ``deploy`` raises.
        """
        return Process(self._namespace, self._namespace.processes.read(package, fragment))

    def pack(self, package: object) -> str:
        """Return a package as one YAML document that can be sent: any CWL runner takes it.

        What it runs, imports and includes is put in, the files that it names are literals.
        ``package`` is what ``deploy`` takes. Raises ``InvalidPackage``, or ``UnsupportedPackage``
        for files that are no text.
        """
        return pack(package, allow_remote=self._namespace.allow_remote)

    def undeploy(self, process_id: str, *, force: bool = False) -> None:
        """Undeploy a process; its jobs stay. Raises ``ProcessInUse`` unless forced."""
        self._namespace.processes.undeploy(process_id, force=force)

    def process(self, process_id: str, revision: str | None = None) -> Process:
        """Return a deployed process, or an earlier revision of one; raises ``NoSuchProcess``."""
        return Process(self._namespace, self._namespace.processes.get(process_id, revision))

    def processes(self) -> list[Process]:
        """Return all deployed processes, by id."""
        return [Process(self._namespace, record) for record in self._namespace.processes.all()]

    # Jobs

    def execute(
        self, process: str | Process, inputs: Inputs = None, **options: Unpack[ExecuteOptions]
    ) -> Job:
        """Accept a job, start it as soon as there is room, and return it at once.

        ``process`` is a deployed one or its id. ``inputs`` is a mapping, or the path of a YAML or
        JSON file; paths in it are relative to that file, or to the current folder. For ``options``
        see ``localproc.engine.options.ExecuteOptions``.

        Raises ``NoSuchProcess``; ``InvalidInputs`` with every problem and its JSON path;
        ``UnsupportedPackage`` if the executor lacks what the package requires; ``UnknownOption``.
        Nothing is left behind then.
        """
        check_options(self.execute, options, ExecuteOptions)
        found = process if isinstance(process, Process) else self.process(process)
        return found.execute(inputs, **options)

    def run(self, package: object, inputs: Inputs = None, **options: Unpack[ExecuteOptions]) -> Job:
        """Deploy a package, execute it, wait for its end, whatever it is, and return the job.

        The job's ``status`` tells how it ended; ``results()`` and ``raise_for_status()`` raise
        ``JobFailed`` if it failed. Raises what ``deploy`` and ``execute`` raise.
        """
        check_options(self.run, options, ExecuteOptions)
        self._namespace.runtime.check_open()
        if not isinstance(package, Process):
            self.warm_up(options.get("executor", ""))
            package = self.deploy(package)
        return package.execute(inputs, **options).wait()

    def warm_up(self, executor: str = "") -> None:
        """Start what runs jobs while there is still something else to do before the first one."""
        runtime = self._namespace.runtime
        if runtime.run_jobs and not runtime.closed:
            runtime.loop().warm_up(executor or runtime.settings.executor)

    def job(self, job_id: str) -> Job:
        """Return a job of the home by its id; raises ``NoSuchJob``."""
        return Job(self._namespace, job_id, self._namespace.record(job_id))

    def find_job(self, name: str) -> Job:
        """Return the job that a person means by ``name``.

        That is its id, any piece of it that no other job has, ``last`` for the one accepted last,
        or ``last:failed`` for the last one in that state. Raises ``NoSuchJob``, ``AmbiguousJob``
        with the candidates, or ``InvalidInputs`` for a state that does not exist.
        """
        return find_job(self._namespace, name)

    def jobs(
        self,
        *,
        process: str | Sequence[str] = (),
        status: str | Sequence[str] = (),
        limit: int = 100,
        **filters: Unpack[JobFilters],
    ) -> list[Job]:
        """Return jobs, newest first (OGC API - Processes Part 1, class "job list").

        ``process`` and ``status`` are one or several, ``limit`` the most that are returned. Further
        ``filters``: ``since`` and ``until`` bound when a job was accepted (local times where they
        have no zone), ``min_duration`` and ``max_duration`` how long it has run (seconds);
        ``trigger``, ``run_as``, ``tag``, ``piece`` (of the id); ``hidden=True`` shows tombstones
        too; ``before`` and ``after`` are the id of the job that a page lies next to, on its older
        or newer side.

        Raises ``NoSuchJob`` for such an id, ``InvalidInputs`` for a state that does not exist or
        a number that is none, ``UnknownOption``.
        """
        check_options(self.jobs, filters, JobFilters)
        check_types(self.jobs, {"limit": (limit, int)})
        return list_jobs(self._namespace, process, status, limit, filters)

    def executions(
        self,
        *,
        process: str | Sequence[str] = (),
        since: datetime | None = None,
        until: datetime | None = None,
        failed: bool = False,
        status: str = "",
        limit: int = 100,
        before: str | None = None,
        began_since: datetime | None = None,
        began_until: datetime | None = None,
        trigger: Trigger | None = None,
    ) -> list[dict[str, Any]]:
        """Return jobs as entries of the execution log, newest first; see ``Job.execution``.

        ``since`` and ``until`` bound when they were accepted, ``began_since`` and ``began_until``
        when they were started. ``failed``: only those whose status
        there is ``failed``, which dismissed ones have too; ``status`` any other (``success``,
        ``warning``, ``retrying`` ...). ``before`` is the ``_id`` of the last one of the page
        before.

        Raises ``InvalidInputs`` for a status that there is not.
        """
        filters = JobFilters(
            since=since,
            until=until,
            before=before,
            began_since=began_since,
            began_until=began_until,
            trigger=trigger,
        )
        shown = "failed" if failed else status
        return list_executions(self._namespace, process, shown, limit, filters)

    def search_logs(self, text: str, *, limit: int = 20) -> FoundLogs:
        """Return the logs of steps that have all words of a text, those of the newest jobs first.

        Words may be the beginnings of longer ones; what stands in double quotes is a phrase. Each
        of its ``logs`` has ``job``, ``step`` and ``lines``. The first searches of a home read a
        part of its logs each: ``unread`` tells of how many jobs they were not read yet.

        Raises ``InvalidInputs`` for a text without words, ``EnvironmentProblem`` where SQLite has
        no full-text search.
        """
        return self._namespace.search_logs(text, limit)

    def dismiss(self, job_id: str) -> None:
        """Ask for a job to stop, whoever runs it; one that has ended stays as it is.

        ``Job.dismiss`` waits until nothing of it runs. Raises ``NoSuchJob``.
        """
        self._namespace.dismiss(job_id)

    def hide(self, job_id: str) -> None:
        """Take a job off the lists; it stays as a tombstone that ``jobs(hidden=True)`` shows."""
        self._namespace.hide(job_id)

    def delete(self, job_id: str, *, results: bool = False) -> bool:
        """Forget a job that has ended, with its folder; return whether it had ended.

        Its published results stay, unless ``results``. Raises ``NoSuchJob``; ``InvalidInputs`` if
        its results lie among those of others.
        """
        return self._namespace.delete(job_id, results=results)

    def prune(self, *, dry_run: bool = False, **options: Unpack[PruneOptions]) -> Pruned:
        """Forget jobs that have ended; return which ones, and what the disk has back.

        For ``options`` see ``localproc.engine.home.retention.Retention``: all jobs that have ended
        go, unless they say otherwise. A job that one which has not ended needs stays: its results
        may be that one's inputs. With ``dry_run`` nothing is removed. Raises ``InvalidInputs``.
        """
        check_options(self.prune, options, PruneOptions)
        return self._namespace.prune(Retention(**options), dry_run=dry_run)

    def usage(self) -> dict[str, int]:
        """Return what the parts of the home take, in bytes: ``store``, ``jobs``, ``results``, ...

        Results that are published elsewhere are not in it.
        """
        return self._namespace.usage()

    def resume(self) -> list[Job]:
        """Take over the jobs of the home that nobody runs; return all that are open.

        They may be those of any namespace. Those that were put aside are tried again.
        """
        self._namespace.runtime.store.reconsider()
        self._namespace.runtime.loop().ring()
        return jobs_everywhere(self._namespace, JobStatus.ACCEPTED, JobStatus.RUNNING)

    def backup(self, folder: str | os.PathLike[str]) -> None:
        """Copy the home into a folder that is empty or not there, while it is in use.

        Results that are published outside of the home are not in the copy. ``localproc restore``
        makes a home of it. Raises ``HomeUnusable`` or ``NoSpace``.
        """
        self._namespace.backup(folder)

    def close(self) -> None:
        """Let go. Jobs that have not ended stay in the home; what of them runs goes on."""
        self._namespace.runtime.close()


def namespace_of(engine: LocalEngine) -> Namespace:
    """Return what is behind an engine: for faces, not for users."""
    return engine._namespace  # noqa: SLF001
