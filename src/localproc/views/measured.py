"""What the tools of a job took, as what they may ask for.

Owns which tool a step ran, and turning measured peaks into a ResourceRequirement. Must not know who
measured.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from localproc.cwl.run.reads import place
from localproc.frozen import frozen
from localproc.model import Step

_RAM_STEP: Final = 64  #: MiB
_PLAIN: Final = re.compile(r"[A-Za-z_][\w-]*", re.ASCII)


@frozen
class Measured:
    """The peaks of the runs of one tool: memory in KiB, cores as processor time by elapsed time.

    ``None`` is what nobody measured. ``seconds`` is the longest run.
    """

    tool: str
    runs: int
    rss: int | None
    cores: float | None
    seconds: float

    @property
    def requirement(self) -> dict[str, int]:
        """The members of a ResourceRequirement (CWL v1.2) that would have been enough.

        ``ramMin`` is rounded up to 64 MiB, ``coresMin`` to whole cores.
        """
        found: dict[str, int] = {}
        if self.cores is not None:
            found["coresMin"] = max(1, math.ceil(self.cores))
        if self.rss is not None:
            found["ramMin"] = max(1, math.ceil(self.rss / 1024 / _RAM_STEP)) * _RAM_STEP
        return found


def tool_of(resolved: Mapping[str, Any], key: str) -> str:
    """Return the key of the process that the step at a place of a workflow runs.

    That is the package's own for a place that it does not have.
    """
    found: str = resolved["main"]
    for part in place(key).split("/"):
        steps = resolved["processes"][found].get("steps", ())
        run = next((one["run"] for one in steps if one["id"] == part), None)
        if run is None:
            break
        found = run
    return found


def measured(resolved: Mapping[str, Any], steps: Sequence[Step]) -> list[Measured]:
    """Return what each tool took, in the order of their first runs.

    Only runs that were measured count: not those that were reused, nor the engine's own steps.
    """
    runs: dict[str, list[Step]] = {}
    for step in steps:
        if step.cpu is not None or step.rss is not None:
            runs.setdefault(tool_of(resolved, step.key), []).append(step)
    return [_peaks(resolved["processes"][key]["id"], some) for key, some in runs.items()]


def _peaks(tool: str, steps: Sequence[Step]) -> Measured:
    memory = [step.rss for step in steps if step.rss is not None]
    cores = [step.cpu / step.duration for step in steps if step.cpu is not None and step.duration]
    seconds = max(step.duration or 0.0 for step in steps)
    return Measured(tool, len(steps), max(memory, default=None), max(cores, default=None), seconds)


def as_yaml(found: Sequence[Measured]) -> str:
    """Write requirements as YAML to put into the tools of a package, with what was measured."""
    if not found:
        return "# Nothing was measured.\n"
    lines = ["# Peaks of one job, rounded up: other inputs may take more."]
    for one in found:
        said = [f"{one.runs} run{'s' * (one.runs != 1)}, the longest {one.seconds:.1f} s"]
        if one.rss is not None:
            said.append(f"{one.rss / 1024:.1f} MiB")
        if one.cores is not None:
            said.append(f"{one.cores:.2f} cores")
        asked = ", ".join(f"{name}: {value}" for name, value in one.requirement.items())
        lines += [f"{_key(one.tool)}:  # {', '.join(said)}", "  requirements:"]
        lines.append(f"    ResourceRequirement: {{{asked}}}")
    return "\n".join(lines) + "\n"


def _key(text: str) -> str:
    """Write a name as a key of YAML."""
    return text if _PLAIN.fullmatch(text) else json.dumps(text)
