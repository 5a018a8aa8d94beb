"""What is too slow for the loop: staging, preparing, collecting, removing folders.

Owns which threads do what, and the work they do for jobs. Must not know the store or decide
anything: what came of it goes back to the loop as a ``Done``.
"""

import os
import shutil
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any, Final
from urllib.parse import urlsplit

from localproc.cwl.base.listing import with_checksums
from localproc.cwl.expr.javascript import evaluating_with
from localproc.cwl.run.fingerprint import fingerprint, named
from localproc.cwl.run.plan import Invocation
from localproc.cwl.run.prepare import Prepared
from localproc.cwl.run.process import Tool, Workflow, tools
from localproc.cwl.run.process_inputs import complete, fill
from localproc.cwl.run.remote_defaults import DEFAULTS
from localproc.engine.containers import Containers
from localproc.engine.job.earlier import EarlierJob, EarlierStep, outdir_of
from localproc.engine.job.effects import (
    Asked,
    Collect,
    Evaluate,
    FillFolder,
    MakePlan,
    Prepare,
    Pull,
    Recall,
    Remember,
    StageIn,
    StageOut,
    Withdraw,
)
from localproc.engine.job.facts import Done, Made, News, Progressed, Recalled, TakenFrom
from localproc.engine.job.failure_text import as_ours
from localproc.engine.job.planning import make_plan, pull
from localproc.engine.job.replay import ran_in
from localproc.engine.job.reusable import beside_of, key_of
from localproc.engine.job.steplog import log_writer
from localproc.engine.job.task_factory import TaskFactory
from localproc.engine.loop.task_folder import fill_folder
from localproc.engine.loop.workers import Work, Workers
from localproc.errors import JobDismissed
from localproc.executors.scripts import Scripts
from localproc.model import JobRequest, Task
from localproc.model.events import STAGE_IN, STAGE_OUT
from localproc.storage.disk import Disk
from localproc.storage.meter import Meter
from localproc.storage.publish import Publisher
from localproc.storage.results_place import results_root
from localproc.storage.safekeeping import Safekeeping, paths_of
from localproc.storage.sharing import LeadsOut, share_logs, take_over
from localproc.storage.stac_schemas import StacCheck, StacSchemas, Validation
from localproc.storage.stage_in import linked_files, stage_in
from localproc.storage.step_cache import StepCache
from localproc.storage.storages import Storages
from localproc.storage.withdraw import withdraw
from localproc.uris import uri_path

_PROCESSORS: Final = os.cpu_count() or 1
_UNKNOWN_IMAGE: Final = "it runs in a container, and what its image was is not known"
_GIVEN: Final = "it is given variables or secrets, and whether they are the same is not known"
#: The niceness of threads that copy files. More would not do: whoever has the interpreter's lock
#: must not wait long for a processor.
_WAY: Final = 5


@dataclass(frozen=True, slots=True)
class JobContext:
    """What work for a job needs to know of it. ``stopped`` is set when the job is to end."""

    job_id: str
    folder: str
    request: JobRequest
    stopped: threading.Event
    process: Tool | Workflow
    tasks: TaskFactory
    package_files: tuple[str, ...] = ()  #: files that the package itself brings along
    namespace: str = ""
    earlier: EarlierJob | None = None  #: the one that is retried

    def go_on(self) -> None:
        """Raise ``JobDismissed`` once nobody waits for what is done for the job."""
        if self.stopped.is_set():
            raise _stopped(self)


class Background:
    """The threads. ``report`` is called in one of them with what came of an effect.

    ``active`` is how many jobs there may be at a time: work that waits for disks and networks gets
    so many threads that no job waits for another's. ``tmpdirs`` is a folder of the engine's own,
    which others remove when the engine is dead. ``durable``: what is answered is on the disk.
    ``validation`` is of results, ``schemas`` a folder with those of STAC's extensions.
    """

    def __init__(
        self,
        storages: Storages,
        containers: Containers,
        steps: StepCache,
        tmpdirs: str,
        active: int,
        report: Callable[[str, News], None],
        *,
        durable: bool = False,
        validation: Validation = Validation.WARN,
        schemas: str = "",
    ) -> None:
        self._storages = storages
        self._containers = containers
        self._validation = validation
        self._schemas = cache(lambda: StacSchemas(schemas))
        self._cache = steps
        self._tmpdirs = tmpdirs
        self._report = report
        self._safekeeping = Safekeeping() if durable else None
        self.scripts = Scripts()
        self._staging = Workers("staging", 2 * active, 2)
        self._placing = Workers("placing", 2 * active, 2, _WAY)
        self._planning = Workers("planning", _PROCESSORS, 1)  # one: steps begin in their order
        self._reading = Workers("reading", max(active, _PROCESSORS), _PROCESSORS)
        self._tidying = Workers("tidying", 2 * _PROCESSORS, 1)  # one: kept first, then removed
        self._lanes: Mapping[type[Asked], Workers] = {
            StageIn: self._staging,
            StageOut: self._staging,
            FillFolder: self._placing,
            MakePlan: self._planning,
            Pull: self._planning,
            Prepare: self._planning,
            Evaluate: self._planning,
            Recall: self._reading,
            Collect: self._reading,
            Withdraw: self._tidying,  # whose work is done though the job is stopped
        }

    def do(self, effect: Asked, job: JobContext) -> None:
        """Do an effect for a job."""
        lane = self._lanes[type(effect)]
        dropped = partial(self._report, job.job_id, Done(effect, error=_stopped(job)))
        lane.put(job.job_id, Work(partial(self._do, effect, job, lane), dropped))

    def stop(self, job: JobContext) -> None:
        """End what is being done for a job as soon as can be, and begin nothing more."""
        job.stopped.set()
        for lane in (self._staging, self._placing, self._planning, self._reading):
            lane.drop(job.job_id)

    def remember(self, effect: Remember, job: JobContext) -> None:
        """Keep the outputs of a step; a job's folder is removed only after that."""
        keep = partial(
            self._cache.keep,
            effect.identity,
            effect.outputs,
            effect.outdir,
            job.job_id,
            effect.name,
            effect.log,
        )
        self._tidying.put(job.job_id, Work(keep))

    def clean_up(self, job: JobContext) -> None:
        """Remove what a job has worked with, once all that is to be remembered has been."""
        self._tidying.put(job.job_id, Work(partial(self._clean_up, job)))

    def sweep(self, jobs: str, is_tidy: Callable[[str], bool]) -> None:
        """Remove what jobs have left whose engines were killed before they could.

        ``jobs`` has the folders of all jobs; ``is_tidy`` says whether those of a job's steps are to
        be removed.
        """
        self.call(partial(self._sweep, jobs, is_tidy))

    def _sweep(self, jobs: str, is_tidy: Callable[[str], bool]) -> None:
        with os.scandir(jobs) as found:
            folders = [one.path for one in found if any(map(os.path.isdir, _work(one.path)))]
        for folder in folders:
            job_id = os.path.basename(folder)
            if is_tidy(job_id):
                self._remove_work(job_id, folder)

    def call(self, function: Callable[[], None]) -> None:
        """Run anything else."""
        self._tidying.put("", Work(function))

    def nudge(self) -> None:
        """Try again to get threads, where there were none to be had."""
        for lane in (self._staging, self._placing, self._planning, self._reading, self._tidying):
            lane.nudge()

    def close(self) -> None:
        """Finish what has begun; the jobs it is for have been told to stop."""
        self.scripts.close()
        for lane in (self._staging, self._placing, self._planning, self._reading):
            lane.close(finish=False)
        self._tidying.close(finish=True)

    def _clean_up(self, job: JobContext) -> None:
        self._remove_work(job.job_id, job.folder)

    def _remove_work(self, job_id: str, job: str) -> None:
        for folder in _work(job):
            aside = os.path.join(self._tmpdirs, f"{job_id}-{os.path.basename(folder)}")
            remove(aside if _moved(folder, aside) else folder)

    def _do(self, effect: Asked, job: JobContext, lane: Workers) -> None:
        def evaluator(source: str, arguments: tuple[str, str, str], time_limit: float) -> str:
            return self.scripts.run(source, arguments, time_limit, job.stopped.is_set, lane.aside)

        try:
            with evaluating_with(evaluator):
                value = self._value(effect, job, lane)
            if self._safekeeping is not None:
                self._keep(self._safekeeping, effect, value, job)
        except Exception as error:
            self._report(job.job_id, Done(effect, error=as_ours(error)))
        else:
            self._report(job.job_id, Done(effect, value))

    def _value(self, effect: Asked, job: JobContext, lane: Workers) -> Any:
        disk = Disk(go_on=job.go_on)
        match effect:
            case MakePlan(inputs):
                return make_plan(job.process, inputs, disk)
            case Pull(plan, most):
                return pull(plan, most)
            case Prepare():
                return self._prepare(effect, job, disk, lane)
            case Evaluate():
                return job.tasks.evaluate(effect, disk)
            case FillFolder(task):
                return fill_folder(task, job.go_on)
            case Collect():
                return job.tasks.collect(effect, disk)
            case Recall():
                return self._recall(effect, job, disk, lane)
            case StageIn():
                return self._stage_in(effect, job, disk)
            case StageOut():
                with log_writer(effect.log) as log:
                    return self._publish(effect, job, disk, log)
            case Withdraw():
                with log_writer(effect.log) as log:
                    return self._withdraw(job, log)

    def _keep(self, safekeeping: Safekeeping, effect: Asked, value: Any, job: JobContext) -> None:
        """See that what is going to be recorded is there after a power cut too."""
        match effect:
            case Collect() | Evaluate() | StageIn():
                outputs = value.outputs if isinstance(value, Made) else value
                safekeeping.keep(paths_of(outputs, [job.folder]))
            case Recall() if value.found is not None:
                safekeeping.keep(paths_of(value.found.outputs, [job.folder]))
            case StageOut():
                root = results_root(job.job_id, job.request)
                if urlsplit(root).scheme == "file":
                    safekeeping.keep(paths_of(value[0], [uri_path(root)]))

    def _prepare(
        self, effect: Prepare, job: JobContext, disk: Disk, lane: Workers
    ) -> tuple[Prepared, Task, str]:
        prepared, task, given = job.tasks.prepare(effect, disk)
        if task.container is not None and task.container.runtime:
            with lane.aside():
                box = self._containers.settled(task.container, job.go_on)
            task = replace(task, container=box)
        return prepared, task, given

    def _recall(self, effect: Recall, job: JobContext, disk: Disk, lane: Workers) -> Recalled:
        """Look for an equal step: in the job that is retried, then among what is kept for reuse."""
        invocation, because = effect.invocation, ""
        tool, inputs = invocation.tool, invocation.inputs
        image = self._image(invocation, job, lane)
        software = job.tasks.software(invocation).packages
        beside = self._beside(invocation, job)
        if job.earlier is not None:
            found: EarlierStep | str = _UNKNOWN_IMAGE
            if job.tasks.counted(invocation)[1]:
                found = _GIVEN
            elif image is not None:
                found = job.earlier.find(invocation, beside, ran_in(image, software), disk)
            if isinstance(found, EarlierStep):
                try:
                    return self._taken_over(effect, found, job, disk)
                except (OSError, LeadsOut) as error:
                    found = f"its outputs cannot be taken over: {error}"
            because = found
        is_kept = job.tasks.setup.reuse and tool.expression is None and image is not None
        key = ""
        if is_kept:
            changes = job.tasks.software(invocation).changes
            counted = job.tasks.counted(invocation)
            key = key_of(counted[0], beside, disk, image or "", changes, counted[1])
        if not key:
            return Recalled("", None, because)
        kept = self._cache.find(key)
        if kept is None:
            return Recalled(key, None, because)
        share_logs(kept.log, job.tasks.log_path(effect.name))
        made = fingerprint(kept.outputs, disk)
        given = fingerprint(named(tool, inputs), disk)
        return Recalled(
            key,
            TakenFrom(
                kept.outputs, kept.job_id, kept.step, made, given, ran_in(image or "", software)
            ),
        )

    def _image(self, invocation: Invocation, job: JobContext, lane: Workers) -> str | None:
        """Give the digest of the image that a step runs in, empty if in none.

        It is ``None`` where nobody knows it.
        """
        if not job.tasks.is_boxed(invocation):
            return ""
        box = job.tasks.container(invocation)
        if box is None:
            return None
        with lane.aside():
            return self._containers.settled(box, job.go_on).digest or None

    def _beside(self, invocation: Invocation, job: JobContext) -> str:
        """Give the digest of what lies beside the package's own files that a step is given."""
        jobs, results = os.path.dirname(job.folder), uri_path(job.request.results)
        return beside_of(invocation, job.package_files, jobs, results)

    def _taken_over(
        self, effect: Recall, step: EarlierStep, job: JobContext, disk: Disk
    ) -> Recalled:
        """Have the outputs and the log of a step in this job's folder, as if it had run here."""
        tops = (outdir_of(step), step.folder, self._cache.folder)
        writes = any(one.requirements.has("InplaceUpdateRequirement") for one in tools(job.process))
        folder = os.path.join(job.folder, "work", effect.name)
        outputs = take_over(step.outputs, tops, folder, copies=writes)
        log = os.path.join(step.folder, "logs", step.log)
        share_logs(log, job.tasks.log_path(effect.name))
        made = fingerprint(outputs, disk)
        given = fingerprint(named(effect.invocation.tool, effect.invocation.inputs), disk)
        taken = TakenFrom(outputs, step.job_id, step.name, made, given, step.ran_in)
        return Recalled("", taken)

    def _stage_in(self, effect: StageIn, job: JobContext, disk: Disk) -> Mapping[str, Any]:
        """Bring the inputs in, and complete them with what the process wants to know of them."""
        with log_writer(effect.log) as log:
            folder = os.path.join(job.folder, "inputs")
            policy, stopped = job.request.policy, job.stopped.is_set
            meter = self._meter(STAGE_IN, job)
            access = self._storages.access(policy, job.namespace, stopped, log, meter=meter)
            staged = stage_in(effect.inputs, folder, access, log, job.request.assets)
        inputs = complete(job.process, fill(job.process, staged), disk, discover=True)
        return inputs | {name: staged[name] for name in (DEFAULTS,) if name in staged}

    def _publish(
        self, effect: StageOut, job: JobContext, disk: Disk, log: Callable[[str], None]
    ) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        flat = job.request.options.get("layout") == "flat"
        root = results_root(job.job_id, job.request)
        outputs = with_checksums(effect.outputs, disk) if flat else effect.outputs
        inputs = os.path.join(job.folder, "inputs")
        publisher = Publisher(
            self._storages.open(root, namespace=job.namespace),
            root,
            job.job_id,
            own=(os.path.join(job.folder, "work"), inputs),
            inputs=(*effect.inputs, *job.package_files, *linked_files(inputs), self._cache.folder),
            log=log,
            catalogs=not flat,
            check=StacCheck(self._validation, self._schemas, log).see,
            stopped=job.stopped.is_set,
            meter=self._meter(STAGE_OUT, job),
        )
        return publisher.publish(outputs)

    def _meter(self, key: str, job: JobContext) -> Meter:
        """Give what tells the job how far one of the engine's own steps is."""
        return Meter(lambda done, total: self._report(job.job_id, Progressed(key, done, total)))

    def _withdraw(self, job: JobContext, log: Callable[[str], None]) -> None:
        root = results_root(job.job_id, job.request)
        if job.request.options.get("layout") == "flat":
            log(f"what was published in {root} stays there: it may be anybody's")
        else:
            withdraw(self._storages.open(root, namespace=job.namespace), root, log)


def _work(job: str) -> tuple[str, str]:
    """Give the folders of a job that go once nobody has a use for them."""
    return os.path.join(job, "work"), os.path.join(job, "inputs")


def _stopped(job: JobContext) -> JobDismissed:
    return JobDismissed(f"job {job.job_id} was stopped")


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
