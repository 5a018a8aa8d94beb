"""Servers that trickle, or never come to an end, and how each of the clients gives them up."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import localproc_s3
import pytest
from tests.patience import until

from localproc.errors import StorageUnavailable
from localproc.plugins.storage import Put, Storage

LARGE = 20 << 20  #: bytes of an object that goes in parts
URI = "s3://bucket/a.bin"
BEGUN = b"<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>"
HEAD = b'HTTP/1.1 %s OK\r\nETag: "1"\r\nContent-Length: %d\r\n'
PART = HEAD % (b"206", 5000) + b"Content-Range: bytes 0-4999/5000\r\n"


class Brook:
    """A server of which little comes. ``drips`` is said first, then a byte again and again.

    ``drinks``: it reads what is sent, which it does not if it is not thirsty.
    """

    def __init__(self) -> None:
        self.drips = b""
        self.drinks = True
        self.asked: list[str] = []
        self.open: list[socket.socket] = []  #: connections to clients that have not gone
        self._over = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._over.set()
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near = self._listening.accept()[0]
                threading.Thread(target=self._answer, args=(near,), daemon=True).start()

    def _answer(self, near: socket.socket) -> None:
        self.open.append(near)
        with suppress(OSError), near, near.makefile("rb") as coming:
            while first := coming.readline():
                self.asked.append(first.decode().partition(" ")[0])
                head = dict(line.lower().split(b": ", 1) for line in iter(coming.readline, b"\r\n"))
                if first.startswith(b"POST") and b"uploads" in first:
                    near.sendall(HEAD % (b"200", len(BEGUN)) + b"\r\n" + BEGUN)
                    continue
                if self.drinks:
                    coming.read(int(head.get(b"content-length", b"0")))
                near.sendall(self.drips)
                while not self._over.wait(0.02):
                    near.sendall(b"x")
        self.open.remove(near)


@pytest.fixture
def brook() -> Iterator[Brook]:
    found = Brook()
    yield found
    found.close()


@pytest.fixture(params=["s3fs", "obstore"])
def storage(
    request: pytest.FixtureRequest, brook: Brook, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Storage]:
    """Give a storage that counts bytes soon, and wants many."""
    monkeypatch.setattr("localproc.storage.pace.SPAN", 0.3)
    monkeypatch.setattr("localproc_s3.pacing._ANSWERING", 0.3)
    monkeypatch.setattr("localproc_s3.obstore_transfers._WHOLE", "300ms")
    keys = {"key": "AKIA", "secret": "verysecret", "region": "us-east-1"}
    found = localproc_s3.open_s3(
        {
            "endpoint": brook.address,
            "addressing": "path",
            "client": request.param,
            "slowest": 1 << 20,
            **keys,
        }
    )
    yield found
    found.close()


@pytest.mark.parametrize(
    "drips",
    [b"HTTP/1.1 206 OK\r\nX-Trickle: ", PART + b"\r\n"],
    ids=["head", "contents"],
)
def test_what_trickles_is_given_up(
    storage: Storage, brook: Brook, tmp_path: Path, drips: bytes
) -> None:
    brook.drips = drips
    with pytest.raises(StorageUnavailable, match="fewer than 1048576 a second"):
        storage.fetch(URI, str(tmp_path / "a.bin"))
    until(lambda: not brook.open)


VERBS: dict[str, Callable[[Storage], object]] = {
    "HEAD": lambda storage: storage.info(URI),
    "GET": lambda storage: list(storage.list("s3://bucket/a/")),
    "POST": lambda storage: storage.delete([URI]),
}


@pytest.mark.parametrize("method", VERBS)
def test_an_answer_whose_head_trickles_is_given_up(
    storage: Storage, brook: Brook, method: str
) -> None:
    brook.drips = b"HTTP/1.1 200 OK\r\nX-Trickle: "
    with pytest.raises(StorageUnavailable):
        VERBS[method](storage)
    assert set(brook.asked) <= {method}
    until(lambda: not brook.open)


def test_a_listing_that_trickles_is_given_up(storage: Storage, brook: Brook) -> None:
    brook.drips = HEAD % (b"200", 5000) + b"\r\n<ListBucketResult>"
    with pytest.raises(StorageUnavailable):
        list(storage.list("s3://bucket/a/"))
    until(lambda: not brook.open)


@pytest.mark.parametrize("drinks", [True, False])
@pytest.mark.parametrize("size", [10, LARGE])
def test_what_is_taken_and_never_answered_is_given_up(
    storage: Storage, brook: Brook, size: int, drinks: bool
) -> None:
    """Also if the server takes nothing of it: then nobody reads what was sent."""
    brook.drinks, brook.drips = drinks, b"HTTP/1.1 200 OK\r\nX-Trickle: "
    with pytest.raises(StorageUnavailable):
        storage.put(Put(bytes(size), URI))
    until(lambda: not brook.open)


def test_how_slow_it_may_be_is_an_option(
    brook: Brook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("localproc.storage.pace.SPAN", 0.3)
    keys = {"key": "AKIA", "secret": "verysecret", "region": "us-east-1", "addressing": "path"}
    storage = localproc_s3.open_s3({"endpoint": brook.address, "slowest": 1, **keys})
    brook.drips = PART.replace(b"5000", b"60").replace(b"4999", b"59") + b"\r\n"
    assert storage.fetch(URI, str(tmp_path / "a.bin")).size == 60
    storage.close()
