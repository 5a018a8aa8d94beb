"""Archives on the web, as somebody from elsewhere asks for them: the guard of the web holds."""

import io
import socket
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import localproc_fsspec
import pytest
from tests.storage.website import Page, Site, serving

from localproc.errors import EnvironmentProblem, StagingError
from localproc.plugins.storage import Storage

PUBLIC = "93.184.215.14"  # it is made to lead to this machine
ASKED = socket.getaddrinfo


def archive(files: dict[str, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as one:
        for name, contents in files.items():
            one.writestr(name, contents)
    return data.getvalue()


def parts_of(data: bytes) -> Any:
    """Return an answer of a server with ranges."""

    def answer(said: dict[str, str]) -> Page:
        if "range" not in said:
            return Page(data)
        first, _, last = said["range"].removeprefix("bytes=").partition("-")
        headers = {"Content-Range": f"bytes {first}-{last}/{len(data)}"}
        return Page(data[int(first) : int(last) + 1], 206, headers)

    return answer


@pytest.fixture
def sites() -> Iterator[tuple[Site, Site]]:
    with ExitStack() as stack:
        yield stack.enter_context(serving()), stack.enter_context(serving())


def zipped(**options: Any) -> Storage:
    given = {"enabled": True, "target_protocol": "http", **options}
    return localproc_fsspec.open_scheme("zip", given)


def uri(site: Site, name: str, host: str = "127.0.0.1") -> str:
    return f"zip://{site.root.removeprefix('http://').replace('127.0.0.1', host)}/a.zip/{name}"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "169.254.169.254", "[::1]", "10.0.0.1"])
def test_an_archive_at_a_private_address_is_refused(sites: tuple[Site, Site], host: str) -> None:
    site, _ = sites
    site.moods["/a.zip"] = parts_of(archive({"x": b"x"}))
    storage = zipped(guarded=True)
    with pytest.raises(StagingError, match="not a public address"):
        storage.info(uri(site, "x", host))
    with pytest.raises(StagingError, match="not a public address"):
        list(storage.list(uri(site, "", host)))
    assert site.asked == []
    storage.close()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_an_archive_that_leads_into_a_private_network_is_refused(
    sites: tuple[Site, Site], monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    first, second = sites
    connected = socket.create_connection

    def looked_up(host: str, *others: Any, **named: Any) -> Any:
        return ASKED(PUBLIC if host == "public.example" else host, *others, **named)

    def lead(address: tuple[str, int], *others: Any, **named: Any) -> socket.socket:
        return connected(("127.0.0.1", address[1]), *others, **named)

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    monkeypatch.setattr(socket, "create_connection", lead)
    second.moods["/a.zip"] = parts_of(archive({"x": b"x"}))
    first.add("/a.zip", status=status, headers={"Location": f"{second.root}/a.zip"})
    storage = zipped(guarded=True)
    with pytest.raises(StagingError, match="not a public address"):
        storage.info(uri(first, "x", "public.example"))
    storage.close()
    assert first.asked
    assert second.asked == []


def test_an_archive_may_be_elsewhere_for_who_runs_the_engine(
    sites: tuple[Site, Site], tmp_path: Path
) -> None:
    first, second = sites
    second.moods["/a.zip"] = parts_of(archive({"x": b"contents"}))
    first.add("/a.zip", status=302, headers={"Location": f"{second.root}/a.zip"})
    storage = zipped()
    assert storage.fetch(uri(first, "x"), str(tmp_path / "x")).size == 8
    storage.close()


def test_a_server_without_ranges_is_told(sites: tuple[Site, Site]) -> None:
    site, _ = sites
    site.add("/a.zip", archive({"x": b"x"}))
    storage = zipped()
    with pytest.raises(StagingError, match="does not send parts"):
        storage.info(uri(site, "x"))
    storage.close()


@pytest.mark.parametrize("headers", [{"Content-Range": "bytes 5-9/100"}, {}])
def test_other_parts_than_were_asked_for_are_none(
    sites: tuple[Site, Site], headers: dict[str, str]
) -> None:
    site, _ = sites
    site.moods["/a.zip"] = lambda said: Page(b"x" * 100, 206, headers)
    storage = zipped()
    with pytest.raises(StagingError, match="parts"):
        storage.info(uri(site, "x"))
    storage.close()


def test_an_archive_that_is_damaged_is_told(sites: tuple[Site, Site], tmp_path: Path) -> None:
    site, _ = sites
    data = bytearray(archive({"x": b"some contents" * 9}))
    data[32] ^= 0xFF
    site.moods["/a.zip"] = parts_of(bytes(data))
    storage = zipped()
    with pytest.raises(StagingError, match=r"a\.zip"):
        storage.fetch(uri(site, "x"), str(tmp_path / "x"))
    site.moods["/a.zip"] = parts_of(b"no archive at all")
    with pytest.raises(StagingError, match=r"a\.zip"):
        storage.info(uri(site, "x"))
    storage.close()


def test_nothing_goes_along_to_wherever_a_server_sends() -> None:
    with pytest.raises(EnvironmentProblem, match="target_options"):
        zipped(target_options={"client_kwargs": {"headers": {"Authorization": "hush"}}})
