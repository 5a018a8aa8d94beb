"""The files of this machine that a package names itself: its defaults, and what it stages.

Owns finding them, and telling which of them are not there. Must not know how a package is loaded
or run.
"""

import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from localproc.cwl.base.files import is_local, local_path, local_paths, walk
from localproc.errors import Problem

if TYPE_CHECKING:
    from localproc.cwl.load.load import Package


def missing_files(package: "Package") -> Iterator[Problem]:
    """Yield every file that is not there, where the package names it."""
    for name, process in package.resolved["processes"].items():
        for value, path in _named(process):
            for one in walk(value):
                if is_local(one) and not os.path.exists(local_path(one)):
                    said = f"{local_path(one)} does not exist"
                    yield package.place(name, *path).problem(said, "check the path")


def named_places(resolved: Mapping[str, Any]) -> list[str]:
    """Return the paths of all files of this machine that a package names, in its order."""
    return local_paths(resolved)


def _named(process: Any) -> Iterator[tuple[Any, tuple[str, ...]]]:
    for port in process["inputs"]:
        yield port.get("default"), ("inputs", port["id"], "default")
    for step in process.get("steps", ()):
        for one in step["in"]:
            yield one.get("default"), ("steps", step["id"], "in", one["id"], "default")
    for requirement in process["requirements"]:
        if requirement["class"] == "InitialWorkDirRequirement":
            yield requirement.get("listing"), ("requirements", requirement["class"])
