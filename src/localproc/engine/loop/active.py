"""A job that is being run, and whoever runs it with it.

Owns keeping the bugs of one job from the others. Must not know the loop.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from localproc.engine.job.facts import Broken
from localproc.engine.job.job_run import JobRun
from localproc.engine.loop.job_context import JobContext
from localproc.engine.loop.step_executors import StepExecutors
from localproc.errors import JobFailed
from localproc.model import Secrets

_LOG: Final = logging.getLogger("localproc")


def _nobody(active: "Active") -> None:
    """Nobody wants to know."""


@dataclass(slots=True, eq=False)
class Active:
    """A job's run, its executors, and what is done for it in the background.

    ``revealed`` are the secrets of its tasks that were written into files. ``resting``: it had
    nothing to start although there was room, and has been told nothing since. ``decided`` is called
    each time that it has been let decide.
    """

    run: JobRun
    executors: StepExecutors
    context: JobContext
    revealed: list[Secrets] = field(default_factory=list)
    resting: bool = False
    decided: Callable[["Active"], None] = _nobody

    def let(self, decide: Callable[[JobRun], object]) -> bool:
        """Let the job decide; a bug in that fails the job and nothing else."""
        job_id = self.context.job_id
        self.resting = False
        try:
            return bool(decide(self.run))
        except Exception as error:
            _LOG.exception("job %s: %s", job_id, error)
            hint = "this is a bug in localproc: please report it with the traceback in the log"
            message = f"internal error: {type(error).__name__}: {error}"
            problem = JobFailed(message, job_id=job_id, hint=hint, cause="internal")
            self.run.take(Broken(problem))
            return True
        finally:
            self.decided(self)
