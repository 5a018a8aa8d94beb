"""An RO-Crate on disk: the metadata and the files that it tells of.

Owns where files lie in a crate, and that a crate is there as a whole or not at all. Must not know
what the metadata says, nor handles.
"""

import os
import posixpath
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from localproc.errors import Conflict
from localproc.uris import quoted, unquoted
from localproc.views.crate import METADATA
from localproc.views.written import written

PACKAGE: Final = "package"
OUTPUTS: Final = "outputs"


def places(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the files of a package by their places in a crate; those on the web stay there."""
    own = {name: data for name, data in files.items() if not urlsplit(name).scheme}
    up = max((name.split("/").count("..") for name in own), default=0)
    return {
        posixpath.normpath(f"{PACKAGE}/{'package/' * up}{name}"): data for name, data in own.items()
    }


def placed(value: Any, root: str) -> Any:
    """Return outputs whose locations below ``root`` are places in a crate instead."""
    if isinstance(value, list):
        return [placed(one, root) for one in value]
    if not isinstance(value, Mapping):
        return value
    found = {name: placed(one, root) for name, one in value.items()}
    location = value.get("location")
    is_own = isinstance(location, str) and f"{location}/".startswith(f"{root}/")
    if is_own and value.get("class") in ("File", "Directory"):
        found["location"] = OUTPUTS + str(location)[len(root) :]
    return found


def write_crate(
    path: str, fill: Callable[[str], object], document: Callable[[Mapping[str, int]], object]
) -> None:
    """Write a crate to a ``.zip`` file or a new folder; raises ``Conflict`` if it is there.

    ``fill`` puts the files into a folder, and ``document`` returns the metadata for what is there:
    their sizes by their places.
    """
    if os.path.lexists(path):
        raise _taken(path)
    beside = os.path.dirname(os.path.abspath(path))
    with tempfile.TemporaryDirectory(prefix=".localproc-crate-", dir=beside) as folder:
        crate = os.path.join(folder, "crate")
        os.mkdir(crate)
        fill(crate)
        keep(crate, {METADATA: written(document(dict(_sizes(crate))))})
        if path.endswith(".zip"):
            archive = os.path.join(folder, "crate.zip")
            _zip(crate, archive)
            _put(archive, path, lambda: open(path, "xb").close())
        else:
            _put(crate, path, lambda: os.mkdir(path))


def _put(made: str, path: str, claim: Callable[[], object]) -> None:
    """Have what was made at a path which somebody else may have taken meanwhile."""
    try:
        claim()
    except FileExistsError:
        raise _taken(path) from None
    os.replace(made, path)


def _taken(path: str) -> Conflict:
    return Conflict(f"{path} exists already", hint="name another one, or remove it")


def _sizes(folder: str) -> Iterator[tuple[str, int]]:
    for name in _names(folder):
        yield name, os.path.getsize(os.path.join(folder, name))


def _names(folder: str) -> list[str]:
    found = (
        os.path.relpath(os.path.join(root, name), folder)
        for root, _, names in os.walk(folder)
        for name in names
    )
    return sorted(found)


def _zip(folder: str, path: str) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
        for name in _names(folder):
            archive.write(os.path.join(folder, name), name)


def keep(folder: str, files: Mapping[str, bytes]) -> None:
    """Write files by their places into a folder."""
    for name, data in files.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)


def with_contents(outputs: Mapping[str, Any], names: Mapping[str, int]) -> dict[str, Any]:
    """Return placed outputs whose folders list what of the crate lies in them."""
    return {name: _listed(value, names) for name, value in outputs.items()}


def _listed(value: Any, names: Mapping[str, int]) -> Any:
    if isinstance(value, list):
        return [_listed(one, names) for one in value]
    if not isinstance(value, Mapping) or value.get("class") != "Directory":
        return value
    start = unquoted(str(value.get("location", "")).rstrip("/")) + "/"
    inside = [
        {"class": "File", "location": quoted(name), "size": size}
        for name, size in names.items()
        if name.startswith(start)
    ]
    return {**value, "listing": inside} if inside else value
