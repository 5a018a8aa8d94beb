"""STAC documents as plain dictionaries.

Owns reading items out of a catalog, and writing the catalog, collection and items that results are
published as. Must not know storages or jobs. pystac migrates what it reads to the newest version;
a package's items keep the version and the fields that it wrote, so they are never read by it here.
"""

import copy
import json
import os
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote, urljoin, urlsplit

from localproc.cwl.files import path_uri, uri_path
from localproc.errors import StagingError
from localproc.storage.access import safe_name

CATALOG: Final = "catalog.json"
COLLECTION: Final = "collection.json"
GEOJSON: Final = "application/geo+json"
JSON: Final = "application/json"


def parse(data: bytes, uri: str) -> dict[str, Any]:
    """Read a STAC document; raises ``StagingError`` if it is none."""
    try:
        document = json.loads(data)
    except ValueError as error:
        raise StagingError(f"{uri} is not JSON: {error}", uri=uri) from None
    if not isinstance(document, dict) or "type" not in document:
        raise StagingError(f"{uri} is not a STAC document", uri=uri)
    return document


def parse_item(data: bytes, uri: str) -> dict[str, Any]:
    """Read a STAC item; its id must do as the name of a folder."""
    item = parse(data, uri)
    if item["type"] != "Feature" or not isinstance(item.get("assets"), dict):
        raise StagingError(
            f"{uri} is a {item['type']}, not a STAC item",
            uri=uri,
            hint="name one item for each Directory input",
        )
    safe_name(str(item.get("id", "")), "the id of an item")
    return item


def is_catalog(folder: str) -> bool:
    """Whether a folder holds a STAC catalog."""
    try:
        with open(os.path.join(folder, CATALOG), "rb") as file:
            return json.load(file).get("type") in ("Catalog", "Collection")
    except (OSError, ValueError, AttributeError):
        return False


def items_below(folder: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give the path and the document of every item that a catalog's links lead to.

    Links out of the folder are an error, for they would not be published.
    """
    top = os.path.realpath(folder)
    waiting = [os.path.join(folder, CATALOG)]
    seen: set[str] = set()
    while waiting:
        path = waiting.pop(0)
        real = os.path.realpath(path)
        if real in seen:
            continue
        seen.add(real)
        if not real.startswith(top + "/"):
            raise StagingError(f"{path} is a link of the catalog that leaves its folder")
        try:
            with open(path, "rb") as file:
                document = parse(file.read(), path)
        except FileNotFoundError:
            raise StagingError(f"the catalog names {path}, which does not exist") from None
        if document["type"] == "Feature":
            with open(path, "rb") as file:
                yield path, parse_item(file.read(), path)
            continue
        waiting += [
            resolve(link["href"], path)
            for link in document.get("links", ())
            if link.get("rel") in ("item", "child")
        ]


def resolve(href: str, document: str) -> str:
    """Give the path of a relative or ``file:`` href in a document of this machine."""
    parts = urlsplit(href)
    if parts.scheme == "file":
        return uri_path(href)
    if parts.scheme:
        raise StagingError(f"{href} is a link to the web, where a file is needed", uri=href)
    return posixpath.normpath(posixpath.join(posixpath.dirname(document), unquote(href)))


def staged_item(item: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Give an item as it lies beside its assets: ``names`` maps asset keys to file names."""
    staged = copy.deepcopy(dict(item))
    for key, name in names.items():
        staged["assets"][key]["href"] = f"./{name}"
    staged["links"] = [
        {"rel": "root", "href": f"../{CATALOG}", "type": JSON},
        {"rel": "parent", "href": f"../{CATALOG}", "type": JSON},
    ]
    staged.pop("collection", None)
    return staged


def staged_catalog(item: Mapping[str, Any]) -> dict[str, Any]:
    """Give the catalog of one staged item."""
    item_id = item["id"]
    return {
        "type": "Catalog",
        "stac_version": item.get("stac_version", "1.0.0"),
        "id": "catalog",
        "description": f"catalog with staged {item_id}",
        "links": [
            {"rel": "root", "href": f"./{CATALOG}", "type": JSON},
            {"rel": "item", "href": f"./{item_id}/{item_id}.json", "type": GEOJSON},
        ],
    }


def published_item(
    item: Mapping[str, Any],
    collection_id: str,
    hrefs: Mapping[str, str],
    extra: Mapping[str, Mapping[str, Any]],
    base: str,
) -> dict[str, Any]:
    """Give an item as it stands in the results document: every link absolute.

    ``hrefs`` maps asset keys to where the assets were published, ``extra`` to their ``storage:*``
    fields; ``base`` is the URI of the job's folder, which holds the catalog.
    """
    published = copy.deepcopy(dict(item))
    for key, href in hrefs.items():
        published["assets"][key] |= {"href": href, **extra.get(key, {})}
    folder = f"{base}/{collection_id}"
    parent = {"href": f"{folder}/{COLLECTION}", "type": JSON, "title": "Processing results"}
    item_id = item["id"]
    published["links"] = [
        {"rel": "collection", **parent},
        {"rel": "root", "href": f"{base}/{CATALOG}", "type": JSON},
        {"rel": "self", "href": f"{folder}/{item_id}/{item_id}.json", "type": JSON},
        {"rel": "parent", **parent},
    ]
    published["collection"] = collection_id
    return published


def collection_of(items: Sequence[Mapping[str, Any]], collection_id: str) -> dict[str, Any]:
    """Give the collection of the results; links are relative to its own place."""
    links = [
        {"rel": "root", "href": f"../{CATALOG}", "type": JSON},
        {"rel": "parent", "href": f"../{CATALOG}", "type": JSON},
    ]
    links += [
        {"rel": "item", "href": f"./{item['id']}/{item['id']}.json", "type": GEOJSON}
        for item in items
    ]
    return {
        "type": "Collection",
        "stac_version": _version(items),
        "id": collection_id,
        "title": "Processing results",
        "description": "description",
        "keywords": ["eoepca"],
        "license": "proprietary",
        "extent": {
            "spatial": {"bbox": [_bbox(items)]},
            "temporal": {"interval": [_interval(items)]},
        },
        "links": links,
    }


def catalog_of(items: Sequence[Mapping[str, Any]], collections: Sequence[str]) -> dict[str, Any]:
    """Give the catalog of a job's results; links are relative to its own place."""
    return {
        "type": "Catalog",
        "stac_version": _version(items),
        "id": "catalog",
        "description": "Root catalog",
        "links": [
            {"rel": "root", "href": f"./{CATALOG}", "type": JSON},
            *(
                {
                    "rel": "child",
                    "href": f"./{one}/{COLLECTION}",
                    "type": JSON,
                    "title": "Processing results",
                }
                for one in collections
            ),
        ],
    }


def relative(document: Mapping[str, Any], base: str) -> dict[str, Any]:
    """Give a document with the hrefs below its own folder's parent made relative to it.

    A catalog in a folder of this machine can then be moved; on S3 the seeds' absolute ones stay.
    """
    own = next(link["href"] for link in document["links"] if link["rel"] == "self")
    folder = posixpath.dirname(own)
    moved = copy.deepcopy(dict(document))
    moved["links"] = [link for link in moved["links"] if link["rel"] != "self"]
    for part in [*moved["links"], *moved.get("assets", {}).values()]:
        if part["href"].startswith(base + "/"):
            path = posixpath.relpath(uri_path(part["href"]), uri_path(folder))
            part["href"] = path if path.startswith(".") else f"./{path}"
    return moved


def absolute(href: str, document_uri: str) -> str:
    """Resolve an href against the URI of its document."""
    if urlsplit(href).scheme:
        return href
    if href.startswith("/") and document_uri.startswith("file:"):
        return path_uri(href)
    return urljoin(document_uri, href)


def _version(items: Sequence[Mapping[str, Any]]) -> str:
    return str(items[0].get("stac_version", "1.0.0")) if items else "1.0.0"


def _bbox(items: Sequence[Mapping[str, Any]]) -> list[float]:
    boxes = [_flat_box(item["bbox"]) for item in items if item.get("bbox")]
    if not boxes:
        return [-180.0, -90.0, 180.0, 90.0]
    west, south, east, north = zip(*boxes, strict=True)
    return [min(west), min(south), max(east), max(north)]


def _flat_box(box: Sequence[float]) -> tuple[float, float, float, float]:
    if len(box) == 6:
        return box[0], box[1], box[3], box[4]
    return box[0], box[1], box[2], box[3]


def _interval(items: Sequence[Mapping[str, Any]]) -> list[str | None]:
    starts, ends = [], []
    for item in items:
        said = item.get("properties", {})
        start = said.get("start_datetime") or said.get("datetime")
        end = said.get("end_datetime") or said.get("datetime")
        starts += [start] if start else []
        ends += [end] if end else []
    return [min(starts, default=None), max(ends, default=None)]
