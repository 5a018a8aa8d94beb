"""Whether the executors of a job can ever run what its package asks for.

Owns finding that out before the job is accepted, and that the images of its containers are here.
Must not know how a task is prepared: only what stands in a package as a number counts, not what an
expression will give.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from localproc.cwl.run.container import described, is_required
from localproc.cwl.run.process import Tool, Workflow
from localproc.cwl.run.resources import CUDA, MPI
from localproc.cwl.run.software import packages, software_is_required
from localproc.engine.job.executor_choice import ExecutorChoice, Place
from localproc.engine.job.hints import SOFTWARE_HINT, nowhere
from localproc.engine.runtime import Runtime
from localproc.errors import ImageError, Problem, UnsupportedPackage
from localproc.model import Resources, Task
from localproc.plugins.executor import ExecutorPlugin, unfit


def check_executors(
    process: Tool | Workflow, choice: ExecutorChoice, wanted: str, runtime: Runtime
) -> str:
    """Return the container runtime that a job needs, empty if it needs none.

    ``wanted`` is what was asked for. Raises ``UnsupportedPackage`` with every step that can never
    run where it would go, ``ImageError`` for images that are not here, ``PluginMissing`` for an
    executor or a runtime that is not there.
    """
    plugins = {name: runtime.plugins.executor(name) for name in choice.names()}
    boxes = runtime.containers.boxes(chosen(process, choice, wanted, runtime))
    if boxes.executor:
        plugins.setdefault(boxes.executor, runtime.plugins.executor(boxes.executor))
    able = {name: one.capabilities for name, one in plugins.items()}
    problems, wanting = [], []
    for step, tool in _steps(process):
        place = boxes.place(choice, able, step, tool)
        task = _probe(step, tool, place)
        if task.container is not None and not place.containers:
            raise _no_containers(tool, choice.choose(step, container=True), wanted)
        if task.container is not None and place.runtime:
            wanting.append(task.container)
        why = _reason(task, plugins[place.executor], runtime)
        if task.container is None and (lacking := _lacking(tool, runtime)):
            problems.append(Problem(nowhere(lacking), step, hint=SOFTWARE_HINT))
        if why:
            problems.append(
                Problem(f"the executor {place.executor!r} can never run it: {why}", step)
            )
    if problems:
        raise UnsupportedPackage(
            "some steps can never run", problems, hint="choose another executor for them"
        )
    _check_images(runtime.containers.missing(wanting))
    return boxes.runtime


def chosen(process: Tool | Workflow, choice: ExecutorChoice, wanted: str, runtime: Runtime) -> str:
    """Return the container runtime for a job, empty if it needs none or there is none."""
    named, required = [], False
    for step, tool in _steps(process):
        if not tool.requirements.has("DockerRequirement"):
            continue
        executor = runtime.plugins.executor(choice.choose(step, container=True))
        box = described(tool)
        if not executor.capabilities.containers and not runtime.containers.is_local(box.image):
            named.append(box)
            required = required or is_required(tool)
    return runtime.containers.chosen(wanted, named, required=required)


def _reason(task: Task, plugin: ExecutorPlugin, runtime: Runtime) -> str:
    """Return why an executor can never run a task, empty if it can."""
    able = plugin.capabilities
    if task.container is not None and task.container.runtime and not able.containers:
        task = replace(task, container=None)  # it reaches the executor as a process
    settings = runtime.executor_settings(plugin, "")
    return unfit(task, able) or plugin.check(settings, [task]).get(task.key, "")


def _no_containers(tool: Tool, executor: str, wanted: str) -> UnsupportedPackage:
    hint = "install docker, podman, apptainer or charliecloud, or move DockerRequirement to hints"
    if wanted not in ("", "auto"):
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


def _steps(process: Tool | Workflow, place: str = "") -> Iterator[tuple[str, Tool]]:
    """Return each tool by its place, as tasks have it."""
    if isinstance(process, Tool):
        yield place or process.id, process
        return
    for step in process.steps:
        yield from _steps(step.run, f"{place}/{step.id}" if place else step.id)


def _probe(step: str, tool: Tool, place: Place) -> Task:
    """Return a task that needs what every task of a tool will; a hint counts where it is used."""
    docker = tool.requirements.has("DockerRequirement") and not place.bare
    wanted = docker and (place.containers or is_required(tool))
    container = replace(described(tool), runtime=place.runtime) if wanted else None
    needs = replace(
        _resources(tool.requirements.get("ResourceRequirement") or {}),
        **_devices(tool.requirements.required.get(CUDA)),
        processes=_processes(tool.requirements.required.get(MPI)),
    )
    return Task(step, (), {}, "", "", None, "", "", resources=needs, container=container, step=step)


def _resources(spec: Mapping[str, Any]) -> Resources:
    def number(name: str) -> float:
        for bound in ("Min", "Max"):
            value = spec.get(name + bound)
            if isinstance(value, int | float) and not isinstance(value, bool):
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


def _processes(spec: Mapping[str, Any] | None) -> int:
    """Return how many processes are required, two where an expression will tell."""
    if spec is None:
        return 1
    count = spec.get("processes")
    return count if isinstance(count, int) else 2
