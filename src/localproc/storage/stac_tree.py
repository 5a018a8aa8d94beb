"""What a STAC catalog in a folder of this machine holds.

Owns following its links: to catalogs, collections, items and feature collections. Must not know
where any of it will be published.
"""

import os
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from localproc.errors import StagingError
from localproc.frozen import frozen
from localproc.storage import stac
from localproc.storage.disk import telling


@frozen
class StacDocument:
    """A STAC document, the path of the file that it is in, and the collection that it lies in."""

    path: str
    document: dict[str, Any]
    collection: "StacDocument | None" = None


@dataclass(slots=True)
class StacTree:
    """All that the catalog of a folder leads to, in the order in which it is found.

    ``collections`` and ``items`` are kept as they are, ``catalogs`` only join them: one catalog is
    written in their place. ``elsewhere`` are the links to items and catalogs on the web, each with
    the document that has it.
    """

    folder: str
    catalogs: list[StacDocument] = field(default_factory=list)
    collections: list[StacDocument] = field(default_factory=list)
    items: list[StacDocument] = field(default_factory=list)
    elsewhere: list[tuple[StacDocument, Mapping[str, Any]]] = field(default_factory=list)
    files: set[str] = field(default_factory=set)  #: the documents, by their real paths


def read_tree(folder: str) -> StacTree:
    """Read the catalog of a folder.

    Links out of the folder are an error, for what they lead to would not be published. Raises
    ``StagingError``.
    """
    tree = StacTree(folder)
    top = os.path.realpath(folder)
    waiting: deque[tuple[str, StacDocument | None]] = deque(
        [(os.path.join(folder, stac.CATALOG), None)]
    )
    while waiting:
        path, collection = waiting.popleft()
        real = os.path.realpath(path)
        if real in tree.files:
            continue
        if not real.startswith(top + "/"):
            raise StagingError(f"{path} is a link of the catalog that leaves its folder")
        tree.files.add(real)
        document = _read(path)
        if document["type"] == "Feature":
            tree.items.append(StacDocument(path, stac.checked_item(document, path), collection))
        elif document["type"] == "FeatureCollection":
            tree.items += _features(path, document, collection)
        else:
            source = StacDocument(path, document, collection)
            waiting += _followed(tree, source)
    return tree


def _followed(tree: StacTree, source: StacDocument) -> list[tuple[str, StacDocument | None]]:
    """Take a catalog or a collection in; return what its links lead to."""
    is_collection = source.document["type"] == "Collection"
    if is_collection:
        stac.check_assets(source.document.get("assets") or {}, source.path)
    (tree.collections if is_collection else tree.catalogs).append(source)
    above = source if is_collection else source.collection
    found: list[tuple[str, StacDocument | None]] = []
    for link in stac.links_of(source.document, source.path):
        if link.get("rel") not in ("item", "items", "child"):
            continue
        path = stac.resolve(link["href"], source.path)
        if path is None:
            tree.elsewhere.append((source, link))
        else:
            found.append((path, above))
    return found


def _features(
    path: str, document: Mapping[str, Any], collection: StacDocument | None
) -> list[StacDocument]:
    features = document.get("features")
    if not isinstance(features, list):
        raise StagingError(f"{path} is a FeatureCollection without features")
    found = []
    for number, one in enumerate(features):
        shown = f"{path}, feature {number}"
        if not isinstance(one, dict) or "type" not in one:
            raise StagingError(f"{shown} is not a STAC document")
        found.append(StacDocument(path, stac.checked_item(one, shown), collection))
    return found


def _read(path: str) -> dict[str, Any]:
    with telling(path):
        try:
            with open(path, "rb") as file:
                return stac.parse(file.read(), path)
        except FileNotFoundError:
            raise StagingError(f"the catalog names {path}, which does not exist") from None
