"""What a tool wants to know of its input files before it starts.

Owns secondaryFiles, loadContents, loadListing and format checks on inputs. Must not know paths
inside a task or the command line. Values are copied, never changed: other steps hold them too.
"""

import codecs
import posixpath
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

from localproc.cwl.base.files import (
    CONTENT_LIMIT,
    Files,
    Stat,
    is_literal,
    is_local,
    local_path,
    normalize,
    shown,
    split_name,
)
from localproc.cwl.base.formats import is_format
from localproc.cwl.base.listing import list_directory
from localproc.cwl.base.literals import check_class, made_of, required_part
from localproc.cwl.base.types import is_directory, is_file, is_filelike, kind, matches, members
from localproc.cwl.expr.expressions import Context, evaluate_field, has_expression
from localproc.cwl.run.process import Tool, Workflow
from localproc.errors import StepError
from localproc.uris import path_uri

_INHERITED = ("secondaryFiles", "format", "loadContents", "loadListing", "streamable")


class Enricher:
    """Enriches the inputs of one run of one tool or workflow.

    ``discover``: look for secondary files beside their primary ones. That is for a job's own
    inputs; between steps a file has what it was sent with, and nothing else. ``see`` gives what
    expressions see, once one of them is met.
    """

    def __init__(
        self,
        tool: Tool | Workflow,
        see: Callable[[], Context],
        files: Files,
        *,
        discover: bool = False,
    ) -> None:
        self._tool = tool
        self._see = see
        self._files = files
        self._discover = discover

    @cached_property
    def _context(self) -> Context:
        return self._see()

    def port(self, port_id: str, cwl_type: Any, value: Any, spec: Mapping[str, Any]) -> Any:
        """Return the value of a port, or of a record's field, with what its spec asks for."""
        if value is None:
            return None
        branch = cwl_type
        if not isinstance(cwl_type, str):
            branch = next((one for one in members(cwl_type) if matches(value, one)), None)
        if branch is not None and kind(branch) == "array" and isinstance(branch, Mapping):
            return [self.port(port_id, branch["items"], item, spec) for item in value]
        if branch is not None and kind(branch) == "record" and isinstance(branch, Mapping):
            fields = {
                field["name"]: self.port(
                    f"{port_id}.{field['name']}",
                    field["type"],
                    value.get(field["name"]),
                    {**{key: spec[key] for key in _INHERITED if key in spec}, **field},
                )
                for field in branch["fields"]
            }
            others = {key: item for key, item in value.items() if key not in fields}
            return {**self.port(port_id, "Any", others, {}), **fields}
        if is_file(value):
            return self._file(port_id, value, spec)
        if is_directory(value):
            return self.directory(value, spec.get("loadListing") or self._tool.load_listing)
        if isinstance(value, list):
            return [self.port(port_id, "Any", item, spec) for item in value]
        if isinstance(value, Mapping):
            return {key: self.port(port_id, "Any", item, spec) for key, item in value.items()}
        return value

    def _file(self, port_id: str, value: Mapping[str, Any], spec: Mapping[str, Any]) -> Any:
        file = dict(self._sized(value))
        binding = spec.get("inputBinding") or {}
        if spec.get("loadContents") or binding.get("loadContents"):
            file["contents"] = self.contents(file)
        if spec.get("secondaryFiles"):
            file["secondaryFiles"] = self._secondary(port_id, file, spec["secondaryFiles"])
        if spec.get("format") is not None:
            self._check_format(port_id, file, spec["format"])
        return file

    def contents(self, file: Mapping[str, Any]) -> str:
        """Read a small file; CWL v1.2 makes it an error where older versions cut it off."""
        if is_literal(file):
            return str(file.get("contents", ""))
        data = self._files.read(local_path(file), CONTENT_LIMIT + 1)
        is_cut = len(data) > CONTENT_LIMIT
        if is_cut and self._tool.version == "v1.2":
            raise StepError(
                f"{file.get('basename')} is larger than 64 KiB, the limit of loadContents",
                hint="pass the file itself to a tool and read it there",
            )
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            return decoder.decode(data[:CONTENT_LIMIT], final=not is_cut)
        except UnicodeDecodeError as error:
            raise StepError(
                f"{file.get('basename')} is not text in UTF-8, as loadContents wants it: byte "
                f"{error.start} cannot be read",
                hint="pass the file itself to a tool and read it there",
            ) from None

    def directory(self, value: Mapping[str, Any], load_listing: str) -> dict[str, Any]:
        """Return a Directory with as much of its listing as is asked for.

        A listing that it has stays: it may name what is nowhere else.
        """
        self._check(value)
        deep = load_listing == "deep_listing"
        if value.get("listing"):
            inner = load_listing if deep else "no_listing"
            listing = [
                self.directory(one, inner) if is_directory(one) else self._sized(one)
                for one in value["listing"]
            ]
            return {**value, "listing": listing}
        if not is_local(value) or not (deep or load_listing == "shallow_listing"):
            return dict(value)
        return {**value, "listing": list_directory(self._files, local_path(value), deep=deep)}

    def _sized(self, one: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a File, and those beside it, with sizes; raises ``StepError`` if there is none."""
        if is_directory(one):
            return self.directory(one, "no_listing")
        if "size" not in one:
            if is_literal(one):
                one = {**one, "size": made_of(required_part(one, "contents"))["size"]}
            elif (stat := self._check(one)) is not None:
                one = {**one, "size": stat.size}
        if one.get("secondaryFiles"):
            one = {**one, "secondaryFiles": [self._sized(each) for each in one["secondaryFiles"]]}
        return one

    def _check(self, one: Mapping[str, Any]) -> Stat | None:
        """Return what there is of an object on this machine; raises ``StepError`` for nothing."""
        if not is_local(one):
            return None
        stat = self._files.stat(local_path(one))
        check_class(one, local_path(one), stat)
        return stat

    def _secondary(
        self, port_id: str, file: Mapping[str, Any], patterns: Sequence[Any]
    ) -> list[Mapping[str, Any]]:
        given = [self._sized(normalize(one)) for one in file.get("secondaryFiles") or ()]
        if "secondaryFiles" in file and not self._discover:
            return given
        named = {one.get("basename") for one in given}
        here = shown(file)
        for pattern in patterns:
            required = self._required(port_id, pattern, here)
            for wanted in secondary_names(pattern["pattern"], here, self._tool, self._context):
                if is_filelike(wanted):
                    found: Any = self._object(wanted, required=required)
                    given = [one for one in given if found is None or not _is_same(one, found)]
                    named = {one.get("basename") for one in given}
                else:
                    found = None if wanted in named else self._beside(file, wanted)
                if found is not None and found.get("basename") not in named:
                    named.add(found.get("basename"))
                    given.append(found)
                elif found is None and required and wanted not in named:
                    missing = shown_name(wanted)
                    raise StepError(
                        f"{port_id}: {file.get('basename')} has no secondary file {missing!r}",
                        hint="put it beside the file, or list it in secondaryFiles",
                    )
        return given

    def _object(self, wanted: Mapping[str, Any], *, required: bool) -> Mapping[str, Any] | None:
        """Return what an expression gave for a secondary file; it need not be there if optional."""
        one = normalize(wanted)
        if is_local(one) and not required and self._files.stat(local_path(one)) is None:
            return None
        return self._sized(one)

    def _required(self, port_id: str, pattern: Mapping[str, Any], file: Any) -> bool:
        required = pattern.get("required")
        if required is None:
            return True
        value = evaluate_field(required, self._tool.dialect, self._context, file)
        if value is not None and not isinstance(value, bool):
            raise StepError(f"{port_id}: secondaryFiles.required gave {value!r}, not a boolean")
        return bool(value)

    def _beside(self, file: Mapping[str, Any], name: str) -> dict[str, Any] | None:
        if not self._discover or not is_local(file):
            return None
        path = posixpath.join(posixpath.dirname(local_path(file)), name)
        stat = self._files.stat(path)
        if stat is None:
            return None
        found: dict[str, Any] = {
            "class": "Directory" if stat.is_dir else "File",
            "location": path_uri(path),
            "basename": posixpath.basename(path),
        }
        if not stat.is_dir:
            found["size"] = stat.size
        return found

    def _check_format(self, port_id: str, file: Mapping[str, Any], wanted: Any) -> None:
        allowed = evaluate_field(wanted, self._tool.dialect, self._context, file)
        formats = allowed if isinstance(allowed, list) else [allowed]
        if not all(isinstance(one, str) and not has_expression(one) for one in formats):
            raise StepError(f"{port_id}: format gave {allowed!r}, not a string or array of them")
        have = file.get("format")
        if have is None:
            raise StepError(
                f"{port_id}: {file.get('basename')} has no format, expected {' or '.join(formats)}",
                hint="add format: to the File object in the inputs",
            )
        if not any(is_format(have, one, self._tool.ontology) for one in formats):
            raise StepError(
                f"{port_id}: {file.get('basename')} is {have}, expected {' or '.join(formats)}"
            )


def _is_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two objects are one file (what an expression says of it takes precedence)."""
    return not is_literal(one) and one["location"] == other.get("location")


def secondary_names(
    pattern: str, file: Mapping[str, Any], tool: Tool | Workflow, context: Context
) -> list[Any]:
    """Return what a secondaryFiles pattern stands for: names, or File and Directory objects."""
    if not has_expression(pattern):
        return [apply_pattern(str(file["basename"]), pattern)]
    value = evaluate_field(pattern, tool.dialect, context, file)
    items = value if isinstance(value, list) else [value]
    for item in items:
        if not (item is None or isinstance(item, str) or is_filelike(item)):
            raise StepError(
                f"{tool.id}: the secondaryFiles pattern {pattern!r} gave {item!r}",
                hint="expected a name, a File or Directory object, an array of these, or null",
            )
    return [item for item in items if item]


def shown_name(wanted: Any) -> str:
    """Return what a secondary file that is missing is called."""
    if not is_filelike(wanted):
        return str(wanted)
    named = (wanted.get(name) for name in ("basename", "path", "location"))
    return str(next(filter(None, named), wanted["class"]))


def apply_pattern(basename: str, pattern: str) -> str:
    """Apply a suffix pattern: each leading ``^`` takes one extension off first."""
    while pattern.startswith("^"):
        basename, pattern = split_name(basename)[0], pattern[1:]
    return basename + pattern
