"""Whether this machine, and an executor of it, can run a package.

Owns what would only be found out when a step is started: commands that are not there, containers
that an executor does not have. These are warnings: the package may be meant for another machine.
"""

import os
import re
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from localproc.cwl.expr.expressions import has_expression
from localproc.cwl.run.container import image, is_required
from localproc.cwl.run.process import Tool, compile_package, operations, tools
from localproc.engine.container_runtimes import Containers
from localproc.engine.home.settings import base_environment, machine_cores, machine_ram
from localproc.engine.packages.images import Named, looked_for, named_images
from localproc.errors import Problem
from localproc.plugins.executor import Capabilities, ExecutorPlugin

if TYPE_CHECKING:
    from localproc.cwl.base.positions import Position
    from localproc.cwl.load.load import Package

_INTERPRETER: Final = re.compile(r"python[0-9.]*|(ba|da|z|k)?sh|perl|Rscript|node|ruby|julia")
_SCRIPT: Final = re.compile(r"\.(py|sh|pl|[rR]|js|rb|jl)$")


def misgivings(
    package: "Package", executor: ExecutorPlugin, containers: Containers | None = None
) -> Iterator[Problem]:
    """Yield what will go wrong if an executor runs the package here, with its places."""
    processes = package.resolved["processes"]
    for name in operations(package.resolved):
        yield package.place(name, "class").problem(
            f"{processes[name]['id']} is an Operation, which can be looked at and not run",
            hint="put a CommandLineTool, an ExpressionTool or a Workflow in its place",
        )
        return  # what runs beside it is not known
    names = {id(process): name for name, process in processes.items()}
    able = executor.capabilities
    images = _images(package, executor.name, able, containers)
    for tool in tools(compile_package(package.resolved)):
        name = names[id(tool.spec)]
        if not able.remote and (said := _too_much(tool)):
            yield package.place(name, "requirements", "ResourceRequirement").problem(
                f"{tool.id} {said}", hint="ask for less, or choose another executor"
            )
        named = images.get(image(tool)) if tool.requirements.has("DockerRequirement") else None
        if named is not None and not named.local:
            if named.image is None:
                where = "requirements" if is_required(tool) else "hints"
                yield package.place(name, where).problem(_unseen(named, tool), hint=named.hint)
            continue
        if able.containers and tool.requirements.has("DockerRequirement"):
            continue
        if is_required(tool) and (named is None or not named.local):
            yield package.place(name, "requirements").problem(
                f"{tool.id} requires a container, and the executor {executor.name!r} has none",
                hint="choose another with --executor, or move DockerRequirement to hints",
            )
        else:
            yield from _nowhere(tool, package.place(name, "baseCommand"))


def _nowhere(tool: Tool, place: "Position") -> Iterator[Problem]:
    """Yield that the command of a tool, or the script that it runs, is not there."""
    if missing := _missing_command(tool):
        yield place.problem(
            f"the command {missing!r} of {tool.id} is not on this machine",
            hint="install it where the job runs; localproc doctor shows where it is looked for",
        )
    elif missing := _missing_script(tool):
        yield place.problem(
            f"{tool.id} runs {missing!r}, which nothing puts into its folder",
            hint="make it an input: a File with a default, or an entry of "
            "InitialWorkDirRequirement",
        )


def _unseen(named: Named, tool: Tool) -> str:
    """Say what is known of an image that nobody has seen here."""
    image = f"the image {named.box.image} of {tool.id}"
    return f"nobody says whether {image} is here" if named.silent else f"{image} is not here"


def _too_much(tool: Tool) -> str:
    """Say that a tool asks for more than this machine has, where it does so in numbers."""
    asked = tool.requirements.get("ResourceRequirement") or {}
    for name, there, what in (
        ("coresMin", machine_cores(), "cores"),
        ("ramMin", machine_ram(), "MiB of memory"),
    ):
        wanted = asked.get(name)
        if isinstance(wanted, int | float) and wanted > there:
            return f"asks for {wanted:g} {what}, and this machine has {there}"
    return ""


def _missing_script(tool: Tool) -> str:
    """Return the script that an interpreter is given by a path which leads nowhere."""
    words = tool.spec.get("baseCommand") or []
    if isinstance(words, str) or tool.requirements.has("InitialWorkDirRequirement"):
        return ""
    if len(words) < 2 or not _INTERPRETER.fullmatch(os.path.basename(str(words[0]))):
        return ""
    script = str(words[1])
    if script.startswith("-") or has_expression(script) or not _SCRIPT.search(script):
        return ""
    return "" if os.path.isabs(script) and os.path.exists(script) else script


def _images(
    package: "Package", executor: str, able: Capabilities, containers: Containers | None
) -> dict[str, Named]:
    """Return the images that tools will run in, by name, if anything is known of them."""
    if containers is None:
        return {}
    named = named_images(package.resolved)
    runtime = containers.boxes("").own.get(executor, "") if able.containers else ""
    if not able.containers:
        required = [one.box for one in named if one.required]
        hinted = [one.box for one in named if not one.required]
        choice = containers.chosen("", required, hinted)
        runtime = choice.runtime
        named = [one for one in named if one.box.image not in choice.passed_over]
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
