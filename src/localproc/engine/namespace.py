"""One namespace of a home, for the objects that programs hold.

Owns its processes, accepting its jobs, looking at them, waiting for their ends, and what may be
done to a job wherever it runs: dismissing, hiding, forgetting. Must not know how jobs are run, nor
the public objects: they hold it.
"""

import os
import shutil
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from localproc import locks
from localproc.cwl.expr.javascript import evaluating_with
from localproc.engine.admission.accept import Acceptance
from localproc.engine.admission.inputs import read_inputs
from localproc.engine.home import liveness
from localproc.engine.home.home import check_namespace
from localproc.engine.home.mentioned import mentioned
from localproc.engine.home.retention import Retention
from localproc.engine.home.tokens import Tokens
from localproc.engine.notify.completions import End
from localproc.engine.notify.histories import JobHistory
from localproc.engine.packages.registry import Registry
from localproc.engine.runtime import Runtime
from localproc.errors import JobPutAside, NoSuchJob
from localproc.model import Event, InputPolicy, JobFilter, JobRecord, JobStatus, ProcessRecord
from localproc.model.trigger import Firing
from localproc.storage.step_cache import StepCache
from localproc.uris import uri_path

if TYPE_CHECKING:  # few jobs need them, and each takes a while to be imported
    from localproc.engine.admission.foresight import JobPlan
    from localproc.engine.upkeep.prune import Pruned
    from localproc.views.found_lines import FoundLogs

_TYPICAL: Final = 20  #: earlier jobs that say how long one takes


def check_readable(record: JobRecord) -> None:
    """Raise ``JobPutAside`` for a job that was put aside: nobody goes on with it."""
    if record.aside and not record.status.final and not record.dismiss_requested:
        raise JobPutAside(record.id, record.aside)


def _path_of(entry: str) -> str:
    return uri_path(entry.partition("#")[0])


class Namespace:
    """A namespace of a home; ``runtime`` is what all namespaces of one engine share.

    ``processes`` deploys and finds its processes, ``tokens`` says who may come in over HTTP.
    ``allow_remote``: packages may include documents from the network.
    """

    def __init__(self, runtime: Runtime, name: str, *, allow_remote: bool) -> None:
        self.runtime = runtime
        self.name = check_namespace(name)
        self.processes = Registry(
            runtime.store,
            name,
            runtime.package_cache,
            partial(runtime.storages.of_packages, namespace=name),
            allow_remote=allow_remote,
        )
        self.tokens = Tokens(runtime.store, name)
        self.acceptance = Acceptance(runtime, name)
        self.allow_remote = allow_remote

    def within(self, name: str) -> "Namespace":
        """Return another namespace of the same home; raises ``InvalidInputs`` for a bad name."""
        return Namespace(self.runtime, name, allow_remote=self.allow_remote)

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders of this machine that no client on a network is told of."""
        results = self.acceptance.results
        return (self.runtime.home.path, *([results] if os.path.isabs(results) else []))

    # Jobs

    def accept(
        self, process: ProcessRecord, inputs: Any, options: Mapping[str, Any], *, detached: bool
    ) -> str:
        """Record a job and return its id; it is run here, unless ``detached``.

        Raises ``InvalidInputs`` or ``UnsupportedPackage``; nothing is left behind then.
        """
        self.runtime.check_open()
        self.check()
        kept = self.runtime.run_jobs and not detached
        request = self.acceptance.request(process, inputs, options, kept=kept)
        if not kept:
            return self.acceptance.accept(process, request, owner=None)[0].id
        job, is_new = self.acceptance.accept(process, request, owner=self.runtime.owner())
        if is_new:
            self.runtime.run(job, process, request)
        return job.id

    def read_inputs(
        self, inputs: Any, base: str | os.PathLike[str] | None = None
    ) -> tuple[dict[str, Any], str]:
        """Return inputs and the URI of their folder; a file may lie wherever a storage reads."""
        return read_inputs(inputs, base, self.acceptance.documents(InputPolicy()))

    def plan(self, process: ProcessRecord, inputs: Any, options: Mapping[str, Any]) -> "JobPlan":
        """Return what a job would do; nothing is changed. Raises ``PluginMissing``."""
        from localproc.engine.admission.preview import preview

        with evaluating_with(self.runtime.scripts.evaluate):
            return preview(self.runtime, self.acceptance, process, inputs, options)

    def jobs(self, wanted: JobFilter) -> list[JobRecord]:
        """Return one page of jobs, newest first."""
        return self.runtime.store.jobs(wanted)

    def jobs_everywhere(self, statuses: Sequence[JobStatus], limit: int) -> list[JobRecord]:
        """Return the jobs of all namespaces that are in one of these states, newest first."""
        return self.runtime.store.jobs(JobFilter(statuses=tuple(statuses), limit=limit))

    def typical_duration(self, job: JobRecord) -> float | None:
        """Return the middle one of what its process last took when successful, in seconds."""
        done = JobFilter(
            namespace=self.name,
            processes=(job.process_id,),
            statuses=(JobStatus.SUCCESSFUL,),
            limit=_TYPICAL,
        )
        took = [
            (one.finished - one.started).total_seconds()
            for one in self.runtime.store.jobs(done)
            if one.started and one.finished and one.revision == job.revision
        ]
        return sorted(took)[len(took) // 2] if took else None

    def record(self, job_id: str) -> JobRecord:
        """Return a job's row; raises ``NoSuchJob``."""
        found = self.runtime.store.job(job_id) if isinstance(job_id, str) else None
        if found is None or found.namespace != self.name:
            raise NoSuchJob(job_id)
        return found

    def events(self, job_id: str, after: int = 0) -> list[Event]:
        """Return a job's events."""
        return self.runtime.store.events(job_id, after)

    def firing_of(self, job_id: str) -> Firing | None:
        """Return what a job was set off by, ``None`` if it was a person or a program."""
        return self.runtime.store.firing_of([job_id]).get(job_id)

    def history(self, job_id: str) -> JobHistory:
        """Return what has been read of a job's history; it reads only what is new."""
        return self.runtime.histories.of(job_id)

    def revision(self, job: JobRecord) -> ProcessRecord:
        """Return the process revision that a job runs."""
        found = self.runtime.store.process(job.namespace, job.process_id, job.revision)
        return self.processes.get(job.process_id) if found is None else found

    def process_for_retry(self, job: JobRecord, package: object) -> ProcessRecord:
        """Return the process that a retry of a job runs: of a package, or the job's as it is now.

        A package that was deployed from a file of this machine is read again.
        """
        if isinstance(package, ProcessRecord):
            return package
        then = self.revision(job)
        entry = then.entry
        if package is None and entry.startswith("file:") and os.path.isfile(_path_of(entry)):
            package = entry
        if package is not None:
            return self.processes.deploy(package, process_id=job.process_id)
        return self.runtime.store.process(self.name, job.process_id) or then

    def job_folder(self, job_id: str) -> str:
        """Return a job's folder."""
        return self.runtime.home.job(job_id)

    def logs_folder(self, job_id: str) -> str:
        """Return the folder of a job's logs."""
        return self.runtime.home.logs(job_id)

    def wait_for(self, job_id: str, timeout: float | None) -> JobRecord:
        """Wait until a job has ended; return its row, whether it has or the time was over.

        Raises ``EnvironmentProblem`` if this engine has stopped by itself, or
        ``JobPutAside`` if the job was put aside.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        with self.end_of(job_id) as end:
            pause = 1.0 if end.expected_in == self.name else 0.0
            while True:
                left = pause if deadline is None else min(pause, deadline - time.monotonic())
                if end.wait(max(0, left)) and end.job is not None:
                    return end.job
                end.clear()  # the engine may have been closed: then others have to be asked
                record = self.record(job_id)
                if record.status.final or left < pause:
                    return record
                self.see_to(record)
                pause = 1.0 if self.runtime.owns(record) else 0.1

    def check(self) -> None:
        """Raise ``EnvironmentProblem`` if this engine runs no jobs any more, by mishap."""
        self.runtime.check()

    def see_to(self, job: JobRecord) -> None:
        """See that a job which is waited for will end: one that nobody runs is taken over.

        Raises ``EnvironmentProblem`` or ``JobPutAside`` as ``wait_for`` does.
        """
        check_readable(job)
        self.check()
        if self.runtime.settings.adopt and not self.is_attended(job):
            self.stand_by()

    def end_of(self, job_id: str) -> AbstractContextManager[End]:
        """Return what is set when a job has ended in this process, or the engine is closed."""
        return self.runtime.completions.of(job_id)

    def dismiss(self, job_id: str) -> None:
        """Ask for a job to stop, whoever runs it; one that has ended stays as it is."""
        self.record(job_id)
        if self.runtime.store.request_dismiss(job_id):
            self.runtime.call_owner(self.record(job_id))

    def hide(self, job_id: str) -> None:
        """Take a job off the lists; it stays as a tombstone that ``jobs(hidden=True)`` shows."""
        ended = self.record(job_id).status.final
        self.runtime.store.hide_job(job_id)
        for part in ("work", "inputs") if ended else ():  # nobody is going to retry it
            shutil.rmtree(os.path.join(self.runtime.home.job(job_id), part), ignore_errors=True)

    def delete(self, job_id: str, *, results: bool) -> bool:
        """Forget a job that has ended, with its folder; return whether it had ended."""
        return self.runtime.pruner(self.name).remove(self.record(job_id), results=results)

    def prune(
        self, retention: Retention, *, dry_run: bool, among: Collection[str] | None
    ) -> "Pruned":
        """Remove the jobs that are to go, and of the step cache what is too much."""
        if not dry_run:
            StepCache(self.runtime.home.steps, needed=partial(mentioned, self.runtime.store)).evict(
                int(retention.cache)
            )
        return self.runtime.pruner(self.name).prune(retention, dry_run=dry_run, among=among)

    def search_logs(self, text: str, limit: int) -> "FoundLogs":
        """Return the logs of its jobs that have all words of a text."""
        from localproc.engine.upkeep.log_search import LogSearch

        return LogSearch(self.runtime.home, self.runtime.store, self.name).find(text, limit)

    def usage(self) -> dict[str, int]:
        """Return what the parts of the home take, in bytes."""
        from localproc.engine.upkeep.usage import usage

        return usage(self.runtime.home)

    def usage_of(self, job_id: str, root: str) -> dict[str, int]:
        """Return what the folder and the local results of a job take, in bytes."""
        from localproc.engine.upkeep.prune import usage_of

        return usage_of(self.runtime.home, job_id, root)

    def open_jobs(self) -> int:
        """Return the number of jobs of the namespace that have not ended."""
        return self.runtime.store.open_jobs(self.name)

    def has_open_jobs(self) -> bool:
        """Return whether any job of the home has not ended."""
        return bool(self.runtime.store.owners())

    # The home

    def is_attended(self, job: JobRecord) -> bool:
        """Return whether a job that had not ended is run, or has been until it ended.

        That an engine is gone says nothing as long as the job may be another's since it was read.
        """
        while not self._is_seen_to(job):
            now = self.runtime.store.job(job.id)
            if now is None or now.status.final:
                return True
            if now.owner == job.owner:
                return False
            job = now
        return True

    def _is_seen_to(self, job: JobRecord) -> bool:
        """Return whether an engine that lives owns a job, or may take up one without an owner.

        One that is on its way to run the home's jobs will do so, and is asked about first: what has
        arrived since then is alive. What cannot be found out is not said to be gone.
        """
        try:
            if locks.is_held(self.runtime.home.arrivals, shared=True):
                return True
            if job.owner is None:
                return any(self.alive())
            return liveness.is_alive(self.runtime.home.engines, job.owner)
        except OSError:  # there are no descriptors, say
            return True

    def stand_by(self) -> None:
        """Take over jobs that nobody runs from now on; otherwise that begins with the first job."""
        if self.runtime.run_jobs and not self.runtime.closed:
            self.runtime.loop()

    def backup(self, folder: str | os.PathLike[str]) -> None:
        """Copy the home into a folder; raises ``HomeUnusable`` or ``NoSpace``."""
        from localproc.engine.home.backup import back_up

        back_up(self.runtime.home, self.runtime.store, os.fspath(folder))

    def store_problems(self) -> list[str]:
        """Let the store check itself; return what is wrong."""
        return self.runtime.store.check()

    def alive(self) -> Iterator[tuple[str, int | None]]:
        """Yield the engines that use the home now, with their process ids."""
        folder = self.runtime.home.engines
        for one in liveness.engines(folder):
            if liveness.is_alive(folder, one):
                yield one, liveness.pid_of(folder, one)
