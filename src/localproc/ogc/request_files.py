"""Files that are in a request, and the formats of all files that a request names.

Owns contents that are sent inline, the media type that is said of a file, and whether its format is
one that the input takes. Must not look at a disk.
"""

import base64
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from localproc.cwl.base.files import map_files
from localproc.cwl.base.formats import iana_format, is_format, media_type_of
from localproc.cwl.base.reading import read_written_json
from localproc.cwl.base.types import is_file, is_filelike, item_type, kind, members, without_null
from localproc.errors import Problem
from localproc.media_types import UNKNOWN, extension
from localproc.uris import data_of, is_data

#: A type and a subtype (RFC 6838, 4.2).
_MEDIA_TYPE: Final = re.compile(r"[a-z0-9][\w!#$&^.+-]*/[a-z0-9][\w!#$&^.+-]*", re.ASCII)
#: Encodings of a text that stands in JSON as it is.
_AS_IT_IS: Final = ("", "utf-8", "utf8", "7bit", "8bit", "binary")


def inline_file(value: Mapping[str, Any], path: str, problems: list[Problem]) -> dict[str, Any]:
    """Return a file whose contents are in the request: text, or anything in base64."""
    inner = value["value"]
    if isinstance(inner, Mapping) and is_filelike(inner):
        return dict(inner)
    if isinstance(value.get("format"), Mapping):  # as drafts of the standard had it
        value = {**value["format"], **value}
    said = value.get("mediaType")
    media_type = said if isinstance(said, str) else ""
    name = value.get("basename") or "input" + extension(media_type)
    form = said_format(said, f"{path}.mediaType", problems)
    found = {"class": "File", "basename": name, **form}
    is_binary = media_type.lower().startswith(("image/", "video/"))
    encoding = str(value.get("encoding") or "").lower()
    if encoding not in ("base64", *_AS_IT_IS):  # what is in it would be taken for something else
        said = f"{value['encoding']!r} is not known: base64, or none for a text"
        problems.append(Problem(said, f"{path}.encoding"))
    if encoding != "base64" and not is_binary:
        return {**found, "contents": inner if isinstance(inner, str) else json.dumps(inner)}
    try:
        base64.b64decode(inner, validate=True)
    except (TypeError, ValueError):
        problems.append(Problem("is not base64", f"{path}.value"))
    return {**found, "contents": str(inner), "encoding": "base64"}


def held_inline(value: Any, path: str, problems: list[Problem]) -> Any:
    """Return a value in which files that ``data:`` URIs hold are such whose contents are sent."""

    def held(one: Mapping[str, Any]) -> dict[str, Any]:
        parts = {name: one[name] for name in ("secondaryFiles", "listing") if name in one}
        found = {**one, **{name: held_inline(part, path, problems) for name, part in parts.items()}}
        location = one.get("location")
        if not (isinstance(location, str) and is_data(location)):
            return found
        try:
            data, media_type = data_of(location)
        except ValueError as error:
            problems.append(Problem(f"its data: URI cannot be read: {error}", path))
            return {**found, "location": "data:,"}
        if is_file(one):
            return _data_file(found, data, media_type, path, problems)
        if not _is_document(data):
            problems.append(Problem("its data: URI holds no STAC document in JSON", path))
        return found

    return map_files(value, held)


def _is_document(data: bytes) -> bool:
    try:
        found = read_written_json(data)
    except ValueError:
        return False
    return isinstance(found, Mapping) and "type" in found


def _data_file(
    one: Mapping[str, Any], data: bytes, media_type: str, path: str, problems: list[Problem]
) -> dict[str, Any]:
    form = said_format(media_type or None, path, problems)
    said = media_type_of(str(one.get("format", "")))
    if form and said and iana_format(said) != form["format"]:
        problems.append(Problem(f"is said to be {said}, and in its data: URI {media_type}", path))
    name = one.get("basename") or "input" + extension(media_type)
    rest = {key: value for key, value in one.items() if key != "location"}
    contents = {"contents": base64.b64encode(data).decode(), "encoding": "base64"}
    return {**form, **rest, "basename": name, **contents}


def said_format(media_type: Any, path: str, problems: list[Problem]) -> dict[str, str]:
    """Return the format that a media type stands for; one that is none is a problem.

    One that says nothing of what is in a file (RFC 2046, 4.5.1) stands for no format.
    """
    if media_type is None:
        return {}
    plain = str(media_type).partition(";")[0].strip().lower()
    if not isinstance(media_type, str) or not _MEDIA_TYPE.fullmatch(plain):
        hint = "write it as image/tiff"
        problems.append(Problem(f"{media_type!r} is not a media type", path, hint=hint))
        return {}
    return {"format": iana_format(plain)} if plain != UNKNOWN else {}


class Formats:
    """Checks the formats of an input's files. ``ontology`` says which is below which."""

    def __init__(self, ontology: Mapping[str, Sequence[str]]) -> None:
        self._ontology = ontology

    def completed(self, value: Any, spec: Mapping[str, Any]) -> Any:
        """Return a file of which its sender says no format the only one that its input takes."""
        formats = _formats(spec)
        if len(formats) != 1 or not is_file(value) or "format" in value:
            return value
        return {**value, "format": formats[0]}

    def problems(
        self, value: Any, cwl_type: Any, spec: Mapping[str, Any], path: str
    ) -> Iterator[Problem]:
        """Yield the files whose format the input, or the field of a record, does not take."""
        rest = without_null(cwl_type)
        for branch in members(rest):
            what = kind(branch)
            if what == "array" and isinstance(value, list):
                for index, item in enumerate(value):
                    yield from self.problems(item, item_type(branch), spec, f"{path}[{index}]")
            elif what == "record" and isinstance(value, Mapping):
                for field in branch["fields"]:
                    inner = {"format": spec.get("format"), **field}
                    where = f"{path}.{field['name']}"
                    yield from self.problems(value.get(field["name"]), field["type"], inner, where)
            elif what in ("File", "stdin") and is_file(value):
                yield from self._file(value, _formats(spec), path)

    def _file(self, value: Any, formats: Sequence[str], path: str) -> Iterator[Problem]:
        have = value.get("format")
        if not formats or any(is_format(str(have), one, self._ontology) for one in formats):
            return
        expected = " or ".join(formats)
        said = f"is {have}, expected {expected}" if have else f"has no format, expected {expected}"
        yield Problem(said, path, hint="say its media type, or its format in a File object")


def _formats(spec: Mapping[str, Any]) -> list[str]:
    """Return the formats that an input takes, as far as they are known before its job."""
    written = spec.get("format")
    formats = written if isinstance(written, list) else [written]
    known = all(isinstance(one, str) and "$(" not in one and "${" not in one for one in formats)
    return [str(one) for one in formats] if known else []
