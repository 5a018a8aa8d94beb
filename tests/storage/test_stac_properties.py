"""Whatever catalogs there are: in, staged; out, published and read by pystac. Nothing is lost."""

import json
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import pystac
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from localproc.errors import StagingError
from localproc.model import InputPolicy
from localproc.storage.access import Access
from localproc.storage.filesystem import FilesystemStorage
from localproc.storage.publish import Publisher
from localproc.uris import path_uri, uri_path
from tests.storage.desk import Desk, directory, write
from tests.storage.recorder import Recorder

JOB = "job-1"
PATIENT = settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

characters = st.one_of(
    st.sampled_from("abN1 _-.:;,#?%&=+@!$'()[]{}~^|\\\"<>*é日ß\u0301"),
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/"),
)
#: Names that a file can have, and a link be written with as it is.
names = (
    st.text(characters, min_size=1, max_size=12)
    .filter(lambda name: name.strip(". ") == name)
    .map(lambda name: f"{name}.tif")
)
ids = st.text(st.one_of(characters, st.just("/")), min_size=1, max_size=12) | st.sampled_from(
    ["..", "-rf", "a/b", "collection.json", "catalog.json", "x" * 300, "%2e%2e%2fa", "job-1"]
)
longitude = st.integers(-180, 180)
latitude = st.integers(-90, 90)
numbers = st.floats() | st.none()


@st.composite
def items(draw: st.DrawFn) -> dict[str, Any]:
    """Give an item with assets beside it, by their names."""
    keys = draw(st.lists(ids, max_size=3, unique=True))
    south, north = sorted((draw(latitude), draw(latitude)))
    return {
        "type": "Feature",
        "stac_version": draw(st.sampled_from(["1.0.0", "1.1.0"])),
        "stac_extensions": [],
        "id": draw(ids),
        "geometry": {"type": "Point", "coordinates": [0, 0]},
        "bbox": [draw(longitude), south, draw(longitude), north],
        "properties": {"datetime": "2026-05-31T12:00:00.5+02:00", "x:value": draw(numbers)},
        "links": [],
        "assets": {key: {"href": draw(names)} for key in keys},
    }


@st.composite
def catalogs(draw: st.DrawFn) -> dict[str, Any]:
    """Give groups of items: plain ones, those of collections, those of feature collections."""
    groups = draw(
        st.lists(
            st.tuples(
                st.sampled_from(["plain", "collection", "features"]), st.lists(items(), max_size=3)
            ),
            max_size=3,
        )
    )
    return {"groups": groups, "more": draw(st.lists(names, max_size=2, unique=True))}


def write_catalog(folder: Path, drawn: Mapping[str, Any]) -> dict[str, str]:
    """Write a catalog; give the contents of all its files that are not STAC."""
    links, contents = [], {}

    def put(path: Path) -> None:
        text = f"contents of {path.relative_to(folder)}"
        path.write_text(text)
        contents[str(path.relative_to(folder))] = text

    for number, (kind, found) in enumerate(drawn["groups"]):
        place = folder / f"group {number}"
        for count, one in enumerate(found):
            inside = place if kind == "features" else place / str(count)
            inside.mkdir(parents=True, exist_ok=True)
            for asset in one["assets"].values():
                put(inside / asset["href"])
            if kind != "features":
                write(inside / "item.json", one)
        below = [{"rel": "item", "href": f"{count}/item.json"} for count in range(len(found))]
        if kind == "features":
            write(place / "all.json", {"type": "FeatureCollection", "features": found})
            links.append({"rel": "items", "href": f"group {number}/all.json"})
        elif kind == "collection":
            write(place / "c.json", collection(f"c{number}", below))
            links.append({"rel": "child", "href": f"group%20{number}/c.json"})
        else:
            links += [{**one, "href": f"./group {number}/{one['href']}"} for one in below]
    folder.mkdir(parents=True, exist_ok=True)
    for name in drawn["more"]:
        put(folder / name)
    document = {"type": "Catalog", "id": "c", "stac_version": "1.0.0", "description": "d"}
    write(folder / "catalog.json", {**document, "links": links})
    return contents


def collection(name: str, links: list[Any]) -> dict[str, Any]:
    return {
        "type": "Collection",
        "stac_version": "1.0.0",
        "id": name,
        "title": f"Title of {name}",
        "description": "d",
        "license": "MIT",
        "extent": {
            "spatial": {"bbox": [[0, 0, 1, 1]]},
            "temporal": {"interval": [["2020-01-01T00:00:00Z", None]]},
        },
        "links": links,
    }


def strict(text: str | bytes) -> Any:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    return json.loads(text, parse_constant=refuse)


@given(catalogs())
@PATIENT
def test_what_is_published_is_all_that_was_written(drawn: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as name, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder, results = Path(name) / "work", Path(name) / "results" / JOB
        contents = write_catalog(folder / "out", drawn)
        publisher = Publisher(
            FilesystemStorage(), path_uri(str(results)), JOB, (str(folder),), (), lambda _: None
        )
        _, features = publisher.publish({"out": directory(path_uri(str(folder / "out")))})

        wanted = [one for _, found in drawn["groups"] for one in found]
        catalog = pystac.Catalog.from_file(str(results / "catalog.json"))
        seen = list(catalog.get_items(recursive=True))
        assert sorted(one.id for one in seen) == sorted(one["id"] for one in wanted)
        assert sorted(texts_of(one) for one in seen) == sorted(
            sorted(f"{key}: {contents_of(drawn, contents, one, key)}" for key in one["assets"])
            for one in wanted
        )
        published = [path.read_text() for path in results.rglob("*.tif*")]
        assert set(published) == set(contents.values())
        for path in results.rglob("*.json"):
            if path.is_file():
                check_links(path)
        for feature in strict(json.dumps(features, allow_nan=False))["out"]["features"]:
            for part in (*feature["links"], *feature["assets"].values()):
                assert Path(uri_path(part["href"])).exists()


def texts_of(one: pystac.Item) -> list[str]:
    found = []
    for key, asset in one.assets.items():
        href = asset.get_absolute_href()
        assert href is not None
        found.append(f"{key}: {Path(href).read_text()}")
    return sorted(found)


def contents_of(
    drawn: Mapping[str, Any], contents: Mapping[str, str], one: Mapping[str, Any], key: str
) -> str:
    """Give what is in the file of an asset, found by the identity of its item."""
    for number, (kind, found) in enumerate(drawn["groups"]):
        for count, other in enumerate(found):
            if other is one:
                inside = f"group {number}" if kind == "features" else f"group {number}/{count}"
                return contents[f"{inside}/{one['assets'][key]['href']}"]
    raise AssertionError(key)


def check_links(path: Path) -> None:
    """See that every relative href leads to a file, read as a path and read as a URL."""
    document = strict(path.read_text())
    for part in (*document["links"], *document.get("assets", {}).values()):
        href = part["href"]
        assert (path.parent / href).exists()
        place = urljoin("http://host" + "/".join(["", *path.parts[1:]]), href)
        assert urlsplit(place).query + urlsplit(place).fragment == ""
        assert Path(unquote(urlsplit(place).path)) == Path(urlsplit(place).path)
        assert href.isascii()


@given(catalogs())
@PATIENT
def test_publishing_again_gives_the_same_objects(drawn: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "work"
        write_catalog(folder / "out", drawn)
        storage = Recorder()
        seen = []
        for _ in range(2):
            publisher = Publisher(
                storage, "mem://bucket/job-1", JOB, (str(folder),), (), lambda _: None
            )
            publisher.publish({"out": directory(path_uri(str(folder / "out")))})
            seen.append(dict(storage.objects))
        assert seen[0] == seen[1]
        files = [uri for uri in storage.order if not uri.endswith(".json")]
        assert len(files) == len(set(files)), "what was there is not written again"


@given(items())
@PATIENT
def test_an_item_is_staged_whole_or_refused(drawn: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as name, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder = Path(name)
        for asset in drawn["assets"].values():
            (folder / asset["href"]).write_text(f"contents of {asset['href']}")
        uri = write(folder / "the.item", drawn)
        access = Access(lambda *_: FilesystemStorage(), InputPolicy())
        desk = Desk(folder / "inputs", access)
        try:
            desk.bring(directory(uri))
        except StagingError:
            assert desk.left() == []
            return
        staged = folder / "inputs" / "scene_1"
        assert {path.parts[len(folder.parts)] for path in folder.rglob("*")} <= {
            "inputs",
            "the.item",
            *(asset["href"] for asset in drawn["assets"].values()),
        }
        (found,) = pystac.Catalog.from_file(str(staged / "catalog.json")).get_items()
        assert found.id == drawn["id"]
        for key, asset in found.assets.items():
            href = asset.get_absolute_href()
            assert href is not None
            assert Path(href).read_text() == f"contents of {drawn['assets'][key]['href']}"
