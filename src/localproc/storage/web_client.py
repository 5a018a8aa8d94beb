"""Asking servers on the web, and who may be asked.

Owns requests over HTTP, redirects, and the guard: a guarded client looks a name up, checks what it
found and connects to exactly that, before every request and every redirect, so that a name cannot
lead into a private network. Must not know what is asked for.

httpx's own client is not used: it writes whole addresses, which may have tokens in them, to the log
of whoever embeds this library. Its transport for proxies is, and only its public interface.
"""

import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache, cached_property
from typing import Final
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from localproc.errors import StagingError
from localproc.storage.addresses import is_public, redacted
from localproc.storage.pace import SLOWEST
from localproc.storage.web_transport import WebTransport
from localproc.uris import canonical

_CONNECTS: Final = 2  #: further tries to connect, before anything was asked
#: After these what was posted is not posted again (RFC 9110, 15.4).
_SEE_OTHER: Final = (301, 302, 303)
_LITTLE: Final = 4096  #: bytes of a body that nobody wants, and that are read all the same
_HEADERS: Final = {
    "accept": "*/*",
    "accept-encoding": "identity",  # files are wanted as they are
    "user-agent": "localproc",
}


class WebClient:
    """Asks servers; a guarded one asks those at public addresses alone. Threads may share it.

    ``timeout`` are the seconds of a silence, ``slowest`` the bytes a second that have to come.
    """

    def __init__(
        self, *, guarded: bool, redirects: int, timeout: float, slowest: float = SLOWEST
    ) -> None:
        self._guarded = guarded
        self._redirects = redirects
        self._timeout = httpx.Timeout(timeout).as_dict()
        self._direct = WebTransport(lambda: self._tls, slowest)
        self._proxy = cache(_proxy)
        self._by_proxy: dict[str, httpx.HTTPTransport] = {}
        self._lock = threading.Lock()

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """Whom servers are believed by: reading all of those takes longer than most requests."""
        context = httpx.create_ssl_context()
        context.set_alpn_protocols(["http/1.1"])
        return context

    @contextmanager
    def asking(
        self, method: str, uri: str, headers: Mapping[str, str] | None = None, content: bytes = b""
    ) -> Iterator[httpx.Response]:
        """Give the answer of a server, whose body is read by whoever asks.

        Redirects are followed; ``answer.url`` is the last one. Raises ``StagingError`` for an
        address that may not be asked, and the errors of httpx.
        """
        for _ in range(self._redirects + 1):
            answer = self._ask(method, _checked(uri), headers or {}, content)
            try:
                location = answer.headers.get("location", "")
                if not (answer.has_redirect_location and self._redirects):
                    yield answer
                    return
                _read_little(answer)
                if method == "POST" and answer.status_code in _SEE_OTHER:
                    method, content = "GET", b""
            finally:
                answer.close()
            uri = _joined(answer.url, location)
        raise StagingError(f"{redacted(uri)}: too many redirects", uri=redacted(uri))

    def close(self) -> None:
        """Close the connections that are kept for later."""
        with self._lock:
            transports = list(self._by_proxy.values())
        for transport in (self._direct, *transports):
            transport.close()

    def _ask(
        self, method: str, uri: str, headers: Mapping[str, str], content: bytes
    ) -> httpx.Response:
        request = httpx.Request(
            method,
            _url(uri),
            headers={**_HEADERS, **headers},
            content=content or None,
            extensions={"timeout": self._timeout},
        )
        answer = self._sent(request)
        answer.request = request
        return answer

    def _sent(self, request: httpx.Request) -> httpx.Response:
        if not self._guarded:
            proxy = self._proxy(request.url.scheme, request.url.host)
            transport = self._proxied(proxy) if proxy else self._direct
            return transport.handle_request(request)
        host = request.url.raw_host.decode("ascii")
        *others, last = _public_addresses(host, request.url.port or _port(request.url))
        for address in others:
            try:
                return self._direct.handle_request(_to(address, host, request))
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue  # a machine without IPv6, say: the others are tried, as usual
        return self._direct.handle_request(_to(last, host, request))

    def _proxied(self, proxy: str) -> httpx.HTTPTransport:
        with self._lock:
            if proxy not in self._by_proxy:
                self._by_proxy[proxy] = httpx.HTTPTransport(
                    verify=self._tls, retries=_CONNECTS, proxy=proxy, trust_env=False
                )
            return self._by_proxy[proxy]


def _checked(uri: str) -> str:
    """Return an address that can be asked; raises ``StagingError`` for any other."""
    shown = redacted(uri)
    try:
        parts = urlsplit(canonical(uri))
    except ValueError as error:
        raise StagingError(f"{shown} is no web address: {error}", uri=shown) from None
    if parts.scheme not in ("http", "https"):
        raise StagingError(f"{shown} is no web address", uri=shown)
    return uri


def _url(uri: str) -> httpx.URL:
    """Return an address as httpx has it, which looks closer at names than ``urlsplit`` does."""
    try:
        found = httpx.URL(uri)
        found.host  # noqa: B018 - a name in punycode is read here
    except (httpx.InvalidURL, ValueError) as error:
        shown = redacted(uri)
        raise StagingError(f"{shown} is no web address: {error}", uri=shown) from None
    return found


def _read_little(answer: httpx.Response) -> None:
    """Read a short body to its end: only then does its connection serve the next question."""
    said = answer.headers.get("content-length", "")
    if said.isascii() and said.isdigit() and int(said) <= _LITTLE:
        answer.read()


def _joined(base: httpx.URL, location: str) -> str:
    """Return where a redirect leads to; raises ``StagingError`` if that is not the web.

    What the part of a document is called is kept if it says no other (RFC 9110, section 10.2.2).
    """
    shown = redacted(str(base))
    try:
        joined = base.join(location)
        if not joined.fragment:
            joined = joined.copy_with(fragment=base.fragment or None)
    except httpx.InvalidURL as error:
        raise StagingError(f"{shown} redirects to what is no address: {error}", uri=shown) from None
    if joined.scheme not in ("http", "https"):
        said = f"{shown} redirects to {redacted(str(joined))}, which is no web address"
        raise StagingError(said, uri=shown)
    return str(joined)


def _public_addresses(host: str, port: int) -> list[str]:
    """Look a name up; raises ``StagingError`` if any of its addresses is not public."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
    refused = [one for one in addresses if not is_public(one)]
    if refused:
        raise StagingError(
            f"{host} is at {', '.join(refused)}, which is not a public address",
            uri=host,
            hint="only public addresses are asked for inputs here",
        )
    return addresses


def _to(address: str, host: str, request: httpx.Request) -> httpx.Request:
    """Return a request as it goes to an address: with the name's Host header and certificate."""
    return httpx.Request(
        request.method,
        request.url.copy_with(host=address),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": host},
    )


def _port(url: httpx.URL) -> int:
    return 443 if url.scheme == "https" else 80


def _proxy(scheme: str, host: str) -> str | None:
    """Return the proxy that the environment names for a host."""
    proxies = getproxies()
    proxy = proxies.get(scheme) or proxies.get("all")
    if not proxy or proxy_bypass(host):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"
