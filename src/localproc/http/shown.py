"""Results as their page shows them.

Owns what of the results document is shown: values, files, pictures, items on a map. Must not know
how the page looks.
"""

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from localproc.http.footprints import Footprints, footprints

_PICTURES: Final = ("image/png", "image/jpeg", "image/gif", "image/webp")
_MOST: Final = 500  #: items of one output that a page shows


@dataclass(frozen=True, slots=True)
class Linked:
    """A file: ``length`` in bytes, ``None`` if that is not known."""

    title: str
    href: str
    type: str
    length: int | None
    is_picture: bool


@dataclass(frozen=True, slots=True)
class Item:
    """A STAC item: its time or interval, its assets by name, its quicklook's address."""

    id: str
    times: list[str]
    assets: list[tuple[str, Linked]]
    picture: str


@dataclass(frozen=True, slots=True)
class Shown:
    """One output. ``count`` is how many items there are, some of which may not be shown."""

    name: str
    value: Any = None
    files: list[Linked] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    count: int = 0
    map: Footprints | None = None


def shown(document: Mapping[str, Any], base: str) -> list[Shown]:
    """Give the outputs of a results document; ``base`` is where addresses of ours begin."""
    return [_output(name, value, base) for name, value in document.items()]


def _output(name: str, value: Any, base: str) -> Shown:
    if isinstance(value, Mapping) and set(value) == {"value"}:
        value = value["value"]
    if isinstance(value, Mapping) and value.get("type") == "FeatureCollection":
        features = [one for one in value.get("features", ()) if isinstance(one, Mapping)]
        chosen = features[:_MOST]
        items = [_item(one, base) for one in chosen]
        return Shown(name, items=items, count=len(features), map=footprints(chosen))
    links = value if isinstance(value, list) else [value]
    if links and all(isinstance(one, Mapping) and "href" in one for one in links):
        return Shown(name, files=[_linked(one, base) for one in links])
    return Shown(name, value)


def _item(feature: Mapping[str, Any], base: str) -> Item:
    assets = list(_assets(feature, base))
    return Item(
        str(feature.get("id", "")),
        _times(feature.get("properties") or {}),
        [(name, linked) for name, linked, _ in assets],
        _picture([(linked, roles) for _, linked, roles in assets]),
    )


def _assets(feature: Mapping[str, Any], base: str) -> Iterator[tuple[str, Linked, list[str]]]:
    for name, asset in (feature.get("assets") or {}).items():
        if isinstance(asset, Mapping):
            yield name, _linked(asset, base), list(asset.get("roles") or ())


def _times(properties: Mapping[str, Any]) -> list[str]:
    if properties.get("datetime"):
        return [str(properties["datetime"])]
    bounds = (properties.get("start_datetime"), properties.get("end_datetime"))
    return [str(one) for one in bounds if one]


def _picture(assets: list[tuple[Linked, list[str]]]) -> str:
    """Give the address of the picture that stands for an item, the one meant for it first."""
    pictures = [(linked, roles) for linked, roles in assets if linked.is_picture]
    for wanted in ("thumbnail", "overview"):
        for linked, roles in pictures:
            if wanted in roles:
                return linked.href
    return pictures[0][0].href if pictures else ""


def _linked(link: Mapping[str, Any], base: str) -> Linked:
    href, kind = str(link.get("href", "")), str(link.get("type", ""))
    length = link.get("length", link.get("file:size"))
    return Linked(
        str(link.get("title") or posixpath.basename(href) or href),
        href,
        kind,
        length if isinstance(length, int) else None,
        href.startswith(f"{base}/") and kind.partition(";")[0] in _PICTURES,
    )
