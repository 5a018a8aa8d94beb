"""The daemons that speak this API.

Owns where Docker and podman listen by custom, and in what they differ. Must not ask any of them
anything.
"""

import os
import shutil
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from localproc.plugins.backend import Capabilities


@dataclass(frozen=True, slots=True)
class Daemon:
    """A kind of daemon: ``variable`` holds an address, ``sockets`` are where it is otherwise.

    ``listens`` says how it comes to listen. ``program`` can be made to, where no address is named
    and nobody listens by custom. ``gpus``: it gives containers devices.
    ``tells_of_memory``: one that was killed for its memory is said to have been. ``replays``: asked
    for events until a moment, it tells all before that; podman but those that it still comes to.
    """

    name: str
    summary: str
    variable: str
    sockets: tuple[str, ...]
    listens: str
    program: str = ""
    gpus: bool = False
    tells_of_memory: bool = False
    replays: bool = False

    @property
    def capabilities(self) -> Capabilities:
        """What executors of it can do."""
        return Capabilities(containers=True, limits=True, gpus=self.gpus, secrets=True)

    def address(self, options: Mapping[str, Any]) -> str:
        """Return the address: that of the options, of the environment, or the first that is."""
        if named := self._named(options):
            return named
        places = [one.format(**_folders()) for one in self.sockets]
        return f"unix://{next(filter(_is_socket, places), places[-1])}"

    def is_here(self, options: Mapping[str, Any]) -> bool:
        """Return whether it is worth asking; one of another machine is."""
        return self._listens(options) or self.is_startable(options)

    def is_startable(self, options: Mapping[str, Any]) -> bool:
        """Return whether nobody listens, and this process may have it listen."""
        if self._named(options) or self._listens(options):
            return False
        return bool(self.program) and shutil.which(self.program) is not None

    def _named(self, options: Mapping[str, Any]) -> str:
        return str(options.get("host") or os.environ.get(self.variable) or "")

    def _listens(self, options: Mapping[str, Any]) -> bool:
        scheme, _, place = self.address(options).partition("://")
        return scheme != "unix" or _is_socket(place)


DAEMONS: Final = (
    Daemon(
        "docker",
        "a Docker daemon",
        "DOCKER_HOST",
        ("/var/run/docker.sock",),
        "is it running, and may this user open its socket?",
        gpus=True,
        tells_of_memory=True,
        replays=True,
    ),
    Daemon(
        "podman",
        "podman's socket",
        "CONTAINER_HOST",
        ("{runtime}/podman/podman.sock", "/run/podman/podman.sock"),
        "the program alone does not listen: systemctl --user start podman.socket has it do so, "
        "without systemd podman system service --time 0 unix://PATH and CONTAINER_HOST=unix://PATH",
        program="podman",
    ),
)


def _folders() -> dict[str, str]:
    return {"runtime": os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"}


def _is_socket(path: str) -> bool:
    try:
        return stat.S_ISSOCK(os.stat(path).st_mode)
    except OSError:
        return False
