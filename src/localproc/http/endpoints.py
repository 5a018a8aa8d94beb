"""Handlers as ASGI endpoints.

Owns the way from a request to its handler and back: reading the body, threads, waiting while the
server may be stopped, and what an error that nobody expected becomes. Must not know any resource.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from localproc.engine.engine import LocalEngine
from localproc.engine.handles import Job
from localproc.errors import LocalprocError
from localproc.http.answers import HttpProblem
from localproc.http.auth import identify, refuse_strangers
from localproc.http.exchange import Exchange
from localproc.http.http_settings import HttpSettings
from localproc.http.urls import base_of

_LOG: Final = logging.getLogger("localproc.http")
_TURN: Final = 0.5  #: seconds

Handler = Callable[[Exchange], Response]
Endpoint = Callable[[Request], Awaitable[Response]]


def endpoint(**handlers: Handler) -> Endpoint:
    """Make an ASGI endpoint of the handlers of a resource, by method."""

    async def serve(request: Request) -> Response:
        body = await _read(request, request.app.state.settings.most_bytes)
        handler = handlers["GET" if request.method == "HEAD" else request.method]
        # One thread for all of it: each change of threads waits for the busy loop of the engine.
        try:
            answer: Response = await request.app.state.threads.run(
                _answer, request, body, handler, patient=handler in _PATIENT
            )
        except asyncio.CancelledError:
            request.state.stopping = True
            raise stopping(request) from None
        return answer

    return serve


_PATIENT: Final[set[Handler]] = set()


def patient(handler: Handler) -> Handler:
    """Mark a handler that may wait for jobs: it gets a thread of its own kind."""
    _PATIENT.add(handler)
    return handler


def is_stopping(request: Request) -> bool:
    """Whether the server is being stopped, so that nobody should be kept waiting."""
    return request.app.state.stopping or getattr(request.state, "stopping", False)


def ended(exchange: Exchange, job: Job, seconds: float) -> bool:
    """Wait for a job; give whether it has ended, which it may not have if the server is stopped.

    It waits in turns: a server ends only after those who wait in it.
    """
    left = seconds
    while not is_stopping(exchange.request):
        try:
            job.wait(max(0.0, min(left, _TURN)))
        except TimeoutError:
            left -= _TURN
            if left <= 0:
                return False
        else:
            return True
    return False


def stopping(request: Request) -> HttpProblem:
    """Return what is told to those who wait when the server is stopped: their job goes on."""
    job = getattr(request.state, "monitor", "")
    headers = {"Link": f"<{job}>; rel=monitor"} if job else {}
    return HttpProblem(503, "Stopping", "the server is being stopped", headers=headers)


def _begin(request: Request, body: bytes) -> Exchange:
    settings: HttpSettings = request.app.state.settings
    engines: Mapping[str, LocalEngine] = request.app.state.engines
    namespace = request.path_params.get("namespace", next(iter(engines)))
    engine = engines.get(namespace)
    refuse_strangers(request, settings)
    user = identify(request, engine, settings)
    if engine is None:
        raise HttpProblem(404, "NoSuchNamespace", f"there is no namespace {namespace!r} here")
    return Exchange(request, engine, settings, base_of(request, settings), body, user)


async def _read(request: Request, most: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    try:
        async for chunk in request.stream():
            if chunk and coding not in ("", "identity"):  # RFC 9110, 15.5.16
                raise HttpProblem(
                    415,
                    "UnsupportedMediaType",
                    f"a body cannot be coded as {coding} here",
                    hint="send it as it is, without Content-Encoding",
                    headers={"Accept-Encoding": "identity"},
                )
            size += len(chunk)
            if size > most:
                raise HttpProblem(
                    413, "ContentTooLarge", f"the body is larger than {most} bytes, the limit here"
                )
            chunks.append(chunk)
    except ClientDisconnect:
        raise HttpProblem(400, "Incomplete", "the client left before the body was whole") from None
    return b"".join(chunks)


def _answer(request: Request, body: bytes, handler: Handler) -> Response:
    """Call a handler; every error becomes an answer, and none tells more than it should."""
    try:
        exchange = _begin(request, body)
    except HttpProblem:
        raise
    except Exception:
        raise _unexpected(request) from None
    try:
        return exchange.tagged(handler(exchange))
    except LocalprocError as error:
        return exchange.problem(error)
    except Exception:
        return exchange.problem(_unexpected(request))


def _unexpected(request: Request) -> HttpProblem:
    """Log the error that is under way; give what is told of it."""
    _LOG.exception("%s %s", request.method, request.url.path)
    return HttpProblem(
        500, "InternalError", "something went wrong here; the log of the service has more"
    )
