"""What is too slow for the loop: staging, collecting large outputs, removing folders.

Owns a few threads, and the work they do for jobs. Must not know the store or decide anything: what
came of it goes back to the loop as a ``Done``.
"""

import os
import shutil
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from localproc.cwl.base.listing import with_checksums
from localproc.cwl.run.collect import collect
from localproc.cwl.run.reuse_key import identity
from localproc.engine.job.effects import Asked, Collect, Done, Recall, Remember, StageOut
from localproc.engine.job.failure_text import as_ours
from localproc.engine.job.steplog import log_writer
from localproc.model import JobRequest
from localproc.storage.access import Access, OpenStorage
from localproc.storage.disk import Disk
from localproc.storage.publish import Publisher
from localproc.storage.results_place import results_root
from localproc.storage.stage_in import linked_files, stage_in
from localproc.storage.step_cache import StepCache

_THREADS = 4


@dataclass(frozen=True, slots=True)
class JobContext:
    """What staging needs to know of a job. ``stopped`` is set when the job is to end."""

    job_id: str
    folder: str
    request: JobRequest
    stopped: threading.Event
    package_files: tuple[str, ...] = ()  #: files that the package itself brings along


class Background:
    """The threads. ``report`` is called in one of them with what came of an effect.

    ``tmpdirs`` is a folder of the engine's own, which others remove when the engine is dead.
    """

    def __init__(
        self,
        open_storage: OpenStorage,
        cache: StepCache,
        tmpdirs: str,
        report: Callable[[str, Done], None],
    ) -> None:
        self._open_storage = open_storage
        self._cache = cache
        self._tmpdirs = tmpdirs
        self._report = report
        self._keeping: dict[str, list[Future[bool]]] = {}
        self._pool = ThreadPoolExecutor(_THREADS, "localproc-work")

    def do(self, effect: Asked, job: JobContext) -> None:
        """Do an effect for a job."""
        self._pool.submit(self._do, effect, job)

    def remember(self, effect: Remember, job: JobContext) -> None:
        """Keep the outputs of a step; a job's folder is removed only after that."""
        kept = self._pool.submit(
            self._cache.keep, effect.identity, effect.outputs, effect.outdir, job.job_id
        )
        self._keeping.setdefault(job.job_id, []).append(kept)

    def clean_up(self, job: JobContext) -> None:
        """Remove what a job has worked with, once all that is to be remembered has been."""
        self._pool.submit(self._clean_up, job, self._keeping.pop(job.job_id, []))

    def call(self, function: Callable[[], None]) -> None:
        """Run anything else."""
        self._pool.submit(function)

    def close(self) -> None:
        """Finish what has begun."""
        self._pool.shutdown(wait=True, cancel_futures=False)

    def _clean_up(self, job: JobContext, first: list[Future[bool]]) -> None:
        wait(first)
        for part in ("work", "inputs"):
            folder = os.path.join(job.folder, part)
            aside = os.path.join(self._tmpdirs, f"{job.job_id}-{part}")
            remove(aside if _moved(folder, aside) else folder)

    def _do(self, effect: Asked, job: JobContext) -> None:
        try:
            value = self._value(effect, job)
        except Exception as error:
            self._report(job.job_id, Done(effect, error=as_ours(error)))
        else:
            self._report(job.job_id, Done(effect, value))

    def _value(self, effect: Asked, job: JobContext) -> Any:
        if isinstance(effect, Collect):
            return collect(effect.prepared, effect.report.exit_code or 0, Disk())
        if isinstance(effect, Recall):
            key = identity(effect.invocation.tool, effect.invocation.inputs, Disk())
            return key, self._cache.find(key)
        with log_writer(effect.log) as log:
            if isinstance(effect, StageOut):
                return self._publish(effect, job, log)
            folder = os.path.join(job.folder, "inputs")
            access = Access(self._open_storage, job.request.policy, job.stopped.is_set)
            return stage_in(effect.inputs, folder, access, log)

    def _publish(
        self, effect: StageOut, job: JobContext, log: Callable[[str], None]
    ) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        flat = job.request.options.get("layout") == "flat"
        root = results_root(job.job_id, job.request)
        outputs = with_checksums(effect.outputs, Disk()) if flat else effect.outputs
        inputs = os.path.join(job.folder, "inputs")
        publisher = Publisher(
            self._open_storage(urlsplit(root).scheme, False),
            root,
            job.job_id,
            own=(os.path.join(job.folder, "work"), inputs),
            inputs=(*effect.inputs, *job.package_files, *linked_files(inputs), self._cache.folder),
            log=log,
            catalogs=not flat,
            stopped=job.stopped.is_set,
        )
        return publisher.publish(outputs)


def _moved(folder: str, aside: str) -> bool:
    """Move a folder that is to be removed to where it is found if that is cut short."""
    try:
        os.rename(folder, aside)
    except OSError:  # there is none, or this engine has run no task
        return False
    return True


def remove(folder: str) -> None:
    """Remove a folder, whatever is in it."""
    if urlsplit(folder).scheme == "" and os.path.isabs(folder):
        shutil.rmtree(folder, ignore_errors=True)
