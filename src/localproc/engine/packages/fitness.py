"""Whether this machine, and an executor of it, can run a package.

Owns what would only be found out when a step is started: commands that are not there, containers
that an executor does not have. These are warnings: the package may be meant for another machine.
"""

import os
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from localproc.cwl.expr.expressions import has_expression
from localproc.cwl.run.container import image, is_required
from localproc.cwl.run.process import Tool, compile_package, tools
from localproc.engine.containers import Containers
from localproc.engine.home.settings import base_environment
from localproc.engine.packages.images import Named, looked_for, named_images
from localproc.errors import Problem
from localproc.plugins.executor import Capabilities

if TYPE_CHECKING:
    from localproc.cwl.load.load import Package


def misgivings(
    package: "Package",
    executor: str,
    capabilities: Capabilities,
    containers: Containers | None = None,
) -> Iterator[Problem]:
    """Yield what will go wrong if an executor of this name runs the package, with its places."""
    processes = package.resolved["processes"]
    names = {id(process): name for name, process in processes.items()}
    images = _images(package, executor, capabilities, containers)
    for tool in tools(compile_package(package.resolved)):
        name = names[id(tool.spec)]
        named = images.get(image(tool)) if tool.requirements.has("DockerRequirement") else None
        if named is not None and not named.local:
            if named.image is None:
                where = "requirements" if is_required(tool) else "hints"
                yield package.place(name, where).problem(
                    f"the image {named.box.image} of {tool.id} is not here", hint=named.hint
                )
            continue
        if capabilities.containers and tool.requirements.has("DockerRequirement"):
            continue
        if is_required(tool) and (named is None or not named.local):
            yield package.place(name, "requirements").problem(
                f"{tool.id} requires a container, and the executor {executor!r} has none",
                hint="choose another with --executor, or move DockerRequirement to hints",
            )
        elif missing := _missing_command(tool):
            yield package.place(name, "baseCommand").problem(
                f"the command {missing!r} of {tool.id} is not on this machine",
                hint="install it where the job runs; localproc doctor shows where it is looked for",
            )


def _images(
    package: "Package", executor: str, able: Capabilities, containers: Containers | None
) -> dict[str, Named]:
    """Return the images that tools will run in, by name, if anything is known of them."""
    if containers is None:
        return {}
    named = named_images(package.resolved)
    boxes = [one.box for one in named]
    runtime = containers.boxes("").own.get(executor, "") if able.containers else ""
    if not able.containers:
        required = any(one.required for one in named)
        runtime = containers.chosen("", boxes, required=required)
    if not runtime:
        return {one.box.image: one for one in named if containers.is_local(one.box.image)}
    found = looked_for(named, containers, "", runtime)
    return {first.box.image: one for first, one in zip(named, found, strict=True)}


def _missing_command(tool: Tool) -> str:
    """Return the program that a tool starts, if it is known and not there."""
    command = _command(tool.spec)
    if command is None or has_expression(command) or tool.requirements.has("EnvVarRequirement"):
        return ""
    if os.path.isabs(command):
        return "" if os.access(command, os.X_OK) else command
    if "/" in command:  # in the folder of the step, where the package may put it
        return ""
    return "" if shutil.which(command, path=base_environment()["PATH"]) else command


def _command(spec: Any) -> str | None:
    words = spec.get("baseCommand") or spec.get("arguments") or []
    first = words if isinstance(words, str) else next(iter(words), None)
    return first if isinstance(first, str) else None
