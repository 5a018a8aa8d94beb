"""Files of results that a server gives.

Owns their bytes and where they go in a folder. Must not know jobs.
"""

import base64
import json
import os
import posixpath
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from localproc.errors import ServerRefused
from localproc.media_types import extension
from localproc.remote.server import Server
from localproc.remote.shapes import object_of, objects_of
from localproc.views.ogc import FOLDER

_DEEPEST: Final = 50  #: folders in one another


def contents(server: Server, result: Any) -> bytes | None:
    """Return the bytes of a result that is a file, ``None`` for one that is not.

    Raises ``ServerRefused`` for one that says that it is in base64 and is not.
    """
    if not isinstance(result, Mapping):
        return None
    if isinstance(result.get("href"), str):
        return server.fetch(result["href"])
    value = result.get("value")
    if result.get("encoding") == "base64" and isinstance(value, str):
        try:
            return base64.b64decode(value, validate=True)
        except ValueError:
            raise ServerRefused("a result is said to be base64, and is not") from None
    if "mediaType" in result:
        return value.encode() if isinstance(value, str) else json.dumps(value).encode()
    return None


def download(
    server: Server, results: Mapping[str, Any], folder: str | os.PathLike[str]
) -> list[Path]:
    """Bring the files of results into a folder, and return where they are.

    Each output has a folder of its own there. In that of a feature collection the assets of each
    item have one too, as have folders that are results. Values that are no files are left out; a
    name that is taken gets a number.
    """
    found: list[Path] = []
    for name, value in results.items():
        place = Path(folder) / _plain(name, "output")
        for file, data in _files(server, value, name):
            path = _free(place / file)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            found.append(path)
    return found


def _files(server: Server, value: Any, name: str) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a result, each with its name."""
    for one in value if isinstance(value, list) else [value]:
        inner = object_of(object_of(one).get("value"))
        if isinstance(one, list):
            yield from _files(server, one, name)
        elif inner.get("type") == "FeatureCollection":
            yield from _items(server, inner)
        elif _is_folder(one):
            yield from _folder(server, one, _DEEPEST)
        elif (data := contents(server, one)) is not None:
            yield _name(one, name), data
            yield from _files(server, objects_of(one.get("secondaryFiles")), name)
        else:
            yield from _within(server, inner, name)


def _items(server: Server, collection: Mapping[str, Any]) -> Iterator[tuple[str, bytes]]:
    yield "items.geojson", json.dumps(collection, indent=2).encode()
    for item in objects_of(collection.get("features")):
        folder = _plain(str(item.get("id", "")), "item")
        for key, asset in object_of(item.get("assets")).items():
            if isinstance(object_of(asset).get("href"), str):
                name = _name(asset, _plain(key, "asset"))
                yield f"{folder}/{name}", server.fetch(asset["href"])


def _folder(server: Server, link: Mapping[str, Any], deepest: int) -> Iterator[tuple[str, bytes]]:
    """Yield the files that a link to a folder leads to, at most so many folders in one another."""
    if not deepest:
        raise ServerRefused(f"a result has more than {_DEEPEST} folders in one another")
    try:
        said = object_of(json.loads(server.fetch(link["href"])))
    except ValueError:
        raise ServerRefused(f"{link['href']!r} does not say what is in a folder") from None
    top = _plain(str(link.get("title", "")), "folder")
    for one in objects_of(said.get("links")):
        if _is_folder(one):
            inner = _folder(server, one, deepest - 1)
            yield from ((f"{top}/{name}", data) for name, data in inner)
        elif isinstance(one.get("href"), str):
            yield f"{top}/{_plain(str(one.get('title', '')), 'file')}", server.fetch(one["href"])


def _within(server: Server, value: Any, name: str) -> Iterator[tuple[str, bytes]]:
    """Yield the files in an object: its own members may be called as those of a link are."""
    if isinstance(value, list):
        for one in value:
            yield from _within(server, one, name)
    elif {"href", "rel", "type"} <= object_of(value).keys():
        yield from _files(server, value, name)
    else:
        for one in object_of(value).values():
            yield from _within(server, one, name)


def _is_folder(link: Any) -> bool:
    return object_of(link).get("type") == FOLDER and isinstance(link.get("href"), str)


def _name(link: Mapping[str, Any], otherwise: str) -> str:
    """Return what the file is called that a link leads to."""
    kind = str(link.get("mediaType") or link.get("type") or "")
    path = str(link.get("href", "")).partition("#")[0].partition("?")[0]
    path = unquote(path.partition("://")[2].partition("/")[2] if "://" in path else path)
    return _plain(path, _plain(otherwise, "output") + extension(kind))


def _plain(text: str, otherwise: str) -> str:
    """Return the last name of a path: what a server says leads out of no folder."""
    name = posixpath.basename(text).replace("\0", "").encode(errors="replace").decode()
    return name if name not in ("", ".", "..") else otherwise


def _free(path: Path) -> Path:
    """Return a path where nothing is."""
    number = 1
    found = path
    while found.exists():
        number += 1
        found = path.with_stem(f"{path.stem}-{number}")
    return found
