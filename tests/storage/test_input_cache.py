"""Inputs that are kept: who is given which, and what becomes of them."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from localproc.errors import (
    NoSuchObject,
    NotMirrored,
    StagingError,
    StorageUnavailable,
    StorageUnreachable,
)
from localproc.model import InputPolicy
from localproc.plugins.storage import Info, Storage
from localproc.storage.access import Access
from localproc.storage.input_cache import ANYBODY, InputCache, KeptInput
from localproc.storage.kept_inputs import KeptInputs, Offline
from localproc.storage.web import WebStorage
from tests.storage.desk import Desk, directory, file, item
from tests.storage.recorder import Recorder
from tests.storage.website import Page, Site, serving

MOST = 1000


@pytest.fixture
def cache(tmp_path: Path) -> InputCache:
    return InputCache(str(tmp_path / "cache"), MOST)


class Reader:
    """Reads for an owner, each time as a job of its own."""

    def __init__(self, tmp_path: Path, cache: InputCache, web: WebStorage) -> None:
        self.web = web
        self.folder = tmp_path / "jobs"
        self.cache = cache
        self.memory = Recorder()
        self.log: list[str] = []
        self.jobs = 0

    def desk(
        self, offline: Offline = Offline.NEVER, owner: str = "me", most: int | None = None
    ) -> Desk:
        self.jobs += 1
        kept = KeptInputs(self.cache, owner, offline)
        policy = InputPolicy(most=most)
        access = Access(self._storage, policy, log=self.log.append, kept=kept)
        return Desk(self.folder / str(self.jobs), access, self.log)

    def bring(self, uri: str, offline: Offline = Offline.NEVER, owner: str = "me") -> bytes:
        staged = self.desk(offline, owner).bring(file(uri))
        return Path(staged["location"].removeprefix("file://")).read_bytes()

    def _storage(self, uri: str, guarded: bool) -> Storage:
        return self.memory if uri.startswith("mem:") else self.web


@pytest.fixture
def reader(tmp_path: Path, cache: InputCache) -> Iterator[Reader]:
    with closing(WebStorage()) as web:
        yield Reader(tmp_path, cache, web)


def page(site: Site, path: str, data: bytes, etag: str = "") -> str:
    return site.add(path, data, headers={"etag": etag} if etag else {})


def kept(cache: InputCache, folder: Path, uri: str, data: bytes, owner: str = "me") -> None:
    path = folder / "new"
    path.write_bytes(data)
    cache.keep(uri, owner, Info(uri, len(data)), str(path))
    path.unlink()


def test_what_is_still_the_same_is_not_downloaded_again(reader: Reader, site: Site) -> None:
    uri = page(site, "/a.tif", b"pixels", '"1"')
    assert [reader.bring(uri) for _ in range(3)] == [b"pixels"] * 3
    assert site.asked == ["GET /a.tif", "HEAD /a.tif", "HEAD /a.tif"]


def test_what_has_changed_is_downloaded_anew(reader: Reader, site: Site) -> None:
    assert reader.bring(page(site, "/a.tif", b"pixels", '"1"')) == b"pixels"
    assert reader.bring(page(site, "/a.tif", b"others", '"2"')) == b"others"


def test_without_an_etag_nobody_knows(reader: Reader, site: Site) -> None:
    uri = page(site, "/a.tif", b"pixels")
    assert [reader.bring(uri) for _ in range(2)] == [b"pixels"] * 2
    assert site.asked == ["GET /a.tif"] * 2


def changed(site: Site, data: bytes, when: str) -> str:
    return site.add("/a.tif", data, headers={"last-modified": when})


OLD, NEW = "Sun, 31 May 2026 10:00:00 GMT", "Sun, 31 May 2026 10:00:01 GMT"


def test_without_an_etag_the_time_of_the_last_change_tells(reader: Reader, site: Site) -> None:
    uri = changed(site, b"pixels", OLD)
    assert [reader.bring(uri) for _ in range(2)] == [b"pixels"] * 2
    assert site.asked == ["GET /a.tif", "HEAD /a.tif"]
    changed(site, b"others", NEW)
    assert reader.bring(uri) == b"others"
    changed(site, b"of another size", NEW)
    assert reader.bring(uri) == b"of another size"


@pytest.mark.parametrize("when", ["Thu, 31 Dec 2099 10:00:00 GMT", "lately", ""])
def test_a_time_that_says_nothing_is_not_relied_on(reader: Reader, site: Site, when: str) -> None:
    uri = changed(site, b"pixels", when)
    assert [reader.bring(uri) for _ in range(2)] == [b"pixels"] * 2
    assert site.asked == ["GET /a.tif"] * 2


@pytest.mark.parametrize("status", [403, 405, 501])
def test_a_server_that_tells_no_headers_alone(reader: Reader, site: Site, status: int) -> None:
    etag = {"etag": '"1"'}

    def page(_: dict[str, str]) -> Page:
        is_head = site.asked[-1].startswith("HEAD")
        return Page(status=status) if is_head else Page(b"pixels", headers=etag)

    site.moods["/a.tif"] = page
    for _ in range(2):
        assert reader.bring(f"{site.root}/a.tif") == b"pixels"
    assert reader.log[-2].endswith("/a.tif is kept here already")


def test_what_was_removed_is_not_there_though_it_is_kept(reader: Reader, site: Site) -> None:
    uri = page(site, "/a.tif", b"pixels", '"1"')
    reader.bring(uri)
    del site.pages["/a.tif"]
    with pytest.raises(NoSuchObject):
        reader.bring(uri)


def test_offline_nothing_is_asked(reader: Reader, site: Site) -> None:
    uri = page(site, "/a.tif", b"pixels")
    reader.bring(uri)
    site.asked.clear()
    assert reader.bring(uri, Offline.ALWAYS) == b"pixels"
    with pytest.raises(NotMirrored, match=r"/b\.tif\?… is not kept here") as error:
        reader.bring(site.root + "/b.tif?key=secret", Offline.ALWAYS)
    assert "localproc mirror add" in error.value.hint
    assert "secret" not in f"{error.value} {error.value.hint}"
    assert site.asked == []


@pytest.mark.parametrize("etag", ["", '"1"'])
def test_where_there_is_no_way_to_it_what_is_kept_is_used(
    reader: Reader, cache: InputCache, tmp_path: Path, etag: str
) -> None:
    uri = "http://127.0.0.1:9/a.tif"  # nobody listens there
    tmp_path.joinpath("a").write_bytes(b"pixels")
    cache.keep(uri, "me", Info(uri, 6, etag), str(tmp_path / "a"))
    assert reader.bring(uri, Offline.AUTO) == b"pixels"
    assert any("what was kept of it is used" in line for line in reader.log)
    with pytest.raises(StorageUnreachable):
        reader.bring(uri)
    with pytest.raises(StorageUnreachable):
        reader.bring("http://127.0.0.1:9/b.tif", Offline.AUTO)


def test_a_staged_item_is_the_same_offline(reader: Reader, site: Site) -> None:
    page(site, "/s/a.tif", b"pixels")
    uri = site.add("/s/item.json", item({"a": {"href": "./a.tif"}}, "N"))
    online = reader.desk()
    online.bring(directory(uri))
    offline = reader.desk(Offline.ALWAYS)
    site.pages.clear()
    offline.bring(directory(uri))
    assert offline.left() == online.left() != []
    for name in online.left():
        assert (offline.folder / name).read_bytes() == (online.folder / name).read_bytes()


def test_relative_links_of_a_redirected_item_lead_to_the_same(reader: Reader, site: Site) -> None:
    page(site, "/2024/a.tif", b"pixels")
    target = site.add("/2024/item.json", item({"a": {"href": "./a.tif"}}, "N"))
    site.pages["/latest.json"] = Page(status=302, headers={"location": target})
    for offline in (Offline.NEVER, Offline.ALWAYS):
        desk = reader.desk(offline)
        desk.bring(directory(site.root + "/latest.json"))
        assert (desk.folder / "scene_1" / "N" / "a.tif").read_bytes() == b"pixels"


def test_what_is_below_a_prefix_is_known_offline(reader: Reader) -> None:
    reader.memory.objects |= {"mem://b/scene/a": b"1", "mem://b/scene/deep/b": b"2"}
    reader.desk().bring(directory("mem://b/scene"))
    reader.memory.objects.clear()
    desk = reader.desk(Offline.ALWAYS)
    desk.bring(directory("mem://b/scene"))
    assert desk.left() == ["scene_1/a", "scene_1/deep/b"]
    with pytest.raises(NotMirrored) as raised:
        reader.desk(Offline.ALWAYS).bring(directory("mem://b/item.json"))
    assert raised.value.hint.endswith("localproc mirror add mem://b/item.json")


def test_what_is_below_a_prefix_is_known_where_there_is_no_way_to_it(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> Info:
        raise StorageUnavailable("mem: it is away")

    reader.memory.objects |= {"mem://b/scene/a": b"1", "mem://b/scene/deep/b": b"2"}
    reader.desk().bring(directory("mem://b/scene"))
    for verb in ("info", "fetch", "list"):
        monkeypatch.setattr(reader.memory, verb, away)
    desk = reader.desk(Offline.AUTO)
    desk.bring(directory("mem://b/scene"))
    assert desk.left() == ["scene_1/a", "scene_1/deep/b"]
    for offline, name in ((Offline.NEVER, "scene"), (Offline.AUTO, "other")):
        with pytest.raises(StorageUnavailable, match="it is away"):
            reader.desk(offline).bring(directory(f"mem://b/{name}"))


def test_what_others_have_read_is_not_given(
    reader: Reader, cache: InputCache, site: Site, tmp_path: Path
) -> None:
    """Their keys may have opened what is closed to this one."""
    uri = page(site, "/a.tif", b"pixels")
    reader.bring(uri, owner="other")
    with pytest.raises(NotMirrored):
        reader.bring(uri, Offline.ALWAYS)
    kept(cache, tmp_path, uri, b"for all", ANYBODY)
    assert reader.bring(uri, Offline.ALWAYS) == b"for all"


def test_what_is_kept_has_its_limit_too(reader: Reader, site: Site) -> None:
    uri = page(site, "/a.tif", b"pixels")
    reader.bring(uri)
    with pytest.raises(StagingError, match="is larger than 5 bytes"):
        reader.desk(Offline.ALWAYS, most=5).bring(file(uri))


def test_who_changes_a_staged_file_does_not_change_the_next_one(reader: Reader, site: Site) -> None:
    uri = page(site, "/a.tif", b"pixels", '"1"')
    desk = reader.desk()
    desk.bring(file(uri))
    (desk.folder / "scene_1" / "a.tif").write_bytes(b"change")
    assert reader.bring(uri) == b"pixels"
    assert reader.bring(uri, Offline.ALWAYS) == b"pixels"


def test_what_nobody_has_used_for_longest_makes_room(cache: InputCache, tmp_path: Path) -> None:
    for number in range(4):
        kept(cache, tmp_path, f"http://x/{number}", bytes([number]) * 240)
    for number in range(4):
        found = cache.find(f"http://x/{number}", "me")
        assert found is not None
        name = cache._name(found.key)
        os.utime(name, (number, number))
    first = cache.find("http://x/0", "me")
    assert first is not None
    assert cache.take(first, str(tmp_path / "used"))
    kept(cache, tmp_path, "http://x/4", b"4" * 240)
    there = [number for number in range(5) if cache.find(f"http://x/{number}", "me")]
    assert there == [0, 3, 4]
    assert (tmp_path / "used").read_bytes() == bytes(240)


def keep(cache: InputCache, tmp_path: Path, number: int, size: int) -> None:
    path = tmp_path / f"{number}.bin"
    path.write_bytes(number.to_bytes(2, "big") * (size // 2))
    cache.keep(f"https://example.com/{number}", "me", Info("", size), str(path))


def test_the_processes_of_a_folder_count_together(cache: InputCache, tmp_path: Path) -> None:
    """None of them keeps more than there may be; all of them would keep three times as much."""
    others = [cache, *(InputCache(cache.folder, MOST) for _ in range(2))]
    for number in range(24):
        keep(others[number % 3], tmp_path, number, 100)
        assert kept_files(cache) <= MOST


def test_of_those_that_share_a_folder_the_smallest_limit_wins(
    cache: InputCache, tmp_path: Path
) -> None:
    """Whoever has it makes room for all; the others go on to keep up to theirs."""
    wide = InputCache(cache.folder, 3 * MOST)
    for number in range(20):
        keep(wide, tmp_path, number, 100)
    assert kept_files(cache) == 2000
    keep(cache, tmp_path, 20, 100)
    assert kept_files(cache) <= MOST
    for number in range(21, 31):
        keep(wide, tmp_path, number, 100)
    assert MOST < kept_files(cache) <= 3 * MOST


def test_what_a_process_left_that_was_killed_goes_when_room_is_made(
    cache: InputCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(cache, tmp_path, 0, 100)
    folder = Path(cache.folder, "blobs", "ab")
    folder.mkdir()
    for name in ("ab" * 32, f"{'ab' * 32}.12345678.part"):  # no name says that it is kept
        (folder / name).write_bytes(b"x" * 400)
    again = InputCache(cache.folder, MOST)
    keep(again, tmp_path, 1, 300)
    assert len(list(folder.iterdir())) == 2  # somebody may be about to name them
    monkeypatch.setattr("localproc.storage.input_cache._LEFT", -1.0)
    keep(InputCache(cache.folder, MOST), tmp_path, 2, 100)
    assert list(folder.iterdir()) == []
    assert kept_files(cache) == 500


def kept_files(cache: InputCache) -> int:
    return sum(path.stat().st_size for path in Path(cache.folder, "blobs").glob("*/*"))


def test_what_a_job_has_stays_when_it_is_no_longer_kept(cache: InputCache, tmp_path: Path) -> None:
    kept(cache, tmp_path, "http://x/a", b"pixels")
    found = cache.find("http://x/a", "me")
    assert found is not None
    assert cache.take(found, str(tmp_path / "a"))
    cache.forget(found)
    assert cache.find("http://x/a", "me") is None
    assert not cache.take(found, str(tmp_path / "b"))
    assert (tmp_path / "a").read_bytes() == b"pixels"


def test_what_is_mirrored_never_makes_room(cache: InputCache, tmp_path: Path) -> None:
    kept(cache, tmp_path, "http://x/large", b"m" * 2 * MOST, ANYBODY)
    for number in range(8):
        kept(cache, tmp_path, f"http://x/{number}", bytes([number]) * 240)
    assert [one.uri for one in cache.mirrored()] == ["http://x/large"]
    found = cache.find("http://x/large", "anybody at all")
    assert found is not None
    assert cache.damaged(found) == ""


def test_one_file_is_never_kept_that_is_larger_than_all(cache: InputCache, tmp_path: Path) -> None:
    kept(cache, tmp_path, "http://x/large", b"m" * (MOST + 1))
    assert cache.find("http://x/large", "me") is None


def test_damage_is_seen(cache: InputCache, tmp_path: Path) -> None:
    kept(cache, tmp_path, "http://x/a", b"pixels", ANYBODY)
    (found,) = cache.mirrored()
    blob = Path(cache.blob(found))
    state = blob.stat()
    blob.write_bytes(b"change")
    os.utime(blob, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert cache.damaged(found) == "its bytes are others"
    kept(cache, tmp_path, "http://x/a", b"pixels", ANYBODY)
    assert cache.damaged(found) == ""
    blob.unlink()
    assert cache.damaged(found) == "it is gone"
    assert cache.find("http://x/a", "me") is None


@pytest.mark.parametrize("secret", ["?signature=geheim", "#token=geheim"])
def test_no_secret_of_an_address_is_written_down(
    reader: Reader, cache: InputCache, site: Site, secret: str
) -> None:
    uri = page(site, "/a.tif", b"pixels", '"1"') + secret
    reader.desk().bring(file(uri, basename="a.tif"))
    written = [one for one in Path(cache.folder).rglob("*.json") if one.is_file()]
    assert len(written) == 1
    assert "geheim" not in written[0].read_text()


def test_what_was_damaged_on_its_way_is_brought_once_more(
    reader: Reader, site: Site, cache: InputCache
) -> None:
    """Nothing but the checksum tells, and the damaged bytes are not what is kept."""
    whole = Page(b"pixels", headers={"etag": '"1"'})
    answers = [Page(b"pixelz", headers={"etag": '"1"'}), whole]
    site.moods["/a.tif"] = lambda _: answers.pop(0) if len(answers) > 1 else whole
    uri = site.root + "/a.tif"
    said = {"href": uri, "file:checksum": f"1220{hashlib.sha256(b'pixels').hexdigest()}"}
    scene = site.add("/N.json", item({"a": said}))
    reader.desk().bring(directory(scene))
    assert any("it is brought once more" in line for line in reader.log)
    assert reader.bring(uri) == b"pixels"
    reader.desk().bring(directory(scene))
    assert site.asked.count("GET /a.tif") == 2


def test_what_is_kept_and_has_another_checksum_now_is_not_asked_for_offline(
    reader: Reader, site: Site
) -> None:
    uri = page(site, "/a.tif", b"pixels", '"1"')
    scene = page(site, "/N.json", Site.written(item({"a": {"href": uri, "file:size": 7}})))
    for offline in (Offline.NEVER, Offline.ALWAYS):
        with pytest.raises(StagingError, match="has 6 bytes, its item says 7"):
            reader.desk(offline).bring(directory(scene))
    assert site.asked.count("GET /a.tif") == 2


# Connections


def test_one_connection_serves_one_question_after_the_other(tmp_path: Path) -> None:
    with serving(patient=True) as site, closing(WebStorage()) as web:
        there = site.add("/a.tif", b"bytes")
        moved = site.add("/latest", b"it is there", status=302, headers={"Location": "/a.tif"})
        for number in range(3):
            assert web.info(there) is not None
            web.fetch(moved, str(tmp_path / f"{number}.tif"))
        assert site.asked.count("HEAD /a.tif") == 3
        assert site.asked.count("GET /latest") == 3
        assert len(site.clients) == 1


def test_a_listing_that_is_removed_as_it_is_read_is_none(
    cache: InputCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs, folder = KeptInputs(cache, "me", Offline.AUTO), "s3://bucket/folder/"
    inputs._keep_listing(f"{folder}#listing", [])

    def find(uri: str, owner: str) -> KeptInput | None:
        found = look(uri, owner)
        for one in Path(cache.folder).rglob("*"):
            if one.is_file():
                one.unlink()
        return found

    look = cache.find
    monkeypatch.setattr(cache, "find", find)
    assert inputs.remembered(folder) is None
