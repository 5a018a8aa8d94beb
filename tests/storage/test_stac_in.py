"""STAC documents of all kinds as inputs: what they stand for, and what is brought of it."""

import itertools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pystac
import pytest
from hypothesis import given
from hypothesis import strategies as st

from localproc import Engine
from localproc.errors import InvalidInputs, JobFailed, StagingError
from localproc.model import InputPolicy
from localproc.storage.access import Document
from localproc.storage.asset_choice import AssetChoice, Fate
from localproc.storage.stac_items import MOST, items_of
from localproc.storage.stage_in import stage_in
from localproc.uris import path_uri, uri_path
from tests.patience import patient
from tests.storage.conftest import OpenDesk
from tests.storage.desk import Desk, directory, item, read, tree, write
from tests.storage.website import Page, Site


def catalog(kind: str, *links: tuple[str, str], **fields: Any) -> dict[str, Any]:
    made = [{"rel": rel, "href": href} for rel, href in links]
    return {"type": kind, "stac_version": "1.0.0", "id": "c", "links": made, **fields}


def scene(site: Site, name: str, folder: str = "/s") -> dict[str, Any]:
    """Add the asset of an item to a site, and give the item, its href absolute."""
    href = site.add(f"{folder}/{name}.tif", name.encode())
    return item({"a": {"href": href, "roles": ["data"], "type": "image/tiff"}}, name)


def collection(*features: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features), **fields}


TWO = ["scene_1/N/N.json", "scene_1/N/N.tif", "scene_1/S/S.json", "scene_1/S/S.tif"]
ALL = ["scene_1/catalog.json", *TWO]


def staged_ids(folder: Path) -> list[str]:
    found = pystac.Catalog.from_file(str(folder / "catalog.json"))
    return [one.id for one in found.get_items()]


def test_a_feature_collection_is_a_catalog_of_its_items(desk: Desk, site: Site) -> None:
    desk.bring(directory(site.add("/f.json", collection(scene(site, "N"), scene(site, "S")))))
    assert desk.left() == sorted(ALL)
    assert staged_ids(desk.folder / "scene_1") == ["N", "S"]


def test_in_an_array_each_item_is_a_directory(desk: Desk, site: Site) -> None:
    single = site.add("/s/one.json", scene(site, "E"))
    several = site.add("/f.json", collection(scene(site, "N"), scene(site, "S")))
    found = desk.bring([directory(single), directory(several)])
    names = [one["basename"] for one in found]
    assert names == ["scene_1", "scene_2-1", "scene_2-2"]
    assert [staged_ids(desk.folder / name) for name in names] == [["E"], ["N"], ["S"]]
    assert all(set(one) == {"class", "location", "basename"} for one in found)


def test_what_was_staged_of_an_array_is_not_staged_again(desk: Desk, site: Site) -> None:
    several = [directory(site.add("/f.json", collection(scene(site, "N"), scene(site, "S"))))]
    first = desk.bring(several)
    site.asked.clear()
    assert desk.bring(several) == first
    assert site.asked == ["GET /f.json"]


def test_the_pages_of_a_search_follow_each_other(desk: Desk, site: Site) -> None:
    later = {"rel": "next", "href": site.root + "/page2?token=b"}
    site.add("/search", collection(scene(site, "N"), links=[later]))
    site.add("/page2", collection(scene(site, "S"), links=[{"rel": "prev", "href": "/search"}]))
    desk.bring(directory(site.root + "/search?collections=l7&bbox=1,2,3,4&limit=1"))
    assert desk.left() == sorted(ALL)
    assert "GET /search?collections=l7&bbox=1,2,3,4&limit=1" in site.asked
    assert "GET /page2?token=b" in site.asked


def posted_for(site: Site, path: str, **said: object) -> dict[str, object]:
    return {"rel": "next", "href": site.root + path, "method": "POST", **said}


def test_pages_may_have_to_be_posted_for(desk: Desk, site: Site) -> None:
    """Each link says what is sent, alone or (merge) with what was sent before."""
    first = posted_for(site, "/search", body={"token": "b", "limit": 1, "collections": ["l7"]})
    second = posted_for(site, "/search", body={"token": "c"}, merge=True)
    pages = {
        "b": collection(scene(site, "S"), links=[second]),
        "c": collection(scene(site, "E"), links=[]),
    }
    site.moods["/search"] = lambda _: Page(
        Site.written(pages[json.loads(site.posted[-1])["token"]])
    )
    uri = site.add("/start", collection(scene(site, "N"), links=[first]))
    desk.bring(directory(uri + "?limit=1"))
    assert staged_ids(desk.folder / "scene_1") == ["N", "S", "E"]
    assert [json.loads(one) for one in site.posted] == [
        {"token": "b", "limit": 1, "collections": ["l7"]},
        {"token": "c", "limit": 1, "collections": ["l7"]},
    ]


def test_pages_that_are_posted_for_have_an_end(desk: Desk, site: Site) -> None:
    link = posted_for(site, "/search", body={"token": "b"})
    site.add("/search", collection(scene(site, "S"), links=[link]))
    desk.bring(directory(site.add("/start", collection(scene(site, "N"), links=[link]))))
    assert staged_ids(desk.folder / "scene_1") == ["N", "S"]
    assert len(site.posted) == 1


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"method": "PUT"}, "a next page that cannot be asked for"),
        ({"headers": {"Search-After": "b"}}, "asked for with headers of its own"),
        ({"body": "token=b"}, "a next page that cannot be asked for"),
        ({"merge": True}, "with what it was asked itself"),
        ({"href": "http://127.0.0.1:9/search"}, "asked for by POST elsewhere"),
    ],
)
def test_pages_that_cannot_be_posted_for_are_told(
    desk: Desk, site: Site, said: dict[str, object], why: str
) -> None:
    link = posted_for(site, "/search", **said)
    uri = site.add("/start", collection(scene(site, "N"), links=[link]))
    with pytest.raises(StagingError, match=why):
        desk.bring(directory(uri + "?collections=l7"))
    assert desk.left() == []
    assert site.posted == []


def test_there_may_be_many_pages_and_deep_catalogs() -> None:
    """Each of 900 pages has one item; each of 900 catalogs has a child, the last one an item."""

    def page(uri: str, _: bytes = b"") -> Document:
        number = int(uri.rpartition("/")[2])
        link = [{"rel": "next", "href": f"./{number + 1}"}] if number < 900 else []
        return Document(Site.written(collection(item({}, f"i{number}"), links=link)), uri)

    def child(uri: str, _: bytes = b"") -> Document:
        number = int(uri.rpartition("/")[2])
        below = catalog("Catalog", ("child", f"./{number + 1}"))
        return Document(Site.written(below if number < 900 else item({}, "i")), uri)

    assert len(items_of(page("https://example.org/1"), page)) == 900
    assert len(items_of(child("https://example.org/1"), child)) == 1


def test_catalogs_without_an_end_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("localproc.storage.stac_items._MOST_DOCUMENTS", 50)
    numbers = itertools.count()

    def endless(uri: str, _: bytes = b"") -> Document:
        links = [("child", f"./{next(numbers)}"), ("child", f"./{next(numbers)}")]
        return Document(Site.written(catalog("Catalog", *links)), uri)

    with pytest.raises(StagingError, match="leads to more than 50 documents"):
        items_of(endless("https://example.org/top"), endless)


def test_a_catalog_stands_for_its_items_and_its_childrens(desk: Desk, site: Site) -> None:
    site.add("/c/n/N.json", scene(site, "N"))
    site.add("/c/s/S.json", scene(site, "S"))
    site.add("/c/s/collection.json", catalog("Collection", ("item", "S.json"), ("parent", "..")))
    links = [("child", "./s/collection.json"), ("item", "./n/N.json"), ("self", "/elsewhere")]
    desk.bring(directory(site.add("/c/catalog.json", catalog("Catalog", *links))))
    assert desk.left() == sorted(ALL)


def test_a_collection_of_an_api_has_its_items_behind_one_link(desk: Desk, site: Site) -> None:
    site.add("/c/items", collection(scene(site, "N"), scene(site, "S")))
    desk.bring(directory(site.add("/c", catalog("Collection", ("items", "/c/items")))))
    assert desk.left() == sorted(ALL)


def test_catalogs_that_lead_to_each_other_have_an_end(desk: Desk, site: Site) -> None:
    site.add("/N.json", scene(site, "N"))
    site.add("/b.json", catalog("Catalog", ("child", "a.json"), ("item", "N.json")))
    uri = site.add("/a.json", catalog("Catalog", ("child", "b.json"), ("child", "a.json")))
    desk.bring(directory(uri))
    assert staged_ids(desk.folder / "scene_1") == ["N"]


def test_items_of_one_id_are_told_apart(desk: Desk, site: Site) -> None:
    one, other = scene(site, "N", "/1"), scene(site, "N", "/2")
    desk.bring(directory(site.add("/f.json", collection(one, other))))
    assert tree(desk.folder / "scene_1") == [
        "N/N.json",
        "N/N.tif",
        "N_2/N.tif",
        "N_2/N_2.json",
        "catalog.json",
    ]


def test_there_may_be_so_many_items_and_no_more(desk: Desk, site: Site) -> None:
    many = [item({}, f"i{number}") for number in range(MOST + 1)]
    with pytest.raises(StagingError, match=f"stands for more than {MOST} items"):
        desk.bring(directory(site.add("/f.json", collection(*many))))
    assert desk.left() == []


def test_the_first_items_may_be_enough(desk: Desk, site: Site) -> None:
    """A limit in the address is that of a page (STAC API, Item Search): pages go on behind it."""
    pages = [
        collection(
            *(item({}, f"i{page}{number}") for number in range(2)),
            links=[{"rel": "next", "href": f"/search{page + 1}?limit=2"}],
        )
        for page in range(9)
    ]
    for page, document in enumerate(pages):
        site.add(f"/search{page}?limit=2", document)
    choosing(desk, f"{site.root}/search0?limit=2", "items=3;key=none")
    assert staged_ids(desk.folder / "scene_1") == ["i00", "i01", "i10"]
    assert site.asked == ["GET /search0?limit=2", "GET /search1?limit=2"]


def test_more_items_than_there_are_may_be_asked_for(desk: Desk, site: Site) -> None:
    choosing(desk, site.add("/f.json", collection(item({}, "a"))), "items=2000")
    assert staged_ids(desk.folder / "scene_1") == ["a"]


DOT = "data:image/png;base64,iVBORw0KGgo="


@pytest.mark.parametrize(
    "links",
    [
        5,
        {"a": 1},
        [None, {"rel": "self"}],
        [{"rel": "self", "href": "http://[::1/x"}],
        [{"rel": "self", "href": "http:///x"}],
        [{"rel": "self", "href": "https://user:word@host/x"}],
    ],
)
def test_links_of_an_item_that_lead_nowhere_do_not_matter(
    desk: Desk, site: Site, links: object
) -> None:
    found = {**scene(site, "N"), "links": links}
    desk.bring(directory(site.add("/f.json", collection(found))))
    assert staged_ids(desk.folder / "scene_1") == ["N"]


def test_ids_with_slashes_name_folders_without(desk: Desk, site: Site) -> None:
    one = {**scene(site, "N"), "id": "S2/2026/é"}
    other = {**scene(site, "N"), "id": "S2_2026/é"}
    desk.bring(directory(site.add("/f.json", collection(one, other))))
    assert tree(desk.folder / "scene_1") == [
        "S2_2026_é/N.tif",
        "S2_2026_é/S2_2026_é.json",
        "S2_2026_é_2/N.tif",
        "S2_2026_é_2/S2_2026_é_2.json",
        "catalog.json",
    ]
    assert staged_ids(desk.folder / "scene_1") == ["S2/2026/é", "S2_2026/é"]


def test_an_asset_whose_address_ends_without_a_name_is_named_by_its_key(
    desk: Desk, site: Site
) -> None:
    asset = {"href": site.add("/there/", b"<html>"), "type": "text/html"}
    desk.bring(directory(site.add("/item.json", item({"a page": asset}))))
    assert (desk.folder / "scene_1" / "scene" / "a_page.html").read_bytes() == b"<html>"


def test_an_item_of_stac_1_1_keeps_what_it_says(desk: Desk, site: Site) -> None:
    bands = [{"name": "B04", "eo:common_name": "red", "data_type": "uint16"}]
    asset = {"href": site.add("/a.tif?sig=x", b"x") + "#page=1", "bands": bands, "gsd": 10}
    uri = site.add("/item.json", item({"a": asset}, stac_version="1.1.0"))
    desk.bring(directory(uri))
    staged = read(desk.folder / "scene_1" / "scene" / "scene.json")
    assert staged["assets"]["a"] == {"href": "./a.tif", "bands": bands, "gsd": 10}
    assert "GET /a.tif?sig=x" in site.asked


def test_a_collection_that_leads_to_no_item_says_what_to_name(desk: Desk, site: Site) -> None:
    only = catalog("Collection", item_assets={"a": {"type": "image/tiff"}})
    with pytest.raises(StagingError, match="there is no item in") as caught:
        desk.bring(directory(site.add("/c.json", only)))
    assert "/search?collections=" in caught.value.hint


def test_headers_of_a_page_that_are_sent_anyway_are_no_hindrance(desk: Desk, site: Site) -> None:
    said = {"Content-Type": "application/json", "Accept": "application/geo+json"}
    link = posted_for(site, "/search", headers=said, body={"token": "b"})
    site.add("/search", collection(scene(site, "S")))
    desk.bring(directory(site.add("/start", collection(scene(site, "N"), links=[link]))))
    assert staged_ids(desk.folder / "scene_1") == ["N", "S"]


def test_an_asset_may_be_in_its_href(desk: Desk, site: Site) -> None:
    png = b"\x89PNG\r\n\x1a\n"
    assets = {
        "look": {"href": DOT, "type": "image/png", "file:size": len(png)},
        "a/b ü": {"href": "DATA:,a%20text", "type": "text/plain; charset=utf-8"},
        "left": {"href": "data:,x", "roles": ["no"]},
        "plain": {"href": "data:,"},
    }
    desk.bring(directory(site.add("/N.json", item(assets, "N"))))
    folder = desk.folder / "scene_1" / "N"
    staged = json.loads((folder / "N.json").read_text())["assets"]
    assert (folder / staged["look"]["href"]).read_bytes() == png
    assert staged["look"]["href"] == "./look.png"
    assert (folder / staged["a/b ü"]["href"]).read_bytes() == b"a text"
    assert (folder / staged["plain"]["href"]).read_bytes() == b""
    assert site.asked == ["GET /N.json"]
    assert not any("iVBOR" in line for line in desk.log)


@pytest.mark.parametrize(
    ("asset", "why"),
    [
        ({"href": "data:;base64,&"}, "cannot be read: its data is not base64"),
        ({"href": "data:nothing"}, "cannot be read: it has no comma"),
        ({"href": DOT, "file:size": 9}, "has 8 bytes, its item says 9"),
        ({"href": DOT, "file:checksum": "1220" + "00" * 32}, "does not have the checksum"),
    ],
)
def test_what_is_wrong_with_an_asset_in_its_href_is_told(
    desk: Desk, site: Site, asset: dict[str, Any], why: str
) -> None:
    url = site.add("/N.json", item({"look": asset}, "N"))
    with pytest.raises(StagingError, match=why):
        desk.bring(directory(url))
    assert desk.left() == []


@pytest.mark.parametrize("rel", ["item", "child"])
def test_a_remote_catalog_leads_to_nothing_on_this_machine(
    desk: Desk, site: Site, tmp_path: Path, rel: str
) -> None:
    local = tmp_path / "item.json"
    local.write_text(json.dumps(item({}, "N")))
    uri = site.add("/c.json", catalog("Catalog", (rel, path_uri(str(local)))))
    with pytest.raises(StagingError, match="has a link to this machine"):
        desk.bring(directory(uri))
    assert desk.left() == []


def test_a_feature_that_says_it_lies_here_does_not(desk: Desk, site: Site, tmp_path: Path) -> None:
    (tmp_path / "secret.tif").write_text("secret")
    feature = item({"a": {"href": "./secret.tif"}}, "N")
    feature["links"] = [{"rel": "self", "href": path_uri(str(tmp_path / "N.json"))}]
    with pytest.raises(StagingError):
        desk.bring(directory(site.add("/f.json", collection(feature))))
    assert desk.left() == []


def test_a_local_catalog_stands_for_its_items(desk: Desk, tmp_path: Path) -> None:
    write(tmp_path / "c" / "N" / "N.json", item({"a": {"href": "a.tif"}}, "N"))
    (tmp_path / "c" / "N" / "a.tif").write_text("pixels")
    path = write(tmp_path / "c" / "c.json", catalog("Catalog", ("item", "N/N.json")))
    desk.bring(directory(path_uri(str(path))))
    assert (desk.folder / "scene_1" / "N" / "a.tif").read_text() == "pixels"


# Which assets


def choosing(desk: Desk, uri: str, choice: str) -> Path:
    """Bring an item with some of its assets; give its folder."""
    stage_in({"scene": directory(uri)}, str(desk.folder), desk.access, desk.log.append, choice)
    return desk.folder / "scene_1" / "N"


def bands(site: Site) -> str:
    kinds = {"B1": ("data", "image/tiff"), "B2": ("data", "image/tiff"), "thumb": ("look", "x/y")}
    assets = {
        key: {"href": site.add(f"/{key}.bin", key.encode()), "roles": [role], "type": media_type}
        for key, (role, media_type) in kinds.items()
    }
    return site.add("/N.json", item(assets, "N"))


@pytest.mark.parametrize(
    ("choice", "brought"),
    [
        ("", ["B1", "B2", "thumb"]),
        ("key=B*", ["B1", "B2"]),
        ("key=B1,thumb", ["B1", "thumb"]),
        ("role=data;key=*2", ["B2"]),
        ("type=image/*", ["B1", "B2"]),
        ("href=*/thumb.bin", ["thumb"]),
        ("key=none", []),
    ],
)
def test_assets_are_chosen(desk: Desk, site: Site, choice: str, brought: list[str]) -> None:
    folder = choosing(desk, bands(site), choice)
    assert list(json.loads((folder / "N.json").read_text())["assets"]) == brought
    assert [path.stem for path in sorted(folder.glob("*.bin"))] == brought
    assert sorted(site.asked) == sorted(["GET /N.json", *(f"GET /{one}.bin" for one in brought)])


def test_a_choice_that_nothing_fits_is_told(desk: Desk, site: Site) -> None:
    url = bands(site)
    choosing(desk, url, "key=b*")
    assert f"scene: none of the assets of {url} is wanted: B1, B2, thumb" in desk.log


def test_assets_may_stay_where_they_are(desk: Desk, site: Site) -> None:
    folder = choosing(desk, bands(site), "remote=image/tiff;role=look")
    assets = json.loads((folder / "N.json").read_text())["assets"]
    assert {key: one["href"] for key, one in assets.items()} == {
        "B1": f"{site.root}/B1.bin",
        "B2": f"{site.root}/B2.bin",
        "thumb": "./thumb.bin",
    }
    assert sorted(site.asked) == ["GET /N.json", "GET /thumb.bin"]


@pytest.mark.parametrize("text", ["B1", "band=B1", "=B1"])
def test_a_choice_that_is_none_is_refused(localproc_engine: Engine, text: str) -> None:
    with pytest.raises(InvalidInputs, match=r"such as key=B0\*,B11;role=data"):
        localproc_engine.run(LISTS, {"items": []}, assets=text)
    assert localproc_engine.jobs() == []


@pytest.mark.parametrize("text", ["items=", "items=0", "items=-1", "items=a", "items=1,2"])
def test_a_number_of_items_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputs, match="is no number of items"):
        AssetChoice.read(text)


@given(st.text(max_size=20), st.lists(st.text(max_size=5)))
def test_without_a_choice_all_is_brought(key: str, roles: list[str]) -> None:
    assert AssetChoice.read("").fate(key, {"href": "x", "roles": roles}) is Fate.BROUGHT


# How much


@pytest.mark.parametrize("limit", ["most_of_job", "most_of_host"])
def test_all_inputs_together_have_a_limit(open_desk: OpenDesk, site: Site, limit: str) -> None:
    policy: Any = {limit: 1500}
    desk = open_desk(InputPolicy(**policy))
    large = [item({"a": {"href": site.add(f"/{n}.tif", b"x" * 400)}}, n) for n in "NESW"]
    with pytest.raises(StagingError, match="have more than 1500 bytes"):
        desk.bring(directory(site.add("/f.json", collection(*large))))
    assert desk.left() == []


# In jobs

LISTS = {
    "cwlVersion": "v1.2",
    "class": "CommandLineTool",
    "id": "lists",
    "inputs": [{"id": "items", "type": {"type": "array", "items": "Directory"}}],
    "arguments": ["sh", "-c", 'for i in "$@"; do (cd "$i" && find . -type f); done | sort', "sh"],
    "outputs": [{"id": "names", "type": "stdout"}],
    "stdout": "names.txt",
}
LISTS["inputs"][0]["inputBinding"] = {"position": 9}  # type: ignore[index]


def names_of(job: Any) -> list[str]:
    outputs = job.wait(patient(60)).outcome().outputs
    return Path(uri_path(outputs["names"]["location"])).read_text().split()


@pytest.mark.parametrize("form", ["document", "pystac"])
def test_a_document_may_come_with_the_request(
    localproc_engine: Engine, site: Site, form: str
) -> None:
    document: Any = scene(site, "N")
    given = [document]
    if form == "pystac":
        given = [pystac.Item.from_dict(document, preserve_dict=True)]
    job = localproc_engine.run(LISTS, {"items": given})
    assert names_of(job) == ["./N/N.json", "./N/N.tif", "./catalog.json"]


def test_a_document_that_came_along_has_whole_addresses(localproc_engine: Engine) -> None:
    document = item({"a": {"href": "./a.tif"}}, "N")
    job = localproc_engine.run(LISTS, {"items": [document]})
    with pytest.raises(JobFailed, match="is relative to a document that came with the request"):
        job.raise_for_status()


def test_a_job_is_given_each_item_of_a_search(localproc_engine: Engine, site: Site) -> None:
    uri = site.add("/search", collection(scene(site, "N"), scene(site, "S")))
    job = localproc_engine.run(LISTS, {"items": [directory(uri)]}, assets="key=none")
    assert names_of(job) == ["./N/N.json", "./S/S.json", "./catalog.json", "./catalog.json"]
