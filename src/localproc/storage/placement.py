"""Where File and Directory outputs lie below the folder of a job's results.

Owns their names there, and what becomes of folders. Must not know STAC, nor which storage is
written to.
"""

import os
import posixpath
from collections.abc import Mapping
from itertools import chain, count
from typing import Any

from localproc.cwl.base.files import is_dot, is_literal, is_local, local_path, map_files
from localproc.cwl.base.literals import (
    NAME_LIMIT,
    check_length,
    companions,
    held,
    is_whole,
    made_of,
    required_part,
)
from localproc.errors import StagingError, StepError
from localproc.storage.disk import Disk, telling
from localproc.storage.upload_plan import Outbound
from localproc.uris import quoted


class OutputPlaces:
    """The places of the outputs of one job; ``root`` is the URI of the folder."""

    def __init__(self, out: Outbound, root: str) -> None:
        self._out = out
        self._root = root
        self._disk = Disk()
        self._taken: set[str] = set()
        self._numbers: dict[str, int] = {}
        self._placed: dict[tuple[str, str, str], dict[str, Any]] = {}

    def reserve(self, name: str) -> None:
        """Keep a name at the top free of outputs."""
        self._taken.add(f"{self._root}/{quoted(name)}")

    def place(self, value: Any) -> Any:
        """Have all files of an output published; give it with their new locations.

        Raises ``StagingError`` for what cannot be.
        """
        try:
            return map_files(value, lambda one: self._place(one, self._root))
        except StepError as error:
            raise StagingError(f"an output cannot be published: {error}", hint=error.hint) from None

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
        with telling(path):
            names = sorted(os.listdir(path))
        for name in names:
            inner = os.path.join(path, name)
            place = f"{uri}/{quoted(name)}"
            base: dict[str, Any] = {"location": place, "basename": name}
            if os.path.isdir(inner):
                said = known.get(name, {})
                below = self.tree(inner, place, said.get("listing"), (*above, real))
                found.append({**said, **base, "class": "Directory", "listing": below})
            elif os.path.isfile(inner):
                self._out.add(inner, place)
                size = os.stat(inner).st_size
                found.append({**known.get(name, {}), **base, "class": "File", "size": size})
            else:
                self._out.leave(inner)
        there = {one["basename"]: one for one in found}
        return [self._listed(one, uri, there) for one in found]

    def _place(self, one: Mapping[str, Any], folder: str) -> dict[str, Any]:
        if not is_local(one) and not is_literal(one):
            return dict(one)
        if one.get("secondaryFiles"):
            folder = self._room(one, folder)
        placed = self._placed_once(one, folder) if is_whole(one) else self._made(one, folder)
        if one.get("secondaryFiles"):
            placed["secondaryFiles"] = [
                self._place(inner, folder) for inner in one["secondaryFiles"]
            ]
        return placed

    def _placed_once(self, one: Mapping[str, Any], folder: str) -> dict[str, Any]:
        """Place what is on the disk; one file that two outputs are is one file there, too."""
        name, path = _name(one), local_path(one)
        key = folder, self._out.guard(path), name
        known = self._placed.get(key)
        if known is None:
            uri = self._free(folder, name)
            put = self._put(one, path, uri)
            known = self._placed[key] = {"location": uri, "basename": name, **put}
        return {**one, **known}

    def _put(self, one: Mapping[str, Any], path: str, uri: str) -> dict[str, Any]:
        """Have a file or a folder published at a place; give what is known of it then."""
        if one["class"] == "Directory":
            return {"listing": self.tree(path, uri, one.get("listing"))}
        self._out.add(path, uri)
        return {}

    def _made(self, one: Mapping[str, Any], folder: str) -> dict[str, Any]:
        """Make a literal: a file of contents, a folder of all that is listed."""
        name = _name(one)
        return self._make(one, self._free(folder, name), name)

    def _make(self, one: Mapping[str, Any], uri: str, name: str) -> dict[str, Any]:
        made = {**one, "location": uri, "basename": name}
        if is_whole(one):
            return {**made, **self._put(one, local_path(one), uri)}
        if one["class"] == "File":
            contents = required_part(one, "contents")
            self._out.add_text(lambda: contents, uri)
            return {**made, **made_of(contents)}
        required_part(one, "listing")
        self._out.add_folder(uri)
        inner = {_name(child): child for child in held(one, self._disk)}
        listing = {
            name: self._make(child, f"{uri}/{quoted(name)}", name)
            if is_local(child) or is_literal(child)
            else dict(child)
            for name, child in inner.items()
        }
        for child in listing.values():
            if child.get("secondaryFiles"):
                child["secondaryFiles"] = [listing[_name(it)] for it in child["secondaryFiles"]]
        return {**made, "listing": list(listing.values())}

    def _listed(
        self, one: Mapping[str, Any], folder: str, there: Mapping[str, Mapping[str, Any]]
    ) -> dict[str, Any]:
        """Return what is listed with those that belong to it, where they are published.

        ``there`` is all that is listed beside it, by its names.
        """
        listed = dict(one)
        if one.get("secondaryFiles"):
            listed["secondaryFiles"] = [
                self._listed({**inner, **_alone(there[_name(inner)])}, folder, there)
                if _name(inner) in there
                else self._place(inner, folder)
                for inner in one["secondaryFiles"]
            ]
        return listed

    def _room(self, one: Mapping[str, Any], folder: str) -> str:
        """Return a folder where a file and those beside it keep their names: it, or one within."""
        group = (one, *companions(one))
        rooms = chain([folder], (f"{folder}/{number}" for number in count(2)))
        return next(room for room in rooms if all(self._has_room(each, room) for each in group))

    def _has_room(self, one: Mapping[str, Any], folder: str) -> bool:
        name = _name(one)
        uri = f"{folder}/{quoted(name)}"
        if uri not in self._taken:
            return True
        if not is_local(one) or not is_whole(one):
            return False
        there = self._placed.get((folder, self._out.guard(local_path(one)), name))
        return there is not None and there["location"] == uri

    def _free(self, folder: str, name: str) -> str:
        """Return a URI that no other output has: ``name``, ``name_2``, ..."""
        if name in (".", "..") or "/" in name or "\0" in name:
            raise StagingError(f"an output cannot have the name {name!r}")
        check_length(name)
        wanted = f"{folder}/{quoted(name)}"
        for number in count(self._numbers.get(wanted, 1)):
            uri = wanted if number == 1 else f"{folder}/{quoted(_numbered(name, number))}"
            if uri not in self._taken:
                break
        self._numbers[wanted] = number + 1
        self._taken.add(uri)
        return uri


def _alone(one: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object without what belongs to it."""
    return {name: item for name, item in one.items() if name != "secondaryFiles"}


def _name(one: Mapping[str, Any]) -> str:
    """Return the name that an output is to have; it stays its basename where it cannot have it."""
    there = posixpath.basename(local_path(one)) if is_local(one) else one["class"].lower()
    return there if is_dot(one) else str(one.get("basename") or there)


def _numbered(name: str, number: int) -> str:
    """Return a name with a number before its extension, shortened where it would be too long."""
    stem, extension = posixpath.splitext(name)
    end = f"_{number}{extension}"
    room = max(0, NAME_LIMIT - len(os.fsencode(end)))
    return os.fsencode(stem)[:room].decode("utf-8", "ignore") + end
