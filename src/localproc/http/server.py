"""An app on a socket, until somebody stops it.

Owns how long clients may take to ask, and how those who listen are let go when it ends. Must not
know what is answered. Needs uvicorn.
"""

import asyncio
import socket
from contextlib import suppress
from typing import Any, Final

import h11
import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

#: Seconds that requests may go on after the end has begun.
_FAREWELL: Final = 2
#: Seconds that the head of a request may take, and that its body may be silent.
_HEAD: Final = 20.0
_SILENCE: Final = 60.0


class PunctualProtocol(H11Protocol):
    """HTTP for clients that say in time what they want; others are cut off."""

    head_seconds: float = _HEAD
    silence_seconds: float = _SILENCE

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._within(self.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._within(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take in a piece of a request; the whole of a head has one deadline."""
        super().data_received(data)
        state = self.conn.their_state
        if state is h11.SEND_BODY:
            self._within(self.silence_seconds)
        elif state is not h11.IDLE:
            self._within(None)
        elif self._deadline is None:
            self._within(self.head_seconds)

    def _within(self, seconds: float | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = None if seconds is None else self.loop.call_later(seconds, self._late)

    def _late(self) -> None:
        self._deadline = None
        if self.flow.read_paused:  # it is the app that takes its time
            self._within(self.silence_seconds)
        else:
            self.transport.close()


#: How a server is set up. What proxies say of clients (``X-Forwarded-*``) is not believed:
#: ``base_url`` names the outer address.
OPTIONS: Final[Any] = {
    "http": PunctualProtocol,
    "ws": "none",
    "log_level": "warning",
    "access_log": False,
    "server_header": False,
    "proxy_headers": False,
}


def serve(app: Starlette, listener: socket.socket) -> None:
    """Serve an app of ``create_app`` until Ctrl-C or SIGTERM."""
    config = uvicorn.Config(app, timeout_graceful_shutdown=_FAREWELL, **OPTIONS)
    with suppress(KeyboardInterrupt):  # Ctrl-C is how a server ends
        GracefulServer(config, app).run(sockets=[listener])


class GracefulServer(uvicorn.Server):
    """Tells its app when the end begins, so that those who listen to a job are let go."""

    def __init__(self, config: uvicorn.Config, app: Starlette) -> None:
        super().__init__(config)
        self._app = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End."""
        self._app.state.stopping = True
        await super().shutdown(sockets)
