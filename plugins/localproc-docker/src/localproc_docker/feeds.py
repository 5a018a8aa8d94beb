"""What tools read whose image has no shell to open it: this process sends it to their containers.

Owns sending it (Docker Engine API, "Attach to a container"), and knowing whether all of it can have
arrived. Must not know how containers are made or ended. Whoever sends is cut off with this process
or the daemon, and a tool then sees an end that is none: its container counts only for who has sent
it all, to a daemon that has lived all the while.
"""

import logging
import socket
import threading
from contextlib import ExitStack, suppress
from typing import Final

from localproc.errors import ExecutorUnavailable, LocalprocError
from localproc_docker.engine_api import EngineApi

_LOG: Final = logging.getLogger("localproc")
_PIECE: Final = 1 << 18


class Feeds:
    """Containers by name. May be used by several threads at once."""

    def __init__(self, api: EngineApi) -> None:
        self._api = api
        self._open: dict[str, _Feed] = {}
        self._whole: set[str] = set()

    def begin(self, name: str, path: str) -> None:
        """Send a file to a container that is about to be started."""
        self.end(name)
        self._open[name] = _Feed(self._api, name, path)

    def is_sound(self, name: str, *, ended: bool) -> bool:
        """Return whether a container that runs, or has ``ended``, was not cut off till now."""
        feed = self._open.get(name)
        if feed is None:
            return name in self._whole
        sound = feed.is_sound()
        if sound and not ended:
            return True
        if sound:
            self._whole.add(name)
        self._open.pop(name, None)
        feed.close()
        return sound

    def end(self, name: str) -> None:
        """Send no more to a container."""
        self._whole.discard(name)
        if (feed := self._open.pop(name, None)) is not None:
            feed.close()

    def close(self) -> None:
        """Let go of all."""
        for name in list(self._open):
            self.end(name)


class _Feed:
    def __init__(self, api: EngineApi, name: str, path: str) -> None:
        self._path = path
        self._unread = False  #: the file could not be read to its end
        with ExitStack() as stack:
            self._life = stack.enter_context(api.held())
            self._wire = stack.enter_context(api.attached(name))
            self._stack = stack.pop_all()
        self._thread = threading.Thread(target=self._send, name="localproc-feed", daemon=True)
        try:
            self._thread.start()
        except RuntimeError as error:  # the system has none left
            self._stack.close()
            raise ExecutorUnavailable(f"{name} cannot be sent what it reads: {error}") from error

    def is_sound(self) -> bool:
        return not self._unread and _is_open(self._life)

    def close(self) -> None:
        for one in (self._wire, self._life):
            with suppress(OSError):  # it has ended
                one.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        with suppress(LocalprocError):
            self._stack.close()

    def _send(self) -> None:
        try:
            with open(self._path, "rb") as file:
                while piece := file.read(_PIECE):
                    if not self._passes(piece):
                        return
        except OSError as error:
            _LOG.warning("%s cannot be read to its end: %s", self._path, error)
            self._unread = True
        with suppress(OSError):
            self._wire.shutdown(socket.SHUT_WR)

    def _passes(self, piece: bytes) -> bool:
        """Send; whether more is wanted: a tool may end without having read all."""
        try:
            self._wire.sendall(piece)
        except OSError:
            return False
        return True


def _is_open(wire: socket.socket) -> bool:
    """Return whether a connection is still there on which nothing is ever said."""
    try:
        return bool(wire.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
    except BlockingIOError:
        return True
    except OSError:
        return False
