"""What a tool would like to have, and does without where there is none.

Owns leaving out of a task what is only hinted at and its executor cannot give, and what is said of
that. Must not know any executor.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from localproc.cwl.run.process import Tool
from localproc.cwl.run.resources import CUDA, MPI
from localproc.model import Resources, Task
from localproc.plugins.executor import Capabilities, unfit

SOFTWARE_HINT: Final = "say where it is with --software FILE, or in settings.yml (software)"


def without_hints(task: Task, tool: Tool, able: Capabilities) -> tuple[Task, list[str]]:
    """Return a task that its executor can run, as far as that is for its hints, with what to say.

    Versions of CUDA are asked for by requirements alone.
    """
    if not tool.requirements.hinted:
        return task, []
    needs, notes = task.resources, []
    if _is_hint(tool, CUDA):
        needs = replace(needs, cuda="", capabilities=())
        if why := _why_not(task, Resources(gpus=needs.gpus), able):
            notes.append(_note(CUDA, why))
            needs = replace(needs, gpus=0)
    if _is_hint(tool, MPI) and (why := _why_not(task, Resources(processes=needs.processes), able)):
        notes.append(_note(MPI, why))
        needs = replace(needs, processes=1)
    return replace(task, resources=needs), notes


def _is_hint(tool: Tool, name: str) -> bool:
    return name in tool.requirements.hinted and name not in tool.requirements.required


def _why_not(task: Task, needs: Resources, able: Capabilities) -> str:
    return unfit(replace(task, resources=needs, container=None), able)


def _note(name: str, why: str) -> str:
    return f"the hint {name} cannot be met: {why}; it is done without"


def without_software(missing: Sequence[str]) -> list[str]:
    """Return what to say of packages that are only hinted at and nowhere."""
    if not missing:
        return []
    return [f"{_note('SoftwareRequirement', nowhere(missing))} ({SOFTWARE_HINT})"]


def without_container_hint(why: str) -> list[str]:
    """Return what to say of an image that is but hinted at and passed over."""
    return [_note("DockerRequirement", why)] if why else []


def nowhere(missing: Sequence[str]) -> str:
    """Return what to say of packages that nothing provides."""
    return f"nothing here provides {', '.join(missing)}"
