"""All that a tool's catalog holds is published, or told of."""

import json
from pathlib import Path
from typing import Any

import pystac
import pytest

from localproc.errors import StagingError
from localproc.plugins.storage import Description
from localproc.storage.stac_schemas import StacSchemas
from tests.storage.desk import directory, item, read, tree, write
from tests.storage.recorder import Recorder
from tests.storage.test_publish import BUCKET, JOB, Work, scene

COLLECTION = {
    "type": "Collection",
    "stac_version": "1.1.0",
    "stac_extensions": ["https://stac-extensions.github.io/version/v1.2.0/schema.json"],
    "id": "water",
    "title": "Water bodies",
    "description": "Where there is water",
    "license": "CC-BY-4.0",
    "keywords": ["water"],
    "providers": [{"name": "ESA", "roles": ["producer"]}],
    "summaries": {"gsd": [10]},
    "extent": {
        "spatial": {"bbox": [[-40.0, -10.0, -30.0, 0.0]]},
        "temporal": {"interval": [["2020-01-01T00:00:00Z", None]]},
    },
}


@pytest.fixture
def work(tmp_path: Path) -> Work:
    return Work(tmp_path)


def links(*hrefs: str, rel: str = "item") -> list[dict[str, str]]:
    return [{"rel": rel, "href": href} for href in hrefs]


def written(work: Work, path: str, document: Any) -> None:
    write(work.folder / "work" / "out" / path, document)


def out(work: Work, *links: dict[str, str]) -> dict[str, Any]:
    return {"out": work.catalog("out", links=list(links))}


# Collections


def collection_with_items(work: Work, **fields: Any) -> dict[str, Any]:
    outputs = out(work, *links("water/collection.json", rel="child"))
    found = {**COLLECTION, **fields, "links": links("N.json")}
    written(work, "water/collection.json", found)
    written(work, "water/N.json", item({"mask": {"href": "mask.tif"}}, "N"))
    work.file("out/water/mask.tif", "pixels")
    return outputs


def test_a_collection_keeps_what_it_says(work: Work) -> None:
    work.publish(collection_with_items(work))
    published = work.read("job-1/collection.json")
    for name in COLLECTION.keys() - {"id"}:
        assert published[name] == COLLECTION[name], name
    assert published["id"] == JOB
    assert "work/out/water/collection.json (water) becomes the collection job-1" in work.log
    (child,) = [one for one in work.read("catalog.json")["links"] if one["rel"] == "child"]
    assert child["title"] == "Water bodies"
    assert work.read("job-1/N/N.json")["links"][0]["title"] == "Water bodies"


def test_assets_of_a_collection_are_published(work: Work) -> None:
    assets = {
        "preview": {"href": "./look at.png", "type": "image/png"},
        "far": {"href": "s3://bucket/a"},
    }
    outputs = collection_with_items(work, assets=assets)
    work.file("out/water/look at.png", "look")
    work.publish(outputs)
    published = work.read("job-1/collection.json")["assets"]
    assert published["preview"] == {"href": "./look_at.png", "type": "image/png"}
    assert published["far"] == {"href": "s3://bucket/a"}
    assert (work.results / JOB / "look_at.png").read_text() == "look"


def test_an_asset_of_a_collection_has_to_be_there(work: Work) -> None:
    outputs = collection_with_items(work, assets={"preview": {"href": "look.png"}})
    with pytest.raises(StagingError, match=r"the asset 'preview' of .*collection\.json does not"):
        work.publish(outputs)


def test_two_collections_stay_two(work: Work) -> None:
    """Also where their items have one id."""
    outputs = out(work, *links("a/collection.json", "b/collection.json", rel="child"))
    for name in "ab":
        found = {**COLLECTION, "id": name, "title": name.upper(), "links": links("N.json")}
        written(work, f"{name}/collection.json", found)
        written(work, f"{name}/N.json", item({"mask": {"href": "mask.tif"}}, "N"))
        work.file(f"out/{name}/mask.tif", name)
    _, features = work.publish(outputs)
    assert [one["collection"] for one in features["out"]["features"]] == ["job-1", "job-1-b"]
    for folder, name in ((JOB, "a"), ("job-1-b", "b")):
        assert (work.results / folder / "N" / "mask.tif").read_text() == name
        assert work.read(f"{folder}/collection.json")["title"] == name.upper()


def test_one_collection_in_several_catalogs_is_one(work: Work) -> None:
    """As each step of a scatter writes it."""
    outputs = []
    for name, east in (("N", 10.0), ("S", 20.0)):
        value = work.catalog(name, links=links("water/collection.json", rel="child"))
        extent = {
            "spatial": {"bbox": [[0.0, 0.0, east, 1.0]]},
            "temporal": {"interval": [["2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z"]]},
        }
        found = {**COLLECTION, "extent": extent, "links": links("item.json")}
        write(work.folder / "work" / name / "water" / "collection.json", found)
        write(work.folder / "work" / name / "water" / "item.json", item({}, name))
        outputs.append(value)
    _, features = work.publish({"out": outputs})
    assert [one["id"] for one in features["out"]["features"]] == ["N", "S"]
    published = work.read("job-1/collection.json")
    assert published["title"] == "Water bodies"
    assert published["extent"]["spatial"]["bbox"] == [[0.0, 0.0, 20.0, 1.0]]


def test_a_collection_may_be_the_catalog_itself(work: Work) -> None:
    outputs = out(work)
    written(work, "catalog.json", {**COLLECTION, "links": links("N.json")})
    written(work, "N.json", item({}, "N"))
    work.publish(outputs)
    assert work.read("job-1/collection.json")["title"] == "Water bodies"
    assert work.read("job-1/N/N.json")["collection"] == JOB


def test_a_collection_without_items_is_published(work: Work) -> None:
    outputs = out(work, *links("c.json", rel="child"))
    written(work, "c.json", {**COLLECTION, "assets": {"a": {"href": "a.tif"}}, "links": []})
    work.file("out/a.tif", "pixels")
    _, features = work.publish(outputs)
    assert features["out"]["features"] == []
    assert (work.results / JOB / "a.tif").read_text() == "pixels"


# Items


def test_items_of_a_feature_collection_are_published(work: Work) -> None:
    outputs = out(work, *links("all/items.json"))
    features = [item({"m": {"href": f"{name}.tif"}}, name) for name in "NS"]
    written(work, "all/items.json", {"type": "FeatureCollection", "features": features})
    for name in "NS":
        work.file(f"out/all/{name}.tif", name)
    _, published = work.publish(outputs)
    assert [one["id"] for one in published["out"]["features"]] == ["N", "S"]
    assert (work.results / JOB / "S" / "S.tif").read_text() == "S"


def test_a_link_to_a_feature_collection_becomes_links_to_its_items(work: Work) -> None:
    outputs = out(work, *links("c.json", rel="child"))
    written(work, "c.json", {**COLLECTION, "links": links("all.json", rel="items")})
    features = [item({}, name) for name in "NS"]
    written(work, "all.json", {"type": "FeatureCollection", "features": features})
    work.publish(outputs)
    document = json.loads((work.results / JOB / "collection.json").read_text())
    said = [(one["rel"], one["href"]) for one in document["links"] if one["rel"].startswith("item")]
    assert said == [("item", "./N/N.json"), ("item", "./S/S.json")]


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"type": "FeatureCollection"}, "is a FeatureCollection without features"),
        ({"type": "FeatureCollection", "features": [5]}, "feature 0 is not a STAC document"),
        (
            {"type": "FeatureCollection", "features": [{"type": "Feature"}]},
            "feature 0 is a Feature",
        ),
        ({"type": "Feature", "assets": {}}, "has no id"),
        ({"type": "Feature", "id": 5, "assets": {}}, "has no id"),
        ({**COLLECTION, "id": ""}, "has no id"),
        ({**COLLECTION, "assets": [1]}, "assets"),
    ],
)
def test_what_is_no_stac_is_told_with_its_file(work: Work, document: Any, reason: str) -> None:
    outputs = out(work, *links("odd.json"))
    written(work, "odd.json", document)
    with pytest.raises(StagingError, match=rf"odd\.json.*{reason}|{reason}.*odd\.json"):
        work.publish(outputs)


def test_items_on_the_web_stay_there_and_are_told(work: Work) -> None:
    far = "https://example.com/item.json"
    outputs = out(work, *links(far))
    _, features = work.publish(outputs)
    assert features["out"]["features"] == []
    assert {"rel": "item", "href": far} in work.read("job-1/collection.json")["links"]
    assert f"work/out/catalog.json: {far} stays where it is" in work.log


@pytest.mark.parametrize(
    "href", ["/vsicurl/https://x.org/a.tif", "/vsizip/a.zip/a.tif", "gs://b/a"]
)
def test_an_asset_that_only_gdal_can_open_stays_there(work: Work, href: str) -> None:
    work.publish({"out": work.catalog("out", item({"far": {"href": href}}, "N", links=[]))})
    assert work.read("job-1/N/N.json")["assets"]["far"]["href"] == href
    assert "the item N: the asset 'far' stays where it is" in work.log


def test_keys_of_assets_may_have_slashes(work: Work) -> None:
    assets = {"a/b": {"href": "1/x.tif"}, "c/../d": {"href": "2/x.tif"}}
    value = work.catalog("out", item(assets, "N"))
    for number in (1, 2):
        work.file(f"out/N/{number}/x.tif", str(number))
    work.publish({"out": value})
    published = work.read("job-1/N/N.json")["assets"]
    assert published["a/b"]["href"] == "./x.tif"
    assert published["c/../d"]["href"] == "./c_.._d_x.tif"


# Links and files


def test_links_take_their_files_along(work: Work) -> None:
    relative = [
        {"rel": "license", "href": "../LICENSE.txt"},
        {"rel": "preview", "href": "look%20at.png", "title": "A look"},
        {"rel": "derived_from", "href": "../S/S.json"},
        {"rel": "via", "href": "https://example.com/l1.json"},
        {"rel": "about", "href": "missing.html"},
    ]
    value = work.catalog("out", scene("N", links=relative), scene("S"))
    work.file("out/LICENSE.txt", "free")
    work.file("out/N/look at.png", "look")
    work.publish({"out": value})
    found = {one["rel"]: one for one in work.read("job-1/N/N.json")["links"]}
    place = work.results / JOB / "N"
    assert (place / found["license"]["href"]).read_text() == "free"
    assert (place / found["preview"]["href"]).read_text() == "look"
    assert found["preview"]["title"] == "A look"
    assert found["derived_from"]["href"] == "../S/S.json"
    assert found["via"]["href"] == "https://example.com/l1.json"
    assert "about" not in found
    assert any("missing.html, which does not exist, is left out" in line for line in work.log)


def test_links_of_a_collection_take_their_files_along(work: Work) -> None:
    outputs = collection_with_items(work)
    found = read(work.folder / "work" / "out" / "water" / "collection.json")
    found["links"] += links("LICENSE", rel="license")
    written(work, "water/collection.json", found)
    work.file("out/water/LICENSE", "free")
    work.publish(outputs)
    assert (work.results / JOB / "LICENSE").read_text() == "free"
    assert {"rel": "license", "href": "./LICENSE"} in work.read("job-1/collection.json")["links"]


def test_links_of_a_catalog_stay_with_its_first_collection(work: Work) -> None:
    value = work.catalog("out", scene("N", "look.png"))
    found = read(work.folder / "work" / "out" / "catalog.json")
    found["links"] += [
        *links("LICENSE", rel="license"),
        *links("N/look.png", rel="preview"),
        *links("https://example.com/more.json", rel="via"),
    ]
    written(work, "catalog.json", found)
    work.file("out/LICENSE", "free")
    work.publish({"out": value})
    published = work.read("job-1/collection.json")["links"]
    assert [one for one in published if one["rel"] not in ("root", "parent", "item")] == [
        {"rel": "license", "href": "./LICENSE"},
        {"rel": "preview", "href": "./N/look.png"},
        {"rel": "via", "href": "https://example.com/more.json"},
    ]
    assert (work.results / JOB / "LICENSE").read_text() == "free"


@pytest.mark.parametrize("at", ["catalog.json", "water/collection.json"])
def test_a_link_to_items_on_the_web_is_kept_once(work: Work, at: str) -> None:
    outputs = collection_with_items(work)
    found = read(work.folder / "work" / "out" / at)
    found["links"] += [*links("https://example.com/items", rel="items"), {"href": "mask.tif"}]
    written(work, at, found)
    work.publish(outputs)
    hrefs = [one["href"] for one in work.read("job-1/collection.json")["links"]]
    assert hrefs.count("https://example.com/items") == 1


def test_files_that_nothing_names_are_published_and_linked(work: Work) -> None:
    value = work.catalog("out", scene("N", "mask.tif"))
    work.file("out/report.html", "report")
    work.file("out/N/mask.tif.aux.xml", "aux")
    work.file("out/more/deep er/table.csv", "table")
    _, features = work.publish({"out": value})
    assert tree(work.results / JOB) == [
        "N/N.json",
        "N/mask.tif",
        "N/mask.tif.aux.xml",
        "collection.json",
        "more/deep_er/table.csv",
        "report.html",
    ]
    related = [
        one["href"]
        for one in work.read("job-1/collection.json")["links"]
        if one["rel"] == "related"
    ]
    assert related == ["./report.html", "./more/deep_er/table.csv"]
    (feature,) = features["out"]["features"]
    assert feature["links"][-1]["href"].endswith("/job-1/N/mask.tif.aux.xml")


def test_of_two_files_that_an_href_may_mean_the_quoted_one_is_taken_and_told(work: Work) -> None:
    value = work.catalog("out", scene("N", "a%20b.tif"))
    work.file("out/N/a b.tif", "meant")
    work.publish({"out": value})
    (asset,) = work.read("job-1/N/N.json")["assets"].values()
    assert (work.results / JOB / "N" / asset["href"]).read_text() == "meant"
    assert any("a%20b.tif means 'a b.tif'" in line for line in work.log)


def test_links_that_nothing_names_are_left_out_and_told(work: Work) -> None:
    value = work.catalog("out", scene("N", "mask.tif"))
    for name, target in (("script.py", "/etc/hosts"), ("folder", "/etc"), ("away", "nowhere")):
        (work.folder / "work" / "out" / name).symlink_to(target)
        work.log.clear()
    work.publish({"out": value})
    assert tree(work.results / JOB) == ["N/N.json", "N/mask.tif", "collection.json"]
    for name in ("script.py", "folder", "away"):
        said = f"work/out/{name} is left out: it is a link that nothing in the catalog names"
        assert said in work.log


def test_nothing_named_is_published_twice(work: Work) -> None:
    cube = item({"cube": {"href": "cube.zarr"}, "same": {"href": "./cube.zarr"}}, "N")
    value = work.catalog("out", item({}, "N"))
    written(work, "N/N.json", cube)
    work.file("out/N/cube.zarr/0/0.0", "chunk")
    storage = Recorder()
    work.publish({"out": value}, storage)
    # Uploads run side by side: in what order they end is not promised.
    assert sorted(uri for uri in storage.objects if "/0/0.0" in uri) == [
        f"{BUCKET}/job-1/N/cube.zarr/0/0.0",
        f"{BUCKET}/job-1/N/same_cube.zarr/0/0.0",
    ]


def test_catalogs_that_only_join_others_are_told_of(work: Work) -> None:
    below = work.catalog("out/below", scene("N", "mask.tif"))
    assert below["class"] == "Directory"
    work.publish(out(work, *links("below/catalog.json", rel="child")))
    assert "work/out/below/catalog.json (out/below) becomes a part of catalog.json" in work.log


# Values


def test_what_is_no_number_is_not_published_as_one(work: Work) -> None:
    bands = [{"nodata": float("nan"), "scale": float("inf")}, {"nodata": float("-inf")}]
    document = item({"m": {"href": "m.tif", "raster:bands": bands}}, "N")
    document["properties"]["x:mean"] = float("nan")
    value = work.catalog("out", document)
    _, features = work.publish({"out": value})
    json.dumps(features, allow_nan=False)
    text = (work.results / JOB / "N" / "N.json").read_text()
    published = json.loads(text, parse_constant=pytest.fail)
    assert published["properties"]["x:mean"] is None
    assert published["assets"]["m"]["raster:bands"] == [
        {"nodata": "nan", "scale": None},
        {"nodata": "-inf"},
    ]


@pytest.mark.parametrize(
    ("version", "published"),
    [("1.0.0", "1.0.0"), ("1.1.0", "1.1.0"), ("0.9.0", "1.0.0"), (None, "1.0.0"), (5, "1.0.0")],
)
def test_what_is_written_anew_has_a_version_of_its_form(
    work: Work, version: Any, published: str
) -> None:
    work.publish({"out": work.catalog("out", scene("N", stac_version=version))})
    assert work.read("catalog.json")["stac_version"] == published
    assert work.read("job-1/collection.json")["stac_version"] == published
    assert work.read("job-1/N/N.json")["stac_version"] == version


@pytest.mark.parametrize(
    "fields",
    [
        {"bbox": [1, 2, 3]},
        {"bbox": [1, 2, 3, 4, 5]},
        {"bbox": "1,2,3,4"},
        {"bbox": [1, 2, "3", 4]},
        {"bbox": [0, 10, 1, 5]},
        {"bbox": [float("nan"), 0, 1, 1]},
        {"properties": {"datetime": "yesterday"}},
        {"properties": {"datetime": 20260531}},
        {"properties": {"datetime": "2026-05-31"}},
        {"properties": {"datetime": None, "start_datetime": "2026-13-01T00:00:00Z"}},
    ],
)
def test_a_place_or_a_time_that_is_none_is_left_out_of_the_extent(work: Work, fields: Any) -> None:
    """It is told with its file, and by ``--validate-results``, which may refuse it."""
    other = scene("S", bbox=[1, 2, 3, 4])
    work.publish({"out": work.catalog("out", scene("N", **fields), other)})
    extent = work.read("job-1/collection.json")["extent"]
    times = [["2026-05-31T12:00:00Z"] * 2]
    assert extent == {"spatial": {"bbox": [[1, 2, 3, 4]]}, "temporal": {"interval": times}}
    (told,) = [line for line in work.log if "is none" in line]
    assert "work/out/N/N.json is none: it is left out of the extent" in told
    assert StacSchemas().verdict(work.read("job-1/N/N.json")).wrong != ()


def test_an_extent_that_is_none_is_told_and_made_anew(work: Work) -> None:
    outputs = out(work, *links("odd.json"))
    written(work, "odd.json", {**COLLECTION, "extent": {"spatial": 5}})
    work.publish(outputs)
    assert any("the extent {'spatial': 5} in work/out/odd.json is none" in one for one in work.log)
    (name,) = (path.parent.name for path in work.results.rglob("collection.json"))
    extent = work.read(f"{name}/collection.json")["extent"]
    assert extent["spatial"]["bbox"] == [[-180.0, -90.0, 180.0, 90.0]]


def test_a_storage_can_say_what_an_item_has_to_declare(work: Work) -> None:
    class Described(Recorder):
        def describe(self, uri: str) -> Description:
            fields = {"storage:refs": ["main"]}
            schemes = {"storage:schemes": {"main": {"type": "custom-s3"}}}
            return Description(fields, schemes, ("https://example.com/storage.json",))

    document = scene("N", "a.tif", "b.tif", stac_extensions=["https://example.com/eo.json"])
    _, features = work.publish({"out": work.catalog("out", document)}, Described())
    (feature,) = features["out"]["features"]
    assert feature["stac_extensions"] == [
        "https://example.com/eo.json",
        "https://example.com/storage.json",
        "https://stac-extensions.github.io/file/v2.1.0/schema.json",
    ]
    assert feature["properties"]["storage:schemes"] == {"main": {"type": "custom-s3"}}
    assert feature["assets"]["a"]["storage:refs"] == ["main"]


def test_every_href_opens_in_pystac(work: Work) -> None:
    assets = {name: {"href": name} for name in ("a b.tif", "é.tif", "a#1.tif", "B04:10m.tif", "q?")}
    work.publish({"out": work.catalog("out", item(assets, "a b"))})
    catalog = pystac.Catalog.from_file(str(work.results / "catalog.json"))
    (found,) = catalog.get_items(recursive=True)
    for name, asset in found.assets.items():
        href = asset.get_absolute_href()
        assert href is not None
        assert Path(href).read_text() == f"a b {name}"


def test_a_folder_that_cannot_be_followed_is_told(work: Work) -> None:
    folder = work.folder / "work" / "folder"
    folder.mkdir(parents=True)
    (folder / "loop").symlink_to("loop")
    work.publish({"out": directory(folder.as_uri())})
    assert any("folder/loop is left out" in line for line in work.log)
