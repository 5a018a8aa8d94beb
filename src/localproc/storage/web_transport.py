"""Requests over HTTP/1.1 that cost little, however much they bring.

Owns connections to servers, which are kept for the next request. Must not know who may be asked,
nor redirects.

It is the standard library's client, in the form of a transport of httpx. What comes is read once,
in large pieces; httpx's own transport copies each of its small ones three times, and no other
transfer goes on in the meantime (see docs/adr/0057-web-transport.md).
"""

import http.client
import io
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any, Final

import httpx

from localproc.frozen import frozen
from localproc.storage.pace import SLOWEST, PacedReader

_PIECE: Final = 256 << 10  #: bytes that are taken at a time, if so many have come
_FRESH: Final = 5.0  #: seconds after which a server may have ended a connection that is idle
_IDLE: Final = 16  #: connections that are kept for one place
_BARE: Final = (http.client.NO_CONTENT, http.client.NOT_MODIFIED)
_PAUSES: Final = (0.0, 0.5)  #: seconds before further tries to connect, before anything was asked


@frozen
class _Place:
    """Where a connection leads. Those to one address are not shared between names."""

    host: str
    port: int
    certified: str  #: the name that the certificate is for; nothing without TLS

    @classmethod
    def of(cls, request: httpx.Request) -> "_Place":
        url, host = request.url, request.url.raw_host.decode("ascii")
        if url.scheme != "https":
            return cls(host, url.port or http.client.HTTP_PORT, "")
        certified = str(request.extensions.get("sni_hostname", host))
        return cls(host, url.port or http.client.HTTPS_PORT, certified)


class WebTransport(httpx.BaseTransport):
    """Sends requests; several threads may do so at once.

    ``slowest`` are the bytes a second that have to come of an answer (see ``pace``).
    """

    def __init__(self, tls: Callable[[], ssl.SSLContext], slowest: float = SLOWEST) -> None:
        self._tls = tls
        self._answer = partial(_Answer, slowest)
        self._lock = threading.Lock()
        self._idle: dict[_Place, list[tuple[float, http.client.HTTPConnection]]] = {}
        self._closed = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the answer, whose body is still to come; raises the errors of httpx."""
        place = _Place.of(request)
        timeout = request.extensions.get("timeout", {}).get("read")
        connection = self._known(place, timeout) or self._connected(place, timeout)
        try:
            answer = _asked(connection, request)
            length = _length(request.method, answer)
            body = _Body(connection, answer, length, lambda: self._keep(place, connection))
        except BaseException as error:
            connection.close()
            raise _of_httpx(error) from error
        return httpx.Response(
            answer.status,
            headers=[(n.encode("latin-1"), v.encode("latin-1")) for n, v in answer.getheaders()],
            stream=body,
            extensions={"reason_phrase": answer.reason.encode("latin-1")},
        )

    def close(self) -> None:
        """Close what is idle now, and what is used still when that is over."""
        with self._lock:
            self._closed = True
            idle = [connection for some in self._idle.values() for _, connection in some]
            self._idle.clear()
        for connection in idle:
            connection.close()

    def _known(self, place: _Place, timeout: float | None) -> http.client.HTTPConnection | None:
        """Return a connection that has been used before, if the server has not ended it."""
        while True:
            with self._lock:
                if not self._idle.get(place):
                    return None
                since, connection = self._idle[place].pop()
            if time.monotonic() - since < _FRESH and not _has_ended(connection.sock):
                connection.sock.settimeout(timeout)
                return connection
            connection.close()

    def _keep(self, place: _Place, connection: http.client.HTTPConnection) -> None:
        with self._lock:
            some = self._idle.setdefault(place, [])
            if not self._closed and len(some) < _IDLE:
                some.append((time.monotonic(), connection))
                return
        connection.close()

    def _connected(self, place: _Place, timeout: float | None) -> http.client.HTTPConnection:
        for pause in _PAUSES:
            with suppress(httpx.ConnectError, httpx.ConnectTimeout):
                return self._connect(place, timeout)
            time.sleep(pause)
        return self._connect(place, timeout)

    def _connect(self, place: _Place, timeout: float | None) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection(place.host, place.port)
        connection.response_class = self._answer  # type: ignore[assignment]
        try:
            plain = socket.create_connection((place.host.strip("[]"), place.port), timeout)
            try:
                plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                name = place.certified
                connection.sock = (
                    self._tls().wrap_socket(plain, server_hostname=name) if name else plain
                )
            except BaseException:
                plain.close()
                raise
        except TimeoutError as error:
            raise httpx.ConnectTimeout(str(error)) from error
        except (OSError, UnicodeError) as error:
            raise httpx.ConnectError(str(error)) from error
        return connection


class _Answer(http.client.HTTPResponse):
    """An answer whose head and framing may not come too slowly either: nobody else sees them."""

    def __init__(self, slowest: float, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.fp = io.BufferedReader(PacedReader(self.fp.detach(), slowest))


class _Body(httpx.SyncByteStream):
    """What an answer brings; ``keep`` is called when all of it has come and more may be asked."""

    def __init__(
        self,
        connection: http.client.HTTPConnection,
        answer: http.client.HTTPResponse,
        length: int | None,
        keep: Callable[[], None],
    ) -> None:
        self._connection = connection
        self._answer = answer
        self._keep = keep
        self._length = length
        self._came = 0
        self._is_whole = length == 0

    def __iter__(self) -> Iterator[bytes]:
        try:
            while chunk := self._answer.read1(_PIECE):
                self._came += len(chunk)
                yield chunk
        except (OSError, http.client.HTTPException) as error:
            raise _of_httpx(error) from error
        if self._length is not None and self._came < self._length:
            said = f"the answer ended: received {self._came} bytes, expected {self._length}"
            raise httpx.RemoteProtocolError(said)
        self._is_whole = True

    def close(self) -> None:
        self._answer.close()
        if self._is_whole and self._connection.sock is not None:
            self._keep()
        else:
            self._connection.close()


def _asked(
    connection: http.client.HTTPConnection, request: httpx.Request
) -> http.client.HTTPResponse:
    """Send a request; a server may answer before it has come to its end, and want no more of it."""
    target = request.url.raw_path.decode("ascii")
    connection.putrequest(request.method, target, skip_host=True, skip_accept_encoding=True)
    for name, value in request.headers.raw:
        connection.putheader(name, value)
    with suppress(BrokenPipeError, ConnectionResetError):
        connection.endheaders(request.read() or None)
    return connection.getresponse()


def _length(method: str, answer: http.client.HTTPResponse) -> int | None:
    """Return how many bytes come, ``None`` if nobody knows: the end of them is told otherwise.

    Raises ``HTTPException`` where it cannot be told what is of an answer and what is not (RFC 9112,
    section 6.3): the standard library takes that as it likes.
    """
    if method == "HEAD" or answer.status in _BARE:
        return 0
    codings = ",".join(answer.headers.get_all("transfer-encoding", ())).strip().lower()
    if codings not in ("", "chunked"):
        raise http.client.HTTPException(f"the server has encoded its answer ({codings})")
    said = {
        one.strip() for one in ",".join(answer.headers.get_all("content-length", ())).split(",")
    }
    if codings or said == {""}:
        return None
    if len(said) > 1 or not all(one.isascii() and one.isdigit() for one in said):
        raise http.client.HTTPException("the server does not say how long its answer is")
    return int(said.pop())


def _has_ended(sock: socket.socket) -> bool:
    """Whether a server has ended an idle connection: there is something to read, if only that."""
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))


def _of_httpx(error: BaseException) -> BaseException:
    """Return an error as those who ask know it."""
    said = str(error) or type(error).__name__
    if isinstance(error, TimeoutError):
        return httpx.ReadTimeout(said)
    if isinstance(error, http.client.HTTPException):  # among them what is a ConnectionResetError
        return httpx.RemoteProtocolError(said)
    return httpx.ReadError(said) if isinstance(error, OSError) else error
