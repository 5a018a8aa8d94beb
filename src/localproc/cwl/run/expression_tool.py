"""ExpressionTools: their outputs, and the files these make out of nothing.

Owns running the expression and finding a place for literal File and Directory objects. Must not
write them: that comes out as ``StageAction``s.
"""

import posixpath
from collections.abc import Mapping
from itertools import chain, count
from typing import Any

from localproc.cwl.base.files import Files, is_literal, is_local, known, local_path, map_files, walk
from localproc.cwl.expr.expressions import Context, evaluate_field
from localproc.cwl.run.prepare import begin
from localproc.cwl.run.process import Tool
from localproc.cwl.run.settle import INNER_FIELDS
from localproc.cwl.run.task_layout import Folders, Layout
from localproc.errors import StepError
from localproc.model import StageAction
from localproc.uris import path_uri


def run_expression(
    tool: Tool, inputs: Mapping[str, Any], folders: Folders, files: Files
) -> tuple[dict[str, Any], list[StageAction]]:
    """Run an ExpressionTool: give its outputs, and what has to be done for its files to exist.

    A file that it made out of nothing has contents but no location; it is to be written into the
    output directory, where its location says it is. One that was given so and is passed on is
    written where the expression saw it. Outputs of ExpressionTools count as valid, whatever their
    types (CWL v1.2 Workflow, "Generic execution process").
    """
    values, _, runtime = begin(tool, inputs, folders, files)
    layout = Layout(folders)
    local = layout.localize(values)
    result = evaluate_field(tool.expression, tool.dialect, Context(local, runtime))
    if not isinstance(result, dict):
        raise StepError(f"{tool.id}: the expression gave {result!r}, not an object")
    maker = _Maker(folders, files)
    outputs = {port.id: map_files(result.get(port.id), maker.settle) for port in tool.outputs}
    staged = [one for one in walk(outputs) if is_local(one) and _is_in(one, folders.stage)]
    return outputs, [*(layout.actions if staged else ()), *maker.actions]


def _is_in(one: Mapping[str, Any], folder: str) -> bool:
    return local_path(one).startswith(folder + "/")


class _Maker:
    """Gives the literal files of an expression's result a place in the output directory."""

    def __init__(self, folders: Folders, files: Files) -> None:
        self._folders = folders
        self._files = files
        self._made: dict[str, StageAction] = {}
        self.actions: list[StageAction] = []

    def settle(self, one: Mapping[str, Any], folder: str = "") -> dict[str, Any]:
        one = known(one)
        settled = {key: item for key, item in one.items() if key not in INNER_FIELDS}
        folder = folder or self._room(one)
        if "path" in one and is_literal(one):
            settled["location"] = path_uri(posixpath.join(self._folders.outdir, one["path"]))
        if is_literal(settled):
            path = posixpath.join(folder, _name(one))
            settled |= {"location": path_uri(path), "basename": posixpath.basename(path)}
            if one["class"] == "File":
                self._make(StageAction("write", path, contents=one.get("contents", "")))
            else:
                self._make(StageAction("mkdir", path))
                settled["listing"] = [self._into(child, path) for child in one.get("listing") or ()]
        settled.setdefault("basename", posixpath.basename(local_path(settled)))
        if settled.get("secondaryFiles"):
            settled["secondaryFiles"] = [
                self.settle(beside, folder) for beside in settled["secondaryFiles"]
            ]
        return settled

    def _into(self, child: Mapping[str, Any], folder: str) -> dict[str, Any]:
        """A Directory made by an expression holds what it lists, so that is linked into it."""
        if is_literal(child) and "path" not in child:
            return self.settle(child, folder)
        settled = self.settle(child, folder)
        beside = settled.get("secondaryFiles") or ()
        for one in (settled, *beside):
            target = posixpath.join(folder, one["basename"])
            if one["location"] != path_uri(target):
                self._make(StageAction("link", target, source=local_path(one)))
                one["location"] = path_uri(target)
        return settled

    def _room(self, one: Mapping[str, Any]) -> str:
        """Give a folder where a literal and what belongs beside it can have their own names."""
        names = {_name(each) for each in (one, *(one.get("secondaryFiles") or ()))}
        for folder in chain([self._folders.outdir], map(self._another, count(2))):
            paths = {posixpath.join(folder, name) for name in names}
            if not paths & self._made.keys():
                break
        return folder

    def _another(self, number: int) -> str:
        return posixpath.join(self._folders.outdir, f".{number}")

    def _make(self, action: StageAction) -> None:
        """Have something made. Folders of one name in a listing are one (CWL v1.2 Directory)."""
        made = self._made.setdefault(action.target, action)
        if made is action:
            self.actions.append(action)
        elif made != action:
            name = posixpath.basename(action.target)
            raise StepError(f"two different files in one listing have the name {name!r}")


def _name(one: Mapping[str, Any]) -> str:
    name = one.get("basename") or ("literal" if one["class"] == "File" else "directory")
    if "/" in name or name in (".", ".."):
        raise StepError(f"{name!r} cannot be the name of a file")
    return str(name)
