"""Registers the built-in executors the way any plugin does."""

from collections.abc import Iterable

from localproc.plugins import hookimpl
from localproc.plugins.executor import Executor, ExecutorPlugin, ExecutorSettings


@hookimpl
def localproc_executors() -> Iterable[ExecutorPlugin]:
    """Give the local executor."""
    return [ExecutorPlugin("local", _open_local, "processes of this machine")]


def _open_local(settings: ExecutorSettings) -> Executor:
    from localproc.executors.local import LocalExecutor

    return LocalExecutor(settings)
