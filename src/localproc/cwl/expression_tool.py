"""ExpressionTools: their outputs, and the files these make out of nothing.

Owns running the expression and finding a place for literal File and Directory objects. Must not
write them: that comes out as ``StageAction``s.
"""

import posixpath
from collections.abc import Mapping
from typing import Any

from localproc.cwl.collect import check_outputs
from localproc.cwl.expressions import Context, evaluate_field
from localproc.cwl.files import Files, is_local, local_path, map_files, path_uri, walk
from localproc.cwl.layout import Folders, Layout
from localproc.cwl.prepare import begin
from localproc.cwl.process import Tool
from localproc.cwl.settle import INNER_FIELDS
from localproc.errors import StepError
from localproc.model import StageAction


def run_expression(
    tool: Tool, inputs: Mapping[str, Any], folders: Folders, files: Files
) -> tuple[dict[str, Any], list[StageAction]]:
    """Run an ExpressionTool: give its outputs, and what has to be done for its files to exist.

    A file that it made out of nothing has contents but no location; it is to be written into the
    output directory, where its location says it is. One that was given so and is passed on is
    written where the expression saw it.
    """
    values, _, runtime = begin(tool, inputs, folders, files)
    layout = Layout(folders)
    local = layout.localize(values)
    result = evaluate_field(tool.expression, tool.dialect, Context(local, runtime))
    if not isinstance(result, dict):
        raise StepError(f"{tool.id}: the expression gave {result!r}, not an object")
    maker = _Maker(folders, files)
    outputs = {port.id: map_files(result.get(port.id), maker.settle) for port in tool.outputs}
    check_outputs(tool, outputs)
    staged = [one for one in walk(outputs) if is_local(one) and _is_in(one, folders.stage)]
    return outputs, [*(layout.actions if staged else ()), *maker.actions]


def _is_in(one: Mapping[str, Any], folder: str) -> bool:
    return local_path(one).startswith(folder + "/")


class _Maker:
    """Gives the literal files of an expression's result a place in the output directory."""

    def __init__(self, folders: Folders, files: Files) -> None:
        self._folders = folders
        self._files = files
        self._taken: dict[str, int] = {}
        self.actions: list[StageAction] = []

    def settle(self, one: Mapping[str, Any], folder: str = "") -> dict[str, Any]:
        settled = {key: item for key, item in one.items() if key not in INNER_FIELDS}
        folder = folder or self._folders.outdir
        if "location" not in one and "path" in one:
            settled["location"] = path_uri(posixpath.join(self._folders.outdir, one["path"]))
        if "location" not in settled:
            path = self._path(one, folder)
            settled |= {"location": path_uri(path), "basename": posixpath.basename(path)}
            if one["class"] == "File":
                self.actions.append(StageAction("write", path, contents=one.get("contents", "")))
            else:
                self.actions.append(StageAction("mkdir", path))
                settled["listing"] = [self._into(child, path) for child in one.get("listing") or ()]
        settled.setdefault("basename", posixpath.basename(local_path(settled)))
        if settled.get("secondaryFiles"):
            settled["secondaryFiles"] = [
                self.settle(beside, folder) for beside in settled["secondaryFiles"]
            ]
        return settled

    def _into(self, child: Mapping[str, Any], folder: str) -> dict[str, Any]:
        """A Directory made by an expression holds what it lists, so that is linked into it."""
        if "location" not in child and "path" not in child:
            return self.settle(child, folder)
        settled = self.settle(child, folder)
        beside = settled.get("secondaryFiles") or ()
        for one in (settled, *beside):
            target = posixpath.join(folder, one["basename"])
            if one["location"] != path_uri(target):
                self.actions.append(StageAction("link", target, source=local_path(one)))
                one["location"] = path_uri(target)
        return settled

    def _path(self, one: Mapping[str, Any], folder: str) -> str:
        """Give a literal a path of its own in a folder."""
        name = one.get("basename") or ("literal" if one["class"] == "File" else "directory")
        if "/" in name or name in (".", ".."):
            raise StepError(f"{name!r} cannot be the name of a file")
        path = posixpath.join(folder, name)
        count = self._taken[path] = self._taken.get(path, 0) + 1
        return path if count == 1 else f"{path}_{count}"
