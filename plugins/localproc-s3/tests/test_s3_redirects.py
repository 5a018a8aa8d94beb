"""Servers that send on to another: neither of the clients asks that, nor shows it the token."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import localproc_s3
import pytest
import trustme
from tests.storage.conftest import certificate
from tests.storage.website import Page, Site, serving

from localproc.errors import StagingError
from localproc.plugins.storage import Put, Storage

SIZE = 12 << 20  #: bytes of an object that goes in parts
URI = "s3://bucket/a.tif"
TOKEN = "the-token-of-a-temporary-key"
KEYS = {"key": "AKIA", "secret": "verysecret", "token": TOKEN, "region": "us-east-1"}
#: What is asked, and by which request first.
VERBS: dict[str, Callable[[Storage, str], object]] = {
    "GET": lambda storage, path: storage.fetch(URI, path),
    "HEAD": lambda storage, path: storage.info(URI),
    "GET list": lambda storage, path: list(storage.list("s3://bucket/a")),
    "PUT": lambda storage, path: storage.put(Put(b"pixels", URI)),
    "POST": lambda storage, path: storage.put(Put(bytes(SIZE), URI, if_absent=True)),
    "POST or HEAD": lambda storage, path: storage.put(Put(bytes(SIZE), URI)),
    "POST delete": lambda storage, path: storage.delete([URI]),
}


@pytest.fixture
def servers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Site]]:
    """Give two servers, each without and with TLS; their certificates are trusted."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    for name in ("SSL_CERT_FILE", "AWS_CA_BUNDLE"):
        monkeypatch.setenv(name, str(tmp_path / "authority.pem"))
    with ExitStack() as stack:
        kinds = {"http": None, "https": certificate(authority)}
        yield {
            f"{which} {kind}": stack.enter_context(serving(tls, patient=True))
            for which in ("first", "second")
            for kind, tls in kinds.items()
        }


def opened(site: Site, client: str) -> Storage:
    return localproc_s3.open_s3(
        {"endpoint": site.root, "addressing": "path", "client": client, **KEYS}
    )


#: From which kind of server to which, by which name; with each both are at the same address.
WAYS = [
    ("http", "http", "127.0.0.1"),
    ("http", "http", "localhost"),
    ("http", "https", "127.0.0.1"),
    ("https", "http", "127.0.0.1"),
    ("https", "http", "localhost"),
    ("https", "https", "localhost"),
]
CASES = [
    *(("s3fs", verb, *WAYS[0]) for verb in VERBS),
    *(("obstore", verb, *way) for verb in ("GET", "PUT", "POST or HEAD") for way in WAYS),
]


@pytest.mark.parametrize(("client", "verb", "kind", "to", "host"), CASES)
def test_nothing_goes_to_another_server(
    servers: dict[str, Site],
    tmp_path: Path,
    client: str,
    verb: str,
    kind: str,
    to: str,
    host: str,
) -> None:
    first, second = servers[f"first {kind}"], servers[f"second {to}"]
    there = second.root.replace("127.0.0.1", host)
    storage = opened(first, client)
    for status in (301, 302, 303, 307, 308):
        for path in ("/bucket", "/bucket/", "/bucket/a.tif"):
            first.add(path, status=status, headers={"Location": f"{there}/bait"})
            second.add("/bait", b"bait", headers={"ETag": '"1"'})
        with pytest.raises(StagingError):
            VERBS[verb](storage, str(tmp_path / "a.tif"))
    storage.close()
    assert len(first.asked) >= 5
    assert second.asked == []
    assert second.clients == set()


@pytest.mark.parametrize("kind", ["http", "https"])
def test_obstore_asks_a_server_that_answers(
    servers: dict[str, Site], tmp_path: Path, kind: str
) -> None:
    """By itself: what stays with the server is not done without it."""
    first = servers[f"first {kind}"]
    seen: list[dict[str, str]] = []

    def answer(said: dict[str, str]) -> Page:
        seen.append(said)
        changed = {"Last-Modified": "Mon, 01 Jun 2026 12:00:00 GMT", "ETag": '"1"'}
        return Page(b"pixels", headers=changed)

    first.moods["/bucket/a.tif"] = answer
    storage = opened(first, "obstore")
    assert storage.fetch(URI, str(tmp_path / "a.tif")).size == 6
    assert storage.put(Put(b"pixels", URI)).size == 6
    storage.close()
    assert len(seen) == 2
    assert all("object_store" in said["user-agent"] for said in seen)


def test_obstore_is_left_where_a_proxy_leads_to_the_server(
    servers: dict[str, Site], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, seen = servers["second http"], list[Any]()
    first = servers["first http"]
    monkeypatch.setenv("http_proxy", proxy.root)
    monkeypatch.setenv("no_proxy", "")
    proxy.on_asked = seen.append
    storage = opened(first, "obstore")
    with pytest.raises(StagingError):
        storage.fetch(URI, str(tmp_path / "a.tif"))
    storage.close()
    assert seen
    assert first.asked == []
