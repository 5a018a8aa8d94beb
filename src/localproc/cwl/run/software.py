"""The software that a tool needs beside its container or its machine.

Owns reading SoftwareRequirement (CWL v1.2 CommandLineTool, section 5.5). Must not know who has it.
"""

from typing import Any, Final

from localproc.cwl.run.process import Tool, noted
from localproc.model import SoftwarePackage

_REQUIREMENT: Final = "SoftwareRequirement"


@noted
def packages(tool: Tool) -> tuple[SoftwarePackage, ...]:
    """Return the packages that a tool asks for, as a requirement or a hint."""
    spec = tool.requirements.get(_REQUIREMENT) or {}
    return tuple(_package(one) for one in spec.get("packages") or ())


def software_is_required(tool: Tool) -> bool:
    """Return whether the tool cannot do without."""
    return _REQUIREMENT in tool.requirements.required


def _package(one: Any) -> SoftwarePackage:
    return SoftwarePackage(
        str(one["package"]).rpartition("#")[2],
        tuple(map(str, one.get("version") or ())),
        tuple(map(str, one.get("specs") or ())),
    )
