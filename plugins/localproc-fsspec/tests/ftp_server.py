"""An FTP server on this machine for a folder; its password is hush-hush."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def serving(folder: Path, may: str = "elradfmwMT") -> Iterator[int]:
    """Serve a folder to who may do so much with it (pyftpdlib's letters); give the port."""
    handlers = pytest.importorskip("pyftpdlib.handlers")  # it warns of asyncore, which it brings
    servers = pytest.importorskip("pyftpdlib.servers")
    from pyftpdlib.authorizers import DummyAuthorizer

    users = DummyAuthorizer()
    users.add_user("eo", "hush-hush", str(folder), perm=may)
    handler = type("Handler", (handlers.FTPHandler,), {"authorizer": users})
    server = servers.FTPServer(("127.0.0.1", 0), handler)
    over = threading.Event()

    def serve() -> None:
        while not over.is_set():
            server.serve_forever(timeout=0.05, blocking=False)

    thread = threading.Thread(target=serve)
    thread.start()
    yield server.address[1]
    over.set()
    thread.join()
    server.close_all()
