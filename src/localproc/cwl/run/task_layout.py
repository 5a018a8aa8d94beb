"""Where a tool finds its files.

Owns the decision which path every input gets: its own where that will do, a link in a staging
folder where names have to change or files to stand side by side, a place in the working directory
where InitialWorkDirRequirement puts it. Must not touch a disk: what has to be put in place comes
out as ``StageAction``s.
"""

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from localproc.cwl.base.files import is_literal, is_local, local_path, map_files, split_name
from localproc.errors import StepError
from localproc.model import StageAction


@dataclass(frozen=True, slots=True)
class Folders:
    """The absolute paths that a task may use; ``stage`` need not exist until it is needed."""

    outdir: str
    tmpdir: str
    stage: str


def identified(values: Mapping[str, Any]) -> dict[str, Any]:
    """Give literal objects names by which they can be told from each other."""
    numbers = count(1)

    def name(one: Mapping[str, Any]) -> dict[str, Any]:
        named = {**one, "location": f"_:{next(numbers)}"} if is_literal(one) else dict(one)
        for part in ("secondaryFiles", "listing"):
            if named.get(part):
                named[part] = [name(inner) for inner in named[part]]
        return named

    return {key: map_files(value, name) for key, value in values.items()}


class Layout:
    """The paths of one task's files. ``actions`` is what has to be done before it starts."""

    def __init__(self, folders: Folders) -> None:
        self.folders = folders
        self.actions: list[StageAction] = []
        self._moved: dict[str, str] = {}
        self._targets: dict[str, str] = {}
        self._linked: dict[str, int] = {}  #: folders that are links, to their actions
        self._count = 0

    def localize(self, value: Any) -> Any:
        """Give the value with ``path``, ``dirname``, ``nameroot`` and ``nameext`` filled in."""
        return map_files(value, self._localize_one)

    def put(self, entry: Mapping[str, Any], name: str, *, writable: bool, in_place: bool) -> None:
        """Put a File or Directory object into the working directory under a relative name."""
        target = posixpath.join(self.folders.outdir, name)
        self._put_at(entry, target, writable=writable, in_place=in_place)
        for beside in entry.get("secondaryFiles") or ():
            sibling = posixpath.join(posixpath.dirname(target), _basename(beside, "file"))
            self._put_at(beside, sibling, writable=writable, in_place=in_place)

    def write(self, text: str, name: str) -> None:
        """Put a file with the given contents into the working directory."""
        self._write(posixpath.join(self.folders.outdir, name), text)

    def own(self, folder: str) -> None:
        """See that a folder is the task's: what is put into one of the user's goes into a copy."""
        while len(folder) > len(self.folders.outdir):
            if (index := self._linked.pop(folder, None)) is not None:
                self.actions[index] = replace(self.actions[index], kind="copy")
            folder = posixpath.dirname(folder)

    def _put_at(
        self, entry: Mapping[str, Any], target: str, *, writable: bool, in_place: bool
    ) -> None:
        location = entry.get("location")
        if location is not None:
            self._moved[location] = target
        if not is_literal(entry):
            source = self._source(entry)
            if writable and not in_place:
                self._do(StageAction("copy", target, source=source), entry["location"])
            else:
                link = StageAction("link", target, source=source, writable=writable)
                self._do(link, entry["location"])
                if entry["class"] == "Directory" and not in_place:
                    self._linked[target] = len(self.actions) - 1
        elif entry["class"] == "File":
            self._write(target, entry.get("contents", ""))
        else:
            self._do(StageAction("mkdir", target), target)
            for child in _with_secondary(entry.get("listing")):
                inner = posixpath.join(target, _basename(child, "entry"))
                self._put_at(child, inner, writable=writable, in_place=in_place)

    def _localize_one(self, one: Mapping[str, Any]) -> dict[str, Any]:
        location = one.get("location")
        if location is not None and location in self._moved:
            return self._with_path(one, self._moved[location])
        if is_literal(one) or not self._stands_right(one):
            return self._staged(one)
        return self._with_path(one, local_path(one))

    def _stands_right(self, one: Mapping[str, Any]) -> bool:
        """Whether the object can be used where it is, all that belongs to it at its side."""
        if not is_local(one):
            raise StepError(f"{one.get('location')} has not been staged")
        folder, name = posixpath.split(local_path(one))
        if name != _basename(one, name):
            return False
        if one["class"] == "Directory" and any(
            not is_local(child) or posixpath.dirname(local_path(child)) != local_path(one)
            for child in one.get("listing") or ()
        ):
            return False
        return all(
            is_local(beside)
            and beside["location"] not in self._moved
            and posixpath.split(local_path(beside)) == (folder, _basename(beside, ""))
            for beside in one.get("secondaryFiles") or ()
        )

    def _staged(self, one: Mapping[str, Any]) -> dict[str, Any]:
        self._count += 1
        folder = posixpath.join(self.folders.stage, str(self._count))
        path = posixpath.join(folder, _basename(one, f"input_{self._count}"))
        self._stage_at(one, path)
        for beside in one.get("secondaryFiles") or ():
            self._stage_at(beside, posixpath.join(folder, _basename(beside, "file")))
        return self._with_path(one, path)

    def _stage_at(self, one: Mapping[str, Any], path: str) -> None:
        if one["class"] == "Directory" and one.get("listing") and not self._is_whole(one):
            self._do(StageAction("mkdir", path), path)
            for child in _with_secondary(one["listing"]):
                self._stage_at(child, posixpath.join(path, _basename(child, "entry")))
        elif not is_literal(one):
            self._do(StageAction("link", path, source=self._source(one)), one["location"])
        elif one["class"] == "File":
            self._write(path, one.get("contents", ""))
        else:
            self._do(StageAction("mkdir", path), path)

    def _is_whole(self, directory: Mapping[str, Any]) -> bool:
        """Whether a Directory's listing is what is in its location anyway."""
        return is_local(directory) and all(
            is_local(child) and posixpath.dirname(local_path(child)) == local_path(directory)
            for child in directory["listing"]
        )

    def _source(self, one: Mapping[str, Any]) -> str:
        if not is_local(one):
            raise StepError(f"{one.get('location')} has not been staged")
        return local_path(one)

    def _with_path(self, one: Mapping[str, Any], path: str) -> dict[str, Any]:
        folder, name = posixpath.split(path)
        local = {**one, "path": path, "dirname": folder, "basename": name}
        if one["class"] == "File":
            local["nameroot"], local["nameext"] = split_name(name)
            if one.get("secondaryFiles"):
                local["secondaryFiles"] = [
                    self._with_path(beside, posixpath.join(folder, _basename(beside, "file")))
                    for beside in one["secondaryFiles"]
                ]
        elif one.get("listing"):
            local["listing"] = [
                self._with_path(child, posixpath.join(path, _basename(child, "entry")))
                for child in one["listing"]
            ]
        return local

    def _write(self, target: str, contents: str) -> None:
        self._do(StageAction("write", target, contents=contents), contents)

    def _do(self, action: StageAction, source: str) -> None:
        """Do it unless it has been done; ``source`` tells what would be at the target."""
        there = self._targets.get(action.target)
        if there is None:
            self.own(posixpath.dirname(action.target))
            self._targets[action.target] = source
            self.actions.append(action)
        elif there != source:
            name = posixpath.relpath(action.target, self.folders.outdir)
            raise StepError(
                f"two different files would be staged as {name!r}",
                hint="give one of them another entryname",
            )


def _with_secondary(listing: Sequence[Mapping[str, Any]] | None) -> Iterator[Mapping[str, Any]]:
    """Give what a listing puts into a directory: its entries, and what belongs beside them."""
    for one in listing or ():
        yield one
        yield from one.get("secondaryFiles") or ()


def _basename(one: Mapping[str, Any], otherwise: str) -> str:
    name: str = one.get("basename") or otherwise
    if name in (".", "..") or "/" in name or "\0" in name:
        raise StepError(f"{name!r} cannot be the name of a file")
    return name
