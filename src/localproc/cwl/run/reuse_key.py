"""What a step's outputs depend on, as one digest.

Owns what counts: the tool, the requirements that hold for it, the contents of every input file and
directory, and what lies beside the package's scripts. Names of jobs, places and times of files do
not. Must not know where outputs are kept.

Source of the rule when not to reuse: CWL v1.2 CommandLineTool, sections 5.11 "WorkReuse" and 5.12
"NetworkAccess".
"""

import hashlib
import json
import posixpath
from collections.abc import Collection, Mapping
from typing import Any, Final

from localproc.cwl.base.files import Files, is_local, local_path, map_files, walk
from localproc.cwl.expr.expressions import Context, evaluate_field
from localproc.cwl.run.container import network_access
from localproc.cwl.run.fingerprint import named
from localproc.cwl.run.process import Tool

_FORMAT: Final = 2  #: raised when the same step would be done differently
_UNSEEN: Final = frozenset({"source", "label", "doc", "metadata", "requirements", "hints"})
_LOCAL: Final = frozenset({"location", "path", "dirname", "size", "checksum"})


def why_not_reused(tool: Tool, inputs: Mapping[str, Any]) -> str:
    """Say why equal runs of a tool must not share their outputs; nothing if they may."""
    if tool.requirements.has("InplaceUpdateRequirement"):
        return "it updates files in place"
    context = Context(inputs)
    reuse = tool.requirements.get("WorkReuse")
    if reuse is not None and not evaluate_field(reuse["enableReuse"], tool.dialect, context):
        return "its WorkReuse says so"
    if network_access(tool, context) and tool.version != "v1.0":
        return "it uses the network"
    return ""


def may_be_reused(tool: Tool, inputs: Mapping[str, Any]) -> bool:
    """Whether equal runs of a tool may share their outputs."""
    return not why_not_reused(tool, inputs)


def named_files(tool: Tool, inputs: Mapping[str, Any]) -> set[str]:
    """Return the paths of the files that a run names: in its inputs and its requirements."""
    given = named(tool, inputs)
    return {local_path(one) for one in walk(given) if one["class"] == "File" and is_local(one)}


def identity(
    tool: Tool,
    inputs: Mapping[str, Any],
    files: Files,
    image: str = "",
    beside: str = "",
    software: Mapping[str, str] | None = None,
    given: Mapping[str, Any] | None = None,
) -> str:
    """Return the digest of a run; ``image`` is the digest of the container image, if there is one.

    ``software`` are the variables by which the software is available that it asks for.

    ``beside`` is that of what lies beside the package's own files, for a script may import it.
    ``given`` is what counts of what the tool is given besides its inputs. Every input file is read.
    """
    known = {"format": _FORMAT, **parts(tool, inputs, files), "image": image, "beside": beside}
    if software:
        known["software"] = dict(software)
    if given:
        known["given"] = given
    text = json.dumps(known, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def parts(
    tool: Tool, inputs: Mapping[str, Any], files: Files, only: Collection[str] | None = None
) -> dict[str, Any]:
    """Return what a run depends on, each thing by a name: ``inputs.threshold``, ``tool.stdout``.

    Files are what is in them, as ``files`` gives their checksums. ``only``: no more than these.
    """
    holding = {**tool.requirements.hinted, **tool.requirements.required}
    ports = {port.id: port.spec.get("default") for port in tool.inputs}
    named_values = {
        **{f"requirements.{name}": value for name, value in holding.items()},
        **{f"defaults.{name}": value for name, value in ports.items() if value is not None},
        **{f"inputs.{name}": value for name, value in inputs.items()},
    }
    found = {f"tool.{name}": value for name, value in tool.spec.items() if name not in _UNSEEN}
    found |= {
        name: _contents(value, files)
        for name, value in named_values.items()
        if only is None or name in only
    }
    return {name: value for name, value in found.items() if only is None or name in only}


def _contents(value: Any, files: Files) -> Any:
    """Return a value with its files replaced by what is in them."""

    def one(file: Mapping[str, Any]) -> dict[str, Any]:
        known = {name: item for name, item in file.items() if name not in _LOCAL}
        known |= {
            part: [one(inner) for inner in file[part]]
            for part in ("secondaryFiles", "listing")
            if part in file
        }
        if is_local(file):
            path = local_path(file)
            known["is"] = _file(path, files) if file["class"] == "File" else _tree(path, files)
        return known

    return map_files(value, one)


def _file(path: str, files: Files) -> str:
    """Return what a file is: its contents, and whether it may be run, as a script must be."""
    stat = files.stat(path)
    may_be_run = stat is not None and stat.is_executable
    return files.checksum(path) + " may be run" * may_be_run


def _tree(path: str, files: Files) -> str:
    """Return the digest of a directory: names and contents of all that is in it."""
    total = hashlib.sha256()
    for name in files.listdir(path):
        inner = posixpath.join(path, name)
        stat = files.stat(inner)
        if stat is None:
            continue
        kind = "d" if stat.is_dir else "f"
        digest = _tree(inner, files) if stat.is_dir else _file(inner, files)
        total.update(f"{kind} {name}\0{digest}\n".encode())
    return total.hexdigest()
