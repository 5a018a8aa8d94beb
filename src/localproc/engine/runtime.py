"""What all namespaces of one engine share: home, store, plugins, storages, and the loop.

Owns their lives: opening, starting the loop when there is something to run, closing. Must not know
what is asked of an engine.
"""

import os
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Protocol

from localproc import forks
from localproc.engine.container_runtimes import Containers
from localproc.engine.home import liveness
from localproc.engine.home.cwd import absolute_home
from localproc.engine.home.home import Home
from localproc.engine.home.identity import settle
from localproc.engine.home.liveness import Liveness
from localproc.engine.home.plugin_options import check_plugin_options
from localproc.engine.home.retention import Retention
from localproc.engine.home.secrets import SecretKeeper
from localproc.engine.home.settings import Settings, base_environment
from localproc.engine.home.settings_file import with_file
from localproc.engine.job.failure_text import as_ours
from localproc.engine.notify.completions import Completions
from localproc.engine.notify.histories import Histories
from localproc.engine.notify.observers import Observers
from localproc.engine.packages.compiled import CompiledProcesses
from localproc.engine.packages.package_cache import PackageCache, cache_folder
from localproc.engine.upkeep.hourly_prune import HourlyPrune
from localproc.engine.upkeep.remains import Remains, Remover
from localproc.errors import EnvironmentProblem, LocalprocError, NoSpace
from localproc.executors.scripts import Scripts
from localproc.lengths import LARGE, is_within
from localproc.model import JobFilter, JobRecord, JobRequest, ProcessRecord
from localproc.plugins.executor import Executor, ExecutorPlugin, ExecutorSettings
from localproc.plugins.manager import PluginManager
from localproc.plugins.storage import Storage
from localproc.plugins.store import Store
from localproc.software.resolution import Software, open_sources
from localproc.storage.input_cache import InputCache
from localproc.storage.kept_inputs import Offline
from localproc.storage.open_storages import Storages
from localproc.storage.remnants import Remnants
from localproc.store import SqliteStore

if TYPE_CHECKING:  # not every engine needs them, and each takes a while to be imported
    from localproc.engine.loop.loop import Loop
    from localproc.engine.loop.loop_parts import LoopParts
    from localproc.engine.notify.callback_sender import CallbackSender
    from localproc.engine.upkeep.prune import Pruner


class Closing(Protocol):
    """What is ended before the loop is."""

    def start(self) -> None:
        """Begin."""

    def close(self) -> None:
        """End."""


class Runtime:
    """The shared parts of an engine. Raises ``HomeUnusable`` or ``StoreCorrupted``."""

    def __init__(
        self,
        home: str | os.PathLike[str],
        plugins: Sequence[object],
        settings: Settings,
        *,
        run_jobs: bool,
    ) -> None:
        self.home = Home(absolute_home(home))
        journal = self.home.prepare(settings.work)
        settings = with_file(settings, self.home.settings)
        self.settings = replace(settings, adopt=settings.adopt and run_jobs)
        self.secrets = SecretKeeper(self.settings.secrets, self.home.salt)
        self.plugins = PluginManager(plugins)
        check_plugin_options(self.settings, self.plugins)
        self.run_jobs = run_jobs
        self.closed = self._inherited = False
        self.completions, self.scripts = Completions(), Scripts()
        self.containers = Containers(self.plugins, self.settings)
        kept = settings.inputs_cache or self.home.inputs
        self.inputs = InputCache(kept, settings.inputs_cache_limit << 20)
        self.storages = self._storages()
        sources = open_sources(self.settings.resolvers, self.plugins.software)
        self.software = Software(sources, base_environment())
        self._lock = threading.RLock()
        self._liveness: Liveness | None = None
        self._loop: Loop | None = None
        self._upkeep: HourlyPrune | None = None
        self._callbacks: CallbackSender | None = None
        self._seeing = threading.Lock()  # apart from the other: threads that fail to start use it
        self._triggers: Closing | None = None  #: sees to schedules and subscriptions
        self.store = self._open_store(journal)
        self._remnants = Remnants(self.home.remnants, self._ring_remover)
        self.remains = Remains(self._remnants, self.store, self._open_storage)
        self._remover = Remover(self.remains)
        self.histories = Histories(self.store.events)
        self.package_cache = PackageCache(cache_folder())
        self.processes = CompiledProcesses(self.store)
        self.observers = Observers(self.plugins)
        forks.watch(self)
        try:
            self._go_on()
        except BaseException:
            self.close()
            raise

    def _go_on(self) -> None:
        """Go on with what engines before this one have left in the home."""
        settle(self.home, self.store)
        if self.settings.adopt and self.store.owners():
            self.loop()
        if self.run_jobs and self.store.next_callback() is not None:
            self.ring_callbacks()

    def _open_store(self, journal: str) -> Store:
        """Open the store: where the disk is full, in the room that was set aside for such times."""
        self.home.keep_ballast()
        opened = partial(
            SqliteStore, self.home.store, journal=journal, durable=self.settings.durable
        )
        try:
            return opened()
        except NoSpace:
            if not self.home.drop_ballast():
                raise
            return opened()

    def _storages(self) -> Storages:
        return Storages(
            self.plugins.storage,
            self.settings.storage_options,
            self.settings.namespace_storage_options,
            self.inputs,
            Offline(self.settings.offline),
        )

    def loop(self) -> "Loop":
        """Return the loop; it is started the first time, unless the engine is closed."""
        with self._lock:
            if self._loop is None:
                self.check_open()
                self._begin()
                if self.remains.any():
                    self._remover.ring()
                if self.settings.prune:
                    stamp = os.path.join(self.home.path, ".pruned")
                    self._upkeep = HourlyPrune(stamp, self._prune_all)
            assert self._loop is not None
            return self._loop

    def _begin(self) -> None:
        """Have a loop; of one that cannot be had nothing is left, so that the next call tries."""
        try:
            bell = Liveness(self.home.engines)
        except OSError as error:
            raise as_ours(error) from error
        self._liveness = bell
        try:
            from localproc.engine.loop.loop import Loop  # who only looks has none

            loop = Loop(self._loop_parts(), bell)
            loop.start()
        except (LocalprocError, OSError) as error:
            self._liveness = None
            bell.leave()
            raise as_ours(error) from error
        self._loop = loop

    def _loop_parts(self) -> "LoopParts":
        from localproc.engine.loop.loop_parts import LoopParts

        return LoopParts(
            home=self.home,
            store=self.store,
            settings=self.settings,
            storages=self.storages,
            containers=self.containers,
            open_executor=self._open_executor,
            compiled=self.processes.of_job,
            observers=self.observers,
            completions=self.completions,
            callbacks_posted=self.ring_callbacks,
            secrets=self.secrets,
            remnants=self._remnants,
            scripts=self.scripts,
            software=self.software.provide,
        )

    def check_open(self) -> None:
        """Raise ``EnvironmentProblem`` if it is closed, or another process's."""
        if self._inherited:
            raise EnvironmentProblem(
                "this engine belongs to the process that this one was forked from",
                hint="open another one on the home after forking",
            )
        if self.closed:
            raise EnvironmentProblem("the engine is closed")

    def check(self) -> None:
        """Raise ``EnvironmentProblem`` if jobs are not run any more though nobody has closed it."""
        broken = None if self._loop is None else self._loop.broken
        if broken is not None:
            raise EnvironmentProblem(
                f"the engine has stopped: {as_ours(broken).message}",
                hint="its jobs are still there: another engine on the home goes on with them",
            ) from broken

    def ring_callbacks(self) -> None:
        """Have callbacks delivered; its thread is started the first time."""
        with self._lock:
            if self._callbacks is None:
                from localproc.engine.notify.open_callbacks import open_callbacks

                self._callbacks = open_callbacks(self.store, self.settings, self.secrets)
            self._callbacks.ring()

    def see_to_triggers(self, opened: Callable[[], Closing]) -> None:
        """Have schedules and subscriptions seen to by what is opened, unless that is done."""
        with self._seeing:
            self.check_open()
            if self._triggers is None:
                triggers = opened()
                triggers.start()
                self._triggers = triggers

    def owner(self) -> str:
        """Return the id that this engine owns jobs under; raises ``EnvironmentProblem``."""
        self.loop()
        self.check()
        assert self._liveness is not None
        return self._liveness.id

    def run(self, job: JobRecord, record: ProcessRecord, request: JobRequest) -> None:
        """Run a job that has just been accepted, and is this engine's own."""
        self.processes.of(record)  # here, so that the loop need not make it ready
        quick = "cwl:requirements" not in request.inputs and is_within(request.inputs, LARGE)
        self.loop().accept(job, request.recorded() if quick else None)

    def owns(self, job: JobRecord) -> bool:
        """Whether this engine runs a job."""
        return self._liveness is not None and job.owner == self._liveness.id

    def call_owner(self, job: JobRecord) -> None:
        """Have whoever runs a job look at the store; without anybody, do it here."""
        engines = self.home.engines
        if job.owner is not None and not self.owns(job) and liveness.is_alive(engines, job.owner):
            liveness.ring(engines, job.owner)
        else:
            self.loop().ring()

    def close(self) -> None:
        """Let go of everything."""
        with self._lock:
            closed, self.closed = self.closed, True
        if closed:
            return
        with ExitStack() as parts:  # the last of these first, and each though another one fails
            for part in (self.store, self.storages, self.observers, self.scripts):
                parts.callback(part.close)
            if self._liveness is not None:
                parts.callback(self._liveness.leave)
            parts.callback(self._remover.close)
            parts.callback(self._close_callbacks)
            if self._loop is not None:
                parts.callback(self._loop.stop)
            parts.callback(self._close_triggers)
            if self._upkeep is not None:
                parts.callback(self._upkeep.stop)

    def _close_triggers(self) -> None:
        with self._seeing:
            triggers = self._triggers
        if triggers is not None:
            triggers.close()

    def _close_callbacks(self) -> None:
        with self._lock:
            callbacks = self._callbacks
        if callbacks is not None:
            callbacks.close()

    def left_behind(self) -> None:
        """In a forked child: loop, threads and jobs are the parent's, and go on there."""
        self.closed = self._inherited = True
        self._lock, self._seeing = threading.RLock(), threading.Lock()
        self.completions = Completions()
        self._liveness = self._loop = self._callbacks = self._upkeep = self._triggers = None
        self._remover = Remover(self.remains)

    def pruner(self, namespace: str) -> "Pruner":
        """Return what removes jobs of a namespace."""
        from localproc.engine.upkeep.prune import Pruner

        return Pruner(self.home, self.store, namespace, self._open_storage, self.remains)

    def _open_storage(self, uri: str, namespace: str) -> Storage:
        return self.storages.open(uri, namespace=namespace)

    def _ring_remover(self) -> None:
        self._remover.ring()

    def _prune_all(self, stopped: Callable[[], bool]) -> None:
        """Remove what the settings say may go, in every namespace."""
        retention = Retention.of(self.settings.prune)
        found = self.store.jobs(JobFilter(hidden=True, limit=1_000_000))
        for namespace in {job.namespace for job in found}:
            self.pruner(namespace).prune(retention, dry_run=False, stopped=stopped)

    def executor_settings(self, plugin: ExecutorPlugin, engine: str) -> ExecutorSettings:
        """Return what an executor is opened with, by an engine of that id."""
        cores, ram, slots = self.settings.capacity()
        if plugin.capabilities.remote:  # this machine's processors are not its own
            cores, ram, slots = self.settings.cores, self.settings.ram, self.settings.slots
        return ExecutorSettings(
            folder=self.home.executor(plugin.name),
            engine=engine,
            cores=cores,
            ram=ram,
            slots=slots,
            options=self.settings.executor_options.get(plugin.name, {}),
            is_over=self._is_over,
        )

    def _is_over(self, key: str) -> bool:
        """Whether nobody asks for a task any more: its job has ended, or is not known."""
        job = self.store.job(key.partition(":")[0])
        return job is None or job.status.final

    def _open_executor(self, name: str) -> Executor:
        from localproc.engine.loop.guarded import GuardedExecutor

        assert self._liveness is not None
        plugin = self.plugins.executor(name)
        settings = self.executor_settings(plugin, self._liveness.id)
        return GuardedExecutor(plugin, settings, runtimes=self.containers.runtime)
