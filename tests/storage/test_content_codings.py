"""Files that a server has encoded for the way, though nobody asked for that."""

import gzip
import zlib
from collections.abc import Iterator

import pytest

from localproc.errors import StagingError
from localproc.model import InputPolicy
from localproc.storage.content_codings import decoded
from localproc.storage.transfer_retries import READING
from tests.storage.conftest import OpenDesk
from tests.storage.desk import Desk, file
from tests.storage.website import Page, Site

PIXELS = bytes(range(256)) * 400
PACKED = gzip.compress(PIXELS, mtime=0)


def encoded(coding: str, body: bytes) -> Page:
    return Page(body, headers={"Content-Encoding": coding})


def brought(desk: Desk) -> bytes:
    return (desk.folder / "scene_1" / "a.tif").read_bytes()


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", PACKED),
        ("GZIP", PACKED),
        ("x-gzip", PACKED),
        ("deflate", zlib.compress(PIXELS)),
        ("gzip, aws-chunked", PACKED),
        ("gzip", PACKED + b"\0" * 512),
        ("gzip", gzip.compress(PIXELS[:1000]) + gzip.compress(PIXELS[1000:])),
        ("aws-chunked", PIXELS),
        ("utf-8", PIXELS),
        ("identity", PIXELS),
    ],
)
def test_a_file_comes_as_it_was_put(desk: Desk, site: Site, coding: str, body: bytes) -> None:
    site.pages["/a.tif"] = encoded(coding, body)
    assert desk.bring(file(site.root + "/a.tif"))["size"] == len(PIXELS)
    assert brought(desk) == PIXELS


@pytest.mark.parametrize("cut", [5, 100, len(PACKED) - 1])
def test_one_that_is_cut_short_is_brought_once_more(desk: Desk, site: Site, cut: int) -> None:
    def page(_: dict[str, str]) -> Page:
        return encoded("gzip", PACKED[:cut] if len(site.asked) == 1 else PACKED)

    site.moods["/a.tif"] = page
    desk.bring(file(site.root + "/a.tif"))
    assert brought(desk) == PIXELS


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, br", "gzip, gzip"])
def test_what_cannot_be_undone_is_refused(desk: Desk, site: Site, coding: str) -> None:
    site.pages["/a.tif"] = encoded(coding, PACKED)
    with pytest.raises(StagingError, match=f"comes encoded \\({coding}\\)"):
        desk.bring(file(site.root + "/a.tif"))
    assert desk.left() == []


def test_what_is_not_encoded_as_it_says_is_refused(desk: Desk, site: Site) -> None:
    site.pages["/a.tif"] = encoded("gzip", PIXELS)
    with pytest.raises(StagingError, match="is no gzip"):
        desk.bring(file(site.root + "/a.tif"))


def test_its_limit_is_that_of_what_is_in_it(open_desk: OpenDesk, site: Site) -> None:
    site.pages["/a.tif"] = encoded("gzip", gzip.compress(bytes(1 << 20)))
    with pytest.raises(StagingError, match="larger than 100000 bytes"):
        open_desk(InputPolicy(most=100_000)).bring(file(site.root + "/a.tif"))


def test_little_is_made_of_it_at_a_time() -> None:
    bomb = gzip.compress(bytes(16 << 20))
    assert max(map(len, decoded([bomb], "gzip", "it"))) <= 1 << 20
    assert sum(map(len, decoded([bomb], "gzip", "it"))) == 16 << 20


def test_it_may_come_in_any_pieces() -> None:
    pieces: Iterator[bytes] = (PACKED[at : at + 1] for at in range(len(PACKED)))
    assert b"".join(decoded(pieces, "gzip", "it")) == PIXELS


def test_what_is_still_in_an_archive_is_waited_for(desk: Desk, site: Site) -> None:
    def page(_: dict[str, str]) -> Page:
        return Page(b"it is being fetched", status=202) if len(site.asked) < 3 else Page(PIXELS)

    site.moods["/a.tif"] = page
    desk.bring(file(site.root + "/a.tif"))
    assert brought(desk) == PIXELS


def test_what_stays_in_an_archive_is_told(desk: Desk, site: Site) -> None:
    site.pages["/a.tif"] = Page(b"it is being fetched", status=202)
    with pytest.raises(StagingError, match="202 Accepted, it is not there yet"):
        desk.bring(file(site.root + "/a.tif"))
    assert site.asked == ["GET /a.tif"] * READING.tries


def test_an_answer_without_contents_is_no_file(desk: Desk, site: Site) -> None:
    site.pages["/a.tif"] = Page(status=204)
    with pytest.raises(StagingError, match="204 No Content, without any contents"):
        desk.bring(file(site.root + "/a.tif"))
