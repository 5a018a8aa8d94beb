"""What becomes of a tool's File and Directory objects when it has ended.

Owns the way from paths inside a task to the form such objects have between steps, and which files a
task may give out at all: those in its output directory, and those it was given. Must not know
output bindings.
"""

import posixpath
from collections.abc import Mapping
from typing import Any, Final

from localproc.cwl.base.files import Files, is_literal, is_local, local_path, walk
from localproc.cwl.base.literals import by_location, check_class, is_whole, made_of, required_part
from localproc.cwl.run.prepare import Prepared
from localproc.errors import StepError
from localproc.uris import is_below, path_uri, unquoted

#: What a File or Directory has inside a task only.
INNER_FIELDS: Final = ("path", "dirname", "nameroot", "nameext", "contents", "writable")


class FoundFile(dict[str, Any]):
    """A File that was found in the output directory, as it lies there and was looked at.

    It has no ``path`` if it is in the form already that it has between steps.

    What is made of one is no such object any more.
    """


class Settler:
    """Settles the outputs of one task. What it has looked at is not looked at again."""

    def __init__(self, task: Prepared, files: Files) -> None:
        self._task = task
        self._files = files
        self._allowed: set[str] = set()
        self._checksums: dict[str, str] = {}

    def settle(self, one: Mapping[str, Any]) -> dict[str, Any]:
        """Return an object the form it has between steps; see that it may be an output at all.

        Size and checksum are those of the bytes that are there now, whatever the object says.
        """
        if isinstance(one, FoundFile):
            return _between_steps(one) if "path" in one else dict(one)
        one = by_location(one)
        settled = _between_steps(one)
        if "path" not in one and is_literal(one):
            return self._literal(one, settled)
        path = self._path(one)
        if path is None:
            return self._inner(settled)
        stat = self._files.stat(path)
        try:
            check_class(one, path, stat)
        except StepError as error:
            raise StepError(f"{self._task.tool.id}: an output cannot be used: {error}") from None
        self.guard(path)
        settled["location"] = path_uri(path)
        settled.setdefault("basename", posixpath.basename(path))
        if one["class"] == "File":
            assert stat is not None
            settled |= {"size": stat.size, "checksum": self.checksum(path)}
        return self._inner(settled)

    def is_there(self, one: Mapping[str, Any]) -> bool:
        """Return whether an object is a literal, lies elsewhere, or is on the disk."""
        one = by_location(one)
        if "path" not in one and is_literal(one):
            return "contents" in one or "listing" in one
        path = self._path(one)
        return path is None or self._files.stat(path) is not None

    def checksum(self, path: str, contents: str | None = None) -> str:
        """Return the checksum of a file, which is read once: now, or before, for its contents."""
        if path not in self._checksums:
            self._checksums[path] = (
                self._files.checksum(path) if contents is None else made_of(contents)["checksum"]
            )
        return self._checksums[path]

    def _literal(self, one: Mapping[str, Any], settled: dict[str, Any]) -> dict[str, Any]:
        settled.pop("location", None)
        if one["class"] == "File":
            contents = required_part(one, "contents")
            settled |= {"contents": contents, **made_of(contents)}
        else:
            required_part(one, "listing")
        return self._inner(settled)

    def _inner(self, settled: dict[str, Any]) -> dict[str, Any]:
        if "secondaryFiles" in settled:
            settled["secondaryFiles"] = [self.settle(one) for one in settled["secondaryFiles"]]
        if "listing" in settled and not is_whole(settled):
            settled["listing"] = [self.settle(one) for one in settled["listing"]]
        if settled["class"] == "Directory" and "location" in settled:
            # What is in a folder can be looked up again. One that lists more is made of its list.
            settled.pop("listing" if is_whole(settled) else "location", None)
        return settled

    def guard(self, path: str) -> None:
        """A link may lead to another output or to an input, never anywhere else."""
        if path in self._allowed:
            return
        self._check_leads(path)
        self._allowed.add(path)

    def _check_leads(self, path: str) -> None:
        real = self._files.realpath(path)
        outdir = self._task.folders.outdir
        if real == path and is_below(path, outdir):
            return
        if is_below(real, self._files.realpath(outdir)):
            return
        for one in walk(self._task.context.inputs):
            if is_local(one) and is_below(real, self._files.realpath(local_path(one))):
                return
        for action in self._task.stage:  # also what was written for a literal among the inputs
            if is_below(real, self._files.realpath(action.source or action.target)):
                return
        raise StepError(
            f"{self._task.tool.id}: the output {posixpath.basename(path)!r} leads out of the "
            f"job's folder",
            hint="copy the file into the output directory instead of linking to it",
        )

    def _path(self, one: Mapping[str, Any]) -> str | None:
        """Return the real path behind an object, ``None`` for one that is elsewhere.

        That is its path in the task or its location; both may be relative to the output directory.
        """
        location = str(one.get("location", ""))
        if "path" not in one and "://" in location and not is_local(one):
            return None
        named = one.get("path") or (local_path(one) if is_local(one) else unquoted(location))
        folders = self._task.folders
        path = posixpath.normpath(posixpath.join(folders.outdir, folders.real(named)))
        if is_below(path, self._task.folders.outdir):
            return path
        for each in walk(self._task.context.inputs):
            seen = each.get("path")
            if seen and is_below(path, seen):
                return local_path(each) + path[len(seen) :] if is_whole(each) else path
            if is_local(each) and is_below(path, local_path(each)):
                return path
        raise StepError(
            f"{self._task.tool.id}: the output {path} is neither in the output directory nor an "
            f"input"
        )


def _between_steps(one: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object without what it has inside a task only."""
    return {key: item for key, item in one.items() if key not in INNER_FIELDS}
