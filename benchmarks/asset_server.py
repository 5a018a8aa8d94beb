"""A web server of a folder, whose files have ETags.

``python -m benchmarks.asset_server PORT FOLDER``.

Owns that what has not changed is not sent again (RFC 9110, 13.1.2). Must not know who asks.
"""

import os
import sys
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class _Handler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    etag = ""

    def send_head(self) -> Any:
        stat = os.stat(self.translate_path(self.path))
        self.etag = f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"'
        if self.headers.get("If-None-Match") != self.etag:
            return super().send_head()
        self.send_response(HTTPStatus.NOT_MODIFIED)
        self.end_headers()
        return None

    def end_headers(self) -> None:
        self.send_header("ETag", self.etag)
        super().end_headers()

    def log_message(self, *_: Any) -> None:
        pass


if __name__ == "__main__":
    port, folder = sys.argv[1:]
    server = ThreadingHTTPServer(("127.0.0.1", int(port)), partial(_Handler, directory=folder))
    server.serve_forever()
