"""What a home knows of the jobs of one namespace.

Owns looking at jobs, waiting for their ends, and what may be done to a job that does not need to be
run here: dismissing, hiding, forgetting. Must not know how jobs are accepted or run.
"""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from localproc.engine.home import liveness
from localproc.engine.home.backup import back_up
from localproc.engine.home.settings import Settings
from localproc.engine.notify.completions import End
from localproc.engine.packages.registry import Registry
from localproc.engine.runtime import Runtime
from localproc.errors import JobPutAside, NoSuchJob
from localproc.model import Event, JobRecord, ProcessRecord
from localproc.plugins.manager import PluginManager


def check_readable(record: JobRecord) -> None:
    """Raise ``JobPutAside`` for a job that was put aside: nobody goes on with it."""
    if record.aside and not record.status.final and not record.dismiss_requested:
        raise JobPutAside(record.id, record.aside)


class Records:
    """A namespace of a home, to look at."""

    _runtime: Runtime
    _registry: Registry
    namespace: str

    @property
    def home(self) -> Path:
        """The home's folder."""
        return Path(self._runtime.home.path)

    @property
    def settings(self) -> Settings:
        """How the engine is set up."""
        return self._runtime.settings

    @property
    def plugins(self) -> PluginManager:
        """The plugins of this engine, and which of them are broken."""
        return self._runtime.plugins

    # Jobs

    def record(self, job_id: str) -> JobRecord:
        """Give a job's row; raises ``NoSuchJob``."""
        found = self._runtime.store.job(job_id)
        if found is None or found.namespace != self.namespace:
            raise NoSuchJob(job_id)
        return found

    def events(self, job_id: str, after: int = 0) -> list[Event]:
        """Give a job's events."""
        return self._runtime.store.events(job_id, after)

    def revision(self, job: JobRecord) -> ProcessRecord:
        """Give the process revision that a job runs."""
        found = self._runtime.store.process(job.namespace, job.process_id, job.revision)
        return self._registry.get(job.process_id) if found is None else found

    def job_folder(self, job_id: str) -> str:
        """Give a job's folder."""
        return self._runtime.home.job(job_id)

    def logs_folder(self, job_id: str) -> str:
        """Give the folder of a job's logs."""
        return self._runtime.home.logs(job_id)

    def wait_for(self, job_id: str, timeout: float | None) -> JobRecord:
        """Wait until a job has ended; give its row, whether it has or the time was over.

        Raises ``EnvironmentProblem`` if this engine has stopped by itself, or
        ``JobPutAside`` if the job was put aside.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        with self.end_of(job_id) as end:
            pause = 1.0 if end.expected_in == self.namespace else 0.0
            while True:
                left = pause if deadline is None else min(pause, deadline - time.monotonic())
                if end.wait(max(0, left)) and end.job is not None:
                    return end.job
                end.clear()  # the engine may have been closed: then others have to be asked
                record = self.record(job_id)
                if record.status.final or left < pause:
                    return record
                check_readable(record)
                self.check()
                pause = 1.0 if self._runtime.owns(record) else 0.1

    def check(self) -> None:
        """Raise ``EnvironmentProblem`` if this engine runs no jobs any more, by mishap."""
        self._runtime.check()

    def end_of(self, job_id: str) -> AbstractContextManager[End]:
        """Give what is set when a job has ended in this process, or the engine is closed."""
        return self._runtime.completions.of(job_id)

    def dismiss(self, job_id: str) -> None:
        """Ask for a job to stop, whoever runs it; one that has ended stays as it is."""
        self.record(job_id)
        if self._runtime.store.request_dismiss(job_id):
            self._runtime.call_owner(self.record(job_id))

    def hide(self, job_id: str) -> None:
        """Take a job off the lists; it stays as a tombstone that ``jobs(hidden=True)`` shows."""
        self.record(job_id)
        self._runtime.store.hide_job(job_id)

    def delete(self, job_id: str) -> bool:
        """Forget a job that has ended; its folder goes too, its published results stay."""
        self.record(job_id)
        if not self._runtime.store.delete_job(job_id):
            return False
        shutil.rmtree(self._runtime.home.job(job_id), ignore_errors=True)
        return True

    def open_jobs(self) -> int:
        """Count the jobs of the namespace that have not ended."""
        return self._runtime.store.open_jobs(self.namespace)

    def has_open_jobs(self) -> bool:
        """Whether any job of the home has not ended."""
        return bool(self._runtime.store.owners())

    # The home

    def backup(self, folder: str | os.PathLike[str]) -> None:
        """Copy the home into a folder that is empty or not there, while it is in use.

        Results that are published outside of the home are not in the copy. ``localproc restore``
        makes a home of it. Raises ``HomeUnusable`` or ``NoSpace``.
        """
        back_up(self._runtime.home, self._runtime.store, os.fspath(folder))

    def store_problems(self) -> list[str]:
        """Let the store check itself; give what is wrong."""
        return self._runtime.store.check()

    def alive(self) -> Iterator[tuple[str, int | None]]:
        """Give the engines that use the home now, with their process ids."""
        folder = self._runtime.home.engines
        for one in liveness.engines(folder):
            if liveness.is_alive(folder, one):
                yield one, liveness.pid_of(folder, one)
