"""What fails for a moment, on the way in."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from localproc.errors import StagingError, StorageUnavailable
from localproc.model import InputPolicy
from localproc.storage.transfer_retries import READING, Patience, retrying
from localproc.storage.transfers import together
from localproc.storage.web import WebStorage
from tests.patience import patient
from tests.storage.conftest import OpenDesk
from tests.storage.desk import Desk, directory, file, item
from tests.storage.website import Page, Site

BODY = bytes(range(256)) * 400


class Moody:
    """A page that gives other answers at first."""

    def __init__(self, site: Site, path: str, *first: Page, then: Page | None = None) -> None:
        self.pages = [*first, then or Page(BODY)]
        self.asked = 0
        site.moods[path] = self.page
        self.url = site.root + path
        self.headers: list[dict[str, str]] = []

    def page(self, headers: dict[str, str]) -> Page:
        self.headers.append(headers)
        self.asked += 1
        return self.pages[min(self.asked, len(self.pages)) - 1]


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_an_answer_that_passes_is_asked_for_again(desk: Desk, site: Site, status: int) -> None:
    moody = Moody(site, "/a.tif", Page(status=status), Page(status=status))
    staged = desk.bring(file(moody.url))
    assert (staged["size"], moody.asked) == (len(BODY), 3)
    assert sum("it is tried again" in line for line in desk.log) == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 501])
def test_an_answer_that_stays_is_not_asked_for_again(desk: Desk, site: Site, status: int) -> None:
    moody = Moody(site, "/a.tif", Page(status=status))
    with pytest.raises(StagingError, match=str(status)):
        desk.bring(file(moody.url))
    assert moody.asked == 1


def test_what_never_passes_is_given_up(desk: Desk, site: Site) -> None:
    moody = Moody(site, "/a.tif", then=Page(status=503))
    with pytest.raises(StorageUnavailable, match="503 Service Unavailable"):
        desk.bring(file(moody.url))
    assert moody.asked == READING.tries
    assert desk.left() == []


def test_a_short_body_is_asked_for_again(desk: Desk, site: Site) -> None:
    moody = Moody(site, "/a.tif", Page(BODY[:1000], length=len(BODY)))
    assert desk.bring(file(moody.url))["size"] == len(BODY)
    assert (desk.folder / "scene_1" / "a.tif").read_bytes() == BODY


def resumable(**fields: Any) -> dict[str, Any]:
    return {"headers": {"Accept-Ranges": "bytes", "ETag": '"1"'} | fields}


def test_a_download_goes_on_where_it_broke_off(desk: Desk, site: Site) -> None:
    rest = {"Content-Range": f"bytes 1000-{len(BODY) - 1}/{len(BODY)}"}
    moody = Moody(
        site,
        "/a.tif",
        Page(BODY[:1000], length=len(BODY), **resumable()),
        then=Page(BODY[1000:], status=206, **resumable(**rest)),
    )
    assert desk.bring(file(moody.url))["size"] == len(BODY)
    assert (desk.folder / "scene_1" / "a.tif").read_bytes() == BODY
    assert moody.headers[1]["range"] == "bytes=1000-"
    assert moody.headers[1]["if-range"] == '"1"'


def test_a_download_goes_on_by_the_time_of_the_last_change(desk: Desk, site: Site) -> None:
    when = "Sun, 31 May 2026 10:00:00 GMT"
    known = {"Accept-Ranges": "bytes", "Last-Modified": when}
    rest = {"Content-Range": f"bytes 1000-{len(BODY) - 1}/{len(BODY)}"}
    moody = Moody(
        site,
        "/a.tif",
        Page(BODY[:1000], length=len(BODY), headers=known),
        then=Page(BODY[1000:], status=206, headers=known | rest),
    )
    desk.bring(file(moody.url))
    assert (desk.folder / "scene_1" / "a.tif").read_bytes() == BODY
    assert moody.headers[1]["if-range"] == when


def test_a_file_that_has_changed_meanwhile_is_begun_anew(desk: Desk, site: Site) -> None:
    moody = Moody(
        site,
        "/a.tif",
        Page(BODY[:1000], length=len(BODY), **resumable()),
        then=Page(b"another", **resumable(ETag='"2"')),
    )
    desk.bring(file(moody.url))
    assert (desk.folder / "scene_1" / "a.tif").read_bytes() == b"another"


@pytest.mark.parametrize(
    "headers", [{"ETag": 'W/"1"', "Accept-Ranges": "bytes"}, {"ETag": '"1"'}, {}]
)
def test_what_cannot_be_gone_on_with_is_begun_anew(
    desk: Desk, site: Site, headers: dict[str, str]
) -> None:
    first = Page(BODY[:1000], length=len(BODY), headers=headers)
    moody = Moody(site, "/a.tif", first, then=Page(BODY, headers=headers))
    desk.bring(file(moody.url))
    assert "range" not in moody.headers[1]
    assert (desk.folder / "scene_1" / "a.tif").read_bytes() == BODY


def test_a_server_that_sends_another_part_is_asked_anew(desk: Desk, site: Site) -> None:
    wrong = {"Content-Range": f"bytes 0-{len(BODY) - 1}/{len(BODY)}"}
    moody = Moody(
        site,
        "/a.tif",
        Page(BODY[:1000], length=len(BODY), **resumable()),
        Page(BODY, status=206, **resumable(**wrong)),
    )
    desk.bring(file(moody.url))
    assert (desk.folder / "scene_1" / "a.tif").read_bytes() == BODY


@pytest.mark.parametrize("now", [2000, len(BODY) + 1000])
def test_a_file_of_another_size_has_changed_whatever_its_etag(
    desk: Desk, site: Site, now: int
) -> None:
    other = (BODY[::-1] + bytes(1000))[:now]
    rest = {"Content-Range": f"bytes 1000-{now - 1}/{now}"}
    moody = Moody(
        site,
        "/a.tif",
        Page(BODY[:1000], length=len(BODY), **resumable()),
        Page(other[1000:], status=206, **resumable(**rest)),
        then=Page(other, **resumable()),
    )
    assert desk.bring(file(moody.url))["size"] == now
    assert (desk.folder / "scene_1" / "a.tif").read_bytes() == other
    assert ["range" in one for one in moody.headers] == [False, True, False]


def test_a_server_that_sends_less_than_the_rest_is_asked_for_what_is_left(
    desk: Desk, site: Site
) -> None:
    def part(start: int, end: int) -> Page:
        said = {"Content-Range": f"bytes {start}-{end - 1}/{len(BODY)}"}
        return Page(BODY[start:end], status=206, **resumable(**said))

    first = Page(BODY[:1000], length=len(BODY), **resumable())
    moody = Moody(site, "/a.tif", first, part(1000, 5000), then=part(5000, len(BODY)))
    desk.bring(file(moody.url))
    assert (desk.folder / "scene_1" / "a.tif").read_bytes() == BODY
    assert moody.headers[2]["range"] == "bytes=5000-"


def test_a_server_that_sends_a_part_of_what_has_changed_is_asked_anew(
    desk: Desk, site: Site
) -> None:
    """It knows ranges, and does not look at If-Range."""
    other = bytes(255 - one for one in BODY)
    said = {"Content-Range": f"bytes 1000-{len(BODY) - 1}/{len(BODY)}", "ETag": '"2"'}
    moody = Moody(
        site,
        "/a.tif",
        Page(BODY[:1000], length=len(BODY), **resumable()),
        Page(other[1000:], status=206, **resumable(**said)),
        then=Page(other, **resumable(ETag='"2"')),
    )
    desk.bring(file(moody.url))
    assert (desk.folder / "scene_1" / "a.tif").read_bytes() == other
    assert "range" not in moody.headers[2]


def test_a_part_without_the_etag_that_was_asked_for_may_be_of_another_file(
    desk: Desk, site: Site
) -> None:
    """What a whole file would be told with is told with its parts (RFC 9110, section 15.3.7)."""
    other = bytes(255 - one for one in BODY)
    moody = Moody(
        site,
        "/a.tif",
        Page(BODY[:1000], length=len(BODY), **resumable()),
        Page(
            other[1000:],
            status=206,
            headers={"Content-Range": f"bytes 1000-{len(BODY) - 1}/{len(BODY)}"},
        ),
        then=Page(other, **resumable(ETag='"2"')),
    )
    desk.bring(file(moody.url))
    assert (desk.folder / "scene_1" / "a.tif").read_bytes() == other


@pytest.mark.parametrize("what", ["item", "asset"])
def test_whatever_is_read_is_tried_again(desk: Desk, site: Site, what: str) -> None:
    busy = [Page(status=503)] if what == "item" else []
    moody = Moody(site, "/red.tif", *([Page(status=503)] if what == "asset" else []))
    document = Page(site.written(item({"red": {"href": "red.tif"}})))
    place = Moody(site, "/item.json", *busy, then=document)
    desk.bring(directory(place.url))
    assert moody.asked + place.asked == 3


@pytest.mark.parametrize("form", ["7", "date", "", "soon", "-1"])
def test_a_server_says_when_to_come_back(site: Site, tmp_path: Path, form: str) -> None:
    at = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    headers = {"Retry-After": at if form == "date" else form}
    web = WebStorage()
    with pytest.raises(StorageUnavailable) as error:
        web.fetch(site.add("/a.tif", status=429, headers=headers), str(tmp_path / "a"))
    web.close()
    expected = {"7": 7.0, "date": pytest.approx(3600, abs=60)}.get(form, 0.0)
    assert error.value.retry_after == expected


def test_who_asks_for_too_much_time_is_not_waited_for() -> None:
    tried = []

    def action() -> None:
        tried.append(1)
        raise StorageUnavailable("busy", retry_after=10_000)

    with pytest.raises(StorageUnavailable):
        retrying(action, Patience(5, 1.0), lambda: False, lambda _: None)
    assert len(tried) == 1


# Nobody waits any more


@pytest.fixture
def silent(site: Site) -> Iterator[Callable[[str], str]]:
    """Give pages that say nothing until the test is over."""
    over = threading.Event()

    def chunks() -> Iterator[bytes]:
        over.wait(patient(60))
        yield b""

    yield lambda path: site.add(path, chunks=chunks)
    over.set()


@pytest.mark.parametrize("what", ["file", "item", "asset", "value"])
def test_a_dismissal_does_not_wait_for_a_silent_server(
    open_desk: OpenDesk, site: Site, silent: Callable[[str], str], what: str
) -> None:
    """The server says nothing until the test is over, and so would the test."""
    asked = threading.Event()
    site.on_asked = lambda path: asked.set() if path == "/silent" else None
    desk = open_desk(InputPolicy(), asked.is_set)
    url = silent("/silent")
    document = site.add("/item.json", item({"red": {"href": url}}))
    value = {
        "file": file(url),
        "item": directory(url),
        "asset": directory(document),
        "value": {"class": "Reference", "location": url, "text": True},
    }[what]
    with pytest.raises(StagingError, match="the job was dismissed"):
        desk.bring(value)
    assert desk.left() == []


def test_a_dismissal_does_not_wait_for_the_next_try() -> None:
    stopped = threading.Event()

    def action() -> None:
        stopped.set()
        raise StorageUnavailable("busy", retry_after=290)

    with pytest.raises(StagingError, match="the job was dismissed"):
        retrying(action, READING, stopped.is_set, lambda _: None)


# Several at a time


def test_assets_come_together(desk: Desk, site: Site) -> None:
    """Each of eight is answered only when all have been asked for."""
    barrier = threading.Barrier(8)

    def chunks() -> Iterator[bytes]:
        barrier.wait(patient(30))
        yield b"x"

    assets = {str(n): {"href": site.add(f"/{n}.tif", chunks=chunks)} for n in range(8)}
    desk.bring(directory(site.add("/item.json", item(assets))))
    assert len(desk.left()) == 10


def test_results_come_in_the_order_of_what_was_asked() -> None:
    assert together([lambda n=n: n for n in range(100)], lambda: False) == list(range(100))  # type: ignore[misc]
    assert together([], lambda: False) == []


def test_the_first_error_ends_what_has_not_begun() -> None:
    done: list[int] = []

    def action(number: int) -> None:
        if number == 0:
            raise StagingError("no")
        done.append(number)

    with pytest.raises(StagingError, match="no"):
        together([lambda n=n: action(n) for n in range(1000)], lambda: False, parallel=1)  # type: ignore[misc]
    assert done == []


def test_one_thread_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a process may have no more."""

    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    assert together([lambda: 1, lambda: 2], lambda: False) == [1, 2]
