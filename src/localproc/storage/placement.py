"""Where File and Directory outputs lie below the folder of a job's results.

Owns their names there, and what becomes of folders. Must not know STAC, nor which storage is
written to.
"""

import os
import posixpath
from collections.abc import Mapping
from itertools import chain, count
from typing import Any

from localproc.cwl.base.files import is_local, local_path, map_files
from localproc.errors import StagingError
from localproc.storage.upload_plan import Outbound
from localproc.uris import quoted


class Placement:
    """The places of the outputs of one job; ``root`` is the URI of the folder."""

    def __init__(self, out: Outbound, root: str) -> None:
        self._out = out
        self._root = root
        self._taken: set[str] = set()
        self._numbers: dict[str, int] = {}
        self._placed: dict[tuple[str, str, str], dict[str, Any]] = {}

    def reserve(self, name: str) -> None:
        """Keep a name at the top free of outputs."""
        self._taken.add(f"{self._root}/{quoted(name)}")

    def place(self, value: Any) -> Any:
        """Have all files of an output published; give it with their new locations."""
        return map_files(value, lambda one: self._place(one, self._root))

    def tree(self, path: str, uri: str, listing: Any = (), above: tuple[str, ...] = ()) -> Any:
        """Have a folder published; give its listing, with what was known of its files."""
        known = {inner.get("basename"): inner for inner in listing or ()}
        found = []
        real = self._out.guard(path)
        if real in above:
            raise StagingError(
                f"the folder {path} is a link to a folder that it lies in",
                hint="it would have to be published again and again",
            )
        self._out.add_folder(uri)
        for name in sorted(os.listdir(path)):
            inner = os.path.join(path, name)
            place = f"{uri}/{quoted(name)}"
            base: dict[str, Any] = {"location": place, "basename": name}
            if os.path.isdir(inner):
                listed = known.get(name, {}).get("listing")
                below = self.tree(inner, place, listed, (*above, real))
                found.append({**base, "class": "Directory", "listing": below})
            elif os.path.isfile(inner):
                self._out.add(inner, place)
                size = os.stat(inner).st_size
                found.append({**known.get(name, {}), **base, "class": "File", "size": size})
            else:
                self._out.leave(inner)
        return found

    def _place(self, one: Mapping[str, Any], folder: str) -> dict[str, Any]:
        if not is_local(one):
            return dict(one) if "location" in one else self._literal(one, folder)
        if one.get("secondaryFiles"):
            folder = self._room(one, folder)
        path, name = local_path(one), _name(one)
        known = self._placed.get((folder, path, name))
        if known is None:
            uri = self._free(folder, name)
            known = self._placed[folder, path, name] = {"location": uri, "basename": name}
            if one["class"] == "Directory":
                known["listing"] = self.tree(path, uri, one.get("listing"))
            else:
                self._out.add(path, uri)
        placed = {**one, **known}
        if one.get("secondaryFiles"):
            placed["secondaryFiles"] = [
                self._place(inner, folder) for inner in one["secondaryFiles"]
            ]
        return placed

    def _literal(self, one: Mapping[str, Any], folder: str) -> dict[str, Any]:
        """Make a file of contents, and a folder of a listing."""
        uri = self._free(folder, _name(one))
        placed = {**one, "location": uri, "basename": _name(one)}
        if one["class"] == "Directory":
            self._out.add_folder(uri)
            placed["listing"] = [self._place(inner, uri) for inner in one.get("listing") or ()]
        else:
            contents = str(one.get("contents", ""))
            self._out.add_text(contents, uri)
            placed["size"] = len(contents.encode())
        return placed

    def _room(self, one: Mapping[str, Any], folder: str) -> str:
        """Give a folder where a file and those beside it keep their names: it, or one within."""
        group = (one, *one["secondaryFiles"])
        rooms = chain([folder], (f"{folder}/{number}" for number in count(2)))
        return next(room for room in rooms if all(self._has_room(each, room) for each in group))

    def _has_room(self, one: Mapping[str, Any], folder: str) -> bool:
        name = _name(one)
        uri = f"{folder}/{quoted(name)}"
        if uri not in self._taken:
            return True
        there = self._placed.get((folder, local_path(one), name)) if is_local(one) else None
        return there is not None and there["location"] == uri

    def _free(self, folder: str, name: str) -> str:
        """Give a URI that no other output has: ``name``, ``name_2``, ..."""
        if name in (".", "..") or "/" in name or "\0" in name:
            raise StagingError(f"an output cannot have the name {name!r}")
        wanted = f"{folder}/{quoted(name)}"
        stem, extension = posixpath.splitext(name)
        for number in count(self._numbers.get(wanted, 1)):
            uri = wanted if number == 1 else f"{folder}/{quoted(f'{stem}_{number}{extension}')}"
            if uri not in self._taken:
                break
        self._numbers[wanted] = number + 1
        self._taken.add(uri)
        return uri


def _name(one: Mapping[str, Any]) -> str:
    """Give the name that an output is to have; it stays its basename where it cannot have it."""
    there = posixpath.basename(local_path(one)) if is_local(one) else one["class"].lower()
    return str(one.get("basename") or there)
