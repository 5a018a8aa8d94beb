"""Inputs from the web alone: no address of a private network is ever asked."""

import gc
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from localproc import Engine
from localproc.errors import StagingError
from localproc.model import InputPolicy
from localproc.plugins.storage import Description, Put
from localproc.storage.addresses import is_public, redacted
from localproc.storage.web import WebStorage
from tests.storage.desk import item
from tests.storage.website import Site, serving

PUBLIC = "93.184.215.14"


@pytest.fixture(scope="module")
def web() -> Iterator[WebStorage]:
    storage = WebStorage.open({"guarded": True})
    yield storage
    storage.close()


#: Says which addresses a name has from now on.
Name = Callable[..., None]


@pytest.fixture
def name(monkeypatch: pytest.MonkeyPatch) -> Name:
    """Give a way to name addresses; the public ones in fact lead to this machine."""
    names: dict[str, list[list[str]]] = {PUBLIC: [["127.0.0.1"]]}
    look_up = socket.getaddrinfo

    def getaddrinfo(host: str, port: int, *args: Any, **options: Any) -> list[Any]:
        answers = names.get(host, [[host]])
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [found for one in addresses for found in look_up(one, port, *args, **options)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    def name(host: str, *answers: list[str]) -> None:
        names[host] = list(answers)

    return name


PRIVATE = [
    "127.0.0.1",
    "127.1.2.3",
    "localhost",
    "[::1]",
    "169.254.169.254",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "0.0.0.0",
    "[::]",
    "[fe80::1]",
    "[fd00::1]",
    "[::ffff:127.0.0.1]",
    "224.0.0.1",
    "2130706433",
]


@pytest.mark.parametrize("host", PRIVATE)
def test_a_private_address_is_refused(web: WebStorage, tmp_path: Path, host: str) -> None:
    with pytest.raises(StagingError, match="not a public address"):
        web.fetch(f"http://{host}/a.tif", str(tmp_path / "a.tif"))
    with pytest.raises(StagingError, match="not a public address"):
        web.info(f"http://{host}/a.tif")
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_asked_at_a_private_address(web: WebStorage, site: Site, tmp_path: Path) -> None:
    url = site.add("/a.tif", b"private")
    with pytest.raises(StagingError):
        web.fetch(url, str(tmp_path / "a.tif"))
    assert site.asked == []


def public_url(site: Site, path: str) -> str:
    return f"http://public.example:{urlsplit(site.root).port}{path}"


def test_a_public_address_is_asked(web: WebStorage, site: Site, tmp_path: Path, name: Name) -> None:
    name("public.example", [PUBLIC])
    site.add("/a.tif", b"pixels")
    web.fetch(public_url(site, "/a.tif"), str(tmp_path / "a.tif"))
    assert (tmp_path / "a.tif").read_bytes() == b"pixels"


def test_the_certificate_is_that_of_the_name_which_was_looked_up(
    secure_site: Site, tmp_path: Path, name: Name
) -> None:
    secure_site.add("/a.tif", b"pixels")
    port = urlsplit(secure_site.root).port
    with closing(WebStorage(guarded=True)) as web:
        for host in ("localhost", "public.example"):  # the certificate is for localhost
            name(host, [PUBLIC])
        web.fetch(f"https://localhost:{port}/a.tif", str(tmp_path / "a.tif"))
        with pytest.raises(StagingError, match="certificate"):
            web.fetch(f"https://public.example:{port}/a.tif", str(tmp_path / "b.tif"))
    assert (tmp_path / "a.tif").read_bytes() == b"pixels"


@pytest.mark.parametrize("addresses", [["10.0.0.1"], [PUBLIC, "10.0.0.1"], ["::1", PUBLIC]])
def test_a_name_with_any_private_address_is_refused(
    web: WebStorage, site: Site, tmp_path: Path, name: Name, addresses: list[str]
) -> None:
    name("public.example", addresses)
    with pytest.raises(StagingError, match=r"public\.example is at .*not a public address"):
        web.fetch(public_url(site, "/a.tif"), str(tmp_path / "a.tif"))
    assert site.asked == []


@pytest.mark.parametrize("target", ["http://private.example/a", "http://127.0.0.1/a", "//10.0.0.1"])
def test_a_redirect_into_a_private_network_is_refused(
    web: WebStorage, site: Site, tmp_path: Path, name: Name, target: str
) -> None:
    name("public.example", [PUBLIC])
    name("private.example", ["192.168.0.1"])
    site.add("/a.tif", status=302, headers={"Location": target})
    with pytest.raises(StagingError, match="not a public address"):
        web.fetch(public_url(site, "/a.tif"), str(tmp_path / "a.tif"))
    assert site.asked == ["GET /a.tif"]


def test_a_name_that_changes_after_it_was_checked_leads_nowhere_else(
    web: WebStorage, site: Site, tmp_path: Path, name: Name
) -> None:
    name("public.example", [PUBLIC], ["10.0.0.1"])
    site.add("/a.tif", b"pixels")
    web.fetch(public_url(site, "/a.tif"), str(tmp_path / "a.tif"))
    assert (tmp_path / "a.tif").read_bytes() == b"pixels"


def test_every_address_of_a_name_is_tried(
    web: WebStorage, site: Site, tmp_path: Path, name: Name
) -> None:
    name("93.184.215.15", ["127.0.0.2"])  # where nobody listens
    name("public.example", ["93.184.215.15", PUBLIC])
    site.add("/a.tif", b"pixels")
    web.fetch(public_url(site, "/a.tif"), str(tmp_path / "a.tif"))
    assert (tmp_path / "a.tif").read_bytes() == b"pixels"


def test_a_name_that_nobody_knows_is_told(
    web: WebStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def getaddrinfo(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with pytest.raises(StagingError, match="Name or service not known"):
        web.fetch("http://no.example/a.tif?token=secret", str(tmp_path / "a.tif"))


@pytest.mark.parametrize(
    "address",
    [PUBLIC, "2606:4700:4700::1111", "::ffff:93.184.215.14", "64:ff9b::5db8:d70e"],
)
def test_public_addresses(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "::ffff:10.0.0.1",  # IPv4 in IPv6, mapped
        "::10.0.0.1",  # ... compatible, as it was called once
        "64:ff9b::a00:1",  # ... through NAT64, as many clouds have it
        "64:ff9b:1::a00:1",
        "2002:a00:1::1",  # ... through 6to4
        "::ffff:0:10.0.0.1",  # ... translated (SIIT)
        "2001:0:4136:e378:8000:63bf:f5ff:fffe",  # ... through Teredo
        "2001:db8::1",
        "ff02::1",
        "fec0::1",
        "fe80::1%eth0",
        "255.255.255.255",
        "192.0.2.1",
    ],
)
def test_addresses_that_lead_into_a_private_network(address: str) -> None:
    assert not is_public(address)


def test_a_job_with_a_guarded_policy_asks_no_private_address(
    localproc_engine: Engine, site: Site
) -> None:
    package = {
        "cwlVersion": "v1.2",
        "class": "CommandLineTool",
        "id": "shows",
        "baseCommand": "true",
        "inputs": [{"id": "file", "type": ["null", "File"]}, {"id": "item", "type": "Directory?"}],
        "outputs": [],
    }
    site.add("/a.tif", b"private")
    policy = InputPolicy(roots=(), guarded=True)
    process = localproc_engine.deploy(package)
    for inputs in ({"file": {"href": f"{site.root}/a.tif"}}, {"item": f"{site.root}/i.json"}):
        job = process.execute(inputs, policy=policy).wait()
        assert job.status == "failed"
        assert "127.0.0.1 is at 127.0.0.1, which is not a public address" in job.message
    assert site.asked == []


# Writing


def test_the_web_is_read_only(web: WebStorage, tmp_path: Path) -> None:
    url = "https://example.com/a.tif?token=secret"
    with pytest.raises(StagingError, match="cannot be written") as put:
        web.put(Put(str(tmp_path / "a.tif"), url))
    with pytest.raises(StagingError, match="cannot be listed") as listed:
        web.list(url)
    with pytest.raises(StagingError, match="cannot be deleted") as deleted:
        web.delete([url])
    for error in (put, listed, deleted):
        assert "secret" not in str(error.value) + error.value.uri
    assert (web.presign(url, 60), web.describe(url)) == (url, Description())


def test_what_is_on_the_web_is_told_by_its_headers(site: Site) -> None:
    web = WebStorage()
    info = web.info(site.add("/a.tif", b"pixels", headers={"ETag": '"1"'}))
    assert info is not None
    assert (info.size, info.etag) == (6, '"1"')
    assert web.info(f"{site.root}/missing.tif") is None
    assert site.asked == ["HEAD /a.tif", "HEAD /missing.tif"]
    with pytest.raises(StagingError, match="503"):
        web.info(site.add("/busy.tif", status=503))
    web.close()


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://example.com/a.tif", "https://example.com/a.tif"),
        ("https://example.com:8443/a.tif?sig=secret#secret", "https://example.com:8443/a.tif?…"),
        ("https://jane:secret@example.com/a.tif", "https://example.com/a.tif"),
        ("file:///data/a%20b.tif", "file:///data/a%20b.tif"),
    ],
)
def test_what_may_be_secret_in_an_address_is_left_out(url: str, shown: str) -> None:
    assert redacted(url) == shown


def test_a_closed_engine_leaves_no_connection_open(
    tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    package = {
        "cwlVersion": "v1.2",
        "class": "CommandLineTool",
        "id": "shows",
        "baseCommand": "true",
        "inputs": [{"id": "item", "type": "Directory"}],
        "outputs": [],
    }
    with serving(patient=True) as site:
        with Engine(tmp_path / "home") as engine:
            engine.run(package, {"item": site.add("/item.json", item({}))}).raise_for_status()
        del engine
        gc.collect()
    assert [str(one.message) for one in recwarn] == []
