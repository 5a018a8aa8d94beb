"""Runs the steps of packages in containers of a Docker daemon, or of podman.

Owns what localproc is told of: the executors ``docker`` and ``podman``, which are one and the same
but for where their daemon listens, and the container runtimes of these names. Must not do anything
until one of them is opened.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Final

from localproc.model import Task
from localproc.plugins import hookimpl
from localproc.plugins.backend import Backend
from localproc.plugins.containers import ContainerPlugin, ContainerRuntime, ContainerSettings
from localproc.plugins.executor import ExecutorPlugin, ExecutorSettings, Finding, Leftover
from localproc_docker.daemons import DAEMONS, Daemon

OPTIONS: Final = {
    "host": "the daemon's address; otherwise that of DOCKER_HOST, for podman CONTAINER_HOST",
    "warm": "tasks that share containers: no (none do), those of one step, or of one job",
}
NO_IMAGE: Final = (
    "it names no container image (the executor 'docker;no-container=local' runs such tools here)"
)


@hookimpl
def localproc_executors() -> Iterable[ExecutorPlugin]:
    """Offer ``Engine(executor="docker")`` and ``Engine(executor="podman")``."""
    return [
        ExecutorPlugin(
            one.name,
            partial(open_daemon, one),
            f"containers of {one.summary}",
            one.capabilities,
            leftovers=partial(leftovers, one),
            check=check,
            examine=partial(examine, one),
        )
        for one in DAEMONS
    ]


@hookimpl
def localproc_containers() -> Iterable[ContainerPlugin]:
    """Offer the images of these daemons; tasks go to the executor of the same name."""
    return [
        ContainerPlugin(
            one.name,
            partial(open_images, one),
            partial(is_here, one),
            f"images of {one.summary}",
            executor=one.name,
            gpus=one.gpus,
            shm=True,
        )
        for one in DAEMONS
    ]


def open_daemon(daemon: Daemon, settings: ExecutorSettings) -> Backend:
    """Return the backend for a daemon; raises ``EnvironmentProblem`` if it is not there."""
    from localproc_docker.opening import opened

    return opened(daemon, settings)


def open_images(daemon: Daemon, settings: ContainerSettings) -> ContainerRuntime:
    """Return the images of a daemon."""
    from localproc_docker.opening import opened_images

    return opened_images(daemon, settings.options)


def is_here(daemon: Daemon, settings: ContainerSettings) -> bool:
    """Return whether a daemon's socket is there."""
    return daemon.is_here(settings.options)


def leftovers(daemon: Daemon) -> Iterable[Leftover]:
    """Return the containers of homes that are gone; raises ``ExecutorUnavailable``."""
    if not daemon.is_here({}):
        return ()
    from localproc_docker import gone_homes

    return gone_homes.leftovers(daemon)


def examine(daemon: Daemon, settings: ExecutorSettings) -> Iterable[Finding]:
    """Return what is known of a daemon; raises ``EnvironmentProblem`` if it is not there."""
    from localproc_docker import examined

    return examined.examine(daemon, settings)


def check(_: ExecutorSettings, tasks: Sequence[Task]) -> Mapping[str, str]:
    """Return why tasks can never run in a container, by their keys."""
    return {one.key: NO_IMAGE for one in tasks if one.container is None}
