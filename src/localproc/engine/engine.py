"""The engine: what a program holds to run application packages.

Owns the public verbs, for one namespace of a home: its life, deploying and executing. Must not know
any face.
"""

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self, Unpack

from localproc.engine.handles import Job, Process
from localproc.engine.home.settings import Settings
from localproc.engine.home.tokens import Tokens
from localproc.engine.job_lists import jobs_everywhere
from localproc.engine.kept_jobs import KeptJobs
from localproc.engine.namespace import Namespace
from localproc.engine.options import (
    EngineSettings,
    ExecuteOptions,
    Inputs,
)
from localproc.engine.runtime import Runtime
from localproc.model import InputPolicy, JobStatus
from localproc.plugins.manager import PluginManager
from localproc.spelling import check_types, public

if TYPE_CHECKING:  # few jobs need them, and each takes a while to be imported
    from localproc.engine.mirror import Mirror
    from localproc.engine.triggers.schedules import Schedules
    from localproc.engine.triggers.subscriptions import Subscriptions

_IN_NOTEBOOKS: Final = 20  #: jobs that are shown there


@public
class LocalEngine(KeptJobs):
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
        check_types("Engine", {"home": (home, str | os.PathLike[str])})
        runtime = Runtime(home, plugins, Settings(**settings), run_jobs=run_jobs)
        name = runtime.settings.namespace
        self._namespace = Namespace(runtime, name, allow_remote=allow_remote)

    def __repr__(self) -> str:
        return f"<Engine {self.home}, namespace {self.namespace}>"

    def _repr_html_(self) -> str:
        from localproc.views import notebook

        jobs = [job.snapshot for job in self.jobs(limit=_IN_NOTEBOOKS)]
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
    def schedules(self) -> "Schedules":
        """The schedules of this namespace; a server, or ``run_triggers``, sees to them."""
        from localproc.engine.triggers.schedules import Schedules

        return Schedules(self._namespace)

    @property
    def subscriptions(self) -> "Subscriptions":
        """The subscriptions of this namespace, seen to as its schedules are."""
        from localproc.engine.triggers.subscriptions import Subscriptions

        return Subscriptions(self._namespace)

    def run_triggers(self) -> None:
        """See to the schedules and subscriptions of the home until the engine is closed.

        One process does at a time; another one takes over when that one is gone. Raises
        ``EnvironmentProblem`` if the engine is closed, or the system has no threads for it.
        """
        from localproc.engine.triggers.trigger_runner import TriggerRunner

        self._namespace.runtime.see_to_triggers(partial(TriggerRunner, self._namespace))

    @property
    def mirror(self) -> "Mirror":
        """The inputs that are there without a network (``Settings.offline``)."""
        from localproc.engine.mirror import Mirror

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
        from localproc.engine.packages.packing import pack

        return pack(
            package,
            allow_remote=self._namespace.allow_remote,
            plugins=self.plugins,
            storage_options=self.settings.storage_options,
        )

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
        found = process if isinstance(process, Process) else self.process(process)
        return found.execute(inputs, **options)

    def run(self, package: object, inputs: Inputs = None, **options: Unpack[ExecuteOptions]) -> Job:
        """Deploy a package, execute it, wait for its end, whatever it is, and return the job.

        The job's ``status`` tells how it ended; ``results()`` and ``raise_for_status()`` raise
        ``JobFailed`` if it failed. Raises what ``deploy`` and ``execute`` raise.
        """
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

    # The home

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
