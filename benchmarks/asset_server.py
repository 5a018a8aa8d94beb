"""A web server of a folder, whose files have ETags.

``python -m benchmarks.asset_server PORT FOLDER``.

Owns that what has not changed is not sent again (RFC 9110, 13.1.2), and that it takes next to no
time itself, or whoever asks would wait for it: the kernel sends the files, and nothing in it waits
for acknowledgements. Must not know who asks.
"""

import os
import socket
import sys
from contextlib import suppress
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Final

_END: Final = b"\r\n"
_FOUND, _SAME, _NONE = "200 OK", "304 Not Modified", "404 Not Found"


class _Handler(StreamRequestHandler):
    """Answers HEAD and GET, one after the other on the same connection."""

    disable_nagle_algorithm = True
    folder = ""

    def handle(self) -> None:
        with suppress(ConnectionError):
            while line := self.rfile.readline():
                method, target, _ = line.split()
                asked = {}
                while (header := self.rfile.readline()) != _END:
                    name, _, value = header.partition(b":")
                    asked[name.lower()] = value.strip().decode()
                path = os.path.join(self.folder, os.path.basename(target.decode()))
                self._answer(path, asked.get(b"if-none-match", ""), bare=method == b"HEAD")

    def _answer(self, path: str, known: str, *, bare: bool) -> None:
        try:
            file = open(path, "rb")  # noqa: SIM115
        except FileNotFoundError:
            self._say(_NONE, "Content-Length: 0")
            return
        with file:
            stat = os.fstat(file.fileno())
            etag = f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"'
            if known == etag:
                self._say(_SAME, f"ETag: {etag}")
                return
            more = 0 if bare else socket.MSG_MORE
            self._say(_FOUND, f"ETag: {etag}", f"Content-Length: {stat.st_size}", more=more)
            if not bare:
                self.connection.sendfile(file)

    def _say(self, status: str, *headers: str, more: int = 0) -> None:
        said = "\r\n".join((f"HTTP/1.1 {status}", *headers, "", ""))
        self.connection.sendall(said.encode("ascii"), more)


class _Server(ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 64


if __name__ == "__main__":
    port, _Handler.folder = sys.argv[1:]
    with _Server(("127.0.0.1", int(port)), _Handler) as server:
        server.serve_forever()
