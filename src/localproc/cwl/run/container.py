"""The container that a tool asks for.

Owns reading DockerRequirement and NetworkAccess (CWL v1.2 CommandLineTool, sections 5.4 and 5.11),
and cwltool's ShmSize; and going without the first. Must not know who runs containers.
"""

import hashlib
import posixpath
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from localproc.cwl.expr.expressions import Context, evaluate_field
from localproc.cwl.run.process import Tool
from localproc.cwl.run.task_layout import Folders
from localproc.errors import UnsupportedPackage
from localproc.model import Container

SHM: Final = "ShmSize"
_REQUIREMENT: Final = "DockerRequirement"
_SIZE: Final = re.compile(r"(?P<count>[1-9]\d*)(?P<unit>[bkmgBKMG]?)")
_SHIFTS: Final = {"": 0, "b": 0, "k": 10, "m": 20, "g": 30}
_MAKERS: Final = ("dockerLoad", "dockerImport", "dockerFile")


def wants_container(tool: Tool, *, containers: bool) -> bool:
    """Return whether a tool runs in a container: where there are any, hints count too.

    Raises ``UnsupportedPackage`` for one that is required where there are none.
    """
    if not tool.requirements.has(_REQUIREMENT):
        return False
    if not containers and is_required(tool):
        raise UnsupportedPackage(
            f"{tool.id} requires a container, and the executor has none",
            hint="choose what runs containers, or move DockerRequirement to hints",
        )
    return containers


def is_required(tool: Tool) -> bool:
    """Return whether a tool may rely on running in a container."""
    return _REQUIREMENT in tool.requirements.required


def without_container(tool: Tool) -> Tool:
    """Return a tool as if it named no container."""
    known = tool.requirements
    return replace(
        tool,
        requirements=replace(
            known, required=_without(known.required), hinted=_without(known.hinted)
        ),
    )


def image(tool: Tool) -> str:
    """Return the name of the image; raises ``UnsupportedPackage`` if it has none.

    ``dockerImageId`` is what is run, ``dockerPull`` where that comes from and its name otherwise.
    One that has to be made and has no name is called by what it is made of.
    """
    docker = tool.requirements.get(_REQUIREMENT) or {}
    name = docker.get("dockerImageId") or docker.get("dockerPull")
    if name:
        return str(name)
    if made := next((str(docker[one]) for one in _MAKERS if docker.get(one)), None):
        return f"localproc/made:{hashlib.sha256(made.encode()).hexdigest()[:12]}"
    raise UnsupportedPackage(
        f"{tool.id}: DockerRequirement names no image to run", hint="give it a dockerPull"
    )


def seen_inside(tool: Tool, folders: Folders) -> Folders:
    """Return a task's folders with the place that the output directory has in the container.

    Raises ``UnsupportedPackage`` for a place that cannot be one.
    """
    place = (tool.requirements.get(_REQUIREMENT) or {}).get("dockerOutputDirectory")
    if not place:
        return folders
    clean = posixpath.normpath(str(place))
    if not clean.startswith("/") or clean.strip("/") == "":
        raise UnsupportedPackage(
            f"{tool.id}: dockerOutputDirectory is {place!r}, not an absolute path of a folder"
        )
    return replace(folders, inner=clean)


def container(
    tool: Tool, values: Mapping[str, Any], runtime: Mapping[str, Any], folders: Folders
) -> Container:
    """Return the container of a tool that wants one."""
    return replace(
        described(tool),
        outdir=folders.seen(folders.outdir),
        network=network_access(tool, Context(values, runtime)),
    )


def described(tool: Tool) -> Container:
    """Return a tool's container as far as the package itself tells; raises as ``image`` does."""
    docker = tool.requirements.get(_REQUIREMENT) or {}
    return Container(
        image=image(tool),
        outdir="",
        pull=docker.get("dockerPull"),
        load=docker.get("dockerLoad") or "",
        imported=docker.get("dockerImport") or "",
        build=docker.get("dockerFile") or "",
        shm=shared_memory(tool),
    )


def _without(known: Mapping[str, Any]) -> dict[str, Any]:
    return {name: one for name, one in known.items() if name != _REQUIREMENT}


def shared_memory(tool: Tool) -> int:
    """Return the bytes of shared memory that a tool asks for (``64m``), 0 for as much as is usual.

    Raises ``UnsupportedPackage`` for what is no size.
    """
    asked = tool.requirements.get(SHM)
    if asked is None:
        return 0
    size = str(asked.get("shmSize", ""))
    found = _SIZE.fullmatch(size)
    if found is None:
        raise UnsupportedPackage(
            f"{tool.id}: shmSize is {size!r}, not a size", hint="write it as 64m or 1g"
        )
    return int(found["count"]) << _SHIFTS[found["unit"].lower()]


def network_access(tool: Tool, context: Context) -> bool:
    """Whether the tool may use the network (it always might in CWL v1.0)."""
    requirement = tool.requirements.get("NetworkAccess")
    if requirement is None:
        return tool.version == "v1.0"
    return bool(evaluate_field(requirement["networkAccess"], tool.dialect, context))
