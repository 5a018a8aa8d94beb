"""Results as their page shows them.

Owns what of the results document is shown: values, files, pictures, items on a map. Must not know
how the page looks.
"""

import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field, replace
from types import MappingProxyType
from typing import Any, Final

from localproc.frozen import frozen
from localproc.views.footprints import Footprints, footprints

_PICTURES: Final = ("image/png", "image/jpeg", "image/gif", "image/webp")
_MOST: Final = 500  #: items of one output that a page shows


@frozen
class Linked:
    """A file: ``length`` in bytes, ``None`` if it is not served here."""

    title: str
    href: str
    type: str
    length: int | None
    is_picture: bool


@frozen
class Item:
    """A STAC item: its time or interval, its assets by name, its quicklook's address.

    ``href`` is where the item itself is, nothing if that is not told.
    """

    id: str
    times: list[str]
    assets: list[tuple[str, Linked]]
    picture: str
    properties: Mapping[str, Any]
    href: str


@frozen
class Shown:
    """One output. ``count`` is how many items there are, some of which may not be shown.

    ``catalog`` is the address of the STAC catalog that they are in.
    """

    name: str
    value: Any = None
    files: list[Linked] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    count: int = 0
    map: Footprints | None = None
    catalog: str = ""


SizeOf = Callable[[str], int | None]


def shown_outputs(
    document: Mapping[str, Any], size_of: SizeOf, catalogs: Mapping[str, str] = MappingProxyType({})
) -> list[Shown]:
    """Return the outputs of a results document; ``catalogs`` are the addresses of those that are.

    ``size_of`` gives the size of a file that is served here, ``None`` for any other address.
    """
    return [
        replace(_output(name, value, size_of), catalog=catalogs.get(name, ""))
        for name, value in document.items()
    ]


def _output(name: str, value: Any, size_of: SizeOf) -> Shown:
    if isinstance(value, Mapping) and set(value) == {"value"}:
        value = value["value"]
    if isinstance(value, Mapping) and value.get("type") == "FeatureCollection":
        features = [one for one in value.get("features", ()) if isinstance(one, Mapping)]
        chosen = features[:_MOST]
        items = [_item(one, size_of) for one in chosen]
        return Shown(name, items=items, count=len(features), map=footprints(chosen))
    links = value if isinstance(value, list) else [value]
    if links and all(isinstance(one, Mapping) and "href" in one for one in links):
        return Shown(name, files=[_linked(one, size_of) for one in _with_those_beside(links)])
    return Shown(name, value)


def _with_those_beside(links: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for one in links:
        yield one
        yield from _with_those_beside(one.get("secondaryFiles") or ())


def _item(feature: Mapping[str, Any], size_of: SizeOf) -> Item:
    assets = list(_assets(feature, size_of))
    return Item(
        str(feature.get("id", "")),
        _times(feature.get("properties") or {}),
        [(name, linked) for name, linked, _ in assets],
        _picture([(linked, roles) for _, linked, roles in assets]),
        feature.get("properties") or {},
        _own_address(feature),
    )


def _own_address(feature: Mapping[str, Any]) -> str:
    """Return the address of an item among its links."""
    links = feature.get("links")
    for one in links if isinstance(links, list) else ():
        if isinstance(one, Mapping) and one.get("rel") == "self":
            return str(one.get("href", ""))
    return ""


def _assets(feature: Mapping[str, Any], size_of: SizeOf) -> Iterator[tuple[str, Linked, list[str]]]:
    for name, asset in (feature.get("assets") or {}).items():
        if isinstance(asset, Mapping):
            yield name, _linked(asset, size_of), list(asset.get("roles") or ())


def _times(properties: Mapping[str, Any]) -> list[str]:
    if properties.get("datetime"):
        return [str(properties["datetime"])]
    bounds = (properties.get("start_datetime"), properties.get("end_datetime"))
    return [str(one) for one in bounds if one]


def _picture(assets: list[tuple[Linked, list[str]]]) -> str:
    """Return the address of the picture that stands for an item, the one meant for it first."""
    pictures = [(linked, roles) for linked, roles in assets if linked.is_picture]
    for wanted in ("thumbnail", "overview"):
        for linked, roles in pictures:
            if wanted in roles:
                return linked.href
    return pictures[0][0].href if pictures else ""


def _linked(link: Mapping[str, Any], size_of: SizeOf) -> Linked:
    href, kind = str(link.get("href", "")), str(link.get("type", ""))
    length = size_of(href)
    title = str(link.get("title") or posixpath.basename(href) or href)
    is_picture = length is not None and kind.partition(";")[0] in _PICTURES
    return Linked(title, href, kind, length, is_picture)
