"""The items that a STAC document stands for.

Owns items, feature collections with their pages, catalogs and collections, and what an API answers
to a search. Must not know what becomes of the items.

Source: STAC 1.0/1.1 (item, catalog, collection), STAC API 1.0 ("Item Search": links ``next``, which
may say ``method``, ``body`` and ``merge``).
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from localproc.errors import StagingError
from localproc.frozen import frozen
from localproc.storage import stac
from localproc.storage.access import Document, scheme_of
from localproc.storage.addresses import redacted

#: Gives the document at a URI, or what is answered there to a body.
Read = Callable[[str, bytes], Document]
#: Items that one document may stand for.
MOST: Final = 1000
_MOST_DOCUMENTS: Final = 10_000  #: that are read for them
_EMPTY: Final = "name an item, a search (.../search?collections=...), or what leads to items"
_CATALOGS: Final = ("Catalog", "Collection")


@frozen
class FoundItem:
    """An item, and the URI that its relative hrefs hang from."""

    item: Mapping[str, Any]
    uri: str

    @property
    def shown(self) -> str:
        """Where it was found, without secrets."""
        return redacted(self.uri)


def items_of(
    document: Document, read: Read, first: int | None = None, most: int = MOST
) -> list[FoundItem]:
    """Return the items that a document stands for; at least one.

    ``read`` gives further documents. ``first``: after so many no further ones are
    looked for. Raises ``StagingError`` for what is no STAC document, has no items, more than
    ``most``, or leads from another machine to this one.
    """
    found: list[FoundItem] = []
    for one in _items(document, read):
        if len(found) == most:
            raise StagingError(
                f"{redacted(document.uri)} stands for more than {most} items",
                uri=redacted(document.uri),
                hint="name a collection, an area, a time or single items, or take the first ones: "
                "--assets items=100",
            )
        found.append(one)
        if len(found) == first:
            break
    if not found:
        shown = redacted(document.uri)
        raise StagingError(f"there is no item in {shown}", uri=shown, hint=_EMPTY)
    return found


#: What is asked for a document: a URI, and the body if it is asked by POST.
_Asked = tuple[str, bytes]


def _items(document: Document, read: Read) -> Iterator[FoundItem]:
    """Yield the items of a document and of all that it leads to, in the order of the links."""
    top, asked = redacted(document.uri), b""
    seen: set[_Asked] = {(document.uri, asked)}
    waiting: list[_Asked] = []
    while True:
        items, links = _read(document, asked)
        yield from items
        waiting += reversed(links)
        while waiting and waiting[-1] in seen:
            waiting.pop()
        if not waiting:
            return
        if len(seen) >= _MOST_DOCUMENTS:
            raise StagingError(
                f"{top} leads to more than {_MOST_DOCUMENTS} documents",
                uri=top,
                hint="name a part of it: a collection, or single items",
            )
        target, asked = waiting.pop()
        document = read(target, asked)
        seen |= {(target, asked), (document.uri, asked)}  # where it was asked for, and found


def _read(document: Document, asked: bytes) -> tuple[list[FoundItem], list[_Asked]]:
    """Return the items of a document, and what is to be asked for further ones.

    ``asked`` is the body that the document is the answer to.
    """
    shown = redacted(document.uri)
    parsed = stac.parse(document.data, shown)
    if parsed["type"] == "FeatureCollection":
        features = _features(parsed, document.uri)
        return features, _next(parsed, document.uri, asked) if features else []
    if parsed["type"] in _CATALOGS:
        return [], _linked(parsed, document.uri)
    return [FoundItem(stac.checked_item(parsed, shown), document.uri)], []


def _features(parsed: Mapping[str, Any], uri: str) -> list[FoundItem]:
    """Return the items of a page."""
    shown = redacted(uri)
    features = parsed.get("features")
    if not isinstance(features, list):
        raise StagingError(f"{shown} is a FeatureCollection without features", uri=shown)
    found = []
    for number, feature in enumerate(features):
        if not isinstance(feature, dict) or "type" not in feature:
            raise StagingError(f"feature {number + 1} of {shown} is no STAC item", uri=shown)
        found.append(FoundItem(stac.checked_item(feature, shown), _self(feature, uri)))
    return found


def _next(parsed: Mapping[str, Any], uri: str, asked: bytes) -> list[_Asked]:
    """Return how the next page is asked for, if there is one."""
    return [
        _target(link, uri, _body(link, uri, asked))
        for link in stac.links_of(parsed, redacted(uri))
        if link.get("rel") == "next"
    ]


def _linked(parsed: Mapping[str, Any], uri: str) -> list[_Asked]:
    """Return the items that a catalog links to, and its children."""
    links = stac.links_of(parsed, redacted(uri))
    # An API's collection has its items behind one link; a static one links to each.
    is_static = any(one.get("rel") == "item" for one in links)
    rels = ("item" if is_static else "items", "child")
    return [_target(link, uri) for link in links if link.get("rel") in rels]


def _target(link: Mapping[str, Any], uri: str, body: bytes = b"") -> _Asked:
    """Return what a link of a document leads to; raises ``StagingError`` if it may not."""
    target = stac.absolute(link["href"], uri)
    if scheme_of(target) == "file" and scheme_of(uri) != "file":
        raise StagingError(f"{redacted(uri)} has a link to this machine", uri=redacted(target))
    if body and urlsplit(target)[:2] != urlsplit(uri)[:2]:
        raise StagingError(
            f"{redacted(uri)} has its next page asked for by POST elsewhere", uri=redacted(target)
        )
    return target, body


def _body(link: Mapping[str, Any], uri: str, asked: bytes) -> bytes:
    """Return what the page that a link leads to is asked for with; nothing for GET."""
    shown, method = redacted(uri), str(link.get("method", "GET")).upper()
    if not _are_ours(link.get("headers")):
        raise StagingError(
            f"{shown} has its next page asked for with headers of its own",
            uri=shown,
            hint="ask for more items at a time (limit=), or for fewer",
        )
    if method == "GET":
        return b""
    body = link.get("body") or {}
    if method != "POST" or not isinstance(body, Mapping):
        raise StagingError(f"{shown} has a next page that cannot be asked for", uri=shown)
    if link.get("merge"):
        if urlsplit(uri).query:  # what was asked for is no JSON that could be added to
            raise StagingError(
                f"{shown} has its next page asked for by POST, with what it was asked itself",
                uri=shown,
                hint="ask for more items at a time (limit=), or for fewer",
            )
        body = {**(json.loads(asked) if asked else {}), **body}
    return json.dumps(body).encode()


def _are_ours(headers: Any) -> bool:
    """Whether headers say no more than is said anyway: that JSON is sent, and taken."""
    return not headers or (
        isinstance(headers, Mapping)
        and all(str(name).lower() in ("accept", "content-type") for name in headers)
        and all("json" in str(value) for value in headers.values())
    )


def _self(feature: Mapping[str, Any], uri: str) -> str:
    """Return what the hrefs of a feature hang from: where it says that it lies, if that is known.

    Only an address on the same machine is believed.
    """
    links = feature.get("links")
    for link in links if isinstance(links, list) else ():
        if stac.is_link(link) and link.get("rel") == "self":
            try:
                target = stac.absolute(link["href"], uri)
            except StagingError:  # it leads nowhere, which need not matter
                continue
            if scheme_of(target) == scheme_of(uri) or scheme_of(target) in ("http", "https"):
                return target
    return uri
