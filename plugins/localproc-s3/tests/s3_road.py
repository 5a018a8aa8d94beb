"""A way to an S3 server on which things go wrong.

It forwards requests as they are; the signature is of its own address, which the server is told.
"""

import http.client
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from s3_server import Server
from tests.patience import patient

_ANSWERS = {
    "error": (500, b"<Error><Code>InternalError</Code><Message>Try again.</Message></Error>"),
    "busy": (503, b"<Error><Code>SlowDown</Code><Message>Reduce your rate.</Message></Error>"),
    "expired": (400, b"<Error><Code>ExpiredToken</Code><Message>It is over.</Message></Error>"),
    "denied": (403, b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"),
}

_SLOW = 0.3  #: seconds that a slow answer takes to begin
#: Says what goes wrong with a request (its method and path), nothing for most.
Fault = Callable[[str, str], str]


class Road:
    """Leads to a server. ``fault`` is asked about each request; ``asked`` has all of them."""

    def __init__(self, server: Server) -> None:
        self.far = urlsplit(server.endpoint)
        self.fault: Fault = lambda method, path: ""
        self.asked: list[tuple[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.over = threading.Event()
        self._server = _Quiet(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.road = self  # type: ignore[attr-defined]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.server = replace(server, endpoint=f"http://127.0.0.1:{self._server.server_port}")

    def close(self) -> None:
        """End it."""
        self.over.set()
        self._server.shutdown()
        self._server.server_close()


class _Quiet(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that are killed."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _forward(self) -> None:
        road: Road = self.server.road  # type: ignore[attr-defined]
        self.path = self.path.removeprefix(road.server.endpoint)  # as by a proxy (RFC 9112, 3.2.2)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        road.asked.append((self.command, self.path))
        road.headers.append({name.lower(): value for name, value in self.headers.items()})
        fault = road.fault(self.command, self.path)
        if fault == "reset":
            self.close_connection = True
            self.connection.close()
            return
        if fault == "silent":
            road.over.wait()
            self.close_connection = True
            return
        if fault in _ANSWERS:
            status, said = _ANSWERS[fault]
            self._answer(status, [("Content-Type", "application/xml")], said)
            return
        if fault == "damaged":
            body = bytes(reversed(body))
        with closing(
            http.client.HTTPConnection(str(road.far.hostname), road.far.port, timeout=patient(60))
        ) as far:
            far.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                far.putheader(name, value)
            far.endheaders(body)
            answer = far.getresponse()
            data = answer.read()
        if fault == "lost":  # it was done, and nobody is told
            self.close_connection = True
            self.connection.close()
            return
        if fault == "garbled" and answer.status < 300:  # as many bytes, and others
            data = bytes(255 - one for one in data)
        if fault == "slow":
            time.sleep(_SLOW)
        self._answer(answer.status, answer.getheaders(), data, short=fault == "short")

    def _answer(self, status: int, headers: Any, data: bytes, *, short: bool = False) -> None:
        self.send_response_only(status)
        length = str(len(data))
        for name, value in headers:
            if name.lower() == "content-length":
                length = value
            elif name.lower() not in ("transfer-encoding", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", length)
        self.end_headers()
        if self.command == "HEAD":
            return
        with suppress(OSError):
            self.wfile.write(data[: len(data) // 2] if short else data)
        self.close_connection = self.close_connection or short

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _forward  # noqa: N815

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def road_to(server: Server) -> Iterator[Road]:
    """Give a way to a server."""
    found = Road(server)
    yield found
    found.close()


def once(fault: str, where: Callable[[str, str], bool], times: int = 1) -> Fault:
    """Make the first requests of a kind go wrong."""
    left = threading.Semaphore(times)
    return lambda method, path: (
        fault if where(method, path) and left.acquire(blocking=False) else ""
    )
