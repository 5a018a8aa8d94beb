"""STAC documents as plain dictionaries: what is read of them, and what is staged in.

Owns what documents have to have, what their hrefs lead to, and the catalog that one item becomes as
an input. Must not know storages or jobs. pystac migrates what it reads to the newest version; a
package's items keep the version and the fields that it wrote, so they are never read by it here.

Relative hrefs are written as pystac writes and reads them: as plain paths, without quoting.
"""

import copy
import math
import os
import posixpath
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from localproc.cwl.base.reading import read_written_json
from localproc.errors import StagingError
from localproc.storage.addresses import redacted
from localproc.uris import canonical, joined_uri, path_uri, unquoted, uri_path

CATALOG: Final = "catalog.json"
COLLECTION: Final = "collection.json"
GEOJSON: Final = "application/geo+json"
JSON: Final = "application/json"
#: The extension of ``file:size`` and ``file:checksum``.
FILE: Final = "https://stac-extensions.github.io/file/v2.1.0/schema.json"
_ENDS: Final = re.compile("[?#]")  #: of a path
#: Links that say where an item lies: they are written anew wherever it is put.
_STRUCTURE: Final = ("root", "parent", "self", "collection", "item", "child", "prev", "next")


def parse(data: bytes, shown: str) -> dict[str, Any]:
    """Read a STAC document; raises ``StagingError`` if it is none.

    ``shown`` is where it lies, without secrets.
    """
    try:
        document = read_written_json(data)
    except ValueError as error:
        raise StagingError(f"{shown} is not JSON: {error}", uri=shown) from None
    if not isinstance(document, dict) or "type" not in document:
        raise StagingError(f"{shown} is not a STAC document", uri=shown)
    return document


def checked_item(document: dict[str, Any], shown: str) -> dict[str, Any]:
    """See that a document is an item whose assets can be found; raises ``StagingError``."""
    assets = document.get("assets")
    if document["type"] != "Feature" or not isinstance(assets, dict):
        raise StagingError(
            f"{shown} is a {document['type']}, not a STAC item",
            uri=shown,
            hint="name one item for each Directory input",
        )
    if not isinstance(document.get("id"), str) or not document["id"]:
        raise StagingError(f"the item {shown} has no id", uri=shown)
    check_assets(assets, shown)
    return document


def check_assets(assets: Any, shown: str) -> None:
    """See that every asset has an href; raises ``StagingError``."""
    if not isinstance(assets, dict):
        raise StagingError(f"the assets of {shown} are no object", uri=shown)
    for key, asset in assets.items():
        if not is_link(asset) or not asset["href"]:
            raise StagingError(f"the asset {key!r} of {shown} has no href", uri=shown)


def is_catalog(folder: str) -> bool:
    """Whether a folder holds a STAC catalog."""
    try:
        with open(os.path.join(folder, CATALOG), "rb") as file:
            return read_written_json(file.read()).get("type") in ("Catalog", "Collection")
    except (OSError, ValueError, AttributeError):
        return False


def links_of(document: Mapping[str, Any], shown: str) -> list[Mapping[str, Any]]:
    """Return the links of a document; raises ``StagingError`` if any is none."""
    links = document.get("links") or []
    if not isinstance(links, list) or not all(map(is_link, links)):
        raise StagingError(f"{shown} has a link without href", uri=shown)
    return links


def is_link(link: Any) -> bool:
    """Whether a link leads anywhere."""
    return isinstance(link, Mapping) and isinstance(link.get("href"), str)


def is_structure(link: Mapping[str, Any]) -> bool:
    """Whether a link says where a document lies among others: it is written anew with it."""
    return link.get("rel") in _STRUCTURE


def resolve(href: str, document: str) -> str | None:
    """Return the path that an href in a document of this machine leads to.

    ``None`` if it leads elsewhere: to the web, to a bucket, to what only GDAL can open
    (``/vsizip/...``). Some write a name as it is and some quote it, and a name may have a colon
    (``B04:10m.tif``), so what is there decides; where both are, a URI is quoted (RFC 3986, 2.4). A
    query or a fragment is no part of a path, unless there is a file of that name.
    """
    quoted, plain = _meanings(href, document)
    for path in (quoted, plain, *_meanings(_ENDS.split(href)[0], document)):
        if os.path.lexists(path):
            return path
    uri = _canonical(href)
    scheme = urlsplit(uri).scheme
    if scheme == "file":
        return uri_path(uri)
    if scheme or href.startswith("/vsi"):
        return None
    return quoted


def is_ambiguous(href: str, document: str) -> bool:
    """Whether there is a file of the name that an href has as it is, and another one it means."""
    quoted, plain = _meanings(href, document)
    return quoted != plain and os.path.lexists(quoted) and os.path.lexists(plain)


def _meanings(href: str, document: str) -> tuple[str, str]:
    """Return the paths that an href names if it is quoted, and if it is not."""
    folder = posixpath.dirname(document)
    quoted, plain = (posixpath.join(folder, name) for name in (unquoted(href), href))
    return posixpath.normpath(quoted), posixpath.normpath(plain)


def declared_extensions(document: Mapping[str, Any]) -> list[str]:
    """Return the URIs of the extensions that a document declares, whatever else it says there."""
    said = document.get("stac_extensions")
    return [one for one in said if isinstance(one, str)] if isinstance(said, list) else []


def absolute(href: str, document_uri: str) -> str:
    """Resolve an href against the URI of its document, whatever the scheme of that."""
    scheme = document_uri.partition(":")[0]
    if scheme == "file":
        path = resolve(href, uri_path(document_uri))
        return _canonical(href) if path is None else path_uri(path)
    uri = _canonical(href)
    if urlsplit(uri).scheme:
        return uri
    if scheme == "data":
        raise StagingError(
            f"the href {redacted(href)} is relative to a document that came with the request",
            uri=redacted(href),
            hint="write it as a whole address",
        )
    return joined_uri(document_uri, href)


def _canonical(href: str) -> str:
    try:
        return canonical(href)
    except ValueError as error:
        shown = redacted(href)
        raise StagingError(f"the href {shown} leads nowhere: {error}", uri=shown) from None


def staged_item(item: Mapping[str, Any], hrefs: Mapping[str, str | None]) -> dict[str, Any]:
    """Return an item as it lies beside its assets.

    ``hrefs`` are theirs by key, ``None`` for one that is left out.
    """
    staged = copy.deepcopy(dict(item))
    for key, href in hrefs.items():
        if href is None:
            del staged["assets"][key]
        else:
            staged["assets"][key]["href"] = href
    staged["links"] = [
        {"rel": "root", "href": f"../{CATALOG}", "type": JSON},
        {"rel": "parent", "href": f"../{CATALOG}", "type": JSON},
        *links_elsewhere(item),
    ]
    staged.pop("collection", None)
    return staged


def links_elsewhere(item: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the links of an item that hold wherever it lies, such as ``derived_from``."""
    links = item.get("links")
    return [
        link
        for link in (links if isinstance(links, list) else ())
        if is_link(link) and not is_structure(link) and _leads_away(link["href"])
    ]


def _leads_away(href: str) -> bool:
    """Whether an href leads to the same wherever its document lies, and not to this machine."""
    try:
        return urlsplit(href).scheme.lower() not in ("", "file")
    except ValueError:
        return False


def finite(value: Any, key: str = "") -> Any:
    """Return a value as JSON can have it (RFC 8259, section 6): without NaN and infinities.

    A ``nodata`` value becomes the text that STAC's raster extension has for it, others ``null``.
    """
    if isinstance(value, float) and not math.isfinite(value):
        return str(value) if key == "nodata" else None
    if isinstance(value, Mapping):
        return {name: finite(one, name) for name, one in value.items()}
    return [finite(one) for one in value] if isinstance(value, list) else value


def staged_catalog(items: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the catalog of staged items, by the names of their folders and files."""
    versions = [str(item.get("stac_version", "1.0.0")) for item in items.values()]
    shown = ", ".join(str(item["id"]) for item in items.values())
    return {
        "type": "Catalog",
        "stac_version": versions[0],
        "id": "catalog",
        "description": f"catalog with staged {shown}",
        "links": [
            {"rel": "root", "href": f"./{CATALOG}", "type": JSON},
            *({"rel": "item", "href": f"./{name}/{name}.json", "type": GEOJSON} for name in items),
        ],
    }
