"""Reaching a daemon.

Owns reading the executor's options, and telling at once if there is no daemon. Must not know tasks.
"""

import os

from localproc.errors import EnvironmentProblem, ExecutorUnavailable
from localproc.plugins.executor import ExecutorSettings
from localproc_docker import OPTIONS
from localproc_docker.backend import DockerBackend
from localproc_docker.containers import Owner
from localproc_docker.engine_api import EngineApi
from localproc_docker.room import Room


def opened(settings: ExecutorSettings) -> DockerBackend:
    """Return the backend for a daemon that answers; raises ``EnvironmentProblem``."""
    unknown = sorted(set(settings.options) - set(OPTIONS))
    if unknown:
        raise EnvironmentProblem(
            f"the executor docker has no option {unknown[0]!r}",
            hint=f"it has {', '.join(OPTIONS)}",
        )
    api = EngineApi(str(settings.options.get("host") or ""))
    try:
        processors = int(api.get("/info").get("NCPU") or 0)
    except ExecutorUnavailable as error:
        api.close()
        raise EnvironmentProblem(error.message, hint=error.hint) from error
    owner = Owner(os.path.realpath(settings.folder), os.getuid(), os.getgid(), processors)
    return DockerBackend(api, owner, Room(settings.slots, settings.cores, settings.ram))
