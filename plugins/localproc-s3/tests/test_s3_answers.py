"""Servers whose answers are not what S3 says: none of them is taken for the object."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import localproc_s3
import pytest
from tests.storage.website import Page, Site, serving

from localproc.errors import StagingError, StorageUnavailable
from localproc.plugins.storage import Storage

SIZE = 12 << 20  #: bytes of an object that comes in three parts
TOKEN = "the-token-of-a-temporary-key"
MODIFIED = "Mon, 01 Jun 2026 12:00:00 GMT"


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as site:
        yield site


@pytest.fixture
def storage(site: Site) -> Iterator[Storage]:
    keys = {"key": "AKIA", "secret": "verysecret", "token": TOKEN, "region": "us-east-1"}
    storage = localproc_s3.open_s3({"endpoint": site.root, "addressing": "path", **keys})
    yield storage
    storage.close()


def part(said: dict[str, str], etag: str = '"1"') -> Page:
    start, _, end = said["range"].removeprefix("bytes=").partition("-")
    last = min(int(end), SIZE - 1)
    headers = {"ETag": etag, "Content-Range": f"bytes {start}-{last}/{SIZE}"}
    return Page(b"x" * (last - int(start) + 1), 206, headers)


def fetched(storage: Storage, tmp_path: Path, **options: Any) -> int:
    return storage.fetch("s3://bucket/a.tif", str(tmp_path / "a.tif"), **options).size


def test_parts_of_one_version_make_an_object(storage: Storage, site: Site, tmp_path: Path) -> None:
    site.moods["/bucket/a.tif"] = part
    assert fetched(storage, tmp_path) == SIZE


def test_parts_of_several_versions_do_not(storage: Storage, site: Site, tmp_path: Path) -> None:
    """Though the server looks at no condition."""
    site.moods["/bucket/a.tif"] = lambda said: part(said, f'"{len(site.asked)}"')
    with pytest.raises(StorageUnavailable, match="has changed") as error:
        fetched(storage, tmp_path)
    assert error.value.etag == ""


def test_a_part_that_was_not_asked_for(storage: Storage, site: Site, tmp_path: Path) -> None:
    site.moods["/bucket/a.tif"] = lambda said: part({"range": "bytes=4-9"})
    with pytest.raises(StorageUnavailable, match="another part"):
        fetched(storage, tmp_path)


def test_a_server_that_knows_no_ranges_is_asked_anew(
    storage: Storage, site: Site, tmp_path: Path
) -> None:
    site.add("/bucket/a.tif", b"all of it", headers={"ETag": '"1"'})
    (tmp_path / "a.tif").write_bytes(b"all")
    assert fetched(storage, tmp_path, resume='"1"') == 9
    assert (tmp_path / "a.tif").read_bytes() == b"all of it"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_key_goes_to_another_server(
    storage: Storage, site: Site, tmp_path: Path, status: int
) -> None:
    with serving() as other:
        there = other.add("/bucket/a.tif", b"bait").replace("127.0.0.1", "localhost")
        site.add("/bucket/a.tif", status=status, headers={"Location": there})
        with pytest.raises(StagingError, match="sends on to another"):
            fetched(storage, tmp_path)
        assert other.asked == []
        assert len(site.asked) == 1


def test_a_bucket_in_another_region_is_asked_for_there(
    storage: Storage, site: Site, tmp_path: Path
) -> None:
    elsewhere = Page(status=301, headers={"x-amz-bucket-region": "eu-central-1"})

    def answer(said: dict[str, str]) -> Page:
        return part(said) if "/eu-central-1/" in said["authorization"] else elsewhere

    site.moods["/bucket/a.tif"] = answer
    assert fetched(storage, tmp_path) == SIZE


def test_a_clock_that_is_wrong_is_told(storage: Storage, site: Site, tmp_path: Path) -> None:
    text = b"<Error><Code>RequestTimeTooSkewed</Code><Message>too far apart</Message></Error>"
    site.add("/bucket/a.tif", text, status=403)
    with pytest.raises(StagingError, match="RequestTimeTooSkewed") as error:
        fetched(storage, tmp_path)
    assert error.value.hint == "set the clock of this machine"


@pytest.mark.parametrize("client", ["s3fs", "obstore"])
@pytest.mark.parametrize("key", ["a.tif", "folder/", "/top.tif", "a//b.tif"])
def test_a_key_is_asked_for_as_it_is(site: Site, tmp_path: Path, client: str, key: str) -> None:
    """Also with slashes at its ends, which obstore leaves out: another object may lie there."""
    keys = {"key": "AKIA", "secret": "verysecret", "region": "us-east-1"}
    storage = localproc_s3.open_s3(
        {"endpoint": site.root, "addressing": "path", "client": client, **keys}
    )
    for other in ("folder", "top.tif"):
        site.add(f"/bucket/{other}", b"another", headers={"ETag": '"2"'})
    site.add(
        f"/bucket/{key}",
        b"pixels",
        status=206 if client == "s3fs" or key != "a.tif" else 200,
        headers={"ETag": '"1"', "Content-Range": "bytes 0-5/6", "Last-Modified": MODIFIED},
    )
    storage.fetch(f"s3://bucket/{key}", str(tmp_path / "found"))
    storage.close()
    assert (tmp_path / "found").read_bytes() == b"pixels"
    assert {one.rpartition(" ")[2] for one in site.asked} == {f"/bucket/{key}"}
