"""The hooks that plugins may implement, each with one honest sentence.

Owns the hook specifications. A plugin takes only the arguments it asks for, so arguments can be
added later. A hook that fails is reported by ``localproc plugins`` and breaks no job, but for
``localproc_check_inputs``, whose error is the point.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pluggy

from localproc.model import Event, JobRecord, ProcessRecord
from localproc.plugins.containers import ContainerPlugin
from localproc.plugins.executor import ExecutorPlugin
from localproc.plugins.software import SoftwarePlugin
from localproc.plugins.storage import StoragePlugin

if TYPE_CHECKING:
    import click

_hookspec = pluggy.HookspecMarker("localproc")


@_hookspec
def localproc_executors() -> Iterable[ExecutorPlugin]:  # type: ignore[empty-body]
    """Return the executors that ``Engine(executor=NAME)`` can open."""


@_hookspec
def localproc_containers() -> Iterable[ContainerPlugin]:  # type: ignore[empty-body]
    """Return the container runtimes that ``Engine(containers=NAME)`` can use."""


@_hookspec
def localproc_storages() -> Iterable[StoragePlugin]:  # type: ignore[empty-body]
    """Return the storages for inputs and results, one for each URI scheme."""


@_hookspec
def localproc_software() -> Iterable[SoftwarePlugin]:  # type: ignore[empty-body]
    """Return the kinds of resolvers that find software for tools."""


@_hookspec
def localproc_check_inputs(process: ProcessRecord, inputs: Mapping[str, Any]) -> None:
    """Raise ``InvalidInputs`` to refuse a job before it is accepted."""


@_hookspec
def localproc_event(job: JobRecord, event: Event) -> None:
    """Be told of an event after it has been recorded; runs in a thread of its own.

    It is one of the classes in ``localproc.model.events``, with the members of its kind.
    """


@_hookspec
def localproc_commands(group: "click.Group") -> None:
    """Add commands to the command line."""
