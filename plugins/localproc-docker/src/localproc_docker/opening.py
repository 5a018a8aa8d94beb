"""Reaching a daemon.

Owns reading options, and telling at once if there is no daemon. Must not know tasks.
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from localproc.errors import EnvironmentProblem, ExecutorUnavailable, LocalprocError
from localproc.plugins.executor import ExecutorSettings
from localproc_docker import OPTIONS
from localproc_docker.backend import DockerBackend
from localproc_docker.daemon_images import DaemonImages
from localproc_docker.daemons import DAEMONS, Daemon
from localproc_docker.engine_api import HANGS, SOON, EngineApi
from localproc_docker.info import Info
from localproc_docker.podman_service import OURS
from localproc_docker.room import Room
from localproc_docker.task_containers import Owner
from localproc_docker.warm import FOLDER, MODES
from localproc_docker.warm_backend import WarmBackend


def opened(daemon: Daemon, settings: ExecutorSettings) -> DockerBackend | WarmBackend:
    """Return the backend for a daemon that answers; raises ``EnvironmentProblem``."""
    _check(daemon, settings.options)
    mode = str(settings.options.get("warm") or "no")
    if mode not in MODES:
        raise EnvironmentProblem(
            f"the option {daemon.name}.warm is {mode!r}", hint=f"it is one of {', '.join(MODES)}"
        )
    api = reached(daemon, settings.options)
    try:
        info = Info.read(api.get("/info", patience=SOON))
    except ExecutorUnavailable as error:
        api.close()
        hint = error.hint if error.hint == HANGS else daemon.listens
        raise EnvironmentProblem(error.message, hint=hint) from error
    folder = os.path.realpath(settings.folder)
    owner = Owner(folder, os.getuid(), os.getgid(), info)
    room = Room(settings.slots, settings.cores, settings.ram)
    backend = DockerBackend(_really(daemon, info), api, owner, room)
    with suppress(LocalprocError):  # the next one to open it does that
        backend.sweep(settings.is_over)
    if mode == "no" and not os.path.isdir(os.path.join(folder, FOLDER)):
        return backend
    return WarmBackend(backend, mode)  # tasks of an earlier engine may share containers


def opened_images(daemon: Daemon, options: Mapping[str, Any]) -> DaemonImages:
    """Return the images of a daemon, whether it answers or not."""
    _check(daemon, options)
    return DaemonImages(reached(daemon, options), daemon.name)


def reached(daemon: Daemon, options: Mapping[str, Any]) -> EngineApi:
    """Return the way to a daemon, which is had to listen where nobody does."""
    return EngineApi(OURS.address() if daemon.is_startable(options) else daemon.address(options))


def _really(daemon: Daemon, info: Info) -> Daemon:
    """Return which daemon it is that answers: podman often stands in for Docker."""
    return next(one for one in DAEMONS if one.name == "podman") if info.is_podman else daemon


def _check(daemon: Daemon, options: Mapping[str, Any]) -> None:
    unknown = sorted(set(options) - set(OPTIONS))
    if unknown:
        raise EnvironmentProblem(
            f"the executor {daemon.name} has no option {unknown[0]!r}",
            hint=f"it has {', '.join(OPTIONS)}",
        )
