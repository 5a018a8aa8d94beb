"""What a user gives as inputs, made into a CWL job object.

Owns validation against the process (every problem at once, each with its JSON path), the forms of
OGC API - Processes (value, qualified value, link) and of CWL, and what a relative path means. Must
not fetch anything, nor look at a disk but through ``Files``.
"""

import base64
import difflib
import posixpath
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import jsonschema_rs

from localproc.cwl.describe import is_bbox, is_string_format, schema
from localproc.cwl.files import Files, local_path, normalize, path_uri, walk
from localproc.cwl.types import (
    CwlType,
    describe,
    is_filelike,
    is_optional,
    item_type,
    kind,
    members,
    mismatches,
    without_null,
)
from localproc.errors import InvalidInputs, Problem

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
CRS84: Final = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
_REFERENCE_SUFFIXES: Final = (".json", ".geojson")


class Request:
    """The inputs that one process takes. Compiled once, used for every job."""

    def __init__(
        self, ports: Sequence[Mapping[str, Any]], namespaces: Mapping[str, str] | None = None
    ) -> None:
        self._namespaces = namespaces or {}
        self._ports = {port["id"]: port for port in ports}
        properties = {}
        for port in ports:
            shape = schema(port["type"], strict=True)
            if kind(without_null(port["type"])) == "array":
                shape = {"anyOf": [shape, shape_of_one(port["type"])]}
            properties[port["id"]] = (
                {"anyOf": [shape, {"type": "null"}]} if not _required(port) else shape
            )
        self._validator = jsonschema_rs.validator_for(
            {
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "type": "object",
                "properties": properties,
                "required": [port["id"] for port in ports if _required(port)],
            }
        )

    def job_object(
        self, inputs: Mapping[str, Any], base: str, files: Files, *, references: bool = True
    ) -> dict[str, Any]:
        """Give the CWL job object.

        ``base`` is the URI of the folder against which relative paths are resolved.
        ``references``: a string that names an existing file relative to ``base`` by a path
        (``scenes/a.json``) is made absolute, so that tools that take references as strings find
        it. Raises ``InvalidInputs``.
        """
        problems = [*self._unknown(inputs), *self._mismatches(inputs)]
        if problems:
            raise InvalidInputs("the inputs do not fit the process", problems)
        reader = _Reader(base, files, self._namespaces, references=references)
        values = {
            name: reader.value(inputs[name], port["type"], f"inputs.{name}")
            for name, port in self._ports.items()
            if inputs.get(name) is not None
        }
        values |= {name: item for name, item in inputs.items() if name.startswith("cwl:")}
        if reader.problems:
            raise InvalidInputs("some inputs cannot be used", reader.problems)
        return values

    def _unknown(self, inputs: Mapping[str, Any]) -> list[Problem]:
        problems = []
        for name in inputs:
            if name not in self._ports and not name.startswith("cwl:"):
                close = difflib.get_close_matches(name, self._ports, 1)
                known = ", ".join(self._ports) or "none"
                hint = f"did you mean {close[0]!r}?" if close else f"the inputs are: {known}"
                problems.append(Problem(f"there is no input {name!r}", f"inputs.{name}", hint=hint))
        return problems

    def _mismatches(self, inputs: Mapping[str, Any]) -> list[Problem]:
        problems = []
        for error in self._validator.iter_errors(dict(inputs)):
            path = "inputs" + "".join(_segment(part) for part in error.instance_path)
            missing = re.match(r'"(.+)" is a required property', error.message)
            if missing and not list(error.instance_path):
                wanted = describe(self._ports[missing[1]]["type"])
                problems.append(
                    Problem("is missing", f"inputs.{missing[1]}", hint=f"expected {wanted}")
                )
                continue
            port = self._ports[str(error.instance_path[0])]
            hint = f"expected {describe(port['type'])}"
            if "is not valid under any of the schemas" in error.message:
                value = inputs[port["id"]]
                deeper = list(mismatches(value, without_null(port["type"]), f"inputs.{port['id']}"))
                problems += [Problem(reason, where) for where, reason in deeper]
                if deeper:
                    continue
            problems.append(Problem(_readable(error.message), path, hint=hint))
        return problems


class _Reader:
    """Turns values of a request into CWL values, noting what cannot be used."""

    def __init__(
        self, base: str, files: Files, namespaces: Mapping[str, str], *, references: bool
    ) -> None:
        self._base = base
        self._files = files
        self._namespaces = namespaces
        self._references = references
        self.problems: list[Problem] = []

    def value(self, value: Any, cwl_type: CwlType, path: str) -> Any:
        if value is None:
            return None
        rest = without_null(cwl_type)
        if kind(rest) == "union":
            rest = _branch(value, members(rest))
        what = kind(rest)
        if what == "array" and isinstance(rest, Mapping):
            items = value if isinstance(value, list) else [value]
            return [
                self.value(item, rest["items"], f"{path}[{index}]")
                for index, item in enumerate(items)
            ]
        if what in ("File", "Directory", "stdin"):
            return self._file(value, "File" if what == "stdin" else what, path)
        if is_string_format(rest):
            inner = value["value"] if isinstance(value, Mapping) else value
            return {"value": self._reference(inner)}
        if what == "record" and isinstance(rest, Mapping) and isinstance(value, Mapping):
            names = [field["name"] for field in rest["fields"]]
            if "value" in value and "value" not in names:
                value = value["value"]
            if is_bbox(rest):
                value = {"crs": CRS84, **value}
            return {
                **value,
                **{
                    field["name"]: self.value(
                        value.get(field["name"]), field["type"], f"{path}.{field['name']}"
                    )
                    for field in rest["fields"]
                },
            }
        if isinstance(value, Mapping) and "value" in value and what not in ("record", "Any"):
            value = value["value"]
        if what == "string":
            return self._reference(value)
        return normalize(value, self._base) if what == "Any" else value

    def _reference(self, value: Any) -> Any:
        """Make a string that names an existing file by a relative path absolute."""
        if (
            not self._references
            or not isinstance(value, str)
            or not self._base
            or value.startswith("/")
            or _SCHEME.match(value)
            or not ("/" in value or value.endswith(_REFERENCE_SUFFIXES))
        ):
            return value
        path = posixpath.normpath(posixpath.join(_folder(self._base), value))
        return path if self._files.stat(path) is not None else value

    def _file(self, value: Any, what: str, path: str) -> Any:
        if isinstance(value, str):
            value = {"class": what, "location": self._location(value)}
        elif "href" in value:
            value = {"class": what, "location": self._location(value["href"])}
        elif "value" in value and not is_filelike(value):
            value = {"class": what, "basename": "input", "contents": _contents(value)}
        elif isinstance(value.get("location"), str):
            value = {**value, "location": self._location(value["location"], quoted=True)}
        try:
            clean = normalize(value, self._base)
        except InvalidInputs as error:
            self.problems.append(Problem(error.problems[0].message, path))
            return None
        for one in walk([clean]):
            self._check(one, path)
            prefix, _, rest = str(one.get("format", "")).partition(":")
            if prefix in self._namespaces:
                one["format"] = self._namespaces[prefix] + rest
        return clean

    def _location(self, reference: str, *, quoted: bool = False) -> str:
        """Give an absolute URI for a URI or a path."""
        if _SCHEME.match(reference):
            return reference
        plain = unquote(reference) if quoted else reference
        return path_uri(posixpath.normpath(posixpath.join(_folder(self._base) or "/", plain)))

    def _check(self, one: Mapping[str, Any], path: str) -> None:
        location = one.get("location", "")
        if not location.startswith("file:"):
            return
        stat = self._files.stat(local_path(one))
        if stat is None:
            self.problems.append(
                Problem(f"{local_path(one)} does not exist", path, hint="check the path")
            )
        elif one["class"] == "File" and stat.is_dir:
            self.problems.append(Problem(f"{local_path(one)} is a directory, not a file", path))
        elif one["class"] == "Directory" and not stat.is_dir and not _may_be_item(location):
            self.problems.append(
                Problem(
                    f"{local_path(one)} is a file, not a directory",
                    path,
                    hint="a Directory may also be given as a STAC item (a .json file)",
                )
            )


def shape_of_one(cwl_type: CwlType) -> dict[str, Any]:
    """Give the schema of a single item of an array, which may stand for an array of one."""
    return schema(item_type(cwl_type), strict=True)


def _required(port: Mapping[str, Any]) -> bool:
    return not is_optional(port["type"]) and "default" not in port


def _may_be_item(location: str) -> bool:
    return location.endswith(_REFERENCE_SUFFIXES)


def _folder(base: str) -> str:
    return unquote(urlsplit(base).path)


def _branch(value: Any, branches: list[Any]) -> Any:
    """Choose the branch of a union that a request's value is meant for."""
    for branch in branches:
        if jsonschema_rs.is_valid(schema(branch, strict=True), value):
            return branch
    return branches[0]


def _contents(value: Mapping[str, Any]) -> str:
    """Give an inline value's text; CWL literals hold text alone."""
    inner = value["value"]
    if value.get("encoding") == "base64" and isinstance(inner, str):
        return base64.b64decode(inner).decode("utf-8", "replace")
    return inner if isinstance(inner, str) else str(inner)


def _segment(part: Any) -> str:
    return f"[{part}]" if isinstance(part, int) else f".{part}"


def _readable(message: str) -> str:
    if "is not valid under any of the schemas" in message:
        return message.split(" is not valid")[0] + " does not fit"
    return message
