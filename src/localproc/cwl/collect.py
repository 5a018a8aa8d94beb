"""The outputs of a tool that has ended.

Owns success, globs, outputEval, secondaryFiles and formats of outputs, and ``cwl.output.json``
(CWL v1.2 CommandLineTool, section 4.3 "Output binding"). Must not move or change any file.
"""

import json
import posixpath
from collections.abc import Mapping, Sequence
from typing import Any, Final

from localproc.cwl.enrich import Enricher, list_directory, secondary_names
from localproc.cwl.expressions import Context, evaluate_field
from localproc.cwl.files import (
    Files,
    is_local,
    local_path,
    map_files,
    path_uri,
    split_name,
    walk,
)
from localproc.cwl.prepare import Prepared
from localproc.cwl.process import Port, Tool
from localproc.cwl.types import CwlType, is_filelike, is_optional, kind, members, mismatches
from localproc.errors import StepError

#: What a File or Directory has inside a task only.
INNER_FIELDS: Final = ("path", "dirname", "nameroot", "nameext", "contents", "writable")


def succeeded(tool: Tool, exit_code: int) -> bool:
    """Whether the tool counts an exit code as success."""
    return exit_code in (tool.spec.get("successCodes") or (0,)) and exit_code not in (
        *(tool.spec.get("permanentFailCodes") or ()),
        *(tool.spec.get("temporaryFailCodes") or ()),
    )


def collect(task: Prepared, exit_code: int, files: Files) -> dict[str, Any]:
    """Give the tool's outputs. Files get their size and checksum.

    Raises ``StepError`` for an output that is missing, of another type, or outside the output
    directory; ``ExpressionError``.
    """
    return _Collector(task, exit_code, files).outputs()


class _Collector:
    def __init__(self, task: Prepared, exit_code: int, files: Files) -> None:
        self._task = task
        self._tool = task.tool
        self._files = files
        self._outdir = task.folders.outdir
        runtime = {**task.context.runtime}
        if self._tool.version != "v1.0":
            runtime["exitCode"] = exit_code
        self._context = Context(task.context.inputs, runtime)
        self._enricher = Enricher(self._tool, self._context, files)

    def outputs(self) -> dict[str, Any]:
        own = posixpath.join(self._outdir, "cwl.output.json")
        if self._files.stat(own) is not None:
            values = self._declared(own)
        else:
            values = {port.id: self._port(port.id, port.type, port.spec) for port in self._outputs}
        values = {name: map_files(value, self._settle) for name, value in values.items()}
        check_outputs(self._tool, values)
        return values

    @property
    def _outputs(self) -> Sequence[Port]:
        return self._tool.outputs

    def _declared(self, path: str) -> dict[str, Any]:
        try:
            values = json.loads(self._files.read(path))
        except ValueError as error:
            raise StepError(f"{self._tool.id}: cwl.output.json is not JSON: {error}") from None
        if not isinstance(values, dict):
            raise StepError(f"{self._tool.id}: cwl.output.json is not an object")
        return {port.id: None for port in self._outputs} | values

    def _port(self, name: str, cwl_type: CwlType, spec: Mapping[str, Any]) -> Any:
        binding = spec.get("outputBinding")
        if binding is None:
            return self._record(name, cwl_type)
        found = self._found(name, binding)
        value: Any = found
        if "outputEval" in binding:
            value = evaluate_field(binding["outputEval"], self._tool.dialect, self._context, found)
        elif not _wants_list(cwl_type):
            value = self._single(name, cwl_type, found, binding)
        if isinstance(value, list) and "outputEval" in binding and not _wants_list(cwl_type):
            value = self._unwrap(name, cwl_type, value)
        if spec.get("secondaryFiles"):
            value = map_files(value, lambda one: self._with_secondary(name, one, spec))
        if spec.get("format") is not None:
            value = map_files(value, lambda one: self._with_format(one, spec["format"]))
        return None if value == [] and is_optional(cwl_type) else value

    def _record(self, name: str, cwl_type: CwlType) -> Any:
        """A record without a binding of its own is made of its fields."""
        for member in members(cwl_type):
            if kind(member) == "record":
                return {
                    field["name"]: self._port(f"{name}.{field['name']}", field["type"], field)
                    for field in member["fields"]
                }
        return None

    def _found(self, name: str, binding: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [
            self._object(path, binding)
            for pattern in self._patterns(name, binding)
            for path in self._files.glob(self._outdir, pattern)
        ]

    def _patterns(self, name: str, binding: Mapping[str, Any]) -> list[str]:
        patterns: list[str] = []
        glob = binding.get("glob")
        for one in glob if isinstance(glob, list) else [glob]:
            value = evaluate_field(one, self._tool.dialect, self._context)
            for pattern in value if isinstance(value, list) else [value]:
                if not pattern:
                    continue
                if not isinstance(pattern, str):
                    raise StepError(f"{self._tool.id}: the glob of {name} gave {pattern!r}")
                patterns.append(self._inside(name, pattern))
        return patterns

    def _inside(self, name: str, pattern: str) -> str:
        if pattern == self._outdir or pattern.startswith(self._outdir + "/"):
            return pattern[len(self._outdir) + 1 :] or "."
        if pattern.startswith("/"):
            raise StepError(
                f"{self._tool.id}: the glob of {name}, {pattern!r}, is outside the output directory"
            )
        return pattern

    def _object(self, path: str, binding: Mapping[str, Any]) -> dict[str, Any]:
        path = posixpath.normpath(path)
        basename = posixpath.basename(path)
        stat = self._files.stat(path)
        if stat is None:
            raise StepError(f"{self._tool.id}: {basename} is a link that leads nowhere")
        one: dict[str, Any] = {
            "class": "Directory" if stat.is_dir else "File",
            "location": path_uri(path),
            "path": path,
            "basename": basename,
            "dirname": posixpath.dirname(path),
        }
        if stat.is_dir:
            listing = binding.get("loadListing") or self._tool.load_listing
            return self._enricher.directory(one, listing)
        self._guard(path)
        one["nameroot"], one["nameext"] = split_name(basename)
        one["size"] = stat.size
        one["checksum"] = self._files.checksum(path)
        if binding.get("loadContents"):
            one["contents"] = self._enricher.contents(one)
        return one

    def _guard(self, path: str) -> None:
        """A link may lead to another output or to an input, never anywhere else."""
        real = self._files.realpath(path)
        if real == path or _is_below(real, self._files.realpath(self._outdir)):
            return
        for one in walk(self._task.context.inputs):
            if is_local(one) and _is_below(real, self._files.realpath(local_path(one))):
                return
        for action in self._task.stage:
            if action.source and _is_below(real, self._files.realpath(action.source)):
                return
        raise StepError(
            f"{self._tool.id}: the output {posixpath.basename(path)!r} is a link to a file outside "
            f"the job's folder",
            hint="copy the file into the output directory instead of linking to it",
        )

    def _single(
        self, name: str, cwl_type: CwlType, found: list[Any], binding: Mapping[str, Any]
    ) -> Any:
        if not found and not is_optional(cwl_type):
            have = [one for one in self._files.listdir(self._outdir) if not one.startswith(".")]
            raise StepError(
                f"{self._tool.id}: the output {name} is missing: nothing matches "
                f"{binding.get('glob')!r}",
                hint="the output directory holds: " + (", ".join(have[:12]) or "nothing"),
            )
        return self._unwrap(name, cwl_type, found)

    def _unwrap(self, name: str, cwl_type: CwlType, found: list[Any]) -> Any:
        if len(found) > 1:
            names = ", ".join(str(_name_of(one)) for one in found[:12])
            raise StepError(f"{self._tool.id}: the output {name} is one file, but found {names}")
        return found[0] if found else None

    def _with_secondary(
        self, name: str, one: Mapping[str, Any], spec: Mapping[str, Any]
    ) -> dict[str, Any]:
        primary = dict(one)
        beside = list(primary.get("secondaryFiles") or ())
        folder = posixpath.dirname(primary.get("path") or local_path(primary))
        for pattern in spec["secondaryFiles"]:
            required = evaluate_field(
                pattern.get("required"), self._tool.dialect, self._context, primary
            )
            for wanted in secondary_names(pattern["pattern"], primary, self._tool, self._context):
                if is_filelike(wanted):
                    beside.append(wanted)
                    continue
                path = posixpath.join(folder, wanted)
                if self._files.stat(path) is not None:
                    beside.append(self._object(path, {}))
                elif required:
                    raise StepError(f"{self._tool.id}: {name} has no secondary file {wanted!r}")
        return {**primary, "secondaryFiles": beside}

    def _with_format(self, one: Mapping[str, Any], spec: Any) -> dict[str, Any]:
        value = evaluate_field(spec, self._tool.dialect, self._context, one)
        if not isinstance(value, str):
            raise StepError(f"{self._tool.id}: an output's format gave {value!r}, not a string")
        return {**one, "format": value}

    def _settle(self, one: Mapping[str, Any]) -> dict[str, Any]:
        """Give an object the form it has between steps; see that it may be an output at all."""
        settled = {key: item for key, item in one.items() if key not in INNER_FIELDS}
        if "location" not in one and "path" not in one:
            if "contents" in one:
                settled["contents"] = one["contents"]
            return self._inner(settled)
        path = self._path(one)
        if path is None:
            return self._inner(settled)
        stat = self._files.stat(path)
        if stat is None:
            raise StepError(f"{self._tool.id}: the output {path} does not exist")
        settled["location"] = path_uri(path)
        settled.setdefault("basename", posixpath.basename(path))
        if one["class"] == "File":
            if "checksum" not in settled:
                self._guard(path)
                settled["checksum"] = self._files.checksum(path)
            settled["size"] = stat.size
        return self._inner(settled)

    def _inner(self, settled: dict[str, Any]) -> dict[str, Any]:
        for part in ("secondaryFiles", "listing"):
            if part in settled:
                settled[part] = [self._settle(one) for one in settled[part]]
        if settled["class"] == "Directory" and "location" in settled:
            settled.pop("listing", None)  # what is listed can be looked up again
        return settled

    def _path(self, one: Mapping[str, Any]) -> str | None:
        """Give the real path behind an object: its path in the task, or its location."""
        path = one.get("path")
        location = one.get("location")
        if path is None:
            if location is not None and not str(location).startswith(("file:", "/")):
                if "://" in str(location):
                    return None
                return posixpath.normpath(posixpath.join(self._outdir, str(location)))
            return local_path(one) if is_local(one) else str(location)
        path = posixpath.normpath(posixpath.join(self._outdir, path))
        if _is_below(path, self._outdir):
            return path
        for known in walk(self._context.inputs):
            if known.get("path") == path and is_local(known):
                return local_path(known)
        raise StepError(
            f"{self._tool.id}: the output {path} is neither in the output directory nor an input"
        )


def check_outputs(tool: Tool, values: Mapping[str, Any]) -> None:
    """Raise ``StepError`` with every output that is not of its type."""
    wrong = [
        f"{path}: {reason}"
        for port in tool.outputs
        for path, reason in mismatches(values.get(port.id), port.type, port.id)
        if not (port.type == "Any" and values.get(port.id) is None)
    ]
    if wrong:
        raise StepError(f"{tool.id}: the outputs are not as promised: " + "; ".join(wrong))


def with_checksums(value: Any, files: Files) -> Any:
    """Give a value with size and checksum on every File, and the listing of every Directory."""

    def complete(one: Mapping[str, Any]) -> dict[str, Any]:
        known = dict(one)
        if not is_local(known):
            return known
        path = local_path(known)
        stat = files.stat(path)
        if stat is None:
            return known
        if known["class"] == "File":
            known.setdefault("size", stat.size)
            if "checksum" not in known:
                known["checksum"] = files.checksum(path)
            if known.get("secondaryFiles"):
                known["secondaryFiles"] = [complete(beside) for beside in known["secondaryFiles"]]
        else:
            listing = known.get("listing") or list_directory(files, path, deep=True)
            known["listing"] = [complete(child) for child in listing]
        return known

    return map_files(value, complete)


def _wants_list(cwl_type: CwlType) -> bool:
    return any(kind(member) == "array" or member == "Any" for member in members(cwl_type))


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _name_of(one: Any) -> Any:
    return one.get("basename") if isinstance(one, Mapping) else one
