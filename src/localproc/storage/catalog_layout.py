"""The STAC documents that a job's results are published as.

Owns the catalog, the collections and the items of the results layout, and their links. Must not
know storages or jobs. As in ``stac``, what a package wrote keeps its version and its fields.

Every name in the layout means itself in a path and in a URL, so links can be read as either.
"""

import copy
import posixpath
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from localproc.frozen import frozen
from localproc.plugins.storage import Description
from localproc.storage.stac import CATALOG, COLLECTION, GEOJSON, JSON, declared_extensions
from localproc.uris import uri_path

#: What a collection says of itself where its package has none.
_OURS: Final[Mapping[str, Any]] = {
    "title": "Processing results",
    "description": "description",
    "keywords": ["eoepca"],
    "license": "proprietary",
}
#: What a collection must say, if that of the package does not.
_REQUIRED: Final[Mapping[str, Any]] = {"description": "description", "license": "proprietary"}


@frozen
class CollectionPlace:
    """Where a collection is published: its id, its title, and the URI of its folder.

    ``root`` is the URI of the job's folder, which holds the catalog.
    """

    root: str
    id: str
    title: str
    folder: str


def published_item(
    item: Mapping[str, Any],
    place: CollectionPlace,
    name: str,
    hrefs: Mapping[str, str],
    said: Mapping[str, Description],
) -> dict[str, Any]:
    """Return an item as it stands in the results document: every link absolute.

    ``name`` is that of its folder and file. ``hrefs`` maps asset keys to where the assets were
    published, ``said`` to what their storage has to say of them.
    """
    published = copy.deepcopy(dict(item))
    published["assets"] = published_assets(item["assets"], hrefs, said)
    for one in said.values():
        published["properties"] = {**(published.get("properties") or {}), **one.properties}
        for uri in one.extensions:
            declare(published, uri)
    parent = {"href": f"{place.folder}/{COLLECTION}", "type": JSON, "title": place.title}
    published["links"] = [
        {"rel": "collection", **parent},
        {"rel": "root", "href": f"{place.root}/{CATALOG}", "type": JSON},
        {"rel": "self", "href": f"{place.folder}/{name}/{name}.json", "type": JSON},
        {"rel": "parent", **parent},
    ]
    published["collection"] = place.id
    return published


def declare(item: dict[str, Any], extension: str) -> None:
    """Have an item declare an extension, unless it has declared any version of it."""
    declared = declared_extensions(item)
    kind = extension.rpartition("/v")[0] or extension
    if not any(one.startswith(kind) for one in declared):
        item["stac_extensions"] = [*declared, extension]


def published_assets(
    assets: Mapping[str, Any], hrefs: Mapping[str, str], said: Mapping[str, Description]
) -> dict[str, Any]:
    """Return assets with the hrefs that they were published under; others stay as they are."""
    published: dict[str, Any] = copy.deepcopy(dict(assets))
    for key, href in hrefs.items():
        published[key] |= {"href": href, **said[key].asset}
    return published


def collection_of(
    place: CollectionPlace,
    own: Mapping[str, Any],
    items: Sequence[Mapping[str, Any]],
    extent: Mapping[str, Any],
    links: Iterable[Mapping[str, Any]],
) -> dict[str, Any]:
    """Return a collection of the results; links to its items are relative to its own place.

    ``own`` is the collection that the package wrote, empty if there was none; it keeps its fields.
    """
    fields = {**_REQUIRED, **own} if own else {**_OURS}
    item_links = [
        {"rel": "item", "href": "." + _self(item).removeprefix(place.folder), "type": GEOJSON}
        for item in items
    ]
    return fields | {
        "type": "Collection",
        "stac_version": version_of([own] if own else items),
        "id": place.id,
        "extent": extent,
        "links": [
            {"rel": "root", "href": f"../{CATALOG}", "type": JSON},
            {"rel": "parent", "href": f"../{CATALOG}", "type": JSON},
            *item_links,
            *links,
        ],
    }


def catalog_of(
    items: Sequence[Mapping[str, Any]], places: Sequence[CollectionPlace]
) -> dict[str, Any]:
    """Return the catalog of a job's results; links are relative to its own place."""
    return {
        "type": "Catalog",
        "stac_version": version_of(items),
        "id": "catalog",
        "description": "Root catalog",
        "links": [
            {"rel": "root", "href": f"./{CATALOG}", "type": JSON},
            *(
                {
                    "rel": "child",
                    "href": f".{one.folder.removeprefix(one.root)}/{COLLECTION}",
                    "type": JSON,
                    "title": one.title,
                }
                for one in places
            ),
        ],
    }


def relative(document: Mapping[str, Any], folder: str, root: str) -> dict[str, Any]:
    """Return a document in a folder with the hrefs below the root made relative to it.

    A catalog in a folder of this machine can then be moved; on S3 the seeds' absolute ones stay.
    """
    moved = copy.deepcopy(dict(document))
    moved["links"] = [link for link in moved["links"] if link.get("rel") != "self"]
    for part in [*moved["links"], *(moved.get("assets") or {}).values()]:
        if part["href"].startswith(root + "/"):
            path = posixpath.relpath(uri_path(part["href"]), uri_path(folder))
            part["href"] = path if path.startswith(".") else f"./{path}"
    return moved


def version_of(documents: Sequence[Mapping[str, Any]]) -> str:
    """Return the STAC version of what is written for documents: theirs, but none before 1.0."""
    version = documents[0].get("stac_version") if documents else None
    return version if isinstance(version, str) and version.startswith("1.") else "1.0.0"


def _self(item: Mapping[str, Any]) -> str:
    return next(str(link["href"]) for link in item["links"] if link["rel"] == "self")
