"""Clients that talk to the app in this process: no server, no socket, no event loop.

Owns driving the app by hand. Must not know any resource.

The app never waits for anything but the threads of ``localproc.http.threads``, and not even for
those ``in_this_thread``. So its coroutine runs to its end as soon as it is stepped.
"""

import io
from collections.abc import Coroutine, Generator, Iterable, Iterator, Mapping
from types import TracebackType, coroutine
from typing import Any, cast
from urllib.parse import unquote, urlsplit

import httpx
from starlette.types import ASGIApp, Message

from localproc.http.threads import in_this_thread

_HEADERS = list[tuple[bytes, bytes]]


class _Exchange:
    """One call of the app."""

    def __init__(self, app: ASGIApp, scope: dict[str, Any], body: bytes) -> None:
        self.status = 500
        self.headers: _HEADERS = []
        self._sent: list[bytes] = []
        self._head = scope["method"] == "HEAD"
        self._body: bytes | None = body
        self._run = cast("Coroutine[Any, Any, None]", app(scope, self._receive, self._send))

    async def _receive(self) -> Message:
        if self._body is None:
            return {"type": "http.disconnect"}
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = list(message.get("headers", []))
        else:
            self._sent.append(b"" if self._head else message.get("body", b""))
            await _hand_over()

    def step(self) -> bool:
        """Go as far as the next piece of the body; give whether there may be more."""
        with in_this_thread():
            try:
                self._run.send(None)
            except StopIteration:
                return False
        return True

    def body(self) -> Iterator[bytes]:
        """Yield the body as it is made."""
        more = True
        while more:
            sent, self._sent = self._sent, []
            yield from filter(None, sent)
            more = self.step()
        yield from filter(None, self._sent)

    def close(self) -> None:
        """Leave before the end."""
        self._run.close()


@coroutine
def _hand_over() -> Generator[None, None, None]:
    """Yield control back to whoever steps the app."""
    yield


class InProcessTransport(httpx.BaseTransport):
    """Carries requests of httpx to an ASGI app."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Call the app; the body of the answer is made while it is read."""
        headers = [(key.lower(), value) for key, value in request.headers.raw]
        exchange = call(self._app, request.method, str(request.url), headers, request.read())
        return httpx.Response(exchange.status, headers=exchange.headers, stream=_Stream(exchange))


class _Stream(httpx.SyncByteStream):
    def __init__(self, exchange: _Exchange) -> None:
        self._exchange = exchange

    def __iter__(self) -> Iterator[bytes]:
        return self._exchange.body()

    def close(self) -> None:
        self._exchange.close()


def call(
    app: ASGIApp, method: str, url: str, headers: Iterable[tuple[bytes, bytes]], body: bytes
) -> _Exchange:
    """Call an app as a server would, up to the first piece of the body."""
    parts = urlsplit(url)
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": parts.scheme,
        "path": unquote(parts.path) or "/",
        "raw_path": parts.path.encode("ascii"),
        "query_string": parts.query.encode("ascii"),
        "root_path": "",
        "headers": list(headers),
        "client": ("localproc", 0),
        "server": (parts.hostname or "localproc", parts.port or 80),
        "state": {},
    }
    exchange = _Exchange(app, scope, body)
    exchange.step()
    return exchange


class InProcessPool:
    """Stands in for the connection pool of a client that is built on urllib3."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def __enter__(self) -> "InProcessPool":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None

    def request(
        self,
        method: str,
        url: str,
        body: Any = None,
        fields: Any = None,
        headers: Mapping[str, str] | None = None,
        **options: Any,
    ) -> Any:
        """Do what ``urllib3.PoolManager.request`` does."""
        import urllib3

        request = httpx.Request(method, url, headers=dict(headers or {}), content=body)
        if fields is not None:
            request = httpx.Request(method, url, headers=dict(headers or {}), data=dict(fields))
        answer = InProcessTransport(self._app).handle_request(request)
        return urllib3.HTTPResponse(
            body=io.BytesIO(answer.read()),
            headers=urllib3.HTTPHeaderDict(answer.headers),
            status=answer.status_code,
            reason=answer.reason_phrase,
            preload_content=True,
            request_url=url,
        )
