"""A way to a server on this machine that can be held up."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Relay:
    """Carries what comes to a port on to another, unless it is held."""

    def __init__(self, port: int) -> None:
        self._far = port
        self._free = threading.Event()
        self._free.set()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = [self._listening]
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let nothing through for a while."""
        self._free.clear()
        yield
        self._free.set()

    def close(self) -> None:
        """End it, and all that it carries."""
        self._free.set()
        while self._open:
            one = self._open.pop()
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near = self._listening.accept()[0]
                threading.Thread(target=self._join, args=(near,), daemon=True).start()

    def _join(self, near: socket.socket) -> None:
        with suppress(OSError), near, socket.create_connection(("127.0.0.1", self._far)) as far:
            self._open += [near, far]
            near.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)  # as FTP ends transfers
            back = threading.Thread(target=self._carry, args=(far, near), daemon=True)
            back.start()
            self._carry(near, far)
            back.join()

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                self._free.wait()
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)


@contextmanager
def relay_to(port: int) -> Iterator[Relay]:
    """Give a way to a port."""
    found = Relay(port)
    yield found
    found.close()
