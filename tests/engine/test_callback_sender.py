"""The thread that delivers callbacks, whatever the store says to it."""

import queue
import socketserver
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from localproc.engine.notify.callback_sender import CallbackSender, Message
from localproc.engine.notify.letters import COMMAND
from localproc.errors import StoreLocked
from localproc.model import Callback
from localproc.store import SqliteStore
from tests.patience import patient, until


class Hindered(SqliteStore):
    """A store with a callback that is due, which cannot be used at first."""

    asked = taken = 0

    def next_callback(self) -> datetime | None:
        self.asked += 1
        if self.asked == 1:
            raise StoreLocked("somebody else has it")
        return datetime.now(UTC) if self.taken < 3 else None

    def take_callbacks(self, now: datetime, until: datetime, most: int) -> list[Callback]:
        self.taken += 1
        if self.taken == 2:
            raise StoreLocked("somebody else has it again")
        return [Callback("job", f"{COMMAND}x", "successUri", 1)] if self.taken == 3 else []


def test_a_store_that_cannot_be_used_delays_callbacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their thread goes on, and asks again at the next ring or look, not at once."""
    monkeypatch.setattr("localproc.engine.notify.callback_sender._LOOK", 3600.0)
    store, told = Hindered(str(tmp_path / "store.sqlite")), threading.Event()
    sender = CallbackSender(
        store, lambda _: Message({}, guarded=False), letters=lambda _uri, _said: told.set()
    )
    sender.ring()
    until(lambda: store.asked == 1)
    sender.ring()
    until(lambda: store.taken == 2)
    sender.ring()
    assert told.wait(patient(10))
    sender.close()
    assert store.taken == 4  # one more time as it is closed
    store.close()


class Subscriber(socketserver.BaseRequestHandler):
    """Takes a callback, and answers when it is let."""

    def handle(self) -> None:
        server = self.server
        assert isinstance(server, Subscribers)
        self._read()
        server.asked.set()
        server.answers.wait()
        self.request.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
        server.gone.put(self.request.recv(1))  # nothing: the connection has been closed

    def _read(self) -> None:
        came = b""
        while not came.rstrip().endswith(b"}"):  # the headers may come before the body
            came += self.request.recv(1 << 16)


class Subscribers(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Subscriber)
        self.asked, self.answers = threading.Event(), threading.Event()
        self.gone: queue.Queue[bytes] = queue.Queue()


class Single(SqliteStore):
    """A store with one callback that is due."""

    uri = ""
    taken = False

    def take_callbacks(self, now: datetime, until: datetime, most: int) -> list[Callback]:
        found, self.taken = [] if self.taken else [Callback("job", self.uri, "successUri", 1)], True
        return found


def test_connections_are_closed_when_the_last_subscriber_has_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when that is after the sender was closed: it does not wait for them for long."""
    monkeypatch.setattr("localproc.engine.notify.callback_sender._LAST", 0.0)
    store = Single(str(tmp_path / "store.sqlite"))
    with Subscribers() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        store.uri = f"http://127.0.0.1:{server.server_address[1]}/"
        sender = CallbackSender(store, lambda _: Message({}, guarded=False))
        sender.ring()
        assert server.asked.wait(patient(10))
        sender.close()
        store.close()
        server.answers.set()
        assert server.gone.get(timeout=patient(10)) == b""
        server.shutdown()
        thread.join()
