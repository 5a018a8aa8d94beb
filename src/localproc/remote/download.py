"""Files of results that a server gives.

Owns their bytes and where they go in a folder. Must not know jobs.
"""

import base64
import json
import os
import posixpath
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from localproc.errors import ServerRefused
from localproc.media_types import extension
from localproc.remote.server import Server
from localproc.remote.shapes import object_of, objects_of


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
    item have one too. Values that are no files are left out; a name that is taken gets a number.
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
        if inner.get("type") == "FeatureCollection":
            yield "items.geojson", json.dumps(inner, indent=2).encode()
            for item in objects_of(inner.get("features")):
                folder = _plain(str(item.get("id", "")), "item")
                for key, asset in object_of(item.get("assets")).items():
                    if isinstance(object_of(asset).get("href"), str):
                        name = _name(asset, _plain(key, "asset"))
                        yield f"{folder}/{name}", server.fetch(asset["href"])
        elif (data := contents(server, one)) is not None:
            yield _name(one, name), data


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
