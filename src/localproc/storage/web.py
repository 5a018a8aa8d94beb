"""Files on the web as a storage to read from.

Owns ``https:`` and ``http:`` URIs, and who may be asked: with ``guarded=True`` every connection,
also after a redirect, is made to an address that was looked up and checked just before, so that a
name cannot lead into a private network. Must not know staging or jobs.
"""

import logging
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from localproc.errors import StagingError
from localproc.plugins.storage import Info, Watch, unwatched
from localproc.storage.addresses import is_public, redacted
from localproc.uris import canonical

_TIMEOUT: Final = 30.0
_REDIRECTS: Final = 5
_QUIET: Final = ContextVar("localproc_quiet", default=False)

logging.getLogger("httpx").addFilter(lambda _: not _QUIET.get())


class WebStorage:
    """Implements ``localproc.plugins.storage.Storage``, but for writing."""

    def __init__(self, *, guarded: bool = False) -> None:
        self._client = web_client(guarded=guarded, redirects=_REDIRECTS)

    @classmethod
    def open(cls, options: Mapping[str, Any]) -> "WebStorage":
        """Open it; ``guarded`` refuses addresses that are not public."""
        return cls(guarded=bool(options.get("guarded")))

    def info(self, uri: str) -> Info | None:
        """Ask for the headers alone."""
        with _explaining(uri):
            answer = self._client.head(_checked(uri))
            if answer.status_code == httpx.codes.NOT_FOUND:
                return None
            answer.raise_for_status()
        size = int(answer.headers.get("content-length", 0))
        return Info(uri, size, answer.headers.get("etag", ""))

    def fetch(
        self, uri: str, path: str, *, most: int | None = None, watch: Watch = unwatched
    ) -> Info:
        """Download; the length that was announced must be the length that came."""
        size = 0
        with _explaining(uri), self._client.stream("GET", _checked(uri)) as answer:
            answer.raise_for_status()
            with open(path, "wb") as file:
                for chunk in answer.iter_bytes():
                    size += len(chunk)
                    watch(size)
                    if most is not None and size > most:
                        raise StagingError(
                            f"{redacted(uri)} is larger than {most} bytes", uri=redacted(uri)
                        )
                    file.write(chunk)
            announced = answer.headers.get("content-length")
            plain = "content-encoding" not in answer.headers
            if plain and announced is not None and int(announced) != size:
                raise StagingError(
                    f"{redacted(uri)} ended after {size} of {announced} bytes", uri=redacted(uri)
                )
            return Info(uri, size, answer.headers.get("etag", ""))

    def put(
        self,
        path: str,
        uri: str,
        *,
        media_type: str = "application/octet-stream",
        disposable: bool = False,
    ) -> Info:
        """Refuse: the web is read only."""
        raise StagingError(f"results cannot be written to {redacted(uri)}", uri=redacted(uri))

    def list(self, prefix: str) -> Iterator[Info]:
        """Refuse: the web has no listings."""
        raise StagingError(f"{redacted(prefix)} cannot be listed", uri=redacted(prefix))

    def delete(self, uris: Iterable[str]) -> None:
        """Refuse: the web is read only."""
        for uri in uris:
            raise StagingError(f"{redacted(uri)} cannot be deleted", uri=redacted(uri))

    def presign(self, uri: str, seconds: int) -> str | None:
        """Give the URI: whoever may read it needs no more."""
        return uri

    def describe(self, uri: str) -> Mapping[str, Any]:
        """The web has no ``storage:*`` fields."""
        return {}

    def close(self) -> None:
        """Close the connections that are kept for later."""
        self._client.close()


def web_client(*, guarded: bool, redirects: int, timeout: float = _TIMEOUT) -> httpx.Client:
    """Give a client; a guarded one connects to public addresses alone."""
    transport = httpx.HTTPTransport(retries=2)
    if guarded:
        _guard(transport)
    return _Client(
        transport=transport,
        headers={"accept-encoding": "identity"},  # files are wanted as they are
        timeout=timeout,
        follow_redirects=redirects > 0,
        max_redirects=redirects,
        trust_env=not guarded,  # a proxy would ask for us, whatever the address
    )


class _Client(httpx.Client):
    """Keeps what it asks for out of httpx's own log, for addresses may have tokens in them."""

    def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """Send a request."""
        before = _QUIET.set(True)
        try:
            return super().send(request, **options)
        finally:
            _QUIET.reset(before)


def _checked(uri: str) -> str:
    try:
        canonical(uri)
    except ValueError as error:
        raise StagingError(
            f"{redacted(uri)} is no web address: {error}", uri=redacted(uri)
        ) from None
    if "@" in urlsplit(uri).netloc:
        raise StagingError(
            f"{redacted(uri)} has a user or a password in it", uri=redacted(uri), hint="remove it"
        )
    return uri


def _guard(transport: httpx.HTTPTransport) -> None:
    """Make the transport connect to checked addresses only."""
    from httpcore import ConnectError, ConnectTimeout, NetworkStream, SyncBackend
    from httpcore._backends.base import SOCKET_OPTION

    class Guarded(SyncBackend):
        def connect_tcp(
            self,
            host: str,
            port: int,
            timeout: float | None = None,
            local_address: str | None = None,
            socket_options: Iterable[SOCKET_OPTION] | None = None,
        ) -> NetworkStream:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
            refused = [one for one in addresses if not is_public(one)]
            if refused:
                raise StagingError(
                    f"{host} is at {', '.join(refused)}, which is not a public address",
                    uri=host,
                    hint="only public addresses are asked for inputs here",
                )
            for address in addresses[:-1]:
                try:
                    return super().connect_tcp(
                        address, port, timeout, local_address, socket_options
                    )
                except (ConnectError, ConnectTimeout):
                    continue  # a machine without IPv6, say: the others are tried, as usual
            return super().connect_tcp(addresses[-1], port, timeout, local_address, socket_options)

    pool = transport._pool  # noqa: SLF001 - httpx has no other way to set the network backend
    pool._network_backend = Guarded()  # noqa: SLF001


class _explaining:  # noqa: N801 - reads as a statement
    """Says what went wrong with which URI. What httpx says of it has all of the address."""

    def __init__(self, uri: str) -> None:
        self._uri = redacted(uri)

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, httpx.HTTPStatusError):
            answer = error.response
            raise StagingError(
                f"{self._uri}: {answer.status_code} {answer.reason_phrase}", uri=self._uri
            ) from None
        if isinstance(error, (httpx.HTTPError, httpx.InvalidURL, socket.gaierror, UnicodeError)):
            raise StagingError(
                f"{self._uri}: {str(error) or type(error).__name__}",
                uri=self._uri,
                hint="check the address and the network",
            ) from None
