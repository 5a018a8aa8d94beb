"""Results on their way to where they stay."""

import copy
import hashlib
import itertools
import json
import os
import threading
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pystac
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from localproc import Engine
from localproc.cwl.base.files import walk
from localproc.errors import InvalidInputs, JobFailed, NoSpace, PluginMissing, StagingError
from localproc.plugins.storage import Info, Put, Storage, Watch, unwatched
from localproc.storage.filesystem import FilesystemStorage
from localproc.storage.meter import Meter
from localproc.storage.publish import Publisher
from localproc.storage.results_place import results_uri
from localproc.uris import path_uri, uri_path
from tests.conftest import fill
from tests.patience import patient
from tests.storage.desk import directory, item, read, tree, write
from tests.storage.recorder import Crashed, Recorder

JOB = "job-1"
BUCKET = "mem://bucket/job-1"


class Work:
    """A job's folder, whose tools have just written their outputs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.results = folder / "results" / JOB
        self.log: list[str] = []

    def file(self, path: str, text: str = "x", **fields: Any) -> dict[str, Any]:
        """Write a file; give its File object."""
        place = self.folder / "work" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        return {
            "class": "File",
            "location": path_uri(str(place)),
            "basename": place.name,
            **fields,
        }

    def catalog(self, name: str, *items: dict[str, Any], links: Any = ()) -> dict[str, Any]:
        """Write a catalog with items, their assets too; give its Directory object."""
        folder = self.folder / "work" / name
        ids = [quote(one["id"]) for one in items]
        found = [{"rel": "item", "href": f"./{one}/{one}.json"} for one in ids]
        for one in items:
            write(folder / one["id"] / f"{one['id']}.json", one)
            for asset in one["assets"].values():
                if "/" not in asset["href"].removeprefix("./"):
                    (folder / one["id"] / asset["href"]).write_text(f"{one['id']} {asset['href']}")
        document = {"type": "Catalog", "id": name, "stac_version": "1.0.0", "description": name}
        write(folder / "catalog.json", document | {"links": [*found, *links]})
        return directory(path_uri(str(folder)))

    def publish(
        self, outputs: dict[str, Any], storage: Storage | None = None, **options: Any
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Publish outputs, into a folder of this machine unless another storage is given."""
        root = path_uri(str(self.results)) if storage is None else BUCKET
        options = {"own": (str(self.folder / "work"),), "inputs": ()} | options
        publisher = Publisher(
            storage or FilesystemStorage(), root, JOB, log=self.log.append, **options
        )
        return publisher.publish(outputs)

    def read(self, path: str) -> Any:
        """Read a document of the results."""
        return read(self.results / path)


@pytest.fixture
def work(tmp_path: Path) -> Work:
    return Work(tmp_path)


def scene(item_id: str, *names: str, **fields: Any) -> dict[str, Any]:
    """Make an item with assets of these names, which lie beside it."""
    assets = {name.partition(".")[0]: {"href": f"./{name}", "type": "image/tiff"} for name in names}
    return item(assets, item_id, **fields)


def test_bytes_are_counted_as_they_go(work: Work) -> None:
    told: list[tuple[int, int | None]] = []
    seconds = itertools.count(0.0, 10.0)
    meter = Meter(lambda *far: told.append(far), lambda: next(seconds))
    work.publish({"a": work.file("a.txt", "aaa"), "b": work.file("b.txt", "bb")}, meter=meter)
    whole = sum((work.results / name).stat().st_size for name in tree(work.results))
    assert {total for _, total in told} == {whole}
    assert told[-1] == (whole, whole)
    assert told == sorted(told)


# Catalogs


def test_a_catalog_gets_the_layout_of_results(work: Work) -> None:
    outputs = {"out": work.catalog("out", scene("N", "mask.tif"), scene("S", "mask.tif", "q.png"))}
    published, _ = work.publish(outputs)
    assert tree(work.results) == [
        "catalog.json",
        "job-1/N/N.json",
        "job-1/N/mask.tif",
        "job-1/S/S.json",
        "job-1/S/mask.tif",
        "job-1/S/q.png",
        "job-1/collection.json",
    ]
    assert (work.results / JOB / "S" / "mask.tif").read_text() == "S ./mask.tif"
    assert published == {
        "out": {
            "class": "Directory",
            "location": path_uri(str(work.results)),
            "basename": JOB,
        }
    }


def test_the_catalog_and_the_collection_say_what_there_is(work: Work) -> None:
    items = [
        scene("N", "mask.tif", bbox=[-35.0, -8.0, -34.0, -7.0]),
        scene("S", "mask.tif", bbox=[-36.0, -9.0, 0.0, -34.5, -8.5, 10.0]),
    ]
    items[1]["properties"] = {
        "datetime": None,
        "start_datetime": "2026-01-01T00:00:00Z",
        "end_datetime": "2026-06-30T00:00:00Z",
    }
    work.publish({"out": work.catalog("out", *items)})
    child = {
        "rel": "child",
        "href": "./job-1/collection.json",
        "type": "application/json",
        "title": "Processing results",
    }
    assert work.read("catalog.json")["links"] == [
        {"rel": "root", "href": "./catalog.json", "type": "application/json"},
        child,
    ]
    collection = work.read("job-1/collection.json")
    assert (collection["type"], collection["id"]) == ("Collection", JOB)
    assert collection["extent"] == {
        "spatial": {"bbox": [[-36.0, -9.0, -34.0, -7.0]]},
        "temporal": {"interval": [["2026-01-01T00:00:00Z", "2026-06-30T00:00:00Z"]]},
    }
    assert [link["href"] for link in collection["links"]] == [
        "../catalog.json",
        "../catalog.json",
        "./N/N.json",
        "./S/S.json",
    ]


def test_links_are_relative_in_files_and_absolute_in_the_document(work: Work) -> None:
    _, features = work.publish({"out": work.catalog("out", scene("N", "mask.tif"))})
    folder = path_uri(str(work.results))
    (feature,) = features["out"]["features"]
    assert features["out"]["type"] == "FeatureCollection"
    assert {link["rel"]: link["href"] for link in feature["links"]} == {
        "collection": f"{folder}/job-1/collection.json",
        "root": f"{folder}/catalog.json",
        "self": f"{folder}/job-1/N/N.json",
        "parent": f"{folder}/job-1/collection.json",
    }
    assert feature["assets"]["mask"]["href"] == f"{folder}/job-1/N/mask.tif"
    written = work.read("job-1/N/N.json")
    assert {link["rel"]: link["href"] for link in written["links"]} == {
        "collection": "../collection.json",
        "root": "../../catalog.json",
        "parent": "../collection.json",
    }
    assert written["assets"]["mask"]["href"] == "./mask.tif"


def test_results_can_be_moved(work: Work) -> None:
    work.publish({"out": work.catalog("out", scene("N", "mask.tif"), scene("S", "mask.tif"))})
    moved = work.results.rename(work.folder / "moved")
    catalog = pystac.Catalog.from_file(str(moved / "catalog.json"))
    items = list(catalog.get_items(recursive=True))
    assert [one.id for one in items] == ["N", "S"]
    for one in items:
        href = one.assets["mask"].get_absolute_href()
        assert href is not None
        assert Path(href).read_text() == f"{one.id} ./mask.tif"


def test_items_keep_their_version_and_their_fields(work: Work) -> None:
    original = scene("N", "mask.tif", **{"x:own": [1, {"deep": None}]})
    before = copy.deepcopy(original)
    _, features = work.publish({"out": work.catalog("out", original)})
    for published in (work.read("job-1/N/N.json"), *features["out"]["features"]):
        assert published["stac_version"] == "1.0.0"
        assert published["properties"]["proj:epsg"] == 32725
        assert published["collection"] == JOB
        for name in before.keys() - {"links", "assets", "collection"}:
            assert published[name] == before[name], name
        assert published["assets"]["mask"]["type"] == "image/tiff"
    for path in ("catalog.json", "job-1/collection.json"):
        assert work.read(path)["stac_version"] == "1.0.0"


def test_on_other_storages_links_of_items_stay_absolute(work: Work) -> None:
    storage = Recorder()
    work.publish({"out": work.catalog("out", scene("N", "mask.tif"))}, storage)
    written = json.loads(storage.objects[f"{BUCKET}/job-1/N/N.json"])
    assert written["assets"]["mask"]["href"] == f"{BUCKET}/job-1/N/mask.tif"
    assert written["assets"]["mask"]["storage:platform"] == "memory"
    assert {link["rel"] for link in written["links"]} == {"collection", "root", "self", "parent"}


def test_two_catalogs_are_two_collections_of_one_catalog(work: Work) -> None:
    outputs = {
        "masks": work.catalog("masks", scene("N", "mask.tif")),
        "looks": work.catalog("looks", scene("N", "look.png")),
    }
    published, features = work.publish(outputs)
    assert published["masks"] == published["looks"]
    assert [one["collection"] for one in features["masks"]["features"]] == ["job-1"]
    assert [one["collection"] for one in features["looks"]["features"]] == ["job-1-looks"]
    children = [one["href"] for one in work.read("catalog.json")["links"] if one["rel"] == "child"]
    assert children == ["./job-1/collection.json", "./job-1-looks/collection.json"]
    assert (work.results / "job-1-looks" / "N" / "look.png").exists()
    assert work.read("job-1-looks/collection.json")["id"] == "job-1-looks"


def test_an_array_of_catalogs_is_one_collection(work: Work) -> None:
    value = [work.catalog(name, scene(name, "mask.tif")) for name in ("N", "S")]
    published, features = work.publish({"out": [value, [work.catalog("W", scene("W"))]]})
    assert [one["id"] for one in features["out"]["features"]] == ["N", "S", "W"]
    assert [one["basename"] for one in published["out"][0]] == [JOB, JOB]


def test_catalogs_within_catalogs_are_followed(work: Work) -> None:
    below = work.catalog("out/below", scene("N", "mask.tif"))
    assert below["basename"] == "below"
    value = work.catalog("out", links=[{"rel": "child", "href": "below/catalog.json"}])
    _, features = work.publish({"out": value})
    assert [one["id"] for one in features["out"]["features"]] == ["N"]


def test_a_catalog_that_names_itself_ends(work: Work) -> None:
    links = [{"rel": "child", "href": "catalog.json"}, {"rel": "item", "href": "N/N.json"}]
    value = work.catalog("out", scene("N", "mask.tif"), links=links)
    _, features = work.publish({"out": value})
    assert len(features["out"]["features"]) == 1


def test_an_empty_catalog_is_published_and_noted(work: Work) -> None:
    _, features = work.publish({"out": work.catalog("out")})
    assert features["out"]["features"] == []
    assert tree(work.results) == ["catalog.json", "job-1/collection.json"]
    assert "out: the catalog has no items" in work.log
    collection = pystac.Collection.from_file(str(work.results / JOB / "collection.json"))
    assert list(collection.get_items()) == []


def test_assets_that_lie_elsewhere_stay_there(work: Work) -> None:
    document = item({"far": {"href": "s3://bucket/far.tif"}, "near": {"href": "near.tif"}}, "N")
    work.publish({"out": work.catalog("out", document)})
    assets = work.read("job-1/N/N.json")["assets"]
    assert (assets["far"]["href"], assets["near"]["href"]) == ("s3://bucket/far.tif", "./near.tif")


def test_assets_of_one_name_are_told_apart(work: Work) -> None:
    names = {"a": "1/x.tif", "b": "2/x.tif", "c": "3/N.json"}
    value = work.catalog("out", item({key: {"href": href} for key, href in names.items()}, "N"))
    for key, name in names.items():
        work.file(f"out/N/{name}", key)
    work.publish({"out": value})
    assets = work.read("job-1/N/N.json")["assets"]
    assert {key: one["href"] for key, one in assets.items()} == {
        "a": "./x.tif",
        "b": "./b_x.tif",
        "c": "./c_N.json",
    }
    for key, one in assets.items():
        assert (work.results / JOB / "N" / one["href"]).read_text() == key


def test_no_asset_takes_the_place_of_another(work: Work) -> None:
    names = {"first": "1/a_x.tif", "second": "2/x.tif", "a": "3/x.tif"}
    value = work.catalog("out", item({key: {"href": href} for key, href in names.items()}, "N"))
    for key, name in names.items():
        work.file(f"out/N/{name}", key)
    work.publish({"out": value})
    for key, one in work.read("job-1/N/N.json")["assets"].items():
        assert (work.results / JOB / "N" / one["href"]).read_text() == key


@pytest.mark.parametrize(
    ("item_id", "name"),
    [
        ("a b", "a_b"),
        ("é+ü", "e+u"),
        ("50%", "50_"),
        ("a%20b", "a_20b"),
        ("a#1", "a_1"),
        ("a&b=c", "a_b=c"),
        ("S2A/2026/05", "S2A_2026_05"),
        ("-rf", "_-rf"),
        ("..", "_.."),
        ("../escape", ".._escape"),
        ("日本", "__"),
        ("collection.json", "collection_2.json"),
    ],
)
def test_an_item_lies_under_a_name_that_means_itself_in_urls(
    work: Work, item_id: str, name: str
) -> None:
    value = work.catalog("out", links=[{"rel": "item", "href": "item.json"}])
    work.file("out/mask.tif")
    write(work.folder / "work" / "out" / "item.json", item({"m": {"href": "mask.tif"}}, item_id))
    work.publish({"out": value})
    names = [f"{name}/{name}.json", f"{name}/mask.tif", "collection.json"]
    assert tree(work.results) == ["catalog.json", *sorted(f"job-1/{one}" for one in names)]
    assert work.read(f"job-1/{name}/{name}.json")["id"] == item_id
    assert any(repr(item_id) in line and name in line for line in work.log)


def test_a_long_id_is_cut_and_told_from_others(work: Work) -> None:
    ids = ["x" * 300 + end for end in "ab"]
    value = work.catalog("out", links=[{"rel": "item", "href": f"{end}.json"} for end in "ab"])
    for end, item_id in zip("ab", ids, strict=True):
        write(work.folder / "work" / "out" / f"{end}.json", item({}, item_id))
    _, features = work.publish({"out": value})
    assert [one["id"] for one in features["out"]["features"]] == ids
    assert len(list((work.results / JOB).iterdir())) == 3


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("a b.tif", "a_b.tif"),
        ("é+ü.tif", "e+u.tif"),
        ("50%.tif", "50_.tif"),
        ("a%20b.tif", "a_20b.tif"),
        ("a#1.tif", "a_1.tif"),
        ("q?.tif", "q_.tif"),
        ("a;b.tif", "a_b.tif"),
        ("B04:10m.tif", "B04_10m.tif"),
    ],
)
def test_an_asset_lies_under_a_name_that_means_itself_in_urls(
    work: Work, name: str, published: str
) -> None:
    value = work.catalog("out", item({"mask": {"href": name}}, "N"))
    _, features = work.publish({"out": value})
    assert (work.results / JOB / "N" / published).exists()
    assert work.read("job-1/N/N.json")["assets"]["mask"]["href"] == f"./{published}"
    assert features["out"]["features"][0]["assets"]["mask"]["href"].endswith(f"/N/{published}")


def test_an_asset_may_be_a_folder(work: Work) -> None:
    value = work.catalog("out", scene("N"))
    document = item({"cube": {"href": "cube.zarr", "type": "application/vnd+zarr"}}, "N")
    write(work.folder / "work" / "out" / "N" / "N.json", document)
    work.file("out/N/cube.zarr/0/0.0", "chunk")
    _, features = work.publish({"out": value})
    assert (work.results / JOB / "N" / "cube.zarr" / "0" / "0.0").read_text() == "chunk"
    (feature,) = features["out"]["features"]
    assert feature["assets"]["cube"]["href"].endswith("/job-1/N/cube.zarr")


def test_where_an_item_comes_from_is_kept(work: Work) -> None:
    origin = {"rel": "derived_from", "href": "https://example.com/l1.json"}
    document = scene("N", "mask.tif", links=[{"rel": "root", "href": "../catalog.json"}, origin])
    _, features = work.publish({"out": work.catalog("out", document)})
    for published in (work.read("job-1/N/N.json"), *features["out"]["features"]):
        assert published["links"][-1] == origin
        assert [one["rel"] for one in published["links"]].count("root") == 1


@pytest.mark.parametrize(
    "document",
    [
        {"type": "Catalog", "links": [{"rel": "item"}]},
        {"type": "Catalog", "links": ["item.json"]},
        {"type": "Catalog", "links": 5},
    ],
)
def test_a_catalog_with_links_that_are_none_is_told(work: Work, document: Any) -> None:
    value = work.catalog("out")
    write(work.folder / "work" / "out" / "catalog.json", document)
    with pytest.raises(StagingError, match=r"catalog\.json has a link without href"):
        work.publish({"out": value})


@pytest.mark.parametrize("fields", [{"bbox": None}, {"bbox": []}, {"properties": None}])
def test_an_item_without_place_and_time_is_published(work: Work, fields: Any) -> None:
    work.publish({"out": work.catalog("out", scene("N", "mask.tif", **fields))})
    assert work.read("job-1/N/N.json")["id"] == "N"


def test_an_asset_that_is_missing_is_named_and_nothing_is_published(work: Work) -> None:
    value = work.catalog("out", scene("N", "mask.tif"), scene("S", "mask.tif"))
    (work.folder / "work" / "out" / "S" / "mask.tif").unlink()
    with pytest.raises(StagingError, match=r"the asset 'mask' of the item S does not exist: .*tif"):
        work.publish({"out": value})
    assert not work.results.exists()


def test_two_items_of_one_id_are_both_published_and_told(work: Work) -> None:
    value = [work.catalog(name, scene("N", "mask.tif")) for name in ("first", "second")]
    _, features = work.publish({"out": value})
    assert [one["id"] for one in features["out"]["features"]] == ["N", "N"]
    assert tree(work.results) == [
        "catalog.json",
        "job-1/N/N.json",
        "job-1/N/mask.tif",
        "job-1/N_2/N_2.json",
        "job-1/N_2/mask.tif",
        "job-1/collection.json",
    ]
    assert "the item 'N' of work/second/N/N.json lies in N_2" in work.log


@pytest.mark.parametrize(
    ("href", "reason"),
    [
        ("../elsewhere/item.json", "leaves its folder"),
        ("link.json", "leaves its folder"),
        ("/etc/passwd", "leaves its folder"),
        ("file:///etc/passwd", "leaves its folder"),
        ("missing.json", "which does not exist"),
        ("text.json", "is not JSON"),
    ],
)
@pytest.mark.parametrize("rel", ["item", "child"])
def test_a_catalog_may_only_name_what_lies_in_its_folder(
    work: Work, rel: str, href: str, reason: str
) -> None:
    value = work.catalog("out", links=[{"rel": rel, "href": href}])
    elsewhere = work.folder / "work" / "elsewhere" / "item.json"
    write(elsewhere, item({}, "N"))
    (work.folder / "work" / "out" / "link.json").symlink_to(elsewhere)
    work.file("out/text.json", "no JSON")
    with pytest.raises(StagingError, match=reason):
        work.publish({"out": value})
    assert not work.results.exists()


@pytest.mark.parametrize("href", ["../../../secret.txt", "link.tif", "file://{}/secret.txt"])
def test_an_asset_may_not_lie_outside_the_jobs_folder(work: Work, href: str) -> None:
    (work.folder / "secret.txt").write_text("secret")
    value = work.catalog("out", item({"mask": {"href": href.format(work.folder)}}, "N"))
    place = work.folder / "work" / "out" / "N" / "link.tif"
    place.unlink(missing_ok=True)
    place.symlink_to(work.folder / "secret.txt")
    with pytest.raises(StagingError, match=r"leads out of the job's folder, to .*secret\.txt"):
        work.publish({"out": value})
    assert not work.results.exists()


def test_an_input_may_be_passed_on_as_an_asset(work: Work) -> None:
    scene_tif = work.folder / "data" / "scene.tif"
    scene_tif.parent.mkdir()
    scene_tif.write_text("pixels")
    value = work.catalog("out", item({"mask": {"href": str(scene_tif)}}, "N"))
    work.publish({"out": value}, inputs=(str(scene_tif),))
    copied = work.results / JOB / "N" / "scene.tif"
    assert copied.read_text() == "pixels"
    assert not copied.samefile(scene_tif), "who changes an input must not change a result"


def test_what_the_job_wrote_is_not_written_twice(work: Work) -> None:
    work.publish({"out": work.catalog("out", scene("N", "mask.tif"))})
    written = work.folder / "work" / "out" / "N" / "mask.tif"
    assert (work.results / JOB / "N" / "mask.tif").samefile(written)


# The order that makes the catalog the commit point


def two_scenes(work: Work) -> dict[str, Any]:
    return {
        "out": work.catalog("out", scene("N", "mask.tif", "look.png"), scene("S", "mask.tif")),
        "more": work.catalog("more", scene("W", "mask.tif")),
        "note": work.file("note.txt"),
    }


def kind(uri: str) -> str:
    name = uri.rpartition("/")[2]
    if name in ("catalog.json", "collection.json"):
        return name
    return "item" if name.endswith(".json") else "asset"


def test_assets_come_first_and_the_catalog_last(work: Work) -> None:
    storage = Recorder()
    work.publish(two_scenes(work), storage)
    assert [kind(uri) for uri in storage.order] == [
        *["asset"] * 5,
        *["item"] * 3,
        *["collection.json"] * 2,
        "catalog.json",
    ]
    assert storage.order[-1] == f"{BUCKET}/catalog.json"
    assert len(set(storage.order)) == len(storage.order)


def test_everything_has_a_media_type(work: Work) -> None:
    storage = Recorder()
    work.publish(two_scenes(work), storage)
    assert storage.media_types[f"{BUCKET}/job-1/N/mask.tif"] == "image/tiff"
    assert storage.media_types[f"{BUCKET}/job-1/N/N.json"] == "application/geo+json"
    assert storage.media_types[f"{BUCKET}/note.txt"] == "text/plain"


@pytest.mark.parametrize("late", [False, True])
def test_a_crash_at_any_put_leaves_no_catalog_and_is_mended_by_publishing_again(
    work: Work, late: bool
) -> None:
    outputs = two_scenes(work)
    whole = Recorder()
    result = work.publish(outputs, whole)
    total = len(whole.order)
    for number in range(1, total + 1):
        crashed = Recorder(crash=number, late=late)
        with pytest.raises(Crashed):
            work.publish(outputs, crashed)
        if f"{BUCKET}/catalog.json" in crashed.objects:
            assert (number, late) == (total, True)
            assert crashed.objects == whole.objects
        crashed.reboot()
        assert work.publish(outputs, crashed) == result
        assert crashed.objects == whole.objects


def test_what_cannot_be_completed_is_removed(work: Work) -> None:
    outputs = two_scenes(work)
    work.publish(outputs, whole := Recorder())
    for number in range(1, len(whole.order) + 1):
        storage = Recorder(refuse=number)
        with pytest.raises(StagingError, match="no more room"):
            work.publish(outputs, storage)
        assert storage.objects == {}


def test_a_catalog_never_outlives_what_it_names(work: Work) -> None:
    """The engine was killed just before it could record that all was published."""
    outputs = two_scenes(work)
    work.publish(outputs, whole := Recorder())
    storage = Recorder(refuse=3)
    storage.objects |= whole.objects
    with pytest.raises(StagingError, match="no more room"):
        work.publish(outputs, storage)
    assert f"{BUCKET}/catalog.json" not in storage.objects or storage.objects == whole.objects


def test_a_plan_that_fails_takes_an_earlier_catalog_away(work: Work) -> None:
    outputs = two_scenes(work)
    storage = Recorder()
    work.publish(outputs, storage)
    (work.folder / "work" / "more" / "W" / "mask.tif").unlink()
    with pytest.raises(StagingError, match="does not exist"):
        work.publish(outputs, storage)
    assert f"{BUCKET}/catalog.json" not in storage.objects


def test_why_it_failed_is_told_though_nothing_can_be_removed(work: Work) -> None:
    class Stuck(Recorder):
        def delete(self, uris: Iterable[str]) -> None:
            raise StagingError("deleting is not allowed")

    with pytest.raises(StagingError, match="no more room"):
        work.publish(two_scenes(work), Stuck(refuse=3))
    assert work.log[-1] == "not all that was written could be removed: deleting is not allowed"


def test_what_is_refused_for_a_moment_is_written_again(work: Work) -> None:
    storage = Recorder()
    storage.busy = {f"{BUCKET}/note.txt": 3, f"{BUCKET}/catalog.json": 2}
    work.publish(two_scenes(work), storage)
    assert storage.order[-1] == f"{BUCKET}/catalog.json"
    assert sum("slow down; it is tried again in" in line for line in work.log) == 5


def test_what_an_earlier_attempt_has_written_is_not_written_again(work: Work) -> None:
    outputs = two_scenes(work)
    work.publish(outputs, storage := Recorder())
    changed = f"{BUCKET}/job-1/N/look.png"
    storage.objects[changed] = b"damaged"
    before, storage.order = dict(storage.objects), []
    work.publish(outputs, storage)
    assert [uri for uri in storage.order if kind(uri) == "asset"] == [changed]
    assert storage.objects == {**before, changed: b"N ./look.png"}
    assert storage.swept == [f"{BUCKET}/"] * 2


def test_a_file_that_is_known_by_its_digest_does_not_change_on_its_way(work: Work) -> None:
    outputs = {"note": work.file("note.txt", "pixels")}
    uri = f"{BUCKET}/note.txt"

    class Watching(Recorder):
        before = "pixels"

        def put(self, what: Put, watch: Watch = unwatched) -> Info:
            assert isinstance(what.source, str)
            Path(what.source).write_text(self.before)
            return super().put(what, watch)

    work.publish(outputs, storage := Watching())
    assert storage.announced == {uri: ""}  # nothing is known before the first time
    storage.objects[uri] = b"others"
    work.publish(outputs, storage)
    assert storage.announced == {uri: hashlib.sha256(b"pixels").hexdigest()}
    storage.objects[uri], storage.before = b"others", "pixelz"
    with pytest.raises(
        StagingError, match=r"note\.txt would not be what was announced: its SHA-256"
    ):
        work.publish(outputs, storage)
    assert storage.objects == {}


def test_what_arrives_with_another_digest_than_it_has_is_no_result(work: Work) -> None:
    class Broken(Recorder):
        def put(self, what: Put, watch: Watch = unwatched) -> Info:
            return replace(super().put(what, watch), sha256="0" * 64)

    outputs = {"note": work.file("note.txt", "pixels")}
    work.publish(outputs, storage := Broken())
    storage.objects[f"{BUCKET}/note.txt"] = b"others"
    with pytest.raises(StagingError, match=r"note\.txt is not what was sent.* SHA-256 0000"):
        work.publish(outputs, storage)
    assert storage.objects == {}


@pytest.mark.parametrize("failing", [0, 1, 5])
def test_what_an_earlier_attempt_has_written_goes_too(work: Work, failing: int) -> None:
    """Also what this one has not come to plan: it ends before, while it plans, while it writes."""
    outputs = two_scenes(work)
    work.publish(outputs, storage := Recorder())
    seen = itertools.count()
    with pytest.raises(StagingError, match="the job was dismissed"):
        work.publish(outputs, storage, stopped=lambda: next(seen) >= failing)
    assert storage.objects == {}


def test_a_file_that_arrives_as_another_is_no_result(work: Work) -> None:
    class Broken(Recorder):
        def put(self, what: Put, watch: Watch = unwatched) -> Info:
            return replace(super().put(what, watch), size=1)

    storage = Broken()
    with pytest.raises(StagingError, match=r"note\.txt is not what was sent"):
        work.publish({"note": work.file("note.txt", "pixels")}, storage)
    assert storage.objects == {}


def test_a_dismissal_does_not_wait_for_an_upload_that_hangs(work: Work) -> None:
    """It hangs until the test is over, and so would the test; what comes late is removed."""
    began, over, late = threading.Event(), threading.Event(), threading.Event()

    class Hanging(Recorder):
        def put(self, what: Put, watch: Watch = unwatched) -> Info:
            began.set()
            over.wait(patient(60))
            return super().put(what, watch)

        def delete(self, uris: Iterable[str]) -> None:
            super().delete(uris)
            if over.is_set():
                late.set()

    storage = Hanging()
    with pytest.raises(StagingError, match="the job was dismissed"):
        work.publish({"note": work.file("note.txt")}, storage, stopped=began.is_set)
    over.set()
    assert late.wait(patient(30))
    assert storage.objects == {}


def test_a_dismissal_does_not_wait_for_a_storage_that_is_silent(work: Work) -> None:
    over = threading.Event()

    class Silent(Recorder):
        def delete(self, uris: Iterable[str]) -> None:
            over.wait(patient(60))

    with pytest.raises(StagingError, match="the job was dismissed"):
        work.publish({"note": work.file("note.txt")}, Silent(), stopped=lambda: True)
    assert work.log[-1] == "what was written is still being removed: its storage does not answer"
    over.set()


@pytest.mark.parametrize("filler", [0, 1])
def test_a_full_disk_is_told_and_nothing_is_left(work: Work, small_disk: Path, filler: int) -> None:
    """Full from the start, or only when the second file comes."""
    work.results = small_disk / "results" / JOB
    work.results.parent.mkdir()
    if filler:
        fill(small_disk / "filler")
    outputs = {
        "out": work.catalog("out", scene("N", "mask.tif")),
        "first": work.file("1/first.bin", "x" * (2 << 20)),
        "second": work.file("1/second.bin", "x" * (2 << 20)),
    }
    with pytest.raises(NoSpace, match=r"no space left for .*/results/job-1/") as error:
        work.publish(outputs)
    assert "make room on the disk of" in error.value.hint
    assert list((small_disk / "results").iterdir()) == []


@pytest.fixture
def shared_folder(work: Work) -> Path:
    """Give a folder of the user's for the results of many, with files and an empty folder."""
    folder = work.folder / "results"
    (folder / "empty").mkdir(parents=True)
    (folder / "mine.txt").write_text("not the job's")
    work.results = folder
    return folder


def test_only_what_was_written_is_removed_where_others_have_files(
    work: Work, shared_folder: Path
) -> None:
    (shared_folder / "z").mkdir()
    (shared_folder / "z" / "a.txt").mkdir()
    deep = work.folder / "work" / "deep"
    work.file("deep/er/a.txt")
    outputs = {
        "folder": directory(path_uri(str(deep))),
        "fails": work.file("z", "a file cannot take the place of a folder"),
        "mine": work.file("mine.txt", "never written"),
    }
    with pytest.raises(StagingError, match=r"results/z: "):
        work.publish(outputs, catalogs=False)
    assert tree(shared_folder) == ["empty", "mine.txt", "z/a.txt"]
    assert (shared_folder / "mine.txt").read_text() == "not the job's"


def test_a_folder_for_results_stays_though_nothing_came(work: Work) -> None:
    work.results.mkdir(parents=True)
    value = work.catalog("out", scene("N", "mask.tif"))
    (work.folder / "work" / "out" / "N" / "mask.tif").unlink()
    with pytest.raises(StagingError):
        work.publish({"out": directory(value["location"])})
    assert not work.results.exists(), "the job's own"
    assert work.results.parent.exists(), "not the job's"


def test_publishing_again_on_this_machine_gives_the_same_files(work: Work) -> None:
    outputs = two_scenes(work)
    first = work.publish(outputs)
    before = {path: path.read_bytes() for path in work.results.rglob("*") if path.is_file()}
    assert work.publish(outputs) == first
    assert {path: path.read_bytes() for path in work.results.rglob("*") if path.is_file()} == before


def test_a_dismissal_stops_between_two_files(work: Work) -> None:
    storage = Recorder()
    with pytest.raises(StagingError, match="the job was dismissed"):
        work.publish(two_scenes(work), storage, stopped=lambda: True)
    assert storage.objects == {}


def test_a_dismissal_stops_while_it_is_worked_out_what_goes_where(work: Work) -> None:
    for number in range(20):
        work.file(f"many/{number}.txt")
    many = directory(path_uri(str(work.folder / "work" / "many")))
    storage = Recorder()
    with pytest.raises(StagingError, match="the job was dismissed"):
        work.publish({"many": many}, storage, stopped=lambda: len(work.log) == 3)
    assert len([line for line in work.log if "→" in line]) == 3
    assert storage.objects == {}


# Files and folders


def test_files_and_folders_keep_their_names(work: Work) -> None:
    work.file("folder/a.txt", "aa")
    work.file("folder/deep/b c.txt")
    (work.folder / "work" / "folder" / "empty").mkdir()
    folder = directory(path_uri(str(work.folder / "work" / "folder")))
    published, features = work.publish({"one": work.file("note.txt"), "all": folder, "none": None})
    root = path_uri(str(work.results))
    assert tree(work.results) == [
        "folder/a.txt",
        "folder/deep/b c.txt",
        "folder/empty",
        "note.txt",
    ]
    assert published["one"]["location"] == f"{root}/note.txt"
    assert published["none"] is None
    assert [one["basename"] for one in published["all"]["listing"]] == ["a.txt", "deep", "empty"]
    assert published["all"]["listing"][0] == {
        "class": "File",
        "location": f"{root}/folder/a.txt",
        "basename": "a.txt",
        "size": 2,
    }
    assert published["all"]["listing"][1]["listing"][0]["location"].endswith("deep/b%20c.txt")
    assert features == {}


def test_without_catalogs_there_is_no_catalog(work: Work) -> None:
    work.publish({"one": work.file("note.txt")})
    assert tree(work.results) == ["note.txt"]


def test_catalogs_are_plain_folders_where_nobody_wants_the_layout(work: Work) -> None:
    value = work.catalog("out", scene("N", "mask.tif"))
    _, features = work.publish({"out": value}, catalogs=False)
    assert tree(work.results) == ["out/N/N.json", "out/N/mask.tif", "out/catalog.json"]
    assert features == {}


def test_a_folder_among_catalogs_makes_them_plain_folders(work: Work) -> None:
    plain = work.folder / "work" / "plain"
    plain.mkdir(parents=True)
    value = [work.catalog("out", scene("N")), directory(path_uri(str(plain)))]
    _, features = work.publish({"out": value})
    assert tree(work.results) == ["out/N/N.json", "out/catalog.json", "plain"]
    assert features == {}


def test_names_that_collide_are_numbered(work: Work) -> None:
    files = [work.file(f"{number}/a.tar.gz", str(number)) for number in range(3)]
    published, _ = work.publish({"files": files})
    names = ["a.tar.gz", "a.tar_2.gz", "a.tar_3.gz"]
    assert [file_name(one) for one in published["files"]] == names
    assert {one["basename"] for one in published["files"]} == {"a.tar.gz"}
    assert [(work.results / name).read_text() for name in names] == ["0", "1", "2"]


def file_name(one: dict[str, Any]) -> str:
    """Give the name under which an output lies; its basename is what its tool calls it."""
    return str(one["location"]).rpartition("/")[2]


def test_files_that_belong_together_keep_their_names_together(work: Work) -> None:
    """An index is found by its name, so neither it nor its file is renamed."""
    files = [
        work.file(f"{number}/a.bam", secondaryFiles=[work.file(f"{number}/a.bai")])
        for number in range(2)
    ]
    work.publish({"files": files, "again": files[1]})
    assert tree(work.results) == ["2/a.bai", "2/a.bam", "a.bai", "a.bam"]


def test_a_file_that_was_renamed_alone_keeps_its_name_with_its_index(work: Work) -> None:
    plain = [work.file(f"{number}/a.bam", str(number)) for number in range(2)]
    whole = {**plain[1], "secondaryFiles": [work.file("1/a.bai")]}
    work.publish({"plain": plain, "whole": whole})
    assert tree(work.results) == ["2/a.bai", "2/a.bam", "a.bam", "a_2.bam"]


def test_a_file_may_be_two_outputs_under_two_names(work: Work) -> None:
    file = work.file("a.txt", "text")
    published, _ = work.publish({"one": file, "other": {**file, "basename": "b.txt"}})
    assert published["other"]["basename"] == "b.txt"
    assert tree(work.results) == ["a.txt", "b.txt"]


def test_other_collections_have_names_that_are_not_taken(work: Work) -> None:
    outputs = {
        "file": work.file("job-1-more", "a file"),
        "out": work.catalog("out", scene("N", "mask.tif")),
        "more": work.catalog("more", scene("N", "mask.tif")),
    }
    published, _ = work.publish(outputs)
    assert file_name(published["file"]) == "job-1-more_2"
    assert (work.results / "job-1-more" / "collection.json").exists()


def test_a_file_keeps_its_name_where_there_is_no_catalog(work: Work) -> None:
    published, _ = work.publish({"file": work.file("catalog.json", "{}")})
    assert published["file"]["basename"] == "catalog.json"


@pytest.mark.parametrize("name", ["../escape.txt", "a/b.txt", "..", "a\0b"])
def test_the_name_of_an_output_stays_in_its_folder(work: Work, name: str) -> None:
    """A tool can name its outputs as it likes, in cwl.output.json or by an expression."""
    literal = {"class": "File", "basename": name, "contents": "x"}
    folder = {"class": "Directory", "basename": "folder", "listing": [literal]}
    for value in (literal, work.file("a.txt", basename=name), folder):
        with pytest.raises(StagingError, match=r"cannot (have|be) the name"):
            work.publish({"out": value})
    assert not (work.folder / "results").exists()


def test_names_that_the_layout_needs_are_not_taken(work: Work) -> None:
    outputs = {
        "file": work.file("catalog.json", "{}"),
        "folder": directory(path_uri(str(work.folder / "work" / JOB))),
        "out": work.catalog("out", scene("N", "mask.tif")),
    }
    work.file(f"{JOB}/inside.txt")
    published, _ = work.publish(outputs)
    assert file_name(published["file"]) == "catalog_2.json"
    assert file_name(published["folder"]) == f"{JOB}_2"
    assert work.read("catalog.json")["description"] == "Root catalog"


@given(names=st.lists(st.sampled_from(["a.txt", "a_2.txt", "a_3.txt", "a"]), max_size=6))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_output_ever_takes_the_place_of_another(work: Work, names: list[str]) -> None:
    storage = Recorder()
    files = [work.file(f"{number}/{name}", str(number)) for number, name in enumerate(names)]
    published, _ = work.publish({"files": files}, storage)
    found = [storage.objects[one["location"]].decode() for one in published["files"]]
    assert found == [str(number) for number in range(len(names))]


def test_secondary_files_lie_beside_their_file(work: Work) -> None:
    beside = work.file("a.tif.aux.xml")
    published, _ = work.publish({"file": work.file("a.tif", secondaryFiles=[beside])})
    assert tree(work.results) == ["a.tif", "a.tif.aux.xml"]
    location = published["file"]["secondaryFiles"][0]["location"]
    assert location == path_uri(str(work.results / "a.tif.aux.xml"))


def test_a_secondary_file_does_not_take_the_place_of_another_output(work: Work) -> None:
    beside = work.file("1/b.txt", "beside")
    outputs = {
        "first": work.file("1/a.txt", secondaryFiles=[beside]),
        "second": work.file("2/b.txt", "second"),
    }
    published, _ = work.publish(outputs)
    (placed,) = published["first"]["secondaryFiles"]
    assert Path(uri_path(placed["location"])).read_text() == "beside"
    assert Path(uri_path(published["second"]["location"])).read_text() == "second"


def test_literals_become_files(work: Work) -> None:
    note = {"class": "File", "basename": "note.txt", "contents": "hellö"}
    folder = {"class": "Directory", "basename": "notes", "listing": [note]}
    published, _ = work.publish({"note": note, "folder": folder})
    assert published["note"]["size"] == 6
    assert (work.results / "note.txt").read_text() == "hellö"
    assert (work.results / "notes" / "note.txt").read_text() == "hellö"


def test_what_lies_elsewhere_stays_there(work: Work) -> None:
    far = {"class": "File", "location": "s3://bucket/far.tif", "basename": "far.tif"}
    published, _ = work.publish({"file": far, "number": 3, "record": {"file": far, "text": "x"}})
    assert published == {"file": far, "number": 3, "record": {"file": far, "text": "x"}}
    assert not work.results.exists()


def test_a_file_that_two_outputs_name_is_published_once(work: Work) -> None:
    same = work.file("1/same.txt")
    published, _ = work.publish({"x": work.file("2/same.txt"), "first": same, "second": same})
    assert tree(work.results) == ["same.txt", "same_2.txt"]
    assert published["first"] == published["second"]


def test_a_folder_that_two_outputs_name_is_published_once(work: Work) -> None:
    inside = work.file("folder/a.txt")
    folder = directory(path_uri(str(work.folder / "work" / "folder"))) | {"listing": [inside]}
    published, _ = work.publish({"first": folder, "second": folder})
    assert tree(work.results) == ["folder/a.txt"]
    assert published["first"] == published["second"]


def test_a_folder_with_a_link_out_of_the_job_is_refused(work: Work) -> None:
    work.file("folder/a.txt")
    (work.folder / "work" / "folder" / "etc").symlink_to("/etc")
    folder = directory(path_uri(str(work.folder / "work" / "folder")))
    with pytest.raises(StagingError, match=r"leads out of the job's folder, to /etc"):
        work.publish({"folder": folder})
    assert not work.results.exists()


def test_what_is_neither_file_nor_folder_is_left_out_and_noted(work: Work) -> None:
    work.file("folder/a.txt")
    folder = work.folder / "work" / "folder"
    (folder / "nowhere").symlink_to("missing")
    os.mkfifo(folder / "pipe")
    work.publish({"folder": directory(path_uri(str(folder)))})
    assert tree(work.results) == ["folder/a.txt"]
    for name in ("nowhere", "pipe"):
        assert f"work/folder/{name} is left out: it is neither a file nor a folder" in work.log


def test_what_belongs_to_a_listed_file_is_where_it_is_published(work: Work) -> None:
    """Not in the folder that its tool wrote it in, which is gone then."""
    beside = work.file("folder/a.bai")
    apart = work.file("apart/a.csi", "apart")
    listed = [work.file("folder/a.bam", secondaryFiles=[beside, apart]), beside]
    folder = directory(path_uri(str(work.folder / "work" / "folder"))) | {"listing": listed}
    published, _ = work.publish({"folder": folder})
    root = path_uri(str(work.results / "folder"))
    bam = next(one for one in published["folder"]["listing"] if one["basename"] == "a.bam")
    assert [one["location"] for one in bam["secondaryFiles"]] == [f"{root}/a.bai", f"{root}/a.csi"]
    for one in bam["secondaryFiles"]:
        assert Path(uri_path(one["location"])).exists()


def test_so_is_what_belongs_to_that_and_what_lies_in_a_folder_that_does(work: Work) -> None:
    index = work.file("folder/a.bai", secondaryFiles=[work.file("folder/a.bai.md5")])
    parts = directory(path_uri(str(work.folder / "work" / "folder" / "a.parts")))
    parts["listing"] = [work.file("folder/a.parts/1")]
    listed = [work.file("folder/a.bam", secondaryFiles=[index, parts]), index, parts]
    folder = directory(path_uri(str(work.folder / "work" / "folder"))) | {"listing": listed}
    published, _ = work.publish({"folder": folder})
    places = [one["location"] for one in walk(published)]
    root = path_uri(str(work.results / "folder"))
    assert f"{root}/a.bai.md5" in places
    assert f"{root}/a.parts/1" in places
    assert all(place.startswith(root) and Path(uri_path(place)).exists() for place in places)


def test_an_empty_folder_is_published(work: Work) -> None:
    (work.folder / "work" / "empty").mkdir(parents=True)
    outputs = {
        "real": directory(path_uri(str(work.folder / "work" / "empty"))),
        "made": {"class": "Directory", "basename": "made", "listing": []},
    }
    work.publish(outputs)
    assert tree(work.results) == ["empty", "made"]


def test_a_folder_with_a_link_to_itself_is_not_published_again_and_again(work: Work) -> None:
    work.file("folder/a.txt")
    (work.folder / "work" / "folder" / "loop").symlink_to(".")
    folder = directory(path_uri(str(work.folder / "work" / "folder")))
    with pytest.raises(StagingError, match="loop is a link to a folder that it lies in"):
        work.publish({"folder": folder})
    assert not work.results.exists()


def test_an_item_of_this_machine_may_be_passed_on(localproc_engine: Engine, work: Work) -> None:
    package = {
        "cwlVersion": "v1.2",
        "class": "Workflow",
        "id": "passes",
        "inputs": [{"id": "scene", "type": "Directory"}],
        "steps": [],
        "outputs": [{"id": "same", "type": "Directory", "outputSource": "scene"}],
    }
    (work.folder / "red.tif").write_text("red")
    uri = write(work.folder / "item.json", item({"red": {"href": "red.tif"}}, "S2A"))
    job = localproc_engine.run(package, {"scene": {"href": uri}}, results=str(work.results))
    (published,) = job.raise_for_status().results_document()["same"]["value"]["features"]
    red = Path(uri_path(published["assets"]["red"]["href"]))
    assert red.read_text() == "red"
    assert not red.samefile(work.folder / "red.tif"), (
        "who changes an input must not change a result"
    )
    assert work.results in red.parents


def test_a_job_whose_results_find_no_room(localproc_engine: Engine, small_disk: Path) -> None:
    package = {
        "cwlVersion": "v1.2",
        "class": "CommandLineTool",
        "id": "fills",
        "baseCommand": ["head", "-c", "4000000", "/dev/zero"],
        "inputs": [],
        "stdout": "big.bin",
        "outputs": [{"id": "big", "type": "stdout"}],
    }
    job = localproc_engine.run(package, {}, results=str(small_disk / "results"))
    with pytest.raises(JobFailed, match=r"no space left for .*/big\.bin") as error:
        job.raise_for_status()
    assert f"make room on the disk of {small_disk}" in str(error.value)
    assert tree(small_disk) == ["results"]


def test_results_go_to_a_path_or_a_uri(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert results_uri("s3://bucket/results/") == "s3://bucket/results"
    assert results_uri("/data/my results") == "file:///data/my%20results"
    assert results_uri("here") == path_uri(os.path.join(os.getcwd(), "here"))
    assert results_uri("../up", "/data/job") == "file:///data/up"
    assert results_uri("FILE://localhost/data/") == "file:///data"


def test_what_is_wrong_with_a_place_is_told_with_its_own_hint() -> None:
    for place, hint in (("s3://bucket/{jobb}", ""), ("s3://me:key@bucket", "options of the")):
        with pytest.raises(InvalidInputs) as raised:
            results_uri(place)
        assert hint in raised.value.hint
        assert bool(hint) == bool(raised.value.hint)


@pytest.mark.parametrize(
    ("results", "kind", "reason"),
    [
        ("https://example.com/r?token=secret", InvalidInputs, "it can only be read"),
        ("https://[::1/r?token=secret", InvalidInputs, "results cannot go to https:…"),
        ("file://server/r", InvalidInputs, "a file of the machine 'server'"),
        ("nosuch://bucket/r", PluginMissing, "there is no storage 'nosuch'"),
    ],
)
def test_nothing_is_run_for_results_that_could_go_nowhere(
    localproc_engine: Engine, packages: Path, results: str, kind: type[Exception], reason: str
) -> None:
    process = localproc_engine.deploy(packages / "echo.cwl")
    with pytest.raises(kind, match=reason) as error:
        process.execute({"message": "x"}, results=results)
    assert "secret" not in str(error.value)
    assert localproc_engine.jobs() == []
