"""What becomes of a tool's File and Directory objects when it has ended.

Owns the way from paths inside a task to the form such objects have between steps, and which files a
task may give out at all: those in its output directory, and those it was given. Must not know
output bindings.
"""

import posixpath
from collections.abc import Mapping
from typing import Any, Final

from localproc.cwl.base.files import Files, is_literal, is_local, known, local_path, walk
from localproc.cwl.run.prepare import Prepared
from localproc.errors import StepError
from localproc.uris import path_uri, unquoted

#: What a File or Directory has inside a task only.
INNER_FIELDS: Final = ("path", "dirname", "nameroot", "nameext", "contents", "writable")


class Settler:
    """Settles the outputs of one task."""

    def __init__(self, task: Prepared, files: Files) -> None:
        self._task = task
        self._files = files

    def settle(self, one: Mapping[str, Any]) -> dict[str, Any]:
        """Give an object the form it has between steps; see that it may be an output at all."""
        one = known(one)
        settled = {key: item for key, item in one.items() if key not in INNER_FIELDS}
        if "path" not in one and is_literal(one):
            return self._literal(one, settled)
        path = self._path(one)
        if path is None:
            return self._inner(settled)
        stat = self._files.stat(path)
        if stat is None:
            raise StepError(f"{self._task.tool.id}: the output {path} does not exist")
        if stat.is_special:
            raise StepError(f"{self._task.tool.id}: the output {path} is no regular file")
        settled["location"] = path_uri(path)
        settled.setdefault("basename", posixpath.basename(path))
        if one["class"] == "File":
            if "checksum" not in settled:
                self.guard(path)
                settled["checksum"] = self._files.checksum(path)
            settled["size"] = stat.size
        return self._inner(settled)

    def _literal(self, one: Mapping[str, Any], settled: dict[str, Any]) -> dict[str, Any]:
        settled.pop("location", None)
        content = "contents" if one["class"] == "File" else "listing"
        if content not in one:
            raise StepError(
                f"{self._task.tool.id}: a {one['class']} among the outputs has neither location, "
                f"path nor {content}"
            )
        if content == "contents":
            settled["contents"] = one["contents"]
        return self._inner(settled)

    def _inner(self, settled: dict[str, Any]) -> dict[str, Any]:
        for part in ("secondaryFiles", "listing"):
            if part in settled:
                settled[part] = [self.settle(one) for one in settled[part]]
        if settled["class"] == "Directory" and "location" in settled:
            settled.pop("listing", None)  # what is listed can be looked up again
        return settled

    def guard(self, path: str) -> None:
        """A link may lead to another output or to an input, never anywhere else."""
        real = self._files.realpath(path)
        outdir = self._task.folders.outdir
        if real == path and _is_below(path, outdir):
            return
        if _is_below(real, self._files.realpath(outdir)):
            return
        for one in walk(self._task.context.inputs):
            if is_local(one) and _is_below(real, self._files.realpath(local_path(one))):
                return
        for action in self._task.stage:  # also what was written for a literal among the inputs
            if _is_below(real, self._files.realpath(action.source or action.target)):
                return
        raise StepError(
            f"{self._task.tool.id}: the output {posixpath.basename(path)!r} leads out of the "
            f"job's folder",
            hint="copy the file into the output directory instead of linking to it",
        )

    def _path(self, one: Mapping[str, Any]) -> str | None:
        """Give the real path behind an object, ``None`` for one that is elsewhere.

        That is its path in the task or its location; both may be relative to the output directory.
        """
        location = str(one.get("location", ""))
        if "path" not in one and "://" in location and not is_local(one):
            return None
        named = one.get("path") or (local_path(one) if is_local(one) else unquoted(location))
        path = posixpath.normpath(posixpath.join(self._task.folders.outdir, named))
        if _is_below(path, self._task.folders.outdir):
            return path
        for given in walk(self._task.context.inputs):
            if given.get("path") == path:
                return local_path(given) if is_local(given) else path
            if is_local(given) and _is_below(path, local_path(given)):
                return path
        raise StepError(
            f"{self._task.tool.id}: the output {path} is neither in the output directory nor an "
            f"input"
        )


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")
