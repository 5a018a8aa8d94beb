"""Servers that say something again and again, and never come to an end."""

import io
import itertools
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from localproc.errors import EnvironmentProblem, StagingError, StorageUnavailable
from localproc.storage.pace import SLOWEST, PacedReader, slowest_of
from localproc.storage.transfer_retries import READING
from localproc.storage.web import WebStorage
from tests.patience import patient
from tests.storage.desk import Desk, file
from tests.storage.website import Site

BODY = bytes(range(256)) * 40


class Drops(io.RawIOBase):
    """Gives so many bytes at a time, until there are no more."""

    def __init__(self, each: int, times: int) -> None:
        self.sizes = iter([each] * times)

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        return next(self.sizes, 0)


def clock_of(seconds: float) -> Iterator[float]:
    """Tell a time at which as much has passed with each read; between them none does."""
    for number in itertools.count():
        yield from (number * seconds, (number + 1) * seconds)


def read_all(drops: Drops, seconds: float, slowest: float = SLOWEST) -> int:
    times = clock_of(seconds)
    paced, size, buffer = (
        PacedReader(drops, slowest, lambda: next(times)),
        0,
        memoryview(bytearray(10)),
    )
    while count := paced.readinto(buffer):
        size += count
    return size


def test_a_byte_before_each_silence_ends_is_too_little() -> None:
    drops = Drops(1, 1000)
    with pytest.raises(TimeoutError, match="3 bytes came in 87 s, fewer than 1024 a second"):
        read_all(drops, 29.0)
    assert len(list(drops.sizes)) == 997


@pytest.mark.parametrize(
    ("each", "times", "seconds", "slowest"),
    [(1024, 500, 1.0, SLOWEST), (1, 500, 29.0, 0), (1, 2, 29.0, SLOWEST), (1, 500, 0.1, SLOWEST)],
)
def test_what_is_slow_comes(each: int, times: int, seconds: float, slowest: float) -> None:
    assert read_all(Drops(each, times), seconds, slowest) == each * times


def test_what_came_quickly_at_first_does_not_count_for_ever() -> None:
    drops = Drops(1_000_000, 4)
    drops.sizes = itertools.chain(drops.sizes, [1] * 1000)
    with pytest.raises(TimeoutError, match="came in 87 s"):
        read_all(drops, 29.0)


class Slow:
    """A clock by which some of the first answers take minutes, whatever they bring."""

    def __init__(self, answers: int) -> None:
        self.left, self.now = answers, 0.0

    def __call__(self) -> float:
        self.now += 100 if self.left > 0 else 0
        return self.now


def test_a_trickle_can_be_gone_on_with(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, came = Slow(0), threading.Event()
    monkeypatch.setattr("localproc.storage.pace.monotonic", slow)

    def trickle() -> Iterator[bytes]:
        yield BODY[:1000]
        came.wait(patient(20))
        yield BODY[1000:1001]

    def watch(size: int) -> None:
        slow.left = 1
        came.set()

    headers = {"Content-Length": str(len(BODY)), "Accept-Ranges": "bytes", "ETag": '"1"'}
    url = site.add("/a.tif", headers=headers, chunks=trickle)
    with (
        closing(WebStorage()) as web,
        pytest.raises(StorageUnavailable, match="fewer than 1024 a second") as caught,
    ):
        web.fetch(url, str(tmp_path / "a.tif"), watch=watch)
    assert (caught.value.etag, caught.value.size) == ('"1"', len(BODY))
    assert (tmp_path / "a.tif").read_bytes() == BODY[:1000]


@pytest.mark.parametrize("path", ["/a.tif", "/moved"])
def test_a_head_that_trickles_is_given_up(
    desk: Desk, site: Site, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """What comes before the contents is seen by nobody else; a redirect is one of such."""
    monkeypatch.setattr("localproc.storage.pace.monotonic", Slow(1))
    site.add("/a.tif", BODY[:100])
    site.add("/moved", status=302, headers={"Location": "/a.tif"})
    with pytest.raises(StorageUnavailable, match="fewer than 1024 a second"):
        desk.bring(file(site.root + path))
    assert site.asked == [f"GET {path}"] * READING.tries
    assert desk.left() == []


def test_how_slow_it_may_be_is_an_option(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("localproc.storage.pace.monotonic", Slow(1))
    url = site.add("/a.tif", BODY[:100])
    with closing(WebStorage.open({"slowest": 0})) as web:
        found = web.info(url)
        assert found is not None
        assert found.size == 100
    with closing(WebStorage.open({})) as web, pytest.raises(StagingError, match="fewer than 1024"):
        web.info(url)


@pytest.mark.parametrize("said", ["fast", -1, float("nan"), float("inf"), True, None])
def test_what_is_no_rate_is_told(said: object) -> None:
    with pytest.raises(EnvironmentProblem, match="a number of bytes a second"):
        slowest_of({"slowest": said})
