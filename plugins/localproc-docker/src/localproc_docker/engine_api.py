"""The Docker Engine API over its socket.

Owns one HTTP client and what its answers mean: the daemon is away, it says no, it answers. Must not
know tasks or images.

Source: Docker Engine API v1.41. The command line is not used: it costs a process a call.
"""

import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO, Final

import httpx

from localproc.errors import EnvironmentProblem, ExecutorUnavailable, LocalprocError

VERSION: Final = "v1.41"
#: No connection is kept: a new one costs next to nothing, and a kept one outlives its daemon.
_LIMITS: Final = httpx.Limits(max_connections=None, max_keepalive_connections=0)
_PATIENCE: Final = 30.0  #: seconds that an answer may take
SOON: Final = 10.0  #: one that says whether anybody is there
PROMPTLY: Final = 5.0  #: the same where a person waits
HANGS: Final = "somebody listens there, but hangs or has too much to do: look, or restart it"
_LONG: Final = 3600.0  #: between two lines of what takes long
_GONE: Final = "no such container"  #: as podman says of one that is removed just then, with 500


class ApiRefused(LocalprocError):
    """The daemon has answered that it will not; ``code`` is the HTTP status."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class EngineApi:
    """A daemon. May be used by several threads at once.

    ``address`` is that of ``DOCKER_HOST``: ``unix:///path`` or ``tcp://host:port``. Every verb
    raises ``ExecutorUnavailable`` while there is no answer, and ``ApiRefused``.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        scheme, _, rest = self.address.partition("://")
        if scheme == "unix":
            transport, base = httpx.HTTPTransport(uds=rest, limits=_LIMITS), "http://docker"
        elif scheme == "tcp":
            transport, base = httpx.HTTPTransport(limits=_LIMITS), f"http://{rest}"
        else:
            raise EnvironmentProblem(
                f"a Docker daemon cannot be reached at {self.address!r}",
                hint="set DOCKER_HOST to unix:///path/to/docker.sock or tcp://host:port",
            )
        self._client = httpx.Client(
            transport=transport, base_url=f"{base}/{VERSION}", timeout=_PATIENCE, trust_env=False
        )
        self._streams: set[httpx.Response] = set()

    def get(self, path: str, *, patience: float = _PATIENCE, **query: Any) -> Any:
        """Return the JSON of an answer."""
        return self._call("GET", path, query, patience=patience)

    def post(
        self,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        patience: float = _PATIENCE,
        **query: Any,
    ) -> Any:
        """Return the JSON of an answer, ``None`` if it has none."""
        return self._call("POST", path, query, body, patience)

    def delete(self, path: str, **query: Any) -> None:
        """Remove something."""
        self._call("DELETE", path, query)

    @contextmanager
    def lines(
        self, method: str, path: str, *, patience: float = _PATIENCE, **query: Any
    ) -> Iterator[Iterator[dict[str, Any]]]:
        """Give the JSON lines of an answer as they come; ``patience`` seconds between two."""
        with self._stream(method, path, query, patience) as answer:
            yield (json.loads(line) for line in answer.iter_lines() if line.strip())

    def told(
        self,
        path: str,
        query: Mapping[str, Any],
        content: BinaryIO | None = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> list[dict[str, Any]]:
        """Return the JSON lines of the answer to something that takes long, such as a pull.

        ``content`` is a tar file. That it has failed may be told in a line: ``ApiRefused``.
        """
        self.get(
            "/version", patience=SOON
        )  # one that hangs is not waited for as long as for a pull
        with self._stream("POST", path, query, _LONG, content=content, headers=headers) as answer:
            lines = [json.loads(line) for line in answer.iter_lines() if line.strip()]
        if error := next((one["error"] for one in lines if "error" in one), None):
            raise ApiRefused(500, str(error).strip())
        return lines

    @property
    def is_near(self) -> bool:
        """Whether nothing stands between this process and the daemon."""
        return self.address.startswith("unix:")

    @contextmanager
    def pieces(self, method: str, path: str, **query: Any) -> Iterator[Iterator[bytes]]:
        """Give the bytes of an answer as they come."""
        with self._stream(method, path, query, _PATIENCE) as answer:
            yield answer.iter_bytes()

    @contextmanager
    def held(self) -> Iterator[socket.socket]:
        """Give a connection on which nothing is said, and which ends if the daemon does."""
        nothing = {"filters": {"label": ["localproc.nothing"]}}
        with self._stream("GET", "/events", nothing, _PATIENCE) as answer:
            yield _patient(_wire(answer))

    @contextmanager
    def attached(self, name: str) -> Iterator[socket.socket]:
        """Give the way to what a container reads, which is made and not yet started."""
        query = {"stream": True, "stdin": True, "detachKeys": ""}  # those are for terminals
        upgrade = {"Connection": "Upgrade", "Upgrade": "tcp"}
        path = f"/containers/{name}/attach"
        with self._stream("POST", path, query, _PATIENCE, headers=upgrade) as answer:
            if answer.status_code != httpx.codes.SWITCHING_PROTOCOLS:
                raise ApiRefused(answer.status_code, f"{name} cannot be sent what it reads")
            yield _patient(_wire(answer))

    def hang_up(self) -> None:
        """End the answers that still come, so that nobody waits for more of them."""
        for answer in list(self._streams):
            with suppress(OSError):  # it has just ended
                _wire(answer).shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of its connections."""
        self._client.close()

    @contextmanager
    def _stream(
        self, method: str, path: str, query: Mapping[str, Any], patience: float, **sent: Any
    ) -> Iterator[httpx.Response]:
        timeout = httpx.Timeout(_PATIENCE, read=patience)
        request = self._client.stream(method, path, params=_query(query), timeout=timeout, **sent)
        with _told(self.address), request as answer:
            if answer.status_code >= 400:
                answer.read()
                raise _refusal(answer)
            self._streams.add(answer)
            try:
                yield answer
            finally:
                self._streams.discard(answer)

    def _call(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any],
        body: Mapping[str, Any] | None = None,
        patience: float = _PATIENCE,
    ) -> Any:
        with _told(self.address):
            answer = self._client.request(
                method, path, params=_query(query), json=body, timeout=patience
            )
        if answer.status_code >= 400:
            raise _refusal(answer)
        if answer.is_redirect:  # to a path that it would write in another way
            raise ApiRefused(404, f"there is no {path}")
        return answer.json() if answer.content.strip() and answer.status_code != 304 else None


def _wire(answer: httpx.Response) -> socket.socket:
    """Return the connection of an answer."""
    wire: socket.socket = answer.extensions["network_stream"].get_extra_info("socket")
    return wire


def _patient(wire: socket.socket) -> socket.socket:
    """Return a connection as one that may be used for as long as it takes."""
    wire.settimeout(None)
    return wire


@contextmanager
def _told(address: str) -> Iterator[None]:
    """No answer is no news: never a failure of anything."""
    try:
        yield
    except httpx.HTTPError as error:
        hangs = isinstance(error, httpx.ReadTimeout)
        raise ExecutorUnavailable(
            f"the container daemon at {address} does not answer: {error or type(error).__name__}",
            hint=HANGS if hangs else "is it running, and may this user open its socket?",
        ) from error


def _query(query: Mapping[str, Any]) -> dict[str, str | list[str]]:
    """Write parameters as the API wants them: flags as words, filters as JSON, lists repeated."""
    return {name: _text(value) for name, value in query.items() if value is not None}


def _text(value: Any) -> str | list[str]:
    if isinstance(value, Mapping):
        return json.dumps(value)
    if isinstance(value, list):
        return [str(one) for one in value]
    return str(value).lower() if isinstance(value, bool) else str(value)


def _refusal(answer: httpx.Response) -> ApiRefused:
    try:
        message = str(answer.json()["message"])
    except (ValueError, KeyError, TypeError):
        message = answer.text.strip() or answer.reason_phrase
    is_gone = answer.status_code == 500 and _GONE in message
    return ApiRefused(404 if is_gone else answer.status_code, message)
