"""One value of a request, made into a CWL value.

Owns the forms of OGC API - Processes (value, qualified value, link) and of CWL, and what a relative
path means. Must not fetch anything, nor look at a disk but through ``Files``.
"""

import json
import posixpath
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from localproc.cwl.base.files import (
    ARCHIVE,
    Files,
    is_literal,
    is_local,
    is_reference,
    local_path,
    normalize,
    reference,
    unwritable,
    walk,
)
from localproc.cwl.base.literals import name_of
from localproc.cwl.base.reading import read_data
from localproc.cwl.base.types import (
    CwlType,
    is_filelike,
    is_simple,
    item_type,
    kind,
    members,
    mismatches,
    without_null,
)
from localproc.errors import InvalidInputs, Problem, StagingError, StepError
from localproc.ogc.describe import is_bbox, string_format
from localproc.ogc.promised_formats import REFERENCES, box_mismatch, text_mismatch
from localproc.ogc.request_files import Formats, held_inline, inline_file, said_format
from localproc.ogc.request_forms import Forms
from localproc.uris import canonical, data_of, data_uri, is_data, path_from, unquoted

CRS84: Final = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
_STAC: Final = ("Feature", "FeatureCollection", "Catalog", "Collection")
#: Media types that ask for a Directory to be made of an archive.
_ARCHIVES: Final[Mapping[str, str]] = {
    "application/zip": "zip",
    "application/x-zip-compressed": "zip",
    "application/gzip": "tar.gz",
    "application/x-gzip": "tar.gz",
    "application/tar+gzip": "tar.gz",
    "application/x-tar": "tar",
    "application/x-bzip2": "tar.bz2",
    "application/x-bzip": "tar.bz2",
    "application/x-xz": "tar.xz",
    "application/zstd": "tar.zst",
    "application/x-zstd": "tar.zst",
    "application/x-compressed-tar": "tar.gz",
    "application/x-bzip-compressed-tar": "tar.bz2",
    "application/x-bzip2-compressed-tar": "tar.bz2",
    "application/x-xz-compressed-tar": "tar.xz",
    "application/x-zstd-compressed-tar": "tar.zst",
}
_OTHER_ARCHIVES: Final = (
    "application/x-7z-compressed",
    "application/vnd.rar",
    "application/x-rar-compressed",
    "application/x-lzma",
    "application/x-lzip",
    "application/x-compress",
)
_REFERENCE_SUFFIXES: Final = (".json", ".geojson")


class RequestReader:
    """Turns values of a request into CWL values, noting what cannot be used.

    Without a ``base`` the request came over HTTP: its values have the forms of OGC's requests.
    """

    def __init__(
        self,
        base: str,
        files: Files,
        namespaces: Mapping[str, str],
        formats: Formats,
        *,
        references: bool,
    ) -> None:
        self._base = base
        self._files = files
        self._namespaces = namespaces
        self._formats = formats
        self._references = references
        self._forms = Forms(qualified=not base)
        self.problems: list[Problem] = []
        self.named: list[str] = []  #: files that strings name, by their absolute paths

    def port(self, value: Any, port: Mapping[str, Any], path: str) -> Any:
        """Return the value of an input."""
        simple = without_null(port["type"])
        if is_simple(value, simple):  # as most are: neither a link, nor in another form, nor a file
            return self._reference(value) if simple == "string" else value
        before = len(self.problems)
        if is_link(value, port):
            value = self._link(value["href"], port, path)
            if is_reference(value) or len(self.problems) > before:
                return value
        listed = self._forms.in_array(value, port["type"])
        found = self.value(listed, port["type"], path, port)
        if len(self.problems) == before:
            wrong = mismatches(found, port["type"], path)
            self.problems += [Problem(reason, where) for where, reason in wrong]
        if len(self.problems) == before:
            self.problems += self._formats.problems(found, port["type"], port, path)
        return found

    def _link(self, href: str, port: Mapping[str, Any], path: str) -> Any:
        is_text = kind(without_null(port["type"])) == "string"
        try:
            if not is_data(href):
                return reference(canonical(self._location(href)), text=is_text)
            text = data_of(href)[0].decode()
            return text if is_text else read_data(text)
        except ValueError as error:
            self.problems.append(Problem(f"its href cannot be used: {error}", path))
            return None

    def value(self, value: Any, cwl_type: CwlType, path: str, spec: Mapping[str, Any]) -> Any:
        """Return a value of a type; one that is not of it is left as it is.

        ``spec`` is what the input, or the field of a record, says beside its type.
        """
        branch = self._forms.branch(value, cwl_type)
        value = self._forms.plain(value, branch)
        what = kind(branch)
        if what == "array" and isinstance(branch, Mapping) and isinstance(value, list):
            return [
                self.value(item, branch["items"], f"{path}[{index}]", spec)
                for index, item in enumerate(value)
            ]
        if what == "record" and isinstance(branch, Mapping):
            return self._record(value, branch, path, spec)
        if what in ("File", "Directory", "stdin") and isinstance(value, (str, Mapping)):
            found = self._file(value, "File" if what == "stdin" else what, path)
            is_whole = isinstance(value, Mapping) and is_filelike(value)
            return found if is_whole else self._formats.completed(found, spec)
        if what == "string":
            return self._reference(value)
        return self._clean(value, path) if what == "Any" else value

    def _record(
        self, value: Any, cwl_type: Mapping[str, Any], path: str, spec: Mapping[str, Any]
    ) -> Any:
        if promised := string_format(cwl_type):
            value = value if isinstance(value, Mapping) else {"value": value}
            self._promised(value.get("value"), promised, path)
        if not isinstance(value, Mapping):
            return value
        if is_bbox(cwl_type):
            value = {"crs": CRS84, **value}
            if wrong := box_mismatch(value):
                self.problems.append(Problem(wrong, f"{path}.bbox"))
        names = {field["name"] for field in cwl_type["fields"]}
        others = {name: item for name, item in value.items() if name not in names}
        found = dict(self._clean(others, path) or {})
        for field in cwl_type["fields"]:
            name, inner = field["name"], {"format": spec.get("format"), **field}
            found[name] = self.value(value.get(name), field["type"], f"{path}.{name}", inner)
        return found

    def _promised(self, value: Any, name: str, path: str) -> None:
        """See that a text is of the format that its type promises."""
        is_relative = self._references and name in REFERENCES
        if isinstance(value, str) and not is_relative and (wrong := text_mismatch(value, name)):
            self.problems.append(Problem(wrong, path))

    def _reference(self, value: Any) -> Any:
        """Make a string that names an existing file by a relative path absolute; note the file."""
        if (
            not self._references
            or not isinstance(value, str)
            or not self._base.startswith("file:")
            or _SCHEME.match(value)
            or not ("/" in value or value.endswith(_REFERENCE_SUFFIXES))
        ):
            return value
        path = posixpath.join(_folder(self._base), value)
        try:
            found = self._files.stat(path)
        except StagingError:  # no name that a file can have, or none to be looked at: just a text
            return value
        if found is None or found.is_dir or found.is_special:
            return value
        path = posixpath.normpath(path)
        self.named.append(path)
        return value if value.startswith("/") else path

    def _file(self, value: Any, what: str, path: str) -> Any:
        if isinstance(value, str):
            value = {"class": what, "location": self._location(value)}
        elif isinstance(value.get("href"), str):
            link = {"class": what, "location": self._location(value["href"])}
            if what == "File":
                link |= said_format(value.get("type"), f"{path}.type", self.problems)
            else:
                link |= self._archive(value.get("type"), f"{path}.type")
            value = link
        elif what == "Directory" and (document := _stac_document(value)) is not None:
            text = json.dumps(document).encode()
            value = {"class": what, "location": data_uri(text, "application/geo+json")}
        elif what == "Directory" and isinstance(value.get("value"), str):  # a URI, as wrappers take
            value = {"class": what, "location": self._location(value["value"])}
        elif "value" in value and not is_filelike(value):
            if what == "Directory":
                self.problems.append(Problem("a directory cannot be given inline", path))
            value = inline_file(value, path, self.problems)
        elif isinstance(value.get("location"), str) and not is_literal(value):
            value = {**value, "location": self._location(value["location"], quoted=True)}
        clean = self._clean(value, path)
        for one in walk([clean]):
            self._check(one, path)
            prefix, _, rest = str(one.get("format", "")).partition(":")
            if prefix in self._namespaces:
                one["format"] = self._namespaces[prefix] + rest
        return clean

    def _archive(self, said: Any, path: str) -> dict[str, str]:
        """Return of which kind the archive is that a Directory is to be made of, if of any."""
        media_type = str(said).partition(";")[0].strip().lower()
        if media_type in _OTHER_ARCHIVES:
            kinds = ", ".join(dict.fromkeys(_ARCHIVES.values()))
            said = f"{media_type} is no archive that can be unpacked here"
            self.problems.append(Problem(said, path, hint=f"there is: {kinds}"))
        found = _ARCHIVES.get(media_type)
        return {} if found is None else {ARCHIVE: found}

    def _clean(self, value: Any, path: str) -> Any:
        """Return a value with its files in the form they have between steps."""
        try:
            clean = normalize(held_inline(value, path, self.problems), self._base)
        except InvalidInputs as error:
            self.problems.append(Problem(error.problems[0].message, path))
            return None
        for one in walk(clean):
            if one["class"] == "Directory" and not (is_literal(one) or is_local(one)):
                continue  # it is staged in under another name
            try:
                name_of(one, "input")
            except StepError as error:
                self.problems.append(Problem(error.message, path, hint=error.hint))
        return clean

    def _location(self, reference: str, *, quoted: bool = False) -> str:
        """Return an absolute URI for a URI or a path."""
        if _SCHEME.match(reference) or unwritable(reference):  # which is told of later
            return reference
        plain = unquoted(reference) if quoted else reference
        return path_from(self._base, plain)

    def _check(self, one: Mapping[str, Any], path: str) -> None:
        location = one.get("location", "")
        if not location.startswith("file:"):
            return
        if self._base and not self._base.startswith("file:"):
            said = "inputs that lie elsewhere cannot name a file of this machine"
            self.problems.append(Problem(said, path))
            return
        stat = self._files.stat(local_path(one))
        if stat is None:
            self.problems.append(
                Problem(f"{local_path(one)} does not exist", path, hint="check the path")
            )
        elif stat.is_hidden:
            return
        elif one["class"] == "File" and stat.is_dir:
            self.problems.append(Problem(f"{local_path(one)} is a directory, not a file", path))
        elif one["class"] == "Directory" and not (
            stat.is_dir or _may_be_item(location) or ARCHIVE in one
        ):
            self.problems.append(
                Problem(
                    f"{local_path(one)} is a file, not a directory",
                    path,
                    hint="a Directory may also be given as a STAC item (a .json file), or as an "
                    "archive: {href: PATH, type: application/zip}",
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


def _stac_document(value: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the STAC document that a value is, or that is its value; ``None`` if it is none."""
    if is_filelike(value):
        return None
    found = value.get("value", value)
    return found if isinstance(found, Mapping) and found.get("type") in _STAC else None


def _may_be_item(location: str) -> bool:
    return location.endswith(_REFERENCE_SUFFIXES)


def _folder(base: str) -> str:
    return unquoted(urlsplit(base).path)
