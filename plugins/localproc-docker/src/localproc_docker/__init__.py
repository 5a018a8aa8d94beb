"""Runs the steps of packages in containers of a Docker daemon.

Owns what localproc is told of: the executor ``docker``. Must not do anything until it is opened.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from localproc.model import Task
from localproc.plugins import hookimpl
from localproc.plugins.backend import Backend, Capabilities
from localproc.plugins.executor import ExecutorPlugin, ExecutorSettings

CAPABILITIES: Final = Capabilities(containers=True, limits=True)
OPTIONS: Final = {"host": "the daemon's address, as in DOCKER_HOST, which it is otherwise"}
NO_IMAGE: Final = (
    "it names no container image (the executor 'docker;no-container=local' runs such tools here)"
)


@hookimpl
def localproc_executors() -> Iterable[ExecutorPlugin]:
    """Offer ``Engine(executor="docker")``."""
    summary = "containers of a Docker daemon"
    return [ExecutorPlugin("docker", open_docker, summary, CAPABILITIES, check=check)]


def open_docker(settings: ExecutorSettings) -> Backend:
    """Return the backend for a daemon; raises ``EnvironmentProblem`` if it is not there."""
    from localproc_docker.opening import opened

    return opened(settings)


def check(_: ExecutorSettings, tasks: Sequence[Task]) -> Mapping[str, str]:
    """Return why tasks can never run in a container, by their keys."""
    return {one.key: NO_IMAGE for one in tasks if one.container is None}
