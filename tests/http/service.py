"""What tests of the HTTP face do with a service: execute, wait, and serve it on a real socket."""

import http.server
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import uvicorn

from tests.patience import until as until

ASYNC = {"Prefer": "respond-async"}


def execute(
    client: httpx.Client, inputs: Mapping[str, Any], process: str = "echo", **members: Any
) -> httpx.Response:
    """Execute a process and wait for its results; ``members`` are those of the request."""
    return client.post(f"processes/{process}/execution", json={"inputs": inputs, **members})


def start(
    client: httpx.Client, inputs: Mapping[str, Any], process: str = "echo", **members: Any
) -> str:
    """Execute a process asynchronously; give the job's URL."""
    answer = client.post(
        f"processes/{process}/execution", json={"inputs": inputs, **members}, headers=ASYNC
    )
    assert answer.status_code == 201, answer.text
    return answer.headers["location"]


def ended(client: httpx.Client, job: str) -> dict[str, Any]:
    """Wait for a job's end by asking for its status; give its last statusInfo."""
    final = ("successful", "failed", "dismissed")

    def look() -> dict[str, Any] | None:
        found: dict[str, Any] = client.get(job).json()
        return found if found["status"] in final else None

    found: dict[str, Any] = until(look)
    return found


def finish(
    client: httpx.Client, inputs: Mapping[str, Any], process: str = "echo", **members: Any
) -> str:
    """Execute a process asynchronously and wait for the job's end; give its URL."""
    job = start(client, inputs, process, **members)
    ended(client, job)
    return job


def link(document: Mapping[str, Any], rel: str) -> str:
    """Give where the first link of a relation leads."""
    href: str = next(one["href"] for one in document["links"] if one["rel"] == rel)
    return href


@contextmanager
def served(app: Any) -> Iterator[str]:
    """Serve an ASGI app on a free port of this machine; give its address."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(app, log_level="warning", lifespan="off", ws="none")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            until(lambda: server.started)
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@dataclass
class Receiver:
    """A small web server that keeps what is posted to it, and serves some files."""

    files: dict[str, bytes] = field(default_factory=dict)
    refusals: int = 0  #: how many requests to answer with 503 first
    got: list[tuple[str, Mapping[str, str], bytes]] = field(default_factory=list)
    address: str = ""

    def document(self, path: str) -> Any:
        """Wait for what is posted to a path; give it."""
        return until(lambda: [json.loads(body) for at, _, body in self.got if at == path])[0]


@contextmanager
def receiving(receiver: Receiver | None = None) -> Iterator[Receiver]:
    """Run a receiver on a free port of this machine."""
    found = receiver or Receiver()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            data = found.files.get(self.path)
            self._answer(404 if data is None else 200, data or b"")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if found.refusals:
                found.refusals -= 1
                self._answer(503)
                return
            found.got.append((self.path, dict(self.headers), body))
            self._answer(200)

        def _answer(self, status: int, data: bytes = b"") -> None:
            self.send_response(status)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: Any, **kwargs: Any) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found.address = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield found
        finally:
            server.shutdown()
            thread.join()
