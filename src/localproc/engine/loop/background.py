"""What is too slow for the loop: staging, preparing, collecting, removing folders.

Owns which threads do what. Must not know how it is done, nor decide anything: what came of it goes
back to the loop as a ``Done``.
"""

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Final
from urllib.parse import urlsplit

from localproc.cwl.expr.javascript import evaluating_with
from localproc.engine.job.effects import (
    Asked,
    Collect,
    Evaluate,
    FillFolder,
    FillInputs,
    MakePlan,
    Prepare,
    PullPlan,
    Recall,
    Remember,
    StageIn,
    StageOut,
    Withdraw,
    WriteOutputs,
)
from localproc.engine.job.facts import Done, News
from localproc.engine.job.failure_text import as_ours
from localproc.engine.job.step_names import work_folders
from localproc.engine.loop.job_context import JobContext
from localproc.engine.loop.job_work import JobWork
from localproc.engine.loop.removal import Removal
from localproc.engine.loop.task_folder import conceal
from localproc.engine.loop.workers import Work, Workers
from localproc.errors import JobDismissed
from localproc.executors.scripts import Scripts
from localproc.model import Secrets
from localproc.storage.step_cache import StepCache

_PROCESSORS: Final = os.cpu_count() or 1
#: The niceness of threads that copy files. More would not do: whoever has the interpreter's lock
#: must not wait long for a processor.
_WAY: Final = 5


class Background:
    """The threads. ``report`` is called in one of them with what came of an effect.

    ``active`` is how many jobs there may be at a time: work that waits for disks and networks gets
    so many threads that no job waits for another's. ``tmpdirs`` is a folder of the engine's own,
    which others remove when the engine is dead.
    """

    def __init__(
        self,
        work: JobWork,
        steps: StepCache,
        scripts: Scripts,
        tmpdirs: str,
        active: int,
        report: Callable[[str, News], None],
    ) -> None:
        self._work = work
        self._cache = steps
        self._tmpdirs = tmpdirs
        self._report = report
        self._scripts = scripts
        self._staging = Workers("staging", 2 * active, 2)
        self._placing = Workers("placing", 2 * active, 2, _WAY)
        self._planning = Workers("planning", _PROCESSORS, 1)  # one: steps begin in their order
        self._reading = Workers("reading", max(active, _PROCESSORS), _PROCESSORS)
        self._keeping = Workers("keeping", 2 * active, 2)
        self._tidying = Workers("tidying", 2 * _PROCESSORS, 1)
        self.removal = Removal(self.clean_up)  #: of the loop's thread
        #: Their work is not done any more for a job that is to stop.
        self._droppable = (self._staging, self._placing, self._planning, self._reading)
        self._lanes: Mapping[type[Asked], Workers] = {
            StageIn: self._staging,
            StageOut: self._staging,
            FillInputs: self._planning,
            WriteOutputs: self._planning,
            FillFolder: self._placing,
            MakePlan: self._planning,
            PullPlan: self._planning,
            Prepare: self._planning,
            Evaluate: self._planning,
            Recall: self._reading,
            Collect: self._reading,
            Withdraw: self._tidying,  # whose work is done though the job is stopped
        }

    def do(self, effect: Asked, job: JobContext) -> None:
        """Do an effect for a job."""
        lane = self._lanes[type(effect)]
        dropped = partial(self._drop, effect, job)
        lane.put(job.job_id, Work(partial(self._do, effect, job, lane), dropped))

    def stop(self, job: JobContext) -> None:
        """End what is being done for a job as soon as can be, and begin nothing more."""
        job.stopped.set()
        self._scripts.look_again()
        for lane in self._droppable:
            lane.drop(job.job_id)

    def remember(self, effect: Remember, job: JobContext) -> None:
        """Keep the outputs of a step, also of a job that is being stopped: its end waits for it."""
        self._keeping.put(job.job_id, Work(partial(self._remember, effect, job)))

    def _remember(self, effect: Remember, job: JobContext) -> None:
        try:
            with suppress(JobDismissed):
                self._cache.keep(
                    effect.identity,
                    effect.outputs,
                    effect.outdir,
                    job.job_id,
                    effect.name,
                    effect.log,
                    go_on=job.go_on,
                )
        finally:
            self._report(job.job_id, Done(effect))
        self._cache.make_room()

    def clean_up(self, jobs: Sequence[JobContext]) -> None:
        """Remove what jobs have worked with, one after the other."""
        self._tidying.put(jobs[0].job_id, Work(partial(self._clean_up, jobs)))

    def conceal(self, job: JobContext, revealed: Sequence[Secrets]) -> None:
        """Have no secrets in files of tasks, as not all of them have come to their end."""
        self._tidying.put(job.job_id, Work(partial(conceal, revealed)))

    def sweep(self, jobs: str, is_tidy: Callable[[str], bool]) -> None:
        """Remove what jobs have left whose engines were killed before they could.

        ``jobs`` has the folders of all jobs; ``is_tidy`` says whether those of a job's steps are to
        be removed.
        """
        self.call(partial(self._sweep, jobs, is_tidy))

    def _sweep(self, jobs: str, is_tidy: Callable[[str], bool]) -> None:
        with os.scandir(jobs) as found:
            folders = [one.path for one in found if any(map(os.path.isdir, work_folders(one.path)))]
        for folder in folders:
            job_id = os.path.basename(folder)
            if is_tidy(job_id):
                self._remove_work(job_id, folder)

    def read(self, job_id: str, function: Callable[[], None]) -> None:
        """Read what a job that is not taken up yet has behind it."""
        self._reading.put(job_id, Work(function))

    def call(self, function: Callable[[], None]) -> None:
        """Run anything else."""
        self._tidying.put("", Work(function))

    def nudge(self) -> None:
        """Try again to get threads, where there were none to be had."""
        for lane in (*self._droppable, self._keeping, self._tidying):
            lane.nudge()

    def close(self) -> None:
        """Finish what has begun; the jobs it is for have been told to stop."""
        self._scripts.close()
        for lane in self._droppable:
            lane.close(finish=False)
        self._keeping.close(finish=True)
        self.removal.begin()
        self._tidying.close(finish=True)

    def _clean_up(self, jobs: Sequence[JobContext]) -> None:
        for job in jobs:
            self._remove_work(job.job_id, job.folder)

    def _remove_work(self, job_id: str, job: str) -> None:
        for folder in work_folders(job):
            aside = os.path.join(self._tmpdirs, f"{job_id}-{os.path.basename(folder)}")
            remove(aside if _moved(folder, aside) else folder)

    def _drop(self, effect: Asked, job: JobContext) -> None:
        self._report(job.job_id, Done(effect, error=job.why_stopped()))

    def _do(self, effect: Asked, job: JobContext, lane: Workers) -> None:
        def evaluator(source: str, arguments: tuple[str, str, str], time_limit: float) -> str:
            return self._scripts.run(source, arguments, time_limit, job.stopped.is_set, lane.aside)

        try:
            with evaluating_with(evaluator):
                value = self._work.do(effect, job, lane.aside)
        except Exception as error:
            self._report(job.job_id, Done(effect, error=as_ours(error)))
        else:
            self._report(job.job_id, Done(effect, value))


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
