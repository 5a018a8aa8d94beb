"""The images that a package names.

Owns finding them, and what is known of each on this machine. Must not know what runs them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from localproc.cwl.run.container import described, is_required
from localproc.cwl.run.process import compile_package, operations, tools
from localproc.engine.container_runtimes import Containers
from localproc.errors import ExecutorUnavailable, LocalprocError
from localproc.frozen import frozen
from localproc.model import Container
from localproc.plugins.containers import Image


@frozen
class Named:
    """An image that a package names; ``required``: a tool relies on it.

    ``image`` is what is here of it, ``None`` if it is missing, and ``hint`` says what brings it
    then. ``local``: it stands for this machine. ``silent``: who would know does not answer, and
    ``hint`` says who.
    """

    box: Container
    required: bool
    image: Image | None = None
    hint: str = ""
    local: bool = False
    silent: bool = False


def named_images(resolved: Mapping[str, Any]) -> list[Named]:
    """Return the images that the tools of a compiled package name, each once.

    A package with an Operation is never run, and so needs none.
    """
    found: dict[str, Named] = {}
    if operations(resolved):
        return []
    for tool in tools(compile_package(resolved)):
        if tool.requirements.has("DockerRequirement"):
            box = described(tool)
            before = found.get(box.image)
            required = is_required(tool) or (before is not None and before.required)
            found[box.image] = Named(box, required)
    return list(found.values())


def looked_for(
    named: list[Named], containers: Containers, wanted: str, runtime: str = ""
) -> Iterator[Named]:
    """Yield images with what is known of them, by a runtime: the one wanted, or what is there.

    ``runtime`` is that of an executor, which nobody chooses. Where there is none, all are missing.
    """
    boxes = [one.box for one in named]
    runtime = runtime or containers.chosen(wanted, boxes).runtime
    for one in named:
        if containers.is_local(one.box.image):
            yield replace(one, local=True)
        elif not runtime:
            yield replace(one, hint="there is no container runtime on this machine")
        else:
            yield _looked_for(one, containers, runtime)


def _looked_for(one: Named, containers: Containers, runtime: str) -> Named:
    box = containers.mapped(replace(one.box, runtime=runtime))
    try:
        return replace(one, box=box, image=containers.image_soon(box))
    except ExecutorUnavailable as error:
        return replace(one, box=box, hint=error.message, silent=True)
    except LocalprocError as error:
        return replace(one, box=box, hint=error.hint or error.message)
