"""The STAC documents that a job's results are published as.

Owns the catalog, the collection and the items of the results layout, and their links. Must not know
storages or jobs. As in ``stac``, items keep the version and the fields that their package wrote.

Absolute hrefs are URIs, so names are quoted in them; relative ones are plain paths.
"""

import copy
import posixpath
from collections.abc import Mapping, Sequence
from typing import Any

from localproc.storage.stac import CATALOG, COLLECTION, GEOJSON, JSON, links_elsewhere
from localproc.uris import quoted, uri_path


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
    folder = f"{base}/{quoted(collection_id)}"
    parent = {"href": f"{folder}/{COLLECTION}", "type": JSON, "title": "Processing results"}
    item_id = quoted(item["id"])
    published["links"] = [
        {"rel": "collection", **parent},
        {"rel": "root", "href": f"{base}/{CATALOG}", "type": JSON},
        {"rel": "self", "href": f"{folder}/{item_id}/{item_id}.json", "type": JSON},
        {"rel": "parent", **parent},
        *links_elsewhere(item),
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


def _version(items: Sequence[Mapping[str, Any]]) -> str:
    return str(items[0].get("stac_version", "1.0.0")) if items else "1.0.0"


def _bbox(items: Sequence[Mapping[str, Any]]) -> list[float]:
    boxes = [box for box in map(_flat_box, items) if box]
    if not boxes:
        return [-180.0, -90.0, 180.0, 90.0]
    west, south, east, north = zip(*boxes, strict=True)
    return [min(west), min(south), max(east), max(north)]


def _flat_box(item: Mapping[str, Any]) -> Sequence[float]:
    """Give west, south, east and north of an item, without heights; nothing if it has no bbox."""
    box = item.get("bbox") or ()
    return [*box[:2], *box[3:5]] if len(box) == 6 else box[:4]


def _interval(items: Sequence[Mapping[str, Any]]) -> list[str | None]:
    starts, ends = [], []
    for item in items:
        said = item.get("properties") or {}
        start = said.get("start_datetime") or said.get("datetime")
        end = said.get("end_datetime") or said.get("datetime")
        starts += [start] if start else []
        ends += [end] if end else []
    return [min(starts, default=None), max(ends, default=None)]
