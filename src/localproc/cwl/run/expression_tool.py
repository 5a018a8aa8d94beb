"""ExpressionTools: their outputs, and the files these make out of nothing.

Owns running the expression and finding a place for literal File and Directory objects. Must not
write them: that comes out as ``StageAction``s.
"""

import posixpath
from collections.abc import Mapping
from itertools import chain, count
from typing import Any

from localproc.cwl.base.files import (
    Files,
    is_literal,
    is_local,
    local_path,
    local_paths,
    map_files,
    walk,
)
from localproc.cwl.base.literals import (
    by_location,
    check_class,
    companions,
    held,
    is_whole,
    made_of,
    name_of,
    required_part,
)
from localproc.cwl.expr.expressions import Context, evaluate_field
from localproc.cwl.run.prepare import begin
from localproc.cwl.run.process import Tool
from localproc.cwl.run.settle import INNER_FIELDS
from localproc.cwl.run.task_layout import Folders, Layout
from localproc.errors import StepError
from localproc.model import StageAction
from localproc.uris import is_absolute, is_below, path_uri, unquoted


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
    layout = Layout(folders, files)
    local = layout.localize(values)
    result = evaluate_field(tool.expression, tool.dialect, Context(local, runtime))
    if not isinstance(result, dict):
        raise StepError(f"{tool.id}: the expression gave {result!r}, not an object")
    maker = _Maker(folders, files, values)
    outputs = {port.id: map_files(result.get(port.id), maker.settle) for port in tool.outputs}
    used = [*local_paths(outputs), *maker.sources]
    staged = any(is_below(path, folders.stage) for path in used)
    return outputs, [*(layout.actions if staged else ()), *maker.actions]


class _Maker:
    """Gives the literal files of an expression's result a place in the output directory."""

    def __init__(self, folders: Folders, files: Files, values: Mapping[str, Any]) -> None:
        self._folders = folders
        self._files = files
        self._checksums = {
            one["location"]: one.get("checksum") for one in walk(dict(values)) if is_local(one)
        }
        self._taken: set[str] = set()
        self.actions: list[StageAction] = []

    @property
    def sources(self) -> list[str]:
        """The paths of what is linked to."""
        return [action.source for action in self.actions if action.kind == "link"]

    def settle(self, one: Mapping[str, Any]) -> dict[str, Any]:
        """Return an object of the result as it is between steps, all literals in it made."""
        located = self._located(one)
        return self._put_beside(located, self._room(located))

    def _located(self, one: Mapping[str, Any]) -> dict[str, Any]:
        """Return an object by its location; raises ``StepError`` if that leads nowhere."""
        one = by_location(one)
        located = {key: item for key, item in one.items() if key not in INNER_FIELDS}
        if "contents" in one:
            located["contents"] = one["contents"]
        if "path" in one and is_literal(one):
            located["location"] = self._absolute(one["path"])
        elif not is_literal(one) and not is_absolute(one["location"]):
            located["location"] = self._absolute(unquoted(one["location"]))
        if is_local(located):
            path = local_path(located)
            if not is_below(path, self._folders.stage):  # what is there is only made afterwards
                stat = self._files.stat(path)
                check_class(one, path, stat)
                if stat is not None and one["class"] == "File":
                    located["size"] = stat.size
                if self._checksums.get(located["location"]) != one.get("checksum"):
                    located.pop("checksum", None)
            located.setdefault("basename", posixpath.basename(path))
        for part in ("secondaryFiles", "listing"):
            if part in located:
                located[part] = [self._located(inner) for inner in located[part]]
        return located

    def _absolute(self, path: str) -> str:
        return path_uri(posixpath.normpath(posixpath.join(self._folders.outdir, path)))

    def _put_beside(self, one: dict[str, Any], folder: str) -> dict[str, Any]:
        """Return an object whose literals, and those beside it, are in a folder."""
        if is_whole(one):
            put = {key: item for key, item in one.items() if key != "contents"}
        else:
            put = self._put(one, posixpath.join(folder, _name(one)))
        if "secondaryFiles" in one:
            put["secondaryFiles"] = [self._put_beside(it, folder) for it in one["secondaryFiles"]]
        return put

    def _put(self, one: Mapping[str, Any], path: str) -> dict[str, Any]:
        """Have an object at a path: what is somewhere already is linked to."""
        self._taken.add(path)
        put = {key: item for key, item in one.items() if key not in ("contents", "listing")}
        put |= {"location": path_uri(path), "basename": posixpath.basename(path)}
        if is_whole(one):
            if not is_local(one):
                raise StepError(f"{one['location']} has not been staged")
            self.actions.append(StageAction("link", path, source=local_path(one)))
        elif one["class"] == "File":
            contents = required_part(one, "contents")
            self.actions.append(StageAction("write", path, contents=contents))
            put |= made_of(contents)
        else:
            required_part(one, "listing")
            self.actions.append(StageAction("mkdir", path))
            entries = ((_name(child), child) for child in held(one, self._files))
            made = {name: self._put(child, posixpath.join(path, name)) for name, child in entries}
            for child in made.values():
                if child.get("secondaryFiles"):
                    child["secondaryFiles"] = [made[_name(it)] for it in child["secondaryFiles"]]
            put["listing"] = list(made.values())
        return put

    def _room(self, one: Mapping[str, Any]) -> str:
        """Return a folder where a literal and what belongs beside it can have their own names."""
        group = (one, *companions(one))
        names = {_name(each) for each in group if not is_whole(each)}
        for folder in chain([self._folders.outdir], map(self._another, count(2))):
            paths = {posixpath.join(folder, name) for name in names}
            if not paths & self._taken:
                break
        return folder

    def _another(self, number: int) -> str:
        return posixpath.join(self._folders.outdir, f".{number}")


def _name(one: Mapping[str, Any]) -> str:
    return name_of(one, "literal" if one["class"] == "File" else "directory")
