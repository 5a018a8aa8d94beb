"""What is too slow for the loop: staging, collecting large outputs, removing folders.

Owns a few threads, and the work they do for jobs. Must not know the store or decide anything: what
came of it goes back to the loop as a ``Done``.
"""

import os
import shutil
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from localproc.cwl.collect import collect, with_checksums
from localproc.engine.orders import Collect, Done, StageIn, StageOut
from localproc.engine.run import as_ours
from localproc.engine.steplog import LogWriter
from localproc.model import JobRequest
from localproc.storage.access import Access
from localproc.storage.disk import Disk
from localproc.storage.publish import Publisher
from localproc.storage.stage_in import stage_in

_THREADS = 4


@dataclass(frozen=True, slots=True)
class JobContext:
    """What staging needs to know of a job. ``stopped`` is set when the job is to end."""

    job_id: str
    folder: str
    request: JobRequest
    results: str
    stopped: threading.Event
    package_files: tuple[str, ...] = ()  #: files that the package itself brings along


class Background:
    """The threads. ``report`` is called in one of them with what came of an order."""

    def __init__(self, access: Access, report: Callable[[str, Done], None]) -> None:
        self._access = access
        self._report = report
        self._pool = ThreadPoolExecutor(_THREADS, "localproc-work")

    def do(self, order: StageIn | StageOut | Collect, job: JobContext) -> None:
        """Do an order for a job."""
        self._pool.submit(self._do, order, job)

    def call(self, function: Callable[[], None]) -> None:
        """Run anything else."""
        self._pool.submit(function)

    def close(self) -> None:
        """Finish what has begun."""
        self._pool.shutdown(wait=True, cancel_futures=False)

    def _do(self, order: StageIn | StageOut | Collect, job: JobContext) -> None:
        try:
            value = self._value(order, job)
        except Exception as error:
            if not isinstance(order, Collect):
                LogWriter(order.log)(f"failed: {error}")
            self._report(job.job_id, Done(order, error=as_ours(error)))
        else:
            self._report(job.job_id, Done(order, value))

    def _value(self, order: StageIn | StageOut | Collect, job: JobContext) -> Any:
        if isinstance(order, Collect):
            return collect(order.prepared, order.report.exit_code or 0, Disk())
        if isinstance(order, StageIn):
            folder = os.path.join(job.folder, "inputs")
            log = LogWriter(order.log)
            return stage_in(order.inputs, folder, self._access, log, job.stopped.is_set)
        return self._publish(order, job)

    def _publish(
        self, order: StageOut, job: JobContext
    ) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        flat = job.request.options.get("layout") == "flat"
        outputs = with_checksums(order.outputs, Disk()) if flat else order.outputs
        publisher = Publisher(
            self._access.storage(job.results),
            job.results if flat else f"{job.results}/{job.job_id}",
            job.job_id,
            own=(os.path.join(job.folder, "work"), os.path.join(job.folder, "inputs")),
            inputs=(*order.inputs, *job.package_files),
            log=LogWriter(order.log),
            catalogs=not flat,
            stopped=job.stopped.is_set,
        )
        return publisher.publish(outputs)


def remove(folder: str) -> None:
    """Remove a folder, whatever is in it."""
    if urlsplit(folder).scheme == "" and os.path.isabs(folder):
        shutil.rmtree(folder, ignore_errors=True)
