"""Inputs on their way to where tools can read them."""

import base64
import gzip
import hashlib
import logging
import os
import threading
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import httpx
import pystac
import pytest

from localproc import Engine, InvalidInputs
from localproc.cwl.base.files import reference
from localproc.errors import NoSpace, NoSuchObject, StagingError
from localproc.model import InputPolicy
from localproc.plugins.storage import Storage
from localproc.storage.names import safe_name
from localproc.uris import path_uri, uri_path
from tests.patience import patient
from tests.storage.conftest import OpenDesk
from tests.storage.desk import Desk, directory, file, item, read, tree, write
from tests.storage.recorder import Recorder
from tests.storage.website import Site

# What lies on this machine


def test_a_file_of_this_machine_stays_where_it_is(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(b"pixels")
    value = file(path_uri(str(tmp_path / "a.tif")))
    assert desk.bring(value) == value
    assert not desk.folder.exists()
    assert desk.log == [f"scene: {tmp_path / 'a.tif'}"]


@pytest.mark.parametrize("form", ["file:{}", "file://localhost{}", "FILE://{}"])
def test_other_ways_to_write_the_address_of_a_file(desk: Desk, tmp_path: Path, form: str) -> None:
    (tmp_path / "a.tif").write_bytes(b"pixels")
    staged = desk.bring(file(form.format(tmp_path / "a.tif")))
    assert Path(uri_path(staged["location"])).read_bytes() == b"pixels"


def test_a_folder_of_this_machine_stays_where_it_is(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "catalog").mkdir()
    value = directory(path_uri(str(tmp_path / "catalog")))
    assert desk.bring([value]) == [value]


def test_a_file_that_is_not_there_is_named(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(StagingError, match=r"missing\.tif does not exist"):
        desk.bring(file(path_uri(str(tmp_path / "missing.tif"))))


def test_values_that_are_no_files_are_left_alone(desk: Desk) -> None:
    literal = {"class": "File", "basename": "note.txt", "contents": "hello"}
    for value in (3, "text", None, [1.5, True], {"record": ["x"]}, literal):
        assert desk.bring(value) == value


# Files on the web


def test_a_file_on_the_web_is_downloaded(desk: Desk, site: Site) -> None:
    staged = desk.bring(file(site.add("/data/a.tif", b"pixels")))
    path = desk.folder / "scene_1" / "a.tif"
    assert staged == {
        "class": "File",
        "location": path_uri(str(path)),
        "basename": "a.tif",
        "size": 6,
    }
    assert path.read_bytes() == b"pixels"


@pytest.mark.parametrize("name", ["/x", "../../x", "a/../../x", ".."])
def test_whatever_an_input_is_called_it_stays_in_the_folder(
    desk: Desk, site: Site, name: str
) -> None:
    staged = desk.bring(file(site.add("/a.tif", b"pixels")), name)
    assert Path(uri_path(staged["location"])).parents[1] == desk.folder


def test_a_file_is_downloaded_over_https(secure_site: Site, desk: Desk) -> None:
    assert secure_site.root.startswith("https://")
    desk.bring(file(secure_site.add("/a.tif", b"pixels")))
    assert (desk.folder / "scene_1" / "a.tif").read_bytes() == b"pixels"


def test_a_certificate_that_nobody_knows_is_refused(desk: Desk, untrusted_site: Site) -> None:
    with pytest.raises(StagingError, match="certificate"):
        desk.bring(file(untrusted_site.add("/a.tif", b"pixels")))


def test_each_file_of_an_array_has_a_folder_of_its_own(desk: Desk, site: Site) -> None:
    urls = [site.add(f"/{day}/a.tif", day.encode()) for day in ("monday", "tuesday")]
    staged = desk.bring([file(url) for url in urls])
    assert [Path(one["location"][7:]).read_text() for one in staged] == ["monday", "tuesday"]
    assert desk.left() == ["scene_1/a.tif", "scene_2/a.tif"]


def test_secondary_files_are_downloaded_too(desk: Desk, site: Site) -> None:
    beside = file(site.add("/a.tif.aux.xml", b"<aux/>"))
    staged = desk.bring(file(site.add("/a.tif", b"pixels"), secondaryFiles=[beside]))
    assert [one["basename"] for one in staged["secondaryFiles"]] == ["a.tif.aux.xml"]
    assert desk.left() == ["scene_1/a.tif", "scene_2/a.tif.aux.xml"]


@pytest.mark.parametrize("name", ["a b.tif", "é+ü.tif", "50%.tif", "q?.tif", "empty"])
def test_names_survive_the_web(desk: Desk, site: Site, name: str) -> None:
    site.add("/x", b"" if name == "empty" else b"pixels")
    staged = desk.bring(file(f"{site.root}/x", basename=name))
    assert (desk.folder / "scene_1" / name).exists()
    assert staged["basename"] == name


def test_a_redirect_is_followed(desk: Desk, site: Site) -> None:
    url = site.add("/old.tif", status=302, headers={"Location": site.add("/new.tif", b"pixels")})
    assert desk.bring(file(url))["size"] == 6
    assert desk.left() == ["scene_1/old.tif"]


def test_what_was_downloaded_is_not_downloaded_again(desk: Desk, site: Site) -> None:
    url = site.add("/a.tif", b"pixels")
    assert desk.bring(file(url)) == desk.bring(file(url))
    assert site.asked == ["GET /a.tif"]


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        ({"status": 404}, "404 Not Found"),
        ({"status": 403}, "403 Forbidden"),
        ({"status": 500}, "500 Internal Server Error"),
        ({"body": b"short", "length": 1000}, "received 5 bytes, expected 1000"),
        ({"status": 302, "headers": {"Location": "/a.tif"}}, "redirect"),
        ({"status": 302, "headers": {"Location": "file:///etc/passwd"}}, "is no web address"),
    ],
)
def test_a_download_that_fails_says_why_and_leaves_nothing(
    desk: Desk, site: Site, page: dict[str, Any], reason: str
) -> None:
    with pytest.raises(StagingError, match=reason) as error:
        desk.bring(file(site.add("/a.tif?token=secret", **page)))
    assert f"{site.root}/a.tif" in str(error.value)
    assert "secret" not in str(error.value) + str(error.value.to_problem())
    assert not [path for path in desk.folder.rglob("*") if path.is_file()]


def test_a_download_that_fails_leaves_no_empty_folder(desk: Desk, site: Site) -> None:
    with pytest.raises(StagingError):
        desk.bring(file(f"{site.root}/missing.tif"))
    assert desk.left() == []


def test_a_server_that_does_not_answer_is_told(desk: Desk) -> None:
    with pytest.raises(StagingError, match="check the address and the network"):
        desk.bring(file("http://127.0.0.1:1/a.tif"))


def test_an_address_that_is_none_is_told(desk: Desk) -> None:
    urls = ("http:///a.tif", "http://host:99999/a.tif", "http://[::1/a.tif", "http://xn--0/a.tif")
    for url in urls:
        with pytest.raises(StagingError):
            desk.bring(file(url))


def test_a_file_may_have_so_many_bytes_and_no_more(open_desk: OpenDesk, site: Site) -> None:
    desk = open_desk(InputPolicy(most=1000))
    urls = [site.add("/enough.bin", bytes(1000)), site.add("/big.bin", bytes(1001))]
    with pytest.raises(StagingError, match=r"big\.bin is larger than 1000 bytes"):
        desk.bring([file(url) for url in urls])
    assert desk.left() == ["scene_1/enough.bin"]


@pytest.mark.parametrize("place", ["nothing.json", "folder", "pipe", "/dev/zero"])
def test_a_document_of_this_machine_must_be_a_file(desk: Desk, tmp_path: Path, place: str) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(StagingError, match=r"does not exist|is not a file"):
        desk.bring(reference(path_uri(str(tmp_path / place)), text=True))
    assert desk.left() == []


def test_a_document_that_is_too_large_is_not_cut_off(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("localproc.storage.access._DOCUMENT", 10)
    (tmp_path / "a.txt").write_text("x" * 11)
    with pytest.raises(StagingError, match=r"a\.txt is larger than 10 bytes"):
        desk.bring(reference(path_uri(str(tmp_path / "a.txt")), text=True))


def test_what_came_with_the_request_is_written_once(desk: Desk) -> None:
    value = {"class": "File", "basename": "a.bin", "contents": "AAE=", "encoding": "base64"}
    assert desk.bring(value) == desk.bring(value)
    assert (desk.folder / "scene_1" / "a.bin").read_bytes() == b"\x00\x01"


def test_bytes_are_counted_as_they_are_written(open_desk: OpenDesk, site: Site) -> None:
    """Not as they come: a few that are compressed may be many."""
    headers = {"Content-Encoding": "gzip"}
    body = gzip.compress(bytes(100_000))
    assert len(body) < 1000
    url = site.add("/bomb.bin", body, headers=headers)
    with pytest.raises(StagingError, match=r"bomb\.bin is larger than 1000 bytes"):
        open_desk(InputPolicy(most=1000)).bring(file(url))
    assert open_desk(InputPolicy(most=100_000)).bring(file(url))["size"] == 100_000


# A full disk


def test_a_full_disk_is_told_and_nothing_is_left(
    open_desk: OpenDesk, site: Site, small_disk: Path
) -> None:
    desk = open_desk(InputPolicy())
    desk.folder = small_disk / "inputs"
    big = site.add("/big.bin", bytes(4 << 20))
    document = site.add(
        "/item.json", item({"small": {"href": site.add("/a")}, "big": {"href": big}})
    )
    inline = {"contents": base64.b64encode(bytes(4 << 20)).decode(), "encoding": "base64"}
    for value in (file(big), directory(document), {"class": "File", "basename": "a", **inline}):
        with pytest.raises(NoSpace, match=r"no space left for .*/inputs/scene_1") as error:
            desk.bring(value)
        assert f"make room on the disk of {small_disk}" in error.value.hint
        assert desk.left() == []


# STAC items


def test_a_remote_item_becomes_a_catalog_with_its_assets(desk: Desk, site: Site) -> None:
    site.add("/scenes/red.tif", b"red")
    green = site.add("/elsewhere/green.tif?token=x", b"green")
    assets = {"red": {"href": "./red.tif", "type": "image/tiff"}, "green": {"href": green}}
    staged = desk.bring(directory(site.add("/scenes/item.json", item(assets, "S2A"))))
    folder = desk.folder / "scene_1"
    assert staged == {
        "class": "Directory",
        "location": path_uri(str(folder)),
        "basename": "scene_1",
    }
    assert tree(folder) == ["S2A/S2A.json", "S2A/green.tif", "S2A/red.tif", "catalog.json"]
    assert (folder / "S2A" / "green.tif").read_bytes() == b"green"
    assert read(folder / "catalog.json") == {
        "type": "Catalog",
        "stac_version": "1.0.0",
        "id": "catalog",
        "description": "catalog with staged S2A",
        "links": [
            {"rel": "root", "href": "./catalog.json", "type": "application/json"},
            {"rel": "item", "href": "./S2A/S2A.json", "type": "application/geo+json"},
        ],
    }


def test_a_staged_item_is_as_it_was_but_for_its_links(desk: Desk, site: Site) -> None:
    site.add("/red.tif", b"red")
    original = item({"red": {"href": "red.tif", "eo:bands": [{"name": "B04"}]}}, extra={"k": 1})
    desk.bring(directory(site.add("/item.json", original)))
    staged = read(desk.folder / "scene_1" / "scene" / "scene.json")
    assert staged["assets"] == {"red": {"href": "./red.tif", "eo:bands": [{"name": "B04"}]}}
    assert staged["links"] == [
        {"rel": "root", "href": "../catalog.json", "type": "application/json"},
        {"rel": "parent", "href": "../catalog.json", "type": "application/json"},
    ]
    for name in ("stac_version", "properties", "geometry", "extra"):
        assert staged[name] == original[name]
    assert "collection" not in staged, "there is no collection that it could lie in"


def test_pystac_reads_what_was_staged(desk: Desk, site: Site) -> None:
    site.add("/red.tif", b"red")
    desk.bring(directory(site.add("/item.json", item({"red": {"href": "red.tif"}}))))
    catalog = pystac.Catalog.from_file(str(desk.folder / "scene_1" / "catalog.json"))
    (found,) = catalog.get_items()
    href = found.assets["red"].get_absolute_href()
    assert href is not None
    assert Path(href).read_bytes() == b"red"


def test_an_item_of_this_machine_has_its_assets_linked(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "red.tif").write_bytes(b"red")
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "green.tif").write_bytes(b"green")
    assets = {"red": {"href": "red.tif"}, "green": {"href": str(tmp_path / "far" / "green.tif")}}
    desk.bring(directory(write(tmp_path / "item.json", item(assets))))
    folder = desk.folder / "scene_1" / "scene"
    assert os.readlink(folder / "red.tif") == str(tmp_path / "red.tif")
    assert (folder / "green.tif").read_bytes() == b"green"


def test_an_item_of_this_machine_may_have_assets_on_the_web(
    desk: Desk, site: Site, tmp_path: Path
) -> None:
    assets = {"red": {"href": site.add("/red.tif", b"red"), "file:size": 3}}
    desk.bring(directory(write(tmp_path / "item.json", item(assets))))
    assert (desk.folder / "scene_1" / "scene" / "red.tif").read_bytes() == b"red"


def test_what_was_staged_is_not_staged_again(desk: Desk, site: Site) -> None:
    site.add("/red.tif", b"red")
    url = site.add("/item.json", item({"red": {"href": "red.tif"}}))
    assert desk.bring(directory(url)) == desk.bring(directory(url))
    assert site.asked.count("GET /red.tif") == 1


def test_two_assets_of_one_name_are_told_apart_by_their_keys(desk: Desk, site: Site) -> None:
    assets = {key: {"href": site.add(f"/{key}/data.tif", key.encode())} for key in ("red", "green")}
    desk.bring(directory(site.add("/item.json", item(assets))))
    folder = desk.folder / "scene_1" / "scene"
    assert (folder / "data.tif").read_bytes() == b"red"
    assert (folder / "green_data.tif").read_bytes() == b"green"
    assert read(folder / "scene.json")["assets"]["green"]["href"] == "./green_data.tif"


def test_no_asset_ever_takes_the_place_of_another(desk: Desk, site: Site) -> None:
    names = {"first": "/1/a_x.tif", "second": "/2/x.tif", "a": "/3/x.tif"}
    assets = {key: {"href": site.add(path, key.encode())} for key, path in names.items()}
    desk.bring(directory(site.add("/item.json", item(assets))))
    folder = desk.folder / "scene_1" / "scene"
    staged = read(folder / "scene.json")["assets"]
    assert {key: (folder / one["href"]).read_text() for key, one in staged.items()} == {
        key: key for key in names
    }


def test_an_asset_with_the_name_of_its_item_takes_another(desk: Desk, site: Site) -> None:
    assets = {"meta": {"href": site.add("/meta/scene.json", b"metadata")}}
    desk.bring(directory(site.add("/item.json", item(assets, "scene"))))
    folder = desk.folder / "scene_1" / "scene"
    staged = read(folder / "scene.json")
    assert (folder / staged["assets"]["meta"]["href"]).read_bytes() == b"metadata"


def test_staging_never_writes_to_the_files_of_its_user(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "meta").mkdir()
    (tmp_path / "meta" / "scene.json").write_text("written by its user")
    assets = {"meta": {"href": "meta/scene.json"}}
    desk.bring(directory(write(tmp_path / "item.json", item(assets, "scene"))))
    assert (tmp_path / "meta" / "scene.json").read_text() == "written by its user"


@pytest.mark.parametrize("name", ["50%.tif", "a%20b.tif", "a#1.tif", "q?.tif", "é+ü.tif"])
@pytest.mark.parametrize("write_name", [str, quote])
def test_an_asset_of_this_machine_may_have_any_name(
    desk: Desk, tmp_path: Path, name: str, write_name: Callable[[str], str]
) -> None:
    """Whether the item has it as it is, as pystac writes it, or as a part of a URL."""
    (tmp_path / name).write_bytes(b"red")
    document = item({"red": {"href": f"./{write_name(name)}"}})
    desk.bring(directory(write(tmp_path / "item.json", document)))
    folder = desk.folder / "scene_1" / "scene"
    staged = read(folder / "scene.json")["assets"]["red"]["href"]
    assert staged == "./" + name.replace("#", "_").replace("?", "_"), "pystac reads it as a path"
    assert (folder / staged).read_bytes() == b"red"


@pytest.mark.parametrize("href", ["./a.tif?sig=x", "a.tif#page=1", "%61.tif?x", "q?x=1.tif"])
def test_a_query_is_no_part_of_a_name_unless_there_is_such_a_file(
    desk: Desk, tmp_path: Path, href: str
) -> None:
    for name in ("a.tif", "q", "q?x=1.tif"):
        (tmp_path / name).write_bytes(name.encode())
    desk.bring(directory(write(tmp_path / "item.json", item({"red": {"href": href}}))))
    (found,) = (desk.folder / "scene_1" / "scene").glob("*.tif")
    assert found.read_bytes() == (b"q?x=1.tif" if href.startswith("q") else b"a.tif")


def test_an_asset_may_be_a_folder_of_this_machine(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "cube.zarr").mkdir()
    (tmp_path / "cube.zarr" / ".zattrs").write_text("{}")
    desk.bring(directory(write(tmp_path / "item.json", item({"cube": {"href": "cube.zarr"}}))))
    assert (desk.folder / "scene_1" / "scene" / "cube.zarr" / ".zattrs").read_text() == "{}"


def test_links_that_hold_anywhere_are_kept(desk: Desk, site: Site) -> None:
    origin = {"rel": "derived_from", "href": "https://example.com/l1.json"}
    links = [{"rel": "self", "href": "https://example.com/i.json"}, origin, {"rel": "via"}]
    desk.bring(directory(site.add("/item.json", item({}, links=links))))
    staged = read(desk.folder / "scene_1" / "scene" / "scene.json")["links"]
    assert [one["rel"] for one in staged] == ["root", "parent", "derived_from"]
    assert origin in staged


def multihash(code: str, name: str, data: bytes) -> str:
    plain, _, size = name.partition("-")
    if size:
        return code + str(getattr(hashlib, plain)(data, digest_size=int(size)).hexdigest())
    return code + hashlib.new(plain, data, usedforsecurity=False).hexdigest()


CODES = {
    "sha256": "1220",
    "sha512": "1340",
    "sha1": "1114",
    "md5": "d50110",
    "sha384": "2030",
    "sha3_256": "1620",
    "sha3_512": "1440",
    "blake2b": "c0e40240",
    "blake2b-32": "a0e40220",
    "blake2s": "e0e40220",
}


@pytest.mark.parametrize("name", CODES)
def test_an_asset_must_have_the_checksum_that_its_item_says(
    desk: Desk, site: Site, name: str
) -> None:
    href = site.add("/red.tif", b"red")
    for data in (b"rot", b"red"):
        asset = {"href": href, "file:size": 3, "file:checksum": multihash(CODES[name], name, data)}
        url = site.add("/item.json", item({"red": asset}))
        if data == b"rot":
            with pytest.raises(StagingError, match=r"red\.tif does not have the checksum"):
                desk.bring(directory(url))
            assert desk.left() == []
        else:
            desk.bring(directory(url))


@pytest.mark.parametrize(
    "checksum",
    ["b220" + "0" * 64, "1e20" + "0" * 64, "sha256:00", "1220", "122000", "ff", 5, ["1220"]],
)
def test_a_checksum_of_an_unknown_kind_is_not_looked_at(
    desk: Desk, site: Site, checksum: object
) -> None:
    asset = {"href": site.add("/red.tif", b"red"), "file:checksum": checksum}
    desk.bring(directory(site.add("/item.json", item({"red": asset}))))
    assert [path.read_bytes() for path in desk.folder.rglob("red*.tif")] == [b"red"]
    assert any("of no kind that is known here" in line for line in desk.log)


def test_a_checksum_may_be_cut_short(desk: Desk, site: Site) -> None:
    """A multihash has as many bytes of a digest as it says."""
    whole = hashlib.sha256(b"red").hexdigest()
    for said, is_right in (("1208" + whole[16:32], False), ("1208" + whole[:16], True)):
        asset = {"href": site.add("/red.tif", b"red"), "file:checksum": said}
        url = site.add("/item.json", item({"red": asset}))
        if is_right:
            desk.bring(directory(url))
        else:
            with pytest.raises(StagingError, match="does not have the checksum"):
                desk.bring(directory(url))


def test_an_asset_must_have_the_size_that_its_item_says(
    desk: Desk, site: Site, tmp_path: Path
) -> None:
    (tmp_path / "red.tif").write_bytes(b"red")
    site.add("/red.tif", b"red")
    document = item({"red": {"href": "red.tif", "file:size": 4}})
    for uri in (site.add("/item.json", document), write(tmp_path / "item.json", document)):
        with pytest.raises(StagingError, match=r"red\.tif has 3 bytes, its item says 4"):
            desk.bring(directory(uri))
    assert desk.left() == []


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        ({"status": 404}, "404 Not Found"),
        ({"body": b"re", "length": 3}, "received 2 bytes, expected 3"),
    ],
)
def test_an_asset_that_does_not_come_leaves_nothing(
    desk: Desk, site: Site, page: dict[str, Any], reason: str
) -> None:
    assets = {
        "red": {"href": site.add("/red.tif", b"red")},
        "green": {"href": site.add("/green.tif", **page)},
    }
    with pytest.raises(StagingError, match=rf"green\.tif: .*{reason}"):
        desk.bring(directory(site.add("/item.json", item(assets))))
    assert desk.left() == []


def test_a_dismissal_stops_before_the_next_assets(open_desk: OpenDesk, site: Site) -> None:
    desk = open_desk(InputPolicy(), lambda: "GET /0.tif" in site.asked)
    assets = {str(key): {"href": site.add(f"/{key}.tif", b"x")} for key in range(100)}
    url = site.add("/item.json", item(assets))
    with pytest.raises(StagingError, match="the job was dismissed"):
        desk.bring(directory(url))
    assert len(site.asked) < 50
    assert desk.left() == []


@dataclass
class Endless:
    """A file that goes on and on; ``began`` is set when some of it has been sent."""

    url: str
    began: threading.Event


@pytest.fixture
def endless(site: Site) -> Iterator[Endless]:
    began, stopped = threading.Event(), threading.Event()

    def chunks() -> Iterator[bytes]:
        while not stopped.wait(0.01):
            began.set()
            yield bytes(1000)

    yield Endless(site.add("/endless.bin", chunks=chunks), began)
    stopped.set()


def test_a_dismissal_stops_in_the_middle_of_a_file(open_desk: OpenDesk, endless: Endless) -> None:
    desk = open_desk(InputPolicy(), endless.began.is_set)
    with pytest.raises(StagingError, match="the job was dismissed"):
        desk.bring(file(endless.url))
    assert desk.left() == []


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<html>", r"item\.json is not JSON"),
        (b"[" * 100_000 + b"]" * 100_000, r"item\.json is not JSON: it is nested too deeply"),
        ([1, 2], "is not a STAC document"),
        ({"type": "Point"}, "is a Point, not a STAC item"),
        ({"type": "Catalog", "id": "c"}, r"there is no item in .*item\.json"),
        ({"type": "FeatureCollection", "features": []}, r"there is no item in .*item\.json"),
        ({"type": "FeatureCollection"}, "is a FeatureCollection without features"),
        ({"type": "FeatureCollection", "features": [1]}, "feature 1 of .* is no STAC item"),
    ],
)
def test_what_is_no_item_is_refused(desk: Desk, site: Site, body: Any, reason: str) -> None:
    with pytest.raises(StagingError, match=reason):
        desk.bring(directory(site.add("/item.json", body)))
    assert desk.left() == []


# Names that would lead out of the folder

BAD_IDS = ["../escape", "..", ".", "", "a/../b", "a//b", "a\\b", "..%2Fescape", "-rf", None]
BAD_IDS += ["x" * 201, "a\0b", "/a", "a/-rf"]


@pytest.mark.parametrize("item_id", BAD_IDS)
def test_an_id_that_cannot_name_a_folder_is_refused(
    desk: Desk, site: Site, tmp_path: Path, item_id: str | None
) -> None:
    document = item({}, item_id)
    if item_id is None:
        del document["id"]
    with pytest.raises(StagingError, match=r"cannot be the id of an item|has no id"):
        desk.bring(directory(site.add("/item.json", document)))
    assert tree(tmp_path) == []


def test_an_id_that_is_no_text_is_refused(desk: Desk, site: Site) -> None:
    with pytest.raises(StagingError):
        desk.bring(directory(site.add("/item.json", item({}, 5))))


@pytest.mark.parametrize("item_id", ["catalog.json", "collection.json", "\ud800"])
def test_an_id_that_names_something_else_is_refused(desk: Desk, site: Site, item_id: str) -> None:
    with pytest.raises(StagingError, match="cannot be the id of an item"):
        desk.bring(directory(site.add("/item.json", item({}, item_id))))
    assert desk.left() == []


@pytest.mark.parametrize("asset", [None, "red.tif", {}, {"href": None}, {"href": 5}])
def test_an_asset_without_href_is_told(desk: Desk, site: Site, asset: Any) -> None:
    with pytest.raises(StagingError, match=r"the asset 'red' of .*item\.json has no href"):
        desk.bring(directory(site.add("/item.json", item({"red": asset}))))
    assert desk.left() == []


@pytest.mark.parametrize("href", ["http://[::1/a.tif", "http:///a.tif", "file://server/a.tif"])
def test_an_href_that_leads_nowhere_is_told(desk: Desk, site: Site, href: str) -> None:
    with pytest.raises(StagingError, match="leads nowhere"):
        desk.bring(directory(site.add("/item.json", item({"red": {"href": href}}))))
    assert desk.left() == []


@pytest.mark.parametrize(
    "path", ["/x/..", "/x/.", "/%252e%252e%252fescape", "/..%5Cescape", "/-rf"]
)
def test_an_asset_that_cannot_name_a_file_is_refused(
    desk: Desk, site: Site, tmp_path: Path, path: str
) -> None:
    with pytest.raises(StagingError, match="cannot be the file name of the asset 'red'"):
        desk.bring(directory(site.add("/item.json", item({"red": {"href": f"{site.root}{path}"}}))))
    assert tree(tmp_path) == ["inputs"]


def test_slashes_that_are_quoted_do_not_lead_anywhere(
    desk: Desk, site: Site, tmp_path: Path
) -> None:
    href = site.add("/..%2F..%2Fescape.tif", b"red")
    desk.bring(directory(site.add("/item.json", item({"red": {"href": href}}))))
    assert (desk.folder / "scene_1" / "scene" / "escape.tif").exists()
    assert len(list(tmp_path.rglob("escape.tif"))) == 1


def test_a_key_that_would_have_to_name_a_file_is_refused(desk: Desk, site: Site) -> None:
    assets = {key: {"href": f"{site.root}/a.tif"} for key in ("red", "../../escape")}
    site.add("/a.tif", b"x")
    with pytest.raises(StagingError, match="cannot be an asset's name"):
        desk.bring(directory(site.add("/item.json", item(assets))))
    assert desk.left() == []


def test_the_name_of_a_file_stays_in_its_folder(desk: Desk, site: Site) -> None:
    with pytest.raises(StagingError, match="cannot be the name of an input"):
        desk.bring(file(site.add("/a.tif", b"x"), basename="../../escape.tif"))
    assert safe_name("plain.tif", "a name") == "plain.tif"


# What may be read


@pytest.mark.parametrize("scheme", ["file://", "file:", "FILE://"])
def test_a_remote_item_has_no_assets_on_this_machine(
    desk: Desk, site: Site, tmp_path: Path, scheme: str
) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    assets = {"red": {"href": f"{scheme}{tmp_path / 'secret.txt'}"}}
    with pytest.raises(StagingError, match="has an asset on this machine"):
        desk.bring(directory(site.add("/item.json", item(assets))))
    assert desk.left() == []


def test_an_absolute_path_in_a_remote_item_is_one_of_its_server(
    desk: Desk, site: Site, tmp_path: Path
) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    assets = {"red": {"href": str(tmp_path / "secret.txt")}}
    with pytest.raises(StagingError, match="404 Not Found"):
        desk.bring(directory(site.add("/item.json", item(assets))))
    assert site.asked[-1] == f"GET {tmp_path / 'secret.txt'}"


def text_of(staged: dict[str, Any]) -> str:
    return Path(uri_path(staged["location"])).read_text()


@pytest.fixture
def walled(tmp_path: Path, open_desk: OpenDesk) -> Desk:
    """Give a desk that takes files from ``data`` alone, beside which there are others."""
    for name in ("data", "data2", "private"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.tif").write_text(name)
    (tmp_path / "data" / "way-out").symlink_to(tmp_path / "private")
    (tmp_path / "data" / "link.tif").symlink_to(tmp_path / "private" / "a.tif")
    return open_desk(InputPolicy(roots=(str(tmp_path / "data"),)))


def test_files_below_a_root_may_be_read(walled: Desk, tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert text_of(walled.bring(file(path_uri(str(data / "a.tif"))))) == "data"
    assert walled.bring(directory(path_uri(str(data))))["class"] == "Directory"
    document = item({"red": {"href": "a.tif"}})
    assert walled.bring(directory(write(data / "item.json", document)))["class"] == "Directory"


@pytest.mark.parametrize(
    "path", ["private/a.tif", "data2/a.tif", "data/../private/a.tif", "data/link.tif"]
)
def test_files_outside_the_roots_may_not_be_read(walled: Desk, tmp_path: Path, path: str) -> None:
    uri = path_uri(str(tmp_path)) + f"/{path}"
    with pytest.raises(StagingError, match="cannot be used as inputs here") as error:
        walled.bring(file(uri))
    assert str(tmp_path) not in str(error.value.to_problem())


@pytest.mark.parametrize("folder", ["private", "data2", "data/way-out", "."])
def test_folders_outside_the_roots_may_not_be_read(
    walled: Desk, tmp_path: Path, folder: str
) -> None:
    with pytest.raises(StagingError, match="cannot be used as inputs here"):
        walled.bring(directory(path_uri(str(tmp_path)) + f"/{folder}"))


def test_items_and_assets_outside_the_roots_may_not_be_read(walled: Desk, tmp_path: Path) -> None:
    outside = write(tmp_path / "private" / "item.json", item({}))
    with pytest.raises(StagingError, match="cannot be used as inputs here"):
        walled.bring(directory(outside))
    for href in ("../private/a.tif", "link.tif", str(tmp_path / "private" / "a.tif")):
        inside = write(tmp_path / "data" / "item.json", item({"red": {"href": href}}))
        with pytest.raises(StagingError, match="cannot be used as inputs here"):
            walled.bring(directory(inside))
    assert walled.left() == []


def test_a_root_that_is_a_link_itself_is_followed(open_desk: OpenDesk, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.tif").write_text("real")
    (tmp_path / "root").symlink_to("real")
    desk = open_desk(InputPolicy(roots=(str(tmp_path / "root"),)))
    assert text_of(desk.bring(file(path_uri(str(tmp_path / "root" / "a.tif"))))) == "real"


# Secrets


SECRETS = ["http://jane:secret@127.0.0.1/a.json", "https://secret@127.0.0.1/a.json"]


@pytest.mark.parametrize("url", SECRETS)
@pytest.mark.parametrize("what", ["file", "item", "asset"])
def test_a_password_in_an_address_is_refused_and_never_shown(
    desk: Desk, site: Site, url: str, what: str
) -> None:
    document = site.add("/item.json", item({"red": {"href": url}}))
    value = {"file": file(url), "item": directory(url), "asset": directory(document)}[what]
    with pytest.raises(StagingError, match="has a user or a password in it") as error:
        desk.bring(value)
    assert "secret" not in str(error.value) + str(error.value.to_problem()) + "".join(desk.log)


TOKEN = "?token=secret"


def broken_items(site: Site) -> dict[str, str]:
    red = site.add("/red.tif" + TOKEN, b"red")
    return {
        "no JSON": site.add("/page.html" + TOKEN, b"<html>"),
        "no STAC": site.add("/list.json" + TOKEN, [1]),
        "no item": site.add("/catalog.json" + TOKEN, {"type": "Catalog"}),
        "size": site.add("/size.json" + TOKEN, item({"red": {"href": red, "file:size": 4}})),
        "checksum": site.add(
            "/checksum.json" + TOKEN,
            item({"red": {"href": red, "file:checksum": multihash("1114", "sha1", b"rot")}}),
        ),
        "own file": site.add("/own.json" + TOKEN, item({"red": {"href": "file:///etc/hosts"}})),
    }


@pytest.mark.parametrize("what", ["no JSON", "no STAC", "no item", "size", "checksum", "own file"])
def test_a_token_in_an_address_is_not_shown_in_errors(desk: Desk, site: Site, what: str) -> None:
    with pytest.raises(StagingError) as error:
        desk.bring(directory(broken_items(site)[what]))
    assert "secret" not in str(error.value) + str(error.value.to_problem())


@pytest.mark.parametrize("page", [{"status": 404}, {"body": b"x", "length": 9}])
def test_a_token_in_an_address_is_not_in_a_traceback(
    desk: Desk, site: Site, page: dict[str, Any]
) -> None:
    with pytest.raises(StagingError) as error:
        desk.bring(file(site.add("/a.tif" + TOKEN, **page), basename="a.tif"))
    assert "secret" not in "".join(traceback.format_exception(error.value))


def test_a_token_in_an_address_is_not_written_into_the_log(
    desk: Desk, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """Nor into the one of whoever embeds an engine: httpx would write it there."""
    caplog.set_level(logging.DEBUG)
    red = site.add("/red.tif" + TOKEN, b"red")
    desk.bring([file(red), directory(site.add("/item.json", item({"red": {"href": red}})))])
    assert "red.tif" in "".join(desk.log)
    assert "secret" not in "".join(desk.log) + caplog.text
    httpx.get(site.root + "/red.tif?not-ours=1", timeout=patient(20))
    assert "not-ours" in caplog.text, "others may log as they like"


# In a job


def test_an_address_that_is_none_is_told_before_a_job_is_accepted(localproc_engine: Engine) -> None:
    package = {
        "cwlVersion": "v1.2",
        "class": "CommandLineTool",
        "id": "reads",
        "baseCommand": "true",
        "inputs": [{"id": "file", "type": "File?"}, {"id": "text", "type": "string?"}],
        "outputs": [],
    }
    for url in (
        "http://[::1/a.tif",
        "http:///a.tif",
        "http://host:99999/a.tif",
        "file://pc/a.tif",
        "https://jane:secret@host/a.tif",
        "s3://jane:secret@bucket/a.tif",
    ):
        with pytest.raises(InvalidInputs, match=r"inputs\.file: its location cannot be used"):
            localproc_engine.run(package, {"file": {"href": url}})
        with pytest.raises(InvalidInputs, match=r"inputs\.text: its href cannot be used"):
            localproc_engine.run(package, {"text": {"href": url}})
    assert localproc_engine.jobs() == []
    assert b"secret" not in (localproc_engine.home / "localproc.db").read_bytes()


def test_whoever_dismisses_a_job_does_not_wait_for_its_inputs(
    localproc_engine: Engine, endless: Endless
) -> None:
    package = {
        "cwlVersion": "v1.2",
        "class": "CommandLineTool",
        "id": "reads",
        "baseCommand": "true",
        "inputs": [{"id": "file", "type": "File"}],
        "outputs": [],
    }
    job = localproc_engine.deploy(package).execute({"file": {"href": endless.url}})
    assert endless.began.wait(patient(20))
    job.dismiss()
    assert job.wait(patient(20)).status == "dismissed"


def test_a_job_reads_a_remote_item(localproc_engine: Engine, site: Site) -> None:
    site.add("/red.tif", b"red")
    package = {
        "cwlVersion": "v1.2",
        "class": "CommandLineTool",
        "id": "lists",
        "baseCommand": ["find", "-L"],
        "inputs": [{"id": "scene", "type": "Directory", "inputBinding": {"position": 1}}],
        "arguments": [
            {"valueFrom": "-type", "position": 2},
            {"valueFrom": "f", "position": 3},
            {"valueFrom": "-printf", "position": 4},
            {"valueFrom": "%P\\n", "position": 5},
        ],
        "stdout": "names.txt",
        "outputs": [{"id": "names", "type": "stdout"}],
    }
    url = site.add("/item.json", item({"red": {"href": "red.tif"}}))
    job = localproc_engine.run(package, {"scene": {"href": url, "type": "application/geo+json"}})
    names = job.raise_for_status().result("names").read_text().split()
    assert sorted(names) == ["catalog.json", "scene/red.tif", "scene/scene.json"]
    assert "asset" in job.logs("stage_in").text


# What is said of a file


SHA1: Final = "sha1$" + hashlib.sha1(b"pixels").hexdigest()


def given_pixels(kind: str, site: Site, folder: Path) -> dict[str, Any]:
    """Return a File that holds pixels: here, on the web, or in the object itself."""
    (folder / "a.tif").write_bytes(b"pixels")
    if kind == "literal":
        return {"class": "File", "basename": "a.tif", "contents": "pixels"}
    here = path_uri(str(folder / "a.tif"))
    return file(here if kind == "here" else site.add("/a.tif", b"pixels"))


@pytest.mark.parametrize("kind", ["here", "web", "literal"])
def test_a_file_is_what_its_checksum_says(
    desk: Desk, site: Site, tmp_path: Path, kind: str
) -> None:
    """CWL v1.2 File.checksum: "for validating file integrity"."""
    value = given_pixels(kind, site, tmp_path)
    with pytest.raises(StagingError, match=r"has the checksum sha1\$\w+, not sha1\$0000"):
        desk.bring({**value, "checksum": "sha1$0000"})
    assert desk.bring({**value, "checksum": SHA1.upper()})["checksum"] == SHA1


@pytest.mark.parametrize("kind", ["here", "web", "literal"])
@pytest.mark.parametrize("checksum", ["sha1$hash", "sha256$00", "md5", ""])
def test_what_else_is_said_of_a_file_gives_way_to_what_it_is(
    desk: Desk, site: Site, tmp_path: Path, checksum: str, kind: str
) -> None:
    """The conformance tests say such things (``nested_prefixes_arrays``)."""
    value = given_pixels(kind, site, tmp_path)
    for _ in range(2):  # the second finds what was fetched already
        found = desk.bring({**value, "size": 123, "checksum": checksum})
        assert (found["size"], found["checksum"]) == (6, SHA1)


# Redirects


def moved(site: Site, path: str, target: str) -> str:
    return site.add(path, status=302, headers={"Location": target})


def test_an_item_is_relative_to_where_it_was_found(desk: Desk, site: Site) -> None:
    """RFC 3986, section 5.1.3."""
    site.add("/2024/a.tif", b"right")
    site.add("/a.tif", b"wrong")
    found = site.add("/2024/item.json", item({"a": {"href": "./a.tif"}}))
    desk.bring(directory(moved(site, "/latest.json", moved(site, "/again.json", found))))
    assert (desk.folder / "scene_1" / "scene" / "a.tif").read_bytes() == b"right"


def test_a_package_is_relative_to_where_it_was_found(localproc_engine: Engine, site: Site) -> None:
    def tool(text: str) -> dict[str, Any]:
        return {
            "cwlVersion": "v1.2",
            "class": "CommandLineTool",
            "id": "says",
            "baseCommand": ["echo", text],
            "inputs": {"$import": "none.yml"},
            "stdout": "said.txt",
            "outputs": {"said": "stdout"},
        }

    workflow = {
        "cwlVersion": "v1.2",
        "class": "Workflow",
        "id": "main",
        "inputs": [],
        "steps": [{"id": "say", "run": "tools/tool.cwl", "in": [], "out": ["said"]}],
        "outputs": [{"id": "said", "type": "File", "outputSource": "say/said"}],
    }
    for path in ("/none.yml", "/tools/none.yml", "/1.0/tools/none.yml"):
        site.add(path, {"wrong": "string"})
    site.add("/1.0/real/none.yml", {})
    site.add("/tools/tool.cwl", tool("wrong"))
    site.add("/1.0/real/tool.cwl", tool("right"))
    moved(site, "/1.0/tools/tool.cwl", site.root + "/1.0/real/tool.cwl")
    url = moved(site, "/latest.cwl", site.add("/1.0/main.cwl", workflow))
    with Engine(Path(localproc_engine.home) / "another", allow_remote=True) as engine:
        job = engine.run(url, {}).raise_for_status()
        assert job.result("said").read_text() == "right\n"


@pytest.mark.parametrize(("asked", "run"), [("", "two"), ("#three", "three")])
def test_a_redirect_may_name_a_process_of_a_package(
    localproc_engine: Engine, site: Site, asked: str, run: str
) -> None:
    """RFC 9110, section 10.2.2; what was asked for comes first."""
    graph = [
        {
            "class": "CommandLineTool",
            "id": name,
            "baseCommand": ["echo", name],
            "inputs": [],
            "stdout": "said.txt",
            "outputs": [{"id": "said", "type": "stdout"}],
        }
        for name in ("main", "two", "three")
    ]
    package = site.add("/1.0/app.cwl", {"cwlVersion": "v1.2", "$graph": graph})
    url = moved(site, "/app.cwl", moved(site, "/1.0/latest.cwl", f"{package}#two"))
    job = localproc_engine.run(url + asked, {}).raise_for_status()
    assert job.result("said").read_text() == f"{run}\n"


def test_a_unit_of_an_application_package_is_relative_to_where_it_was_found(
    localproc_engine: Engine, site: Site
) -> None:
    tool = {
        "cwlVersion": "v1.2",
        "class": "CommandLineTool",
        "id": "says",
        "baseCommand": ["echo", "right"],
        "inputs": {"$import": "none.yml"},
        "outputs": [],
    }
    site.add("/1.0/none.yml", {})
    site.add("/none.yml", {"wrong": "string"})
    unit = moved(site, "/tool.cwl", site.add("/1.0/tool.cwl", tool))
    package = {
        "processDescription": {"id": "says"},
        "executionUnit": {"href": unit, "type": "application/cwl"},
    }
    with Engine(Path(localproc_engine.home) / "another", allow_remote=True) as engine:
        process = engine.deploy(site.add("/package.json", package))
        assert list(process.ports()) == []
        engine.run(site.root + "/package.json", {}).raise_for_status()


# Folders in a storage


@pytest.fixture
def bucket(memory: Storage) -> Recorder:
    assert isinstance(memory, Recorder)
    return memory


def test_all_objects_below_a_prefix_are_a_folder(desk: Desk, bucket: Recorder) -> None:
    for name in ("a.tif", "deep/b%20c.tif", "deep/%C3%A9/"):
        bucket.objects[f"mem://b/scene/{name}"] = name.encode()
    bucket.objects["mem://b/scene2/other.tif"] = b"not below it"
    staged = desk.bring(directory("mem://b/scene"))
    folder = desk.folder / "scene_1"
    assert staged == {
        "class": "Directory",
        "location": path_uri(str(folder)),
        "basename": "scene_1",
    }
    assert tree(folder) == ["a.tif", "deep/b c.tif", "deep/é"]
    assert (folder / "deep" / "b c.tif").read_bytes() == b"deep/b%20c.tif"


@pytest.mark.parametrize("name", ["../escape", "a/../../escape", "a/%2E%2E/b", "-rf", "a//..//b"])
def test_an_object_cannot_leave_the_folder(
    desk: Desk, bucket: Recorder, tmp_path: Path, name: str
) -> None:
    bucket.objects[f"mem://b/scene/{name}"] = b"x"
    with pytest.raises(StagingError, match="cannot be the name of an input"):
        desk.bring(directory("mem://b/scene"))
    assert tree(tmp_path) == ["inputs"]


def test_nothing_at_all_is_no_folder(desk: Desk, bucket: Recorder) -> None:
    with pytest.raises(NoSuchObject, match="mem://b/scene"):
        desk.bring(directory("mem://b/scene"))


def test_an_asset_of_this_machine_has_the_checksum_that_its_item_says(
    desk: Desk, tmp_path: Path
) -> None:
    (tmp_path / "red.tif").write_bytes(b"red")
    asset = {"href": "red.tif", "file:checksum": multihash("1220", "sha256", b"rot")}
    with pytest.raises(StagingError, match=r"red\.tif does not have the checksum"):
        desk.bring(directory(write(tmp_path / "item.json", item({"red": asset}))))


def test_an_asset_may_have_a_name_like_an_address(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "B04:10m.tif").write_bytes(b"red")
    document = item({"red": {"href": "B04:10m.tif"}})
    desk.bring(directory(write(tmp_path / "item.json", document)))
    assert (desk.folder / "scene_1" / "scene" / "B04:10m.tif").read_bytes() == b"red"


# What a client may name


def test_a_client_names_no_object_of_a_storage(open_desk: OpenDesk, bucket: Recorder) -> None:
    bucket.objects["mem://b/secret.txt"] = b"secret"
    for policy in (InputPolicy(roots=()), InputPolicy(guarded=True)):
        for value in (file("mem://b/secret.txt"), directory("mem://b")):
            with pytest.raises(StagingError, match="cannot be used as an input here"):
                open_desk(policy).bring(value)


def test_a_document_on_the_web_names_none_either(
    open_desk: OpenDesk, site: Site, bucket: Recorder
) -> None:
    bucket.objects["mem://b/secret.txt"] = b"secret"
    document = item({"red": {"href": "mem://b/secret.txt"}})
    with pytest.raises(StagingError, match="cannot be used as an input here"):
        open_desk(InputPolicy(roots=())).bring(directory(site.add("/item.json", document)))


@pytest.mark.parametrize(
    ("uri", "allowed"),
    [
        ("mem://b/open/a.txt", True),
        ("mem://b/open/%61.txt", True),
        ("mem://b/open", True),
        ("mem://b/opened/a.txt", False),
        ("mem://b/open/../secret.txt", False),
        ("mem://b/open/%2e%2e/secret.txt", False),
        ("mem://b/open/%252e%252e/secret.txt", False),
        ("mem://b/open%2F..%2Fsecret.txt", False),
        ("mem://b2/open/a.txt", False),
        ("mem://key@b/open/a.txt", False),
        ("MEM://b/secret.txt", False),
        ("mem:/b/open/a.txt", False),
    ],
)
def test_what_lies_below_a_prefix_may_be_named(
    open_desk: OpenDesk, uri: str, allowed: bool
) -> None:
    access = open_desk(InputPolicy(roots=(), prefixes=("mem://b/open/",))).access
    if allowed:
        access.check(uri)
    else:
        with pytest.raises(StagingError, match="cannot be used as an input here"):
            access.check(uri)


def test_an_object_is_refused_before_a_job_is_accepted(localproc_engine: Engine) -> None:
    package = {
        "cwlVersion": "v1.2",
        "class": "CommandLineTool",
        "id": "reads",
        "baseCommand": "true",
        "inputs": [{"id": "file", "type": "File"}],
        "outputs": [],
    }
    process = localproc_engine.deploy(package)
    with pytest.raises(InvalidInputs, match=r"s3://bucket/a\.tif cannot be used as an input here"):
        process.execute({"file": {"href": "s3://bucket/a.tif"}}, policy=InputPolicy(roots=()))
    assert localproc_engine.jobs() == []
