"""Whether the executors of a job can ever run what its package asks for.

Owns finding that out before the job is accepted. Must not know how a task is prepared: only what
stands in a package as a number counts, not what an expression will give.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from localproc.cwl.run.container import image, is_required
from localproc.cwl.run.process import Tool, Workflow
from localproc.cwl.run.resources import CUDA, MPI
from localproc.engine.job.executor_choice import ExecutorChoice
from localproc.engine.runtime import Runtime
from localproc.errors import Problem, UnsupportedPackage
from localproc.model import Container, Resources, Task
from localproc.plugins.executor import unfit


def check_executors(process: Tool | Workflow, choice: ExecutorChoice, runtime: Runtime) -> None:
    """Raise ``UnsupportedPackage`` with every step that can never run where it would go.

    ``PluginMissing`` for an executor that is not there.
    """
    plugins = {name: runtime.plugins.executor(name) for name in choice.names()}
    problems = []
    for step, tool in _steps(process):
        name = choice.choose(step, container=tool.requirements.has("DockerRequirement"))
        plugin = plugins[name]
        task = _probe(step, tool, containers=plugin.capabilities.containers)
        if task.container is not None and not plugin.capabilities.containers:
            raise UnsupportedPackage(
                f"{tool.id} requires a container, and the executor {name!r} has none",
                hint="use an executor with containers, or move DockerRequirement to hints",
            )
        settings = runtime.executor_settings(plugin, "")
        why = unfit(task, plugin.capabilities) or plugin.check(settings, [task]).get(step)
        if why:
            problems.append(Problem(f"the executor {name!r} can never run it: {why}", step))
    if problems:
        raise UnsupportedPackage(
            "some steps can never run", problems, hint="choose another executor for them"
        )


def _steps(process: Tool | Workflow, place: str = "") -> Iterator[tuple[str, Tool]]:
    """Return each tool by its place, as tasks have it."""
    if isinstance(process, Tool):
        yield place or process.id, process
        return
    for step in process.steps:
        yield from _steps(step.run, f"{place}/{step.id}" if place else step.id)


def _probe(step: str, tool: Tool, *, containers: bool) -> Task:
    """Return a task that needs what every task of a tool will; a hint counts where it is used."""
    wanted = tool.requirements.has("DockerRequirement") and (containers or is_required(tool))
    container = Container(image(tool), "") if wanted else None
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
