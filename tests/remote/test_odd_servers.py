"""Servers whose documents are not what they should be."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from localproc.errors import InvalidInputs, LocalprocError, ServerRefused, ServerUnreachable
from localproc.remote import Server
from localproc.remote.download import download
from localproc.remote.problems import error_of
from localproc.remote.sent_inputs import outgoing, typed_texts

NOBODY = "http://127.0.0.1:1/ogc"


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(NOBODY) as server:
        yield server


@pytest.mark.parametrize(
    "url", ["", "host", "file:///a", "http://", "http://[::1", "http://host:99999", "http://\ud800"]
)
def test_what_is_no_address_of_a_server(url: str) -> None:
    with pytest.raises(InvalidInputs, match="is not the address of a server"):
        Server(url)


@pytest.mark.parametrize("token", ["t\u00f6k", "a\nb: c", "a\0"])
def test_a_token_that_no_header_can_have(token: str) -> None:
    with pytest.raises(InvalidInputs) as refused:
        Server(NOBODY, token)
    assert token not in str(refused.value)


@pytest.mark.parametrize("href", ["http://[::1", "http://a:99999/", "\ud800", "//[", "file:///a"])
def test_a_link_that_leads_nowhere_is_told(server: Server, href: str) -> None:
    with pytest.raises(ServerRefused, match="which is no address on the web"):
        server.fetch(href)


def test_a_host_that_cannot_be_is_told(server: Server) -> None:
    with pytest.raises(LocalprocError, match="is no web address"):
        server.fetch("http://xn--0/")


def test_an_id_may_have_bytes_that_are_no_text(server: Server) -> None:
    with pytest.raises(ServerUnreachable):
        server.status("a\udcff")


@pytest.mark.parametrize("body", [b"[" * 100_000, b"[]", b'"x"', b"\xff", b'{"problems": 3}'])
def test_a_problem_may_be_none(body: bytes) -> None:
    error = error_of(httpx.Response(500, content=body), NOBODY)
    assert isinstance(error, ServerRefused)
    assert f"{NOBODY} answered 500" in str(error)


@pytest.mark.parametrize(
    "described", [{}, {"a": None}, {"a": {"schema": 1}}, {"a": {"schema": {}}}]
)
def test_inputs_may_be_described_by_nothing(described: dict[str, Any]) -> None:
    assert outgoing({"a": "x"}, described, {}) == {"a": "x"}
    assert typed_texts([("a", "3")], described) == {"a": 3}


@pytest.mark.parametrize(
    "result",
    [
        {"value": {"type": "FeatureCollection", "features": 5}},
        {"value": {"type": "FeatureCollection", "features": [3, {"assets": ["x"]}]}},
        {"value": {"type": "FeatureCollection", "features": [{"assets": {"a": {"href": 1}}}]}},
    ],
)
def test_items_may_have_no_assets(server: Server, tmp_path: Path, result: Any) -> None:
    (found,) = download(server, {"o\ud800": result}, tmp_path)
    assert found == tmp_path / "o?" / "items.geojson"
