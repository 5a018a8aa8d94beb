"""Registers the built-in executors and container runtimes the way any plugin does."""

import shutil
from collections.abc import Iterable

from localproc.plugins import hookimpl
from localproc.plugins.containers import ContainerPlugin, ContainerRuntime, ContainerSettings
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


@hookimpl
def localproc_containers() -> Iterable[ContainerPlugin]:
    """Give the runtimes whose containers are plain processes."""
    return [
        ContainerPlugin(
            "charliecloud",
            _open_charliecloud,
            lambda _: shutil.which("ch-run") is not None,
            "containers of an unprivileged user (ch-run)",
        )
    ]


def _open_charliecloud(settings: ContainerSettings) -> ContainerRuntime:
    from localproc.executors.containers.charliecloud import Charliecloud

    return Charliecloud(settings)
