"""The containers of one home at a daemon.

Owns asking for them, signals, ending and removing them, several at a time; and which of them the
daemon does not let go of. Must not know tasks, nor what an end means.

A daemon that has missed the end of a container answers for ever that it is removing it.
"""

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from time import monotonic, sleep
from typing import Any, Final

from localproc.errors import ExecutorUnavailable, LocalprocError
from localproc_docker import task_containers
from localproc_docker.engine_api import ApiRefused, EngineApi
from localproc_docker.task_containers import Owner

_LOG: Final = logging.getLogger("localproc")
_AT_A_TIME: Final = 8  #: requests; the daemon itself works on a few at a time
_PACE: Final = 0.02
_SHARE: Final = 4  #: waiting takes at most one part in so many of the daemon's time
_PATIENCE: Final = 30.0  #: seconds that a killed container may take to end
_SOON: Final = 10.0  #: seconds that a daemon may take for one, unless it is stuck with that
_NO_INIT: Final = "container-init binary not found"
_NOT_THERE: Final = 404
#: What a person can do about containers that a daemon does not remove.
STUCK: Final = "it is tried again later, but a daemon that has lost it lets go when restarted"


class Boxes:
    """Containers by name or id. May be used by several threads at once."""

    def __init__(self, api: EngineApi, owner: Owner) -> None:
        self._api = api
        self._owner = owner
        self.pool = ThreadPoolExecutor(_AT_A_TIME, "localproc-docker")
        self._kept: dict[str, str] = {}  #: what the daemon said of those that it did not remove

    def all(self) -> Sequence[Mapping[str, Any]]:
        """Return all containers of the home, in short."""
        wanted = {"label": [f"{task_containers.HOME}={self._owner.mark}"]}
        found: Sequence[Mapping[str, Any]] = self._api.get(
            "/containers/json", all=True, filters=wanted
        )
        return found

    def seen(self, name: str) -> Mapping[str, Any]:
        """Return all that the daemon says of a container."""
        found: Mapping[str, Any] = self._api.get(f"/containers/{name}/json", patience=_SOON)
        return found

    def runs(self, name: str) -> bool:
        """Return whether a container runs."""
        try:
            return task_containers.runs(self.seen(name))
        except ApiRefused as error:
            if error.code != _NOT_THERE:
                raise
            return False

    def create(self, name: str, body: Mapping[str, Any]) -> None:
        """Make a container, without an init where there is none to be had: podman recommends it."""
        body = task_containers.sent(body)
        try:
            self._api.post("/containers/create", body, name=name)
        except ApiRefused as error:
            if _NO_INIT not in error.message:
                raise
            host = {**body["HostConfig"], "Init": None}
            self._api.post("/containers/create", {**body, "HostConfig": host}, name=name)

    def run(self, name: str, body: Mapping[str, Any]) -> None:
        """Make and start a container; nothing is left of one that does not start."""
        try:
            self.create(name, body)
            self._api.post(f"/containers/{name}/start")
        except ApiRefused:
            self.remove(name)
            raise

    def signal(self, name: str, signal: str) -> None:
        """Send a container a signal, if it runs."""
        try:
            self._api.post(f"/containers/{name}/kill", signal=signal)
        except ApiRefused as error:
            if error.code not in (404, 409, 500):  # podman has no better word for "it does not run"
                raise

    def end(self, names: Collection[str], grace: float) -> None:
        """End containers: TERM to all of them, ``grace`` seconds, KILL; return when none runs.

        One that waits to be started is removed, as somebody may be about to do that just now.
        Raises ``ExecutorUnavailable`` if one cannot be killed.
        """
        self._signal_all(names, "TERM")
        left = self._wait_for(names, grace)
        if left:
            self._signal_all(left, "KILL")
            left = self._wait_for(left, _PATIENCE)
        if left:
            raise ExecutorUnavailable(f"{len(left)} containers run on though they were killed")

    def remove(self, name: str) -> None:
        """Remove a container, whether it runs or not.

        One that the daemon keeps may be gone soon, as somebody removes it just now: ``close`` looks
        again.
        """
        try:
            self._api.delete(f"/containers/{name}", force=True, v=True)
        except ExecutorUnavailable as error:
            self._kept[name] = error.message
            raise
        except ApiRefused as error:
            if error.code != _NOT_THERE:
                self._kept[name] = error.message

    def close(self) -> None:
        """Let go of the threads, and tell of containers that the daemon has not removed."""
        self.pool.shutdown(wait=True, cancel_futures=True)
        if not self._kept:
            return
        with suppress(LocalprocError):  # nobody answers any more: the next one to open it looks
            for one in self.all():
                name = next((name for name in _names(one) if name in self._kept), "")
                if name:
                    said = self._kept[name]
                    _LOG.warning("the container %s is still there: %s; %s", name, said, STUCK)

    def _signal_all(self, names: Iterable[str], signal: str) -> None:
        list(self.pool.map(lambda name: self.signal(name, signal), names))

    def _wait_for(self, names: Collection[str], seconds: float) -> set[str]:
        """Wait for ends, asking for all at once; return the names of those that run on."""
        deadline = monotonic() + seconds
        while True:
            before = monotonic()
            states = {name: one["State"] for one in self.all() for name in _names(one)}
            waiting = [name for name in names if states.get(name) == "created"]
            list(self.pool.map(self.remove, waiting))
            left = {name for name in names if states.get(name, "dead") not in task_containers.STILL}
            now = monotonic()
            if not (left or waiting) or now >= deadline:
                return left
            sleep(min(max(_PACE, _SHARE * (now - before)), deadline - now))


def _names(one: Mapping[str, Any]) -> list[str]:
    """Return what a container is called."""
    return [str(one["Id"]), *(name.lstrip("/") for name in one["Names"])]
