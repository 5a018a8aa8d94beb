"""Whether the executors of a job can ever run what its package asks for.

Owns finding that out before the job is accepted. Must not know how a task is prepared: only what
stands in a package as a number counts, not what an expression will give.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from localproc.cwl.run.container import image, is_required
from localproc.cwl.run.process import Tool, Workflow
from localproc.engine.job.executor_choice import ExecutorChoice
from localproc.engine.runtime import Runtime
from localproc.errors import Problem, UnsupportedPackage
from localproc.model import Container, Resources, Task
from localproc.plugins.executor import ExecutorSettings, unfit

_BOXED: Final = "use an executor with containers, or move DockerRequirement to hints"


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a step goes: by its place, to which executor, in which image if it is one's container.

    ``unfit`` says why it can never run there; ``note`` what else is worth knowing.
    """

    step: str
    executor: str
    image: str = ""
    unfit: str = ""
    note: str = ""
    boxed: bool = False  #: it needs a container, and there is none


def check_executors(process: Tool | Workflow, choice: ExecutorChoice, runtime: Runtime) -> None:
    """Raise ``UnsupportedPackage`` with every step that can never run where it would go.

    ``PluginMissing`` for an executor that is not there.
    """
    found = placements(process, choice, runtime)
    if boxed := next((one for one in found if one.boxed), None):
        raise UnsupportedPackage(boxed.unfit, hint=_BOXED)
    problems = [
        Problem(f"the executor {one.executor!r} can never run it: {one.unfit}", one.step)
        for one in found
        if one.unfit
    ]
    if problems:
        raise UnsupportedPackage(
            "some steps can never run", problems, hint="choose another executor for them"
        )


def placements(
    process: Tool | Workflow, choice: ExecutorChoice, runtime: Runtime
) -> list[Placement]:
    """Return where every step would go; raises ``PluginMissing``."""
    plugins = {name: runtime.plugins.executor(name) for name in choice.names()}
    found = []
    for step, tool in _steps(process):
        name = choice.choose(step, container=tool.requirements.has("DockerRequirement"))
        plugin = plugins[name]
        task = _probe(step, tool, containers=plugin.capabilities.containers)
        wanted = "" if task.container is None else task.container.image
        if task.container is not None and not plugin.capabilities.containers:
            why = f"{tool.id} requires a container, and the executor {name!r} has none"
            found.append(Placement(step, name, wanted, why, boxed=True))
            continue
        settings = runtime.executor_settings(plugin, "")
        why = unfit(task, plugin.capabilities) or plugin.check(settings, [task]).get(step) or ""
        found.append(Placement(step, name, wanted, why, _too_much(task.resources, settings)))
    return found


def _too_much(needs: Resources, settings: ExecutorSettings) -> str:
    """Say that a step wants more than there is at a time: it runs all the same, alone."""
    for wanted, there, unit in (
        (needs.cores, settings.cores, "cores"),
        (needs.ram, settings.ram, "MiB of memory"),
    ):
        if there and wanted > there:
            return f"it asks for {wanted:g} {unit}, and there are {there:g}: it runs alone"
    return ""


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
    needs = _resources(tool.requirements.get("ResourceRequirement") or {})
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
