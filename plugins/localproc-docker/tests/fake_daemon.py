"""A daemon of which a test says what it answers: what no real one does when it is asked to."""

import json
import os
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from localproc_docker.engine_api import VERSION

#: Gives the status and the document for a verb and a path; for nothing, it hangs up.
Answer = Callable[[str, str], tuple[int, Any] | None]


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    answer: Answer


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def address_string(self) -> str:
        return "nobody"  # a socket of this kind has no address

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self) -> None:
        path = self.path.partition("?")[0].removeprefix(f"/{VERSION}")
        answer = self.server.answer(self.command, path)
        if answer is None:
            return
        code, document = answer
        body = json.dumps(document).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_DELETE = _answer  # noqa: N815


@contextmanager
def answering(folder: Path, answer: Answer) -> Iterator[str]:
    """Give the address of a daemon with such answers."""
    place = os.path.join(folder, "fake.sock")
    with _Server(place, _Handler) as server:
        server.answer = answer
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"unix://{place}"
        server.shutdown()
        thread.join()
