"""A web site on this machine whose pages a test writes down."""

import contextlib
import http.server
import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Page:
    """An answer. ``length`` is what it says of its own length, if not the truth.

    ``chunks`` give its body instead, of a length that nobody knows.
    """

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    length: int | None = None
    chunks: Callable[[], Iterator[bytes]] | None = None


class Site:
    """The pages of a server by path, and the requests that came."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.pages: dict[str, Page] = {}
        self.asked: list[str] = []
        self.clients: set[int] = set()  # the ports that connections came from
        self.posted: list[bytes] = []  # the bodies that came
        self.moods: dict[str, Callable[[dict[str, str]], Page]] = {}  # pages that change
        self.on_asked: Callable[[str], None] = lambda _: None

    @staticmethod
    def written(document: object) -> bytes:
        """Give the bytes of a JSON document."""
        return json.dumps(document).encode()

    def add(self, path: str, body: bytes | object = b"", **fields: Any) -> str:
        """Add a page, bytes or a JSON document; give its URL."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.pages[path.partition("?")[0]] = Page(data, **fields)
        return self.root + path


@contextlib.contextmanager
def serving(tls: ssl.SSLContext | None = None, *, patient: bool = False) -> Iterator[Site]:
    """Serve a site on the loopback interface; a patient one keeps connections open."""
    server = _Server(("127.0.0.1", 0), _PatientHandler if patient else _Handler)
    scheme = "http" if tls is None else "https"
    server.site = Site(f"{scheme}://127.0.0.1:{server.server_address[1]}")
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server.site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(http.server.ThreadingHTTPServer):
    site: Site
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that go in the middle of an answer."""


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        site = self.server.site
        self.path = self.path.removeprefix(site.root)  # as by a proxy (RFC 9112, 3.2.2)
        site.asked.append(f"{self.command} {self.path}")
        site.clients.add(self.client_address[1])
        path = self.path.partition("?")[0]
        page = site.pages.get(path, Page(b"no such page", 404))
        if path in site.moods:
            page = site.moods[path]({name.lower(): one for name, one in self.headers.items()})
        site.on_asked(path)
        self.send_response(page.status)
        for name, value in page.headers.items():
            self.send_header(name, value)
        length = len(page.body) if page.length is None else page.length
        if page.chunks is None:
            self.send_header("Content-Length", str(length))
        self.end_headers()
        if self.command != "HEAD":
            for chunk in [page.body] if page.chunks is None else page.chunks():
                self.wfile.write(chunk)

    do_HEAD = do_GET  # noqa: N815 - so it is called

    def do_POST(self) -> None:
        self.server.site.posted.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.do_GET()

    do_PUT = do_POST  # noqa: N815 - so it is called

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - so it is called
        """Keep quiet."""


class _PatientHandler(_Handler):
    protocol_version = "HTTP/1.1"
