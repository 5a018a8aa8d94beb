"""One value of a request, made into a CWL value.

Owns the forms of OGC API - Processes (value, qualified value, link) and of CWL, and what a relative
path means. Must not fetch anything, nor look at a disk but through ``Files``.
"""

import base64
import json
import mimetypes
import posixpath
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import jsonschema_rs

from localproc.cwl.describe import is_bbox, is_string_format, schema
from localproc.cwl.files import Files, local_path, normalize, path_uri, reference, walk
from localproc.cwl.types import CwlType, is_filelike, item_type, kind, members, without_null
from localproc.errors import InvalidInputs, Problem

CRS84: Final = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
_REFERENCE_SUFFIXES: Final = (".json", ".geojson")
_QUALIFIED: Final = frozenset({"value", "mediaType", "encoding", "schema", "format"})
_PLAIN: Final = frozenset({"string", "boolean", "int", "long", "float", "double", "enum"})


class RequestReader:
    """Turns values of a request into CWL values, noting what cannot be used."""

    def __init__(
        self, base: str, files: Files, namespaces: Mapping[str, str], *, references: bool
    ) -> None:
        self._base = base
        self._files = files
        self._namespaces = namespaces
        self._references = references
        self.problems: list[Problem] = []

    def port(self, value: Any, port: Mapping[str, Any], path: str) -> Any:
        """Give the value of an input."""
        if not is_link(value, port):
            return self.value(value, port["type"], path)
        is_text = kind(without_null(port["type"])) == "string"
        return reference(self._location(value["href"]), text=is_text)

    def value(self, value: Any, cwl_type: CwlType, path: str) -> Any:
        """Give a value of a type."""
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
        if what != "Any":
            return value
        return normalize(value["value"] if _is_qualified(value) else value, self._base)

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
            value = self._inline(value, what, path)
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

    def _inline(self, value: Mapping[str, Any], what: str, path: str) -> dict[str, Any]:
        """Give a file whose contents are in the request: text, or anything in base64."""
        inner = value["value"]
        if isinstance(inner, Mapping) and is_filelike(inner):
            return dict(inner)
        if what == "Directory":
            self.problems.append(Problem("a directory cannot be given inline", path))
        kind = str(value.get("mediaType", "")).partition(";")[0].strip()
        name = "input" + (mimetypes.guess_extension(kind) or "")
        if value.get("encoding") != "base64" and not str(kind).startswith(("image/", "video/")):
            text = inner if isinstance(inner, str) else json.dumps(inner)
            return {"class": "File", "basename": name, "contents": text}
        try:
            base64.b64decode(inner, validate=True)
        except (TypeError, ValueError):
            self.problems.append(Problem("is not base64", f"{path}.value"))
        return {"class": "File", "basename": name, "contents": inner, "encoding": "base64"}

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


def unqualified(value: Any, cwl_type: CwlType) -> Any:
    """Give a plain value, or an array of some, without the wrapper that a request may put around it.

    Files, records and values of any type keep theirs: it says more there.
    """
    rest = without_null(cwl_type)
    if kind(rest) == "array":
        inner = value["value"] if _is_qualified(value) else value
        value = inner if isinstance(inner, list) else value
        items = value if isinstance(value, list) else [value]
        plain = [unqualified(item, item_type(rest)) for item in items]
        return plain if isinstance(value, list) else plain[0]
    branches = members(rest) if kind(rest) == "union" else [rest]
    is_plain = all(kind(without_null(one)) in _PLAIN for one in branches)
    return value["value"] if is_plain and _is_qualified(value) else value


def is_link(value: Any, port: Mapping[str, Any]) -> bool:
    """Whether a value is a link to where the value lies, of an input that is no file."""
    if not isinstance(value, Mapping) or not isinstance(value.get("href"), str):
        return False
    rest = without_null(port["type"])
    for one in members(rest) if kind(rest) == "union" else [rest]:
        inner = item_type(one) if kind(one) == "array" else one
        if kind(inner) in ("File", "Directory", "stdin", "Any") or _has_href(one):
            return False
    return set(value) <= {"href", "type", "rel", "title", "hreflang", "length"}


def _is_qualified(value: Any) -> bool:
    """Whether an object only wraps a value, as requests have to (schema ``qualifiedInputValue``)."""
    return isinstance(value, Mapping) and "value" in value and set(value) <= _QUALIFIED


def _has_href(cwl_type: CwlType) -> bool:
    fields = cwl_type.get("fields", ()) if isinstance(cwl_type, Mapping) else ()
    return any(field["name"] == "href" for field in fields)


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
