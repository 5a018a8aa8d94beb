"""The outputs of a tool that has ended.

Owns success, globs, outputEval, secondaryFiles and formats of outputs, and ``cwl.output.json``
(CWL v1.2 CommandLineTool, section 4.3 "Output binding"). Must not move or change any file, nor know
which files a task may give out: that is ``settle``'s.
"""

import posixpath
from collections.abc import Mapping, Sequence
from typing import Any, Final

from localproc.cwl.base.files import (
    CONTENT_LIMIT,
    Files,
    is_literal,
    local_path,
    map_files,
    split_name,
)
from localproc.cwl.base.reading import read_written_json
from localproc.cwl.base.types import CwlType, is_filelike, is_optional, kind, members, mismatches
from localproc.cwl.expr.expressions import Context, evaluate_field
from localproc.cwl.expr.realm import RESULT_LIMIT
from localproc.cwl.run.enrich import Enricher, secondary_names, shown_name
from localproc.cwl.run.prepare import Prepared
from localproc.cwl.run.process import Port, Tool
from localproc.cwl.run.settle import FoundFile, Settler
from localproc.errors import StepError
from localproc.lengths import WithLength, with_length
from localproc.uris import is_below, path_uri

#: What makes something of the files that were found.
_SEEING: Final = frozenset({"loadContents", "outputEval", "secondaryFiles", "format"})


def succeeded(tool: Tool, exit_code: int) -> bool:
    """Whether the tool counts an exit code as success."""
    return exit_code in (tool.spec.get("successCodes") or (0,)) and exit_code not in (
        *(tool.spec.get("permanentFailCodes") or ()),
        *(tool.spec.get("temporaryFailCodes") or ()),
    )


def collect(task: Prepared, exit_code: int, files: Files) -> WithLength:
    """Return the tool's outputs. Files get their size and checksum.

    Raises ``StepError`` for an output that is missing, of another type, or outside the output
    directory, and for an input that has changed; ``ExpressionError``.
    """
    return _Collector(task, exit_code, files).outputs()


class _Missing(StepError):
    """Nothing was found for an output that there has to be."""


class _Collector:
    def __init__(self, task: Prepared, exit_code: int, files: Files) -> None:
        self._task = task
        self._tool = task.tool
        self._files = files
        self._folders = task.folders
        self._outdir = task.folders.outdir
        runtime = {**task.context.runtime}
        if self._tool.version != "v1.0":
            runtime["exitCode"] = exit_code
        self._context = context = Context(task.context.inputs, runtime)
        self._enricher = Enricher(self._tool, lambda: context, files)
        self._settler = Settler(task, files)

    def outputs(self) -> WithLength:
        own = f"{self._outdir}/cwl.output.json"
        there = self._files.stat(own)
        if there is not None and not there.is_special:
            if there.size > RESULT_LIMIT:
                raise _too_large(self._tool, "cwl.output.json")
            values = self._declared(own)
        else:
            values = {port.id: self._port(port.id, port.type, port.spec) for port in self._outputs}
        values = {name: map_files(value, self._settler.settle) for name, value in values.items()}
        outputs = with_length(values, RESULT_LIMIT)
        if outputs is None:
            raise _too_large(self._tool, "what its outputs are, written as JSON,")
        check_outputs(self._tool, outputs)
        return outputs

    @property
    def _outputs(self) -> Sequence[Port]:
        return self._tool.outputs

    def _declared(self, path: str) -> dict[str, Any]:
        try:
            values = read_written_json(self._files.read(path))
        except ValueError as error:
            raise StepError(f"{self._tool.id}: cwl.output.json is not JSON: {error}") from None
        if not isinstance(values, dict):
            raise StepError(f"{self._tool.id}: cwl.output.json is not an object")
        return {port.id: None for port in self._outputs} | values

    def _port(self, name: str, cwl_type: CwlType, spec: Mapping[str, Any]) -> Any:
        binding = spec.get("outputBinding")
        if binding is None:
            return self._record(name, cwl_type)
        patterns = self._patterns(name, binding)
        is_seen = not _SEEING.isdisjoint(binding) or not _SEEING.isdisjoint(spec)
        found = self._found(patterns, binding, is_seen=is_seen)
        value: Any = found
        if "outputEval" in binding:
            value = evaluate_field(binding["outputEval"], self._tool.dialect, self._context, found)
        elif not _wants_list(cwl_type):
            value = self._single(name, cwl_type, found, patterns)
        if isinstance(value, list) and "outputEval" in binding and _wants_one_file(cwl_type):
            value = self._unwrap(name, cwl_type, value)
        if spec.get("secondaryFiles"):
            value = map_files(value, lambda one: self._with_secondary(name, one, spec))
        if spec.get("format") is not None:
            value = map_files(value, lambda one: self._with_format(one, spec["format"]))
        return None if value == [] and is_optional(cwl_type) else value

    def _record(self, name: str, cwl_type: CwlType) -> Any:
        """A record without a binding of its own is made of its fields."""
        record = next((one for one in members(cwl_type) if kind(one) == "record"), None)
        if record is None:
            return None
        try:
            return {
                field["name"]: self._port(f"{name}.{field['name']}", field["type"], field)
                for field in record["fields"]
            }
        except _Missing:
            if is_optional(cwl_type):
                return None
            raise

    def _found(
        self, patterns: Sequence[str], binding: Mapping[str, Any], *, is_seen: bool
    ) -> list[dict[str, Any]]:
        if "stream" in binding:
            paths = [f"{self._outdir}/{name}" for name in patterns]
        else:
            paths = [
                path for pattern in patterns for path in self._files.glob(self._outdir, pattern)
            ]
        found = []
        for path in dict.fromkeys(map(posixpath.normpath, paths)):
            one = self._object(path, binding, is_seen=is_seen)
            if one is not None:
                found.append(one)
        return found

    def _patterns(self, name: str, binding: Mapping[str, Any]) -> list[str]:
        """Return the patterns of a binding; the one of a stream is its name, as it is."""
        if "stream" in binding:
            path = self._task.stdout if binding["stream"] == "stdout" else self._task.stderr
            return [] if path is None else [self._inside(name, path)]
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
        pattern = self._folders.real(pattern)
        if pattern == self._outdir or pattern.startswith(self._outdir + "/"):
            return pattern[len(self._outdir) + 1 :] or "."
        if pattern.startswith("/"):
            raise StepError(
                f"{self._tool.id}: the glob of {name}, {pattern!r}, is outside the output directory"
            )
        return pattern

    def _object(
        self, path: str, binding: Mapping[str, Any], *, is_seen: bool = True
    ) -> dict[str, Any] | None:
        """Return what is at a path, ``None`` for a link that leads nowhere.

        ``is_seen``: something may be made of it, which wants to know where it is inside the task.
        """
        stat = self._files.stat(path)
        if stat is None:
            return None
        self._settler.guard(path)
        basename, is_own = path.rpartition("/")[2], is_below(path, self._outdir)
        if stat.is_special:
            raise StepError(f"{self._tool.id}: the output {basename!r} is no regular file")
        if is_own and not (is_seen or stat.is_dir):
            return FoundFile(
                {
                    "class": "File",
                    "location": path_uri(path),
                    "basename": basename,
                    "size": stat.size,
                    "checksum": self._settler.checksum(path),
                }
            )
        seen = self._folders.seen(path)
        folder = seen.rpartition("/")[0]
        one: dict[str, Any] = {
            "class": "Directory" if stat.is_dir else "File",
            "location": path_uri(path),
            "path": seen,
            "basename": basename,
            "dirname": folder or "/",
        }
        if stat.is_dir:
            listing = binding.get("loadListing") or self._tool.load_listing
            return self._enricher.directory(one, listing)
        one["nameroot"], one["nameext"] = split_name(basename)
        contents = self._enricher.contents(one) if binding.get("loadContents") else None
        whole = contents if stat.size <= CONTENT_LIMIT else None
        one["size"] = stat.size
        one["checksum"] = self._settler.checksum(path, whole)
        if contents is not None:
            one["contents"] = contents
        return FoundFile(one) if is_own else one

    def _single(
        self, name: str, cwl_type: CwlType, found: list[Any], patterns: Sequence[str]
    ) -> Any:
        if not found and not is_optional(cwl_type):
            have = [self._there(one) for one in self._files.listdir(self._outdir) if one[0] != "."]
            wanted = " or ".join(map(repr, patterns)) or "no glob at all"
            raise _Missing(
                f"{self._tool.id}: the output {name} is missing: nothing matches {wanted}",
                hint="the output directory holds: " + (", ".join(have[:12]) or "nothing"),
            )
        return self._unwrap(name, cwl_type, found)

    def _there(self, name: str) -> str:
        leads = self._files.stat(posixpath.join(self._outdir, name)) is not None
        return name if leads else f"{name} (a link that leads nowhere)"

    def _unwrap(self, name: str, cwl_type: CwlType, found: list[Any]) -> Any:
        if len(found) > 1:
            names = ", ".join(str(_name_of(one)) for one in found[:12])
            raise StepError(f"{self._tool.id}: the output {name} is one file, but found {names}")
        return found[0] if found else None

    def _with_secondary(
        self, name: str, one: Mapping[str, Any], spec: Mapping[str, Any]
    ) -> dict[str, Any]:
        primary = {"basename": "", **one}
        beside = list(primary.get("secondaryFiles") or ())
        for pattern in spec["secondaryFiles"]:
            required = evaluate_field(
                pattern.get("required"), self._tool.dialect, self._context, primary
            )
            for wanted in secondary_names(pattern["pattern"], primary, self._tool, self._context):
                found = self._beside(primary, wanted)
                if found is not None:
                    beside.append(found)
                elif required:
                    missing = shown_name(wanted)
                    raise StepError(f"{self._tool.id}: {name} has no secondary file {missing!r}")
        return {**one, "secondaryFiles": beside}

    def _beside(self, primary: Mapping[str, Any], wanted: Any) -> Mapping[str, Any] | None:
        """Return a secondary file that a name or an object stands for, if it is there."""
        if is_filelike(wanted):
            return wanted if self._settler.is_there(wanted) else None
        if is_literal(primary) and "path" not in primary:
            return None
        folder = posixpath.dirname(self._folders.real(primary.get("path") or local_path(primary)))
        return self._object(posixpath.normpath(posixpath.join(folder, wanted)), {})

    def _with_format(self, one: Mapping[str, Any], spec: Any) -> dict[str, Any]:
        value = evaluate_field(spec, self._tool.dialect, self._context, one)
        if not isinstance(value, str):
            raise StepError(f"{self._tool.id}: an output's format gave {value!r}, not a string")
        return {**one, "format": value}


def _too_large(tool: Tool, what: str) -> StepError:
    return StepError(
        f"{tool.id}: {what} has more than {RESULT_LIMIT >> 20} MiB",
        hint="give out a Directory for many files, and a File for many values",
    )


def check_outputs(tool: Tool, values: Mapping[str, Any]) -> None:
    """Raise ``StepError`` with every output that is not of its type."""
    wrong = [
        f"{path}: {reason}"
        for port in tool.outputs
        for path, reason in mismatches(values.get(port.id), port.type, port.id)
    ]
    if wrong:
        raise StepError(f"{tool.id}: the outputs are not as promised: " + "; ".join(wrong))


def _wants_list(cwl_type: CwlType) -> bool:
    if isinstance(cwl_type, str):
        return cwl_type == "Any"
    return any(kind(member) == "array" or member == "Any" for member in members(cwl_type))


def _wants_one_file(cwl_type: CwlType) -> bool:
    branches = members(cwl_type)
    return not _wants_list(cwl_type) and ("File" in branches or "Directory" in branches)


def _name_of(one: Any) -> Any:
    return one.get("basename") if isinstance(one, Mapping) else one
