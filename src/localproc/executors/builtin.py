"""Registers the built-in executors the way any plugin does."""

from collections.abc import Iterable

from localproc.plugins import hookimpl
from localproc.plugins.executor import Executor, ExecutorPlugin, ExecutorSettings, Leftover


@hookimpl
def localproc_executors() -> Iterable[ExecutorPlugin]:
    """Give the local executor."""
    summary = "processes of this machine"
    return [ExecutorPlugin("local", _open_local, summary, leftovers=_leftovers)]


def _open_local(settings: ExecutorSettings) -> Executor:
    from localproc.executors.local import LocalExecutor

    return LocalExecutor(settings)


def _leftovers() -> Iterable[Leftover]:
    from localproc.executors.leftovers import leftovers

    return leftovers()
