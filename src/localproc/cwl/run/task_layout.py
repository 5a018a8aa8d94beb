"""Where a tool finds its files.

Owns the decision which path every input gets: its own where that will do, a link in a staging
folder where names have to change or files to stand side by side, a place in the working directory
where InitialWorkDirRequirement puts it. Must not touch a disk: what has to be put in place comes
out as ``StageAction``s.
"""

import posixpath
from collections.abc import Mapping
from dataclasses import replace
from itertools import count
from typing import Any, Literal

from localproc.cwl.base.files import (
    Files,
    is_dot,
    is_literal,
    is_local,
    local_path,
    local_paths,
    map_files,
    split_name,
)
from localproc.cwl.base.literals import (
    check_length,
    companions,
    held,
    is_whole,
    name_of,
    required_part,
)
from localproc.errors import StepError
from localproc.frozen import frozen
from localproc.model import Mount, StageAction
from localproc.uris import is_below


@frozen
class Folders:
    """The absolute paths that a task may use; ``stage`` need not exist until it is needed.

    ``inner`` is the place of ``outdir`` as the tool sees it, in a container that has it elsewhere.
    """

    outdir: str
    tmpdir: str
    stage: str
    inner: str = ""

    def seen(self, path: str) -> str:
        """Return a path as the tool sees it."""
        return _moved(path, self.outdir, self.inner) if self.inner else path

    def real(self, path: str) -> str:
        """Return where a path that the tool sees lies on this machine."""
        return _moved(path, self.inner, self.outdir) if self.inner else path


def identified(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return literal objects names by which they can be told from each other."""
    numbers = count(1)

    def name(one: Mapping[str, Any]) -> dict[str, Any]:
        named = {**one, "location": f"_:{next(numbers)}"} if is_literal(one) else dict(one)
        for part in ("secondaryFiles", "listing"):
            if named.get(part):
                named[part] = [name(inner) for inner in named[part]]
        return named

    return {key: map_files(value, name) for key, value in values.items()}


class Layout:
    """The paths of one task's files. ``actions`` is what has to be done before it starts.

    ``anywhere``: names may be absolute, and become ``mounts`` of a container.
    """

    def __init__(self, folders: Folders, files: Files, *, anywhere: bool = False) -> None:
        self.folders = folders
        self.anywhere = anywhere
        self.mounts: list[Mount] = []
        self._files = files
        self.actions: list[StageAction] = []
        self.shared: list[str] = []  #: paths that the tool may update in place
        self._moved: dict[str, str] = {}
        self._targets: dict[str, str] = {}
        self._linked: dict[str, int] = {}  #: folders that are links, to their actions
        self._count = 0

    def localize(self, value: Any) -> Any:
        """Return the value with ``path``, ``dirname``, ``nameroot`` and ``nameext`` filled in."""
        return map_files(value, self._localize_one)

    def put(self, entry: Mapping[str, Any], name: str, *, writable: bool, in_place: bool) -> None:
        """Put a File or Directory object into the working directory under a relative name.

        Secondary files, and theirs, stand beside it.
        """
        target = self._target(name, writable=writable)
        kind: Literal["link", "copy"] = "copy" if writable and not in_place else "link"
        own = not (writable and in_place)
        if not own:
            self.shared += local_paths(entry)
        self._place(entry, target, kind, moves=True, own=own)
        for beside in companions(entry):
            sibling = posixpath.join(posixpath.dirname(name), name_of(beside, "file"))
            at = self._target(sibling, writable=writable)
            self._place(beside, at, kind, moves=True, own=own)

    def write(self, text: str, name: str) -> None:
        """Put a file with the given contents into the working directory."""
        self._write(self._target(name, writable=True), text)

    def _target(self, name: str, *, writable: bool) -> str:
        """Return where what the tool sees under a name is put; an absolute one becomes a mount."""
        inside = posixpath.join(self.folders.seen(self.folders.outdir), name)
        target = self.folders.real(inside)
        if is_below(target, self.folders.outdir):
            return target
        if any(one.target == inside for one in self.mounts):
            raise StepError(f"two different files would be staged as {inside!r}")
        self._count += 1
        numbered = posixpath.join(self.folders.stage, str(self._count))
        target = posixpath.join(numbered, posixpath.basename(inside))
        self.mounts.append(Mount(target, inside, writable))
        return target

    def _shown(self, target: str) -> str:
        """Return what has been put somewhere as the tool sees it."""
        for one in self.mounts:
            if is_below(target, one.source):
                return _moved(target, one.source, one.target)
        return self.folders.seen(target)

    def own_folder_of(self, path: str) -> None:
        """See that a path's folder is the task's: what goes into one of the user's is a copy."""
        while self._linked and len(path) > len(self.folders.outdir):
            path = posixpath.dirname(path)
            if (index := self._linked.pop(path, None)) is not None:
                self.actions[index] = replace(self.actions[index], kind="copy")

    def _place(
        self,
        one: Mapping[str, Any],
        target: str,
        kind: Literal["link", "copy"] = "link",
        *,
        moves: bool = False,
        own: bool = False,
    ) -> None:
        """Have an object at a path.

        ``moves``: its path is this one for everything else. ``own``: what else is put into it must
        not go into the folder it is linked to.
        """
        if moves and one.get("location") is not None:
            self._moved[one["location"]] = self._shown(target)
        if is_whole(one):
            self._do(StageAction(kind, target, source=self._source(one)), one["location"])
            if own and kind == "link" and one["class"] == "Directory":
                self._linked[target] = len(self.actions) - 1
        elif one["class"] == "File":
            self._write(target, required_part(one, "contents"))
        else:
            required_part(one, "listing")
            self._do(StageAction("mkdir", target), target)
            for child in held(one, self._files):
                inner = posixpath.join(target, name_of(child, child["class"].lower()))
                self._place(child, inner, kind, moves=moves, own=own)

    def _localize_one(self, one: Mapping[str, Any]) -> dict[str, Any]:
        location = one.get("location")
        if location is not None and location in self._moved:
            return self._with_path(one, self._moved[location])
        if is_literal(one):
            return self._staged(one)
        path = self._source(one)
        return self._with_path(one, path) if self._stands_right(one, path) else self._staged(one)

    def _stands_right(self, one: Mapping[str, Any], path: str) -> bool:
        """Whether the object can be used where it is, all that belongs to it at its side."""
        folder, name = posixpath.split(path)
        if name != name_of(one, name) or not is_whole(one):
            return False
        return all(
            is_local(beside)
            and is_whole(beside)
            and beside["location"] not in self._moved
            and posixpath.split(local_path(beside)) == (folder, name_of(beside, ""))
            for beside in companions(one)
        )

    def _staged(self, one: Mapping[str, Any]) -> dict[str, Any]:
        self._count += 1
        folder = posixpath.join(self.folders.stage, str(self._count))
        path = posixpath.join(folder, name_of(one, f"input_{self._count}"))
        self._place(one, path)
        for beside in companions(one):
            self._place(beside, posixpath.join(folder, name_of(beside, "file")))
        staged = self._with_path(one, path)
        return {**staged, "basename": "."} if is_dot(one) else staged

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
                    self._with_path(beside, posixpath.join(folder, name_of(beside, "file")))
                    for beside in one["secondaryFiles"]
                ]
        elif one.get("listing"):
            local["listing"] = [
                self._with_path(child, posixpath.join(path, name_of(child, child["class"].lower())))
                for child in one["listing"]
            ]
        return local

    def _write(self, target: str, contents: str) -> None:
        self._do(StageAction("write", target, contents=contents), contents)

    def _do(self, action: StageAction, source: str) -> None:
        """Do it unless it has been done; ``source`` tells what would be at the target."""
        there = self._targets.get(action.target)
        if there is None:
            check_length(action.target)
            self.own_folder_of(action.target)
            self._targets[action.target] = source
            self.actions.append(action)
        elif there != source:
            name = posixpath.relpath(action.target, self.folders.outdir)
            raise StepError(
                f"two different files would be staged as {name!r}",
                hint="give one of them another entryname",
            )


def _moved(path: str, old: str, new: str) -> str:
    """Return a path below one folder as it is below another one; others stay."""
    return new + path[len(old) :] if is_below(path, old) else path
