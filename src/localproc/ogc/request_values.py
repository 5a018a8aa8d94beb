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
from urllib.parse import urlsplit

import jsonschema_rs

from localproc.cwl.base.files import Files, is_literal, local_path, normalize, reference, walk
from localproc.cwl.base.types import (
    CwlType,
    is_filelike,
    item_type,
    kind,
    matches,
    members,
    mismatches,
    without_null,
)
from localproc.errors import InvalidInputs, Problem
from localproc.ogc.describe import is_bbox, is_string_format, schema
from localproc.uris import canonical, path_uri, unquoted

CRS84: Final = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
_REFERENCE_SUFFIXES: Final = (".json", ".geojson")
_QUALIFIED: Final = frozenset({"value", "mediaType", "encoding", "schema", "format"})


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
        if is_link(value, port):
            return self._link(value["href"], port, path)
        before = len(self.problems)
        found = self.value(_in_array(value, port["type"]), port["type"], path)
        if len(self.problems) == before:
            wrong = mismatches(found, port["type"], path)
            self.problems += [Problem(reason, where) for where, reason in wrong]
        return found

    def _link(self, href: str, port: Mapping[str, Any], path: str) -> Any:
        is_text = kind(without_null(port["type"])) == "string"
        try:
            return reference(canonical(self._location(href)), text=is_text)
        except ValueError as error:
            self.problems.append(Problem(f"its href cannot be used: {error}", path))
            return None

    def value(self, value: Any, cwl_type: CwlType, path: str) -> Any:
        """Give a value of a type; one that is not of it is left as it is."""
        branch = _branch(value, cwl_type)
        value = _unqualified(value, branch)
        what = kind(branch)
        if what == "array" and isinstance(branch, Mapping) and isinstance(value, list):
            return [
                self.value(item, branch["items"], f"{path}[{index}]")
                for index, item in enumerate(value)
            ]
        if what == "record" and isinstance(branch, Mapping):
            return self._record(value, branch, path)
        if what in ("File", "Directory", "stdin") and isinstance(value, (str, Mapping)):
            return self._file(value, "File" if what == "stdin" else what, path)
        if what == "string":
            return self._reference(value)
        return self._clean(value, path) if what == "Any" else value

    def _record(self, value: Any, cwl_type: Mapping[str, Any], path: str) -> Any:
        if is_string_format(cwl_type):
            value = value if isinstance(value, Mapping) else {"value": value}
        if not isinstance(value, Mapping):
            return value
        if is_bbox(cwl_type):
            value = {"crs": CRS84, **value}
        fields = {field["name"]: field["type"] for field in cwl_type["fields"]}
        others = {name: item for name, item in value.items() if name not in fields}
        return {
            **(self._clean(others, path) or {}),
            **{
                name: self.value(value.get(name), inner, f"{path}.{name}")
                for name, inner in fields.items()
            },
        }

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
        path = posixpath.join(_folder(self._base), value)
        found = self._files.stat(path)
        is_file = found is not None and not (found.is_dir or found.is_special)
        return posixpath.normpath(path) if is_file else value

    def _file(self, value: Any, what: str, path: str) -> Any:
        if isinstance(value, str):
            value = {"class": what, "location": self._location(value)}
        elif "href" in value:
            value = {"class": what, "location": self._location(value["href"])}
        elif "value" in value and not is_filelike(value):
            value = self._inline(value, what, path)
        elif isinstance(value.get("location"), str) and not is_literal(value):
            value = {**value, "location": self._location(value["location"], quoted=True)}
        clean = self._clean(value, path)
        for one in walk([clean]):
            self._check(one, path)
            prefix, _, rest = str(one.get("format", "")).partition(":")
            if prefix in self._namespaces:
                one["format"] = self._namespaces[prefix] + rest
        return clean

    def _clean(self, value: Any, path: str) -> Any:
        """Give a value with its files in the form they have between steps."""
        try:
            return normalize(value, self._base)
        except InvalidInputs as error:
            self.problems.append(Problem(error.problems[0].message, path))
            return None

    def _inline(self, value: Mapping[str, Any], what: str, path: str) -> dict[str, Any]:
        """Give a file whose contents are in the request: text, or anything in base64."""
        inner = value["value"]
        if isinstance(inner, Mapping) and is_filelike(inner):
            return dict(inner)
        if what == "Directory":
            self.problems.append(Problem("a directory cannot be given inline", path))
        if isinstance(value.get("format"), Mapping):  # as drafts of the standard had it
            value = {**value["format"], **value}
        kind = str(value.get("mediaType", "")).partition(";")[0].strip()
        name = "input" + (mimetypes.guess_extension(kind) or "")
        if value.get("encoding") != "base64" and not str(kind).startswith(("image/", "video/")):
            text = inner if isinstance(inner, str) else json.dumps(inner)
            return {"class": "File", "basename": name, "contents": text}
        try:
            base64.b64decode(inner, validate=True)
        except (TypeError, ValueError):
            self.problems.append(Problem("is not base64", f"{path}.value"))
        return {"class": "File", "basename": name, "contents": str(inner), "encoding": "base64"}

    def _location(self, reference: str, *, quoted: bool = False) -> str:
        """Give an absolute URI for a URI or a path."""
        if _SCHEME.match(reference):
            return reference
        plain = unquoted(reference) if quoted else reference
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


def _has_href(cwl_type: CwlType) -> bool:
    fields = cwl_type.get("fields", ()) if isinstance(cwl_type, Mapping) else ()
    return any(field["name"] == "href" for field in fields)


def _may_be_item(location: str) -> bool:
    return location.endswith(_REFERENCE_SUFFIXES)


def _folder(base: str) -> str:
    return unquoted(urlsplit(base).path)


def _in_array(value: Any, cwl_type: CwlType) -> Any:
    """Put one item that stands for an array of one into an array."""
    array = without_null(cwl_type)
    if kind(array) != "array" or value is None:
        return value
    plain = _unqualified(value, array)
    if isinstance(plain, list) and (_reads(plain, array) or not _reads(plain, item_type(array))):
        return plain
    return [plain]


def _branch(value: Any, cwl_type: CwlType) -> CwlType:
    """Choose the branch of a union that a value is meant for.

    One that takes the value as it is comes before one that has to read it: where a text will do, a
    text is a text and not the path of a file.
    """
    rest = cwl_type if value is None else without_null(cwl_type)
    branches: list[CwlType] = members(rest)
    if len(branches) == 1:
        return branches[0]
    for fits in (matches, _reads):
        for branch in branches:
            if fits(value, branch):
                return branch
    return rest


def _reads(value: Any, cwl_type: CwlType) -> bool:
    """Whether a value has one of the forms that a type's values have in a request."""
    return jsonschema_rs.is_valid(schema(cwl_type, strict=True), _unqualified(value, cwl_type))


def _unqualified(value: Any, cwl_type: CwlType) -> Any:
    """Take a value out of a qualified one; that of a file says how to read it, so it stays."""
    if not isinstance(value, Mapping) or "value" not in value:
        return value
    what, inner = kind(cwl_type), value["value"]
    if what == "Any":  # it may have a "value" of its own, among others
        return inner if set(value) <= _QUALIFIED else value
    if what in ("File", "Directory", "stdin"):
        return value
    if what == "array" and isinstance(cwl_type, Mapping):
        items = cwl_type["items"]
        return [_unqualified(item, items) for item in inner] if isinstance(inner, list) else value
    if what == "record" and isinstance(cwl_type, Mapping):
        own = any(field["name"] == "value" for field in cwl_type["fields"])
        return value if own or not isinstance(inner, Mapping) else inner
    return inner
