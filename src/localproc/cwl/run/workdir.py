"""InitialWorkDirRequirement: what has to lie in a tool's working directory before it starts.

Owns the many forms of ``listing``. Must not know where files are; it tells a ``Layout``.

Source: CWL v1.2 CommandLineTool, section 5.6 "InitialWorkDirRequirement".
"""

import posixpath
from collections.abc import Iterator, Mapping
from typing import Any

from localproc.cwl.base.files import is_dot, is_literal, normalize, unwritable
from localproc.cwl.base.numbers import json_text
from localproc.cwl.base.types import is_filelike
from localproc.cwl.expr.expressions import Context, evaluate_field
from localproc.cwl.run.process import Tool
from localproc.cwl.run.task_layout import Layout
from localproc.errors import StepError


def set_up(tool: Tool, context: Context, layout: Layout) -> None:
    """Put everything that the requirement lists into the layout.

    Raises ``StepError`` for a result that is no File, Directory, Dirent, array of these or null,
    and for a name that leaves the working directory.
    """
    in_place = is_in_place(tool, context)
    for entry, name, writable in workdir_entries(tool, context):
        if name is not None and not isinstance(name, str):
            raise _wrong(tool, "entryname", name)
        if isinstance(entry, str):
            if (wrong := unwritable(entry.replace("\0", ""))) is not None:
                raise StepError(f"{tool.id}: what is to be written as {name!r} has {wrong}")
            layout.write(entry, _name(tool, name, layout))
        else:
            own = name or entry.get("basename") or posixpath.basename(entry.get("location", ""))
            layout.put(entry, _name(tool, own, layout), writable=writable, in_place=in_place)


def workdir_entries(tool: Tool, context: Context) -> Iterator[tuple[Any, str | None, bool]]:
    """Yield each entry (text, File or Directory), its name and whether it is writable."""
    requirement = tool.requirements.get("InitialWorkDirRequirement")
    listing = () if requirement is None else requirement["listing"]
    if isinstance(listing, str):
        given = evaluate_field(listing, tool.dialect, context)
        if not isinstance(given, list):
            raise _wrong(tool, "listing", given)
        yield from _results(tool, given)
        return
    for item in listing:
        if isinstance(item, str):
            yield from _results(tool, evaluate_field(item, tool.dialect, context))
        elif isinstance(item, Mapping) and "entry" in item:
            yield from _dirent(tool, context, item)
        else:
            yield from _results(tool, item)


def _results(tool: Tool, value: Any) -> Iterator[tuple[Any, str | None, bool]]:
    if value is None:
        return
    if isinstance(value, list):
        for item in value:
            yield from _results(tool, item)
    elif is_filelike(value):
        yield from _given(value, None, writable=bool(value.get("writable")))
    elif isinstance(value, Mapping) and "entry" in value:
        entry = value["entry"]
        plain = _entry(entry) if is_filelike(entry) else _contents(entry)
        yield plain, value.get("entryname"), bool(value.get("writable"))
    else:
        raise _wrong(tool, "listing", value)


def _dirent(
    tool: Tool, context: Context, dirent: Mapping[str, Any]
) -> Iterator[tuple[Any, str | None, bool]]:
    value = evaluate_field(dirent["entry"], tool.dialect, context, strip=False)
    name = evaluate_field(dirent.get("entryname"), tool.dialect, context)
    writable = bool(dirent.get("writable"))
    if value is None:
        return
    if is_filelike(value):
        yield from _given(value, name, writable=writable)
    elif _is_array_of_files(value) and (value or name is None):
        if name is not None:
            raise StepError(f"{tool.id}: entryname cannot name an array of files")
        for item in value:
            yield from _given(item, None, writable=writable)
    elif name is None:
        raise StepError(f"{tool.id}: a Dirent with text needs an entryname")
    else:
        yield _contents(value), name, writable


def _given(
    one: Mapping[str, Any], name: str | None, *, writable: bool
) -> Iterator[tuple[Any, str | None, bool]]:
    """Yield an object, or what is in it if it is a literal called ``.``: the directory itself."""
    if is_dot(one) and is_literal(one) and name is None:
        for inner in one.get("listing") or ():
            yield from _given(inner, None, writable=writable)
    else:
        yield _entry(one), name, writable


def _entry(one: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object that is to be put somewhere; a literal keeps the name it is known by."""
    entry: dict[str, Any] = normalize(one)
    if one.get("location") and is_literal(one):
        entry["location"] = one["location"]
    return entry


def _is_array_of_files(value: Any) -> bool:
    return isinstance(value, list) and all(is_filelike(item) for item in value)


def _contents(value: Any) -> str:
    return value if isinstance(value, str) else json_text(value)


def is_in_place(tool: Tool, context: Context) -> bool:
    """Whether a tool may update in place what is put into its working directory as writable."""
    requirement = tool.requirements.get("InplaceUpdateRequirement")
    if requirement is None:
        return False
    return bool(evaluate_field(requirement.get("inplaceUpdate"), tool.dialect, context))


def _name(tool: Tool, name: str | None, layout: Layout) -> str:
    """Return a name that stays in the working directory, unless the layout takes absolute ones.

    Those are for tools that require a container (CWL v1.2 Dirent, "entryname").
    """
    if not name:
        raise StepError(f"{tool.id}: an entry of InitialWorkDirRequirement has no name")
    clean = posixpath.normpath(name)
    if clean.startswith("/") and layout.anywhere and clean.strip("/") and "\0" not in clean:
        return f"/{clean.strip('/')}"
    if clean.startswith("/"):
        raise StepError(
            f"{tool.id}: {name!r} is absolute, which needs a container",
            hint="an absolute entryname is for tools with DockerRequirement in their requirements",
        )
    if clean == ".." or clean.startswith("../") or "\0" in clean:
        raise StepError(f"{tool.id}: {name!r} leaves the working directory")
    return clean


def _wrong(tool: Tool, field: str, value: Any) -> StepError:
    return StepError(
        f"{tool.id}: InitialWorkDirRequirement.{field} gave {str(value)[:80]!r}",
        hint="expected File, Directory or Dirent objects, arrays of them, or null",
    )
