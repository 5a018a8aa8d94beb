"""What those who work for a job know of it.

Owns nothing but that, and the way to tell that nobody waits for the work any more.
"""

import threading

from localproc.cwl.run.process import Tool, Workflow
from localproc.engine.job.earlier import EarlierJob
from localproc.engine.job.reusable import Surroundings
from localproc.engine.job.task_factory import TaskFactory
from localproc.errors import JobDismissed
from localproc.frozen import frozen
from localproc.model import JobRequest


@frozen
class JobContext:
    """What work for a job needs to know of it. ``stopped`` is set when the job is to end."""

    job_id: str
    folder: str
    request: JobRequest
    stopped: threading.Event
    process: Tool | Workflow
    tasks: TaskFactory
    around: Surroundings
    package_files: tuple[str, ...] = ()  #: files that the package itself brings along
    namespace: str = ""
    earlier: EarlierJob | None = None  #: the one that is retried

    def go_on(self) -> None:
        """Raise ``JobDismissed`` once nobody waits for what is done for the job."""
        if self.stopped.is_set():
            raise self.why_stopped()

    def why_stopped(self) -> JobDismissed:
        """Return the error that tells what was not done for the job, because it is stopped."""
        return JobDismissed(f"job {self.job_id} was stopped")
