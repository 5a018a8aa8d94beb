"""Whether the executors of a job can ever run what its package asks for.

Owns finding that out before the job is accepted, and that the images of its containers are here.
Must not know how a task is prepared: what stands in a package as a number counts, and what an
expression gives where all that it asks for is known.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from localproc.cwl.base.numbers import is_amount
from localproc.cwl.expr.expressions import has_expression
from localproc.cwl.run.container import SHM, described, is_required
from localproc.cwl.run.foreseen import Known, foreseen, is_foreseen, of_job, plain_values
from localproc.cwl.run.process import Tool, Workflow
from localproc.cwl.run.resources import CUDA, MPI, mpi_processes
from localproc.cwl.run.software import packages, software_is_required
from localproc.engine.container_runtimes import AUTO, Choice
from localproc.engine.job.executor_choice import Destination, ExecutorChoice
from localproc.engine.job.hints import SOFTWARE_HINT, nowhere
from localproc.engine.runtime import Runtime
from localproc.errors import (
    ExpressionError,
    ImageError,
    InvalidInputs,
    Problem,
    StepError,
    UnsupportedPackage,
)
from localproc.frozen import frozen
from localproc.model import Container, Resources, Task
from localproc.near import near
from localproc.plugins.executor import ExecutorPlugin, ExecutorSettings, unfit

_NAMED: Final = 10  #: steps that are told


@frozen
class StepPlacement:
    """Where a step goes: by its place, to which executor, in which container if in any.

    ``unfit`` says why it can never run there; ``note`` what else is worth knowing. ``refused``: it
    needs a container, and there is none; ``lacking``: it needs software, and that is nowhere.
    """

    step: str
    executor: str
    container: Container | None = None
    unfit: str = ""
    note: str = ""
    refused: UnsupportedPackage | None = None
    lacking: bool = False


def check_executors(
    process: Tool | Workflow,
    choice: ExecutorChoice,
    wanted: str,
    runtime: Runtime,
    inputs: Mapping[str, Any],
) -> Choice:
    """Return the container runtime that a job needs, and which hints it passes over.

    ``wanted`` is what was asked for, ``inputs`` are those of the job. Raises
    ``UnsupportedPackage`` with every step that can never run where it would go, ``ImageError`` for
    images that are not here, ``PluginMissing`` for an executor or a runtime that is not there.
    """
    boxes, found = placements(process, choice, wanted, runtime, inputs)
    if refused := next((one.refused for one in found if one.refused), None):
        raise refused
    problems = [
        Problem(one.unfit, one.step, hint=SOFTWARE_HINT)
        if one.lacking
        else Problem(f"the executor {one.executor!r} can never run it: {one.unfit}", one.step)
        for one in found
        if one.unfit
    ]
    if problems:
        elsewhere = any(one.unfit and not one.lacking for one in found)
        hint = "choose another executor for them" if elsewhere else ""
        raise UnsupportedPackage("some steps can never run", problems, hint=hint)
    _check_images(missing_images(found, runtime))
    return boxes


def check_patterns(process: Tool | Workflow, choice: ExecutorChoice) -> None:
    """Raise ``InvalidInputs`` for patterns that fit no step: what was meant would go elsewhere."""
    steps = [step for step, _ in _steps(process)] if choice.patterns else []
    if unused := choice.unused(steps):
        names = dict.fromkeys(name for step in steps for name in (step.rpartition("/")[2], step))
        there = f"its steps are {', '.join(steps[:_NAMED])}{', ...' if steps[_NAMED:] else ''}"
        problems = [
            Problem("fits no step", f"executor.{one}", hint=near(one, names, there))
            for one in unused
        ]
        raise InvalidInputs("some steps that are to go elsewhere are not there", problems)


def missing_images(found: Iterable[StepPlacement], runtime: Runtime) -> list[ImageError]:
    """Return what is wrong with the images that steps need."""
    boxes = [one.container for one in found if one.container is not None and one.container.runtime]
    return runtime.containers.missing(boxes)


def placements(
    process: Tool | Workflow,
    choice: ExecutorChoice,
    wanted: str,
    runtime: Runtime,
    inputs: Mapping[str, Any] | None = None,
) -> tuple[Choice, list[StepPlacement]]:
    """Return the container runtime that a job needs, and where every step would go.

    ``inputs`` are those of the job, where they are known. Raises ``PluginMissing``.
    """
    given = None if inputs is None else of_job(process, inputs)
    asked = runtime.containers.wanted(wanted)
    plugins = {name: runtime.plugins.executor(name) for name in choice.names()}
    runs_in = chosen(process, choice, wanted, runtime)
    boxes = runtime.containers.boxes(runs_in.runtime, runs_in.passed_over)
    if boxes.executor:
        plugins.setdefault(boxes.executor, runtime.plugins.executor(boxes.executor))
    able = {name: one.capabilities for name, one in plugins.items()}
    found = []
    for step, tool, known in foreseen(process, given):
        place = boxes.place(choice, able, step, tool)
        try:
            task = _probe(step, tool, place, known)
        except (ExpressionError, StepError) as wrong:
            found.append(StepPlacement(step, place.executor, unfit=wrong.message))
            continue
        if task.container is not None and not place.containers:
            error = _no_containers(tool, choice.choose(step, container=True), asked)
            found.append(
                StepPlacement(step, place.executor, task.container, error.message, refused=error)
            )
            continue
        plugin = plugins[place.executor]
        note = _too_much(task.resources, runtime.executor_settings(plugin, ""))
        why = _reason(task, plugin, runtime) or _no_shared_memory(task, tool, runtime)
        if task.container is None and not why and (lacking := _lacking(tool, runtime)):
            missing = nowhere(lacking)
            found.append(StepPlacement(step, place.executor, unfit=missing, lacking=True))
            continue
        found.append(StepPlacement(step, place.executor, task.container, why, note))
    return runs_in, found


def _too_much(needs: Resources, settings: ExecutorSettings) -> str:
    """Say that a step wants more than there is at a time: it runs all the same, alone."""
    for wanted, there, unit in (
        (needs.cores, settings.cores, "cores"),
        (needs.ram, settings.ram, "MiB of memory"),
    ):
        if there and wanted > there:
            return f"it asks for {wanted:g} {unit}, and there are {there:g}: it runs alone"
    return ""


def chosen(
    process: Tool | Workflow, choice: ExecutorChoice, wanted: str, runtime: Runtime
) -> Choice:
    """Return the container runtime for a job, empty if it needs none or there is none."""
    required: dict[str, Container] = {}
    hinted: dict[str, Container] = {}
    for step, tool in _steps(process):
        if not tool.requirements.has("DockerRequirement"):
            continue
        executor = runtime.plugins.executor(choice.choose(step, container=True))
        box = described(tool)
        if not executor.capabilities.containers and not runtime.containers.is_local(box.image):
            (required if is_required(tool) else hinted)[box.image] = box
    return runtime.containers.chosen(wanted, list(required.values()), list(hinted.values()))


def _reason(task: Task, plugin: ExecutorPlugin, runtime: Runtime) -> str:
    """Return why an executor can never run a task, empty if it can."""
    able = plugin.capabilities
    if task.container is not None and task.container.runtime and not able.containers:
        task = replace(task, container=None)  # it reaches the executor as a process
    settings = runtime.executor_settings(plugin, "")
    return unfit(task, able) or plugin.check(settings, [task]).get(task.key, "")


def _no_shared_memory(task: Task, tool: Tool, runtime: Runtime) -> str:
    """Return why a container never gets the shared memory that its tool requires."""
    box = task.container
    if box is None or not (box.shm and box.runtime) or SHM not in tool.requirements.required:
        return ""
    if runtime.plugins.container(box.runtime).shm:
        return ""
    return f"it requires shared memory of a size (ShmSize), which {box.runtime} cannot give"


def _no_containers(tool: Tool, executor: str, wanted: str) -> UnsupportedPackage:
    hint = "install docker, podman, apptainer or charliecloud, or move DockerRequirement to hints"
    if wanted != AUTO:
        hint = "use another --containers, or move DockerRequirement to hints"
    return UnsupportedPackage(
        f"{tool.id} requires a container, and the executor {executor!r} has none", hint=hint
    )


def _check_images(missing: list[ImageError]) -> None:
    """Raise ``ImageError`` for images that are not here, with what brings each."""
    if len(missing) == 1:
        raise missing[0]
    if missing:
        raise ImageError(
            "; ".join(one.message for one in missing), hint="; ".join(one.hint for one in missing)
        )


def _lacking(tool: Tool, runtime: Runtime) -> tuple[str, ...]:
    """Return the software that a tool requires and nothing here provides."""
    return runtime.software.provide(packages(tool)).missing if software_is_required(tool) else ()


def _steps(process: Tool | Workflow) -> Iterator[tuple[str, Tool]]:
    """Return each tool by its place, as tasks have it."""
    return ((step, tool) for step, tool, _ in foreseen(process, None))


def asks_by_inputs(process: Tool | Workflow) -> bool:
    """Return whether it depends on a job's inputs if it can run."""
    return not all(_is_plain(tool) for _, tool in _steps(process))


def _is_plain(tool: Tool) -> bool:
    """Whether it stands in the package how many processes a tool requires."""
    spec = tool.requirements.required.get(MPI)
    return spec is None or not has_expression(spec.get("processes"))


def _probe(step: str, tool: Tool, place: Destination, known: Known) -> Task:
    """Return a task that needs what every task of a tool will; a hint counts where it is used."""
    docker = tool.requirements.has("DockerRequirement") and not place.bare
    wanted = docker and (place.containers or is_required(tool))
    container = replace(described(tool), runtime=place.runtime) if wanted else None
    needs = replace(
        _resources(tool.requirements.get("ResourceRequirement") or {}),
        **_devices(tool.requirements.required.get(CUDA)),
        processes=_processes(tool, known),
    )
    return Task(step, (), {}, "", "", None, "", "", resources=needs, container=container, step=step)


def _resources(spec: Mapping[str, Any]) -> Resources:
    def number(name: str) -> float:
        for bound in ("Min", "Max"):
            value = spec.get(name + bound)
            if is_amount(value):  # another one is told of by the step
                return float(value)
        return 0

    return Resources(
        cores=number("cores") or 1,
        ram=int(number("ram")),
        tmpdir=int(number("tmpdir")),
        outdir=int(number("outdir")),
    )


def _devices(spec: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what is known of the devices that are required; hints are gone without."""
    if spec is None:
        return {}
    counts = (spec.get(f"cudaDeviceCount{bound}") for bound in ("Min", "Max"))
    named = spec.get("cudaComputeCapability") or []
    return {
        "gpus": next((one for one in counts if isinstance(one, int) and one > 0), 1),
        "cuda": str(spec.get("cudaVersionMin") or ""),
        "capabilities": tuple(map(str, named if isinstance(named, list) else [named])),
    }


def _processes(tool: Tool, known: Known) -> int:
    """Return how many processes are required, two where an expression will tell later.

    Raises ``StepError`` for what is no number of them.
    """
    if MPI not in tool.requirements.required:
        return 1
    if _is_plain(tool):
        return mpi_processes(tool, {})
    if known is None or not is_foreseen(
        tool.requirements.required[MPI]["processes"], tool.dialect, known
    ):
        return 2
    return mpi_processes(tool, plain_values(known))
