"""The work that is done for jobs: staging, planning, preparing, collecting, publishing.

Owns how each effect is done, in whatever thread it is called. Must not know threads, nor decide
anything.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from localproc.cwl.base.files import has_files, local_paths
from localproc.cwl.base.listing import with_checksums
from localproc.cwl.run.prepare import Prepared
from localproc.cwl.run.process_inputs import complete, fill
from localproc.cwl.run.remote_defaults import DEFAULTS
from localproc.engine.container_runtimes import Containers
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
    StageIn,
    StageOut,
    Withdraw,
    WriteOutputs,
)
from localproc.engine.job.facts import Made, News, Progressed, Recalled, TakenFrom
from localproc.engine.job.planning import MOST, make_plan, pull, too_much
from localproc.engine.job.staging import filled_inputs
from localproc.engine.job.steplog import log_writer
from localproc.engine.loop.job_context import JobContext
from localproc.engine.loop.recalling import Aside, Recaller
from localproc.engine.loop.task_folder import fill_folder
from localproc.lengths import LARGE, is_within
from localproc.model import Encoded, Task
from localproc.model.events import STAGE_IN, STAGE_OUT
from localproc.priorities import considerate
from localproc.storage.disk import Disk
from localproc.storage.meter import Meter
from localproc.storage.open_storages import Storages
from localproc.storage.publish import Publisher
from localproc.storage.remnants import Remnant, Remnants, Undoing
from localproc.storage.results_place import results_root
from localproc.storage.safekeeping import Safekeeping, paths_of
from localproc.storage.stac_check import StacCheck, Validation
from localproc.storage.stage_in import linked_files, stage_in
from localproc.storage.step_cache import StepCache
from localproc.storage.withdraw import withdraw
from localproc.uris import uri_path

if TYPE_CHECKING:
    from localproc.storage.stac_schemas import StacSchemas


class JobWork:
    """Does effects; ``told`` is told, by the id of a job, how far one is.

    ``encode`` writes what is large as it is going to be recorded: the loop is not to wait for that.

    ``durable``: what is answered is on the disk. ``validation`` is of results, ``schemas`` a folder
    with those of STAC's extensions; ``remnants`` remember results that have to be removed.
    """

    def __init__(
        self,
        storages: Storages,
        containers: Containers,
        steps: StepCache,
        told: Callable[[str, News], None],
        encode: Callable[[str, Mapping[str, Any], Callable[[], object]], Encoded],
        *,
        durable: bool,
        validation: Validation,
        schemas: str,
        remnants: Remnants,
    ) -> None:
        self._storages = storages
        self._remnants = remnants
        self._containers = containers
        self._steps = steps
        self._told = told
        self._encode = encode
        self._recaller = Recaller(steps, containers)
        self._safekeeping = Safekeeping() if durable else None
        self._validation = validation
        self._schemas = cache(partial(_stac_schemas, schemas, storages))

    def do(self, effect: Asked, job: JobContext, aside: Aside) -> Any:
        """Do an effect and return what came of it, or raise why it could not be done."""
        value = self._written(self._value(effect, job, aside), job)
        if self._safekeeping is not None:
            self._keep(self._safekeeping, effect, value, job)
        return value

    def _value(self, effect: Asked, job: JobContext, aside: Aside) -> Any:
        go_on = considerate(job.go_on)
        disk = Disk(go_on=go_on)
        match effect:
            case MakePlan(inputs, most):
                return pull(make_plan(job.process, inputs, disk), most)
            case PullPlan(plan, most):
                return pull(plan, most)
            case FillInputs(inputs):
                return filled_inputs(job.process, inputs)
            case Prepare():
                return self._prepare(effect, job, disk, aside)
            case Evaluate():
                return job.tasks.evaluate(effect, disk)
            case FillFolder(task):
                return fill_folder(task, go_on)
            case Collect():
                return job.tasks.collect(effect, disk)
            case Recall():
                return self._recaller.recall(effect, job, disk, aside)
            case StageIn():
                return self._stage_in(effect, job, disk)
            case StageOut() | WriteOutputs() if not is_within(effect.outputs, MOST):
                raise too_much("what it gives")  # one value may be many outputs
            case WriteOutputs(outputs):
                return None if has_files(outputs) else (outputs, {})
            case StageOut():
                with log_writer(effect.log) as log:
                    return self._publish(effect, job, disk, log)
            case Withdraw():
                with log_writer(effect.log) as log:
                    return self._withdraw(job, log)

    def _written(self, value: Any, job: JobContext) -> Any:
        """Return what came of an effect with large outputs written as they will be recorded."""
        go_on = considerate(job.go_on)
        match value:
            case Made(outputs) | TakenFrom(outputs) if not is_within(outputs, LARGE):
                return replace(value, outputs=self._encode(job.job_id, outputs, go_on))
            case Recalled(found=TakenFrom() as found):
                return replace(value, found=self._written(found, job))
            case dict() if not is_within(value, LARGE):
                return self._encode(job.job_id, value, go_on)
            case (dict() as outputs, dict() as features):
                return self._written(outputs, job), self._written(features, job)
        return value

    def _keep(self, safekeeping: Safekeeping, effect: Asked, value: Any, job: JobContext) -> None:
        """See that what is going to be recorded is there after a power cut too."""
        match effect:
            case Collect() | Evaluate() | StageIn():
                outputs = value.outputs if isinstance(value, Made) else value
                safekeeping.keep(paths_of(outputs, [job.folder]))
            case Recall() if value.found is not None:
                tops = [job.folder, self._steps.folder]  # who kept them may not have been durable
                safekeeping.keep(paths_of(value.found.outputs, tops))
            case StageOut():
                root = results_root(job.job_id, job.request)
                if urlsplit(root).scheme == "file":
                    safekeeping.keep(paths_of(value[0], [uri_path(root)]))

    def _prepare(
        self, effect: Prepare, job: JobContext, disk: Disk, aside: Aside
    ) -> tuple[Prepared, Task, str]:
        prepared, task, given = job.tasks.prepare(effect, disk)
        if task.container is not None and task.container.runtime:
            with aside():
                box = self._containers.settled(task.container, job.go_on)
            task = replace(task, container=box)
        return prepared, task, given

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
        self._remnants.forget(job.job_id)  # an engine that tried this was killed while it undid it
        outputs = with_checksums(effect.outputs, disk) if flat else effect.outputs
        inputs, given = os.path.join(job.folder, "inputs"), local_paths(effect.inputs)
        publisher = Publisher(
            self._storages.open(root, namespace=job.namespace),
            root,
            job.job_id,
            own=(os.path.join(job.folder, "work"), inputs),
            inputs=(*given, *job.package_files, *linked_files(inputs), self._steps.folder),
            log=log,
            catalogs=not flat,
            check=StacCheck(self._validation, self._schemas, log).see,
            stopped=job.stopped.is_set,
            meter=self._meter(STAGE_OUT, job),
            undoing=None if flat else self._undoing(root, job),
        )
        return publisher.publish(outputs)

    def _meter(self, key: str, job: JobContext) -> Meter:
        """Return what tells the job how far one of the engine's own steps is."""
        return Meter(lambda done, total: self._told(job.job_id, Progressed(key, done, total)))

    def _withdraw(self, job: JobContext, log: Callable[[str], None]) -> None:
        root = results_root(job.job_id, job.request)
        if job.request.options.get("layout") == "flat":
            log(f"what was published in {root} stays there: it may be anybody's")
        else:
            opening = partial(self._storages.open, root, namespace=job.namespace)
            withdraw(opening, root, log, self._undoing(root, job))

    def _undoing(self, root: str, job: JobContext) -> Undoing:
        return self._remnants.undoing(Remnant(job.job_id, job.namespace, root))


def _stac_schemas(folder: str, storages: Storages) -> "StacSchemas":
    from localproc.storage.stac_schemas import StacSchemas  # few results are STAC

    return StacSchemas(folder, storages.mirrored)
