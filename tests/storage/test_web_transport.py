"""HTTP/1.1 as it is spoken: connections that are kept, and answers that are no answers."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field

import httpx
import pytest

from localproc.storage.web_client import WebClient
from tests.patience import patient
from tests.storage.website import serving


@dataclass
class Raw:
    """A server that says what it is told to, byte by byte: an answer to each request.

    It ends connections after so many ``answers``; ``requests`` are the first lines that came.
    """

    root: str
    answers: list[bytes] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    connections: int = 0
    ended: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def raw() -> Iterator[Raw]:
    listening = socket.create_server(("127.0.0.1", 0))
    server = Raw(f"http://127.0.0.1:{listening.getsockname()[1]}")

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listening.accept()
                server.connections += 1
                with connection, connection.makefile("rb") as came:
                    while server.answers and (line := came.readline()):
                        server.requests.append(line.decode().strip())
                        while came.readline() != b"\r\n":
                            pass
                        connection.sendall(server.answers.pop(0))
                server.ended.set()

    thread = threading.Thread(target=serve)
    thread.start()
    yield server
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join()


@pytest.fixture
def client() -> Iterator[WebClient]:
    with closing(WebClient(guarded=False, redirects=0, timeout=patient(2))) as client:
        yield client


def asked(client: WebClient, url: str, method: str = "GET", content: bytes = b"") -> bytes:
    with client.asking(method, url, content=content) as answer:
        return answer.read()


def said(*headers: str, body: bytes = b"", status: str = "200 OK") -> bytes:
    return "\r\n".join((f"HTTP/1.1 {status}", *headers, "", "")).encode() + body


@pytest.mark.parametrize(
    "answer",
    [
        said("Content-Length: 2", body=b"ab"),
        said("Transfer-Encoding: chunked", body=b"1\r\na\r\n1;x=y\r\nb\r\n0\r\n\r\n"),
        said("Content-Length: 2", "content-length: 2", body=b"ab"),
    ],
)
def test_a_connection_serves_the_next_request_too(
    client: WebClient, raw: Raw, answer: bytes
) -> None:
    raw.answers = [answer] * 3
    assert [asked(client, f"{raw.root}/{name}?q=ü d") for name in "abc"] == [b"ab"] * 3
    assert raw.connections == 1
    assert raw.requests[0] == "GET /a?q=%C3%BC%20d HTTP/1.1"


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("HEAD", said("Content-Length: 2")),
        ("GET", said(status="204 No Content")),
        ("GET", said("Content-Length: 2", status="304 Not Modified")),
    ],
)
def test_what_has_no_body_is_not_waited_for(
    client: WebClient, raw: Raw, method: str, answer: bytes
) -> None:
    raw.answers = [answer, said("Content-Length: 2", body=b"ab")]
    assert asked(client, raw.root, method) == b""
    assert asked(client, raw.root) == b"ab"
    assert raw.connections == 1


def test_a_connection_that_the_server_has_ended_is_not_used_again(
    client: WebClient, raw: Raw
) -> None:
    raw.answers = [said("Content-Length: 2", body=b"ab")]
    assert asked(client, raw.root) == b"ab"
    assert raw.ended.wait(patient(2))
    raw.answers = [said("Content-Length: 2", body=b"cd")]
    assert asked(client, raw.root) == b"cd"
    assert raw.connections == 2


def test_a_body_that_nobody_reads_is_not_the_answer_to_the_next_request(
    client: WebClient, raw: Raw
) -> None:
    raw.answers = [said("Content-Length: 2", body=b"ab"), said("Content-Length: 2", body=b"cd")]
    with client.asking("GET", raw.root):
        pass
    assert asked(client, raw.root) == b"cd"
    assert raw.connections == 2


def test_more_than_was_announced_is_not_the_answer_to_the_next_request(
    client: WebClient, raw: Raw
) -> None:
    raw.answers = [
        said("Content-Length: 2", body=b"ab" + said("Content-Length: 3", body=b"bad")),
        said("Content-Length: 2", body=b"cd"),
    ]
    assert asked(client, raw.root) == b"ab"
    assert asked(client, raw.root) == b"cd"


@pytest.mark.parametrize(
    "answer",
    [
        said("Content-Length: 3", body=b"ab"),
        said("Content-Length: 2", "Content-Length: 3", body=b"abc"),
        said("Content-Length: +2", body=b"ab"),
        said("Content-Length: 1_0", body=b"0123456789"),
        said("Content-Length: -1", body=b"ab"),
        said("Transfer-Encoding: chunked", body=b"2\r\nab\r\n"),
        said("Transfer-Encoding: chunked", body=b"5\r\nab"),
        said("Transfer-Encoding: chunked", body=b"two\r\nab\r\n0\r\n\r\n"),
        said("Transfer-Encoding: gzip, chunked", body=b"2\r\nab\r\n0\r\n\r\n"),
        said("Transfer-Encoding: identity", body=b"ab"),
        b"ICY 200 OK\r\n\r\nab",
        b"",
    ],
)
def test_what_may_not_be_all_is_no_answer(client: WebClient, raw: Raw, answer: bytes) -> None:
    raw.answers = [answer]
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        asked(client, raw.root)


def test_where_nothing_tells_the_length_the_end_does(client: WebClient, raw: Raw) -> None:
    raw.answers = [said(body=b"ab")]
    assert asked(client, raw.root) == b"ab"


def test_headers_may_have_any_bytes(client: WebClient, raw: Raw) -> None:
    raw.answers = [b'HTTP/1.1 200 G\xfct\r\nETag: "\xe4"\r\nContent-Length: 0\r\n\r\n']
    with client.asking("GET", raw.root) as answer:
        assert (answer.headers["etag"], answer.reason_phrase) == ('"ä"', "Gt")


def test_who_wants_no_more_of_a_request_may_answer_before_its_end(client: WebClient) -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"

    def refuse() -> None:
        connection, _ = listening.accept()
        connection.recv(1)
        connection.sendall(said("Content-Length: 0", status="413 Content Too Large"))
        connection.close()

    thread = threading.Thread(target=refuse)
    thread.start()
    with closing(listening), client.asking("POST", url, content=b"x" * (8 << 20)) as answer:
        assert answer.status_code == 413
    thread.join()


@pytest.mark.parametrize("body", [b"", b"x" * 1_000_000])
def test_threads_share_a_client(body: bytes) -> None:
    with serving(patient=True) as site, closing(_client()) as client:
        url = site.add("/a", body)
        found: list[bytes] = []
        threads = [
            threading.Thread(target=lambda: found.append(asked(client, url))) for _ in range(20)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == [body] * 20


def test_nobody_there_is_told_as_that(client: WebClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        url = f"http://127.0.0.1:{gone.getsockname()[1]}"
    with pytest.raises(httpx.ConnectError, match="refused"):
        asked(client, url)


def _client() -> WebClient:
    return WebClient(guarded=False, redirects=0, timeout=patient(2))
