"""STAC documents as plain dictionaries: what is read of them, and what is staged in.

Owns reading items out of a catalog, what their hrefs lead to, and the catalog that one item becomes
as an input. Must not know storages or jobs. pystac migrates what it reads to the newest version; a
package's items keep the version and the fields that it wrote, so they are never read by it here.

Relative hrefs are written as pystac writes and reads them: as plain paths, without quoting.
"""

import copy
import json
import os
import posixpath
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

from localproc.errors import StagingError
from localproc.storage.access import safe_name
from localproc.storage.addresses import redacted
from localproc.uris import canonical, path_uri, unquoted, uri_path

CATALOG: Final = "catalog.json"
COLLECTION: Final = "collection.json"
GEOJSON: Final = "application/geo+json"
JSON: Final = "application/json"
#: Links that say where an item lies: they are written anew wherever it is put.
_STRUCTURE: Final = ("root", "parent", "self", "collection", "item", "child", "prev", "next")


def parse(data: bytes, shown: str) -> dict[str, Any]:
    """Read a STAC document; raises ``StagingError`` if it is none.

    ``shown`` is where it lies, without secrets.
    """
    try:
        document = json.loads(data)
    except ValueError as error:
        raise StagingError(f"{shown} is not JSON: {error}", uri=shown) from None
    if not isinstance(document, dict) or "type" not in document:
        raise StagingError(f"{shown} is not a STAC document", uri=shown)
    return document


def checked_item(document: dict[str, Any], shown: str) -> dict[str, Any]:
    """See that a document is an item that can be staged; its id must do as the name of a folder.

    Raises ``StagingError``.
    """
    assets = document.get("assets")
    if document["type"] != "Feature" or not isinstance(assets, dict):
        raise StagingError(
            f"{shown} is a {document['type']}, not a STAC item",
            uri=shown,
            hint="name one item for each Directory input",
        )
    if safe_name(document.get("id"), "the id of an item") in (CATALOG, COLLECTION):
        raise StagingError(f"{document['id']!r} cannot be the id of an item", uri=shown)
    for key, asset in assets.items():
        if not isinstance(asset, dict) or not isinstance(asset.get("href"), str):
            raise StagingError(f"the asset {key!r} of {shown} has no href", uri=shown)
    return document


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
    waiting = deque([os.path.join(folder, CATALOG)])
    seen: set[str] = set()
    while waiting:
        path = waiting.popleft()
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
            yield path, checked_item(document, path)
        else:
            waiting += [resolve(href, path) for href in _hrefs_below(document, path)]


def _hrefs_below(document: Mapping[str, Any], path: str) -> list[str]:
    try:
        return [
            str(link["href"])
            for link in document.get("links") or ()
            if link.get("rel") in ("item", "child")
        ]
    except (AttributeError, KeyError, TypeError):
        raise StagingError(f"{path} has a link without href") from None


def resolve(href: str, document: str) -> str:
    """Give the path of a relative or ``file:`` href in a document of this machine.

    Some write a name as it is and some quote it, so what is there decides.
    """
    uri = _canonical(href)
    scheme = urlsplit(uri).scheme
    if scheme == "file":
        return uri_path(uri)
    if scheme:
        shown = redacted(href)
        raise StagingError(f"{shown} is a link to the web, where a file is needed", uri=shown)
    folder = posixpath.dirname(document)
    plain = posixpath.normpath(posixpath.join(folder, href))
    if os.path.lexists(plain):
        return plain
    return posixpath.normpath(posixpath.join(folder, unquoted(href)))


def absolute(href: str, document_uri: str) -> str:
    """Resolve an href against the URI of its document, whatever the scheme of that."""
    uri = _canonical(href)
    if urlsplit(uri).scheme:
        return uri
    scheme, _, place = document_uri.partition(":")
    if scheme == "file":
        return path_uri(resolve(href, uri_path(document_uri)))
    joined = urljoin(f"https:{place}", href)  # urljoin knows but a few schemes
    return scheme + joined.removeprefix("https")


def _canonical(href: str) -> str:
    try:
        return canonical(href)
    except ValueError as error:
        shown = redacted(href)
        raise StagingError(f"the href {shown} leads nowhere: {error}", uri=shown) from None


def staged_item(item: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Give an item as it lies beside its assets: ``names`` maps asset keys to file names."""
    staged = copy.deepcopy(dict(item))
    for key, name in names.items():
        staged["assets"][key]["href"] = f"./{name}"
    staged["links"] = [
        {"rel": "root", "href": f"../{CATALOG}", "type": JSON},
        {"rel": "parent", "href": f"../{CATALOG}", "type": JSON},
        *links_elsewhere(item),
    ]
    staged.pop("collection", None)
    return staged


def links_elsewhere(item: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Give the links of an item that hold wherever it lies, such as ``derived_from``."""
    return [
        link
        for link in item.get("links") or ()
        if isinstance(link, Mapping)
        and link.get("rel") not in _STRUCTURE
        and str(link.get("href")).startswith(("https:", "http:"))
    ]


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
