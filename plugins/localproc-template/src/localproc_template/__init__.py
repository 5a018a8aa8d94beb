"""A plugin to copy: an executor that runs one task after the other, and a storage in memory.

The two functions are the plugin; each gives what can be opened by name. What they offer lies in a
module each.
"""

from collections.abc import Iterable

from localproc.plugins import hookimpl
from localproc.plugins.backend import Capabilities
from localproc.plugins.executor import ExecutorPlugin
from localproc.plugins.storage import StoragePlugin
from localproc_template.executor import SequentialBackend
from localproc_template.storage import MemoryStorage


@hookimpl
def localproc_executors() -> Iterable[ExecutorPlugin]:
    """Offer ``Engine(executor="sequential")``.

    What opens it is a function or a class; let it import what is heavy, for this one is called by
    every engine. The capabilities are the default ones: it runs no containers.
    """
    summary = "processes, one after the other"
    return [ExecutorPlugin("sequential", SequentialBackend, summary, Capabilities())]


@hookimpl
def localproc_storages() -> Iterable[StoragePlugin]:
    """Offer URIs that begin with ``memory:``."""
    return [StoragePlugin("memory", MemoryStorage.open, "a dictionary, gone with its engine")]
