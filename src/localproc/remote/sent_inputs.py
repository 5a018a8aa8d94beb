"""Inputs of a process elsewhere.

Owns what a server can be sent for a value: files of this machine go inline, others as links. Must
not ask a server.
"""

import base64
import os
from collections.abc import Iterable, Mapping
from typing import Any, Final

from localproc.engine.admission.inputs import parse_value
from localproc.errors import InvalidInputs, Problem
from localproc.media_types import media_type
from localproc.remote.shapes import object_of, objects_of
from localproc.uris import is_absolute, uri_path

MOST: Final = 10 << 20  #: bytes that a file may have to be sent inline
_IANA: Final = "//www.iana.org/assignments/media-types/"


def outgoing(
    inputs: Mapping[str, Any], described: Mapping[str, Any], bases: Mapping[str, str]
) -> dict[str, Any]:
    """Return inputs as a server takes them.

    ``described`` are the input descriptions of the process; ``bases`` are the folders that relative
    paths of an input hang from. Raises ``InvalidInputs`` for a file that is not here, or cannot be
    sent.
    """
    return {
        name: _Sending(name, bases.get(name, "")).value(
            value, is_file=_takes_files(_schema(described, name))
        )
        for name, value in inputs.items()
    }


def typed_texts(texts: Iterable[tuple[str, str]], described: Mapping[str, Any]) -> dict[str, Any]:
    """Return what pairs of a name and a text mean for the inputs; one that comes again adds."""
    found: dict[str, Any] = {}
    for name, text in texts:
        value = _typed(text, _schema(described, name))
        again = isinstance(found.get(name), list) and isinstance(value, list)
        found[name] = [*found[name], *value] if again else value
    return found


def _typed(text: str, schema: Mapping[str, Any]) -> Any:
    if schema.get("type") == "array":
        value = parse_value(text)
        return value if isinstance(value, list) else [_typed(text, object_of(schema.get("items")))]
    if schema.get("type") == "string" and not _takes_files(schema):
        return text
    value = parse_value(text)
    return value if isinstance(value, Mapping) or not _takes_files(schema) else text


def _schema(described: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return object_of(object_of(described.get(name)).get("schema"))


def _takes_files(schema: Any) -> bool:
    """Whether a value of a schema, or an item of it, stands for a file."""
    if not isinstance(schema, Mapping):
        return False
    if "contentMediaType" in schema or "contentEncoding" in schema or schema.get("format") == "uri":
        return True
    inner = [one for name in ("oneOf", "anyOf", "allOf") for one in objects_of(schema.get(name))]
    return any(map(_takes_files, [*inner, schema.get("items")]))


class _Sending:
    """Makes one input what is sent."""

    def __init__(self, name: str, base: str) -> None:
        self._name = name
        self._base = base

    def value(self, value: Any, *, is_file: bool) -> Any:
        """Return a value with its files inline or as links."""
        if isinstance(value, list):
            return [self.value(one, is_file=is_file) for one in value]
        if isinstance(value, str):
            return self._located(value, {}) if is_file else value
        if not isinstance(value, Mapping):
            return value
        if value.get("class") == "Reference":
            return {"href": value["location"]}
        if value.get("class") in ("File", "Directory"):
            return self._file(value)
        if isinstance(value.get("href"), str):
            return self._located(value["href"], value)
        return {name: self.value(one, is_file=False) for name, one in value.items()}

    def _file(self, value: Mapping[str, Any]) -> Any:
        """Return a File or Directory of CWL as OGC's requests have it."""
        if value.get("secondaryFiles"):
            raise self._wrong("has files beside it, which cannot be sent with it")
        kind = _kind(value)
        place = value.get("location") or value.get("path")
        if isinstance(value.get("contents"), str) and str(place or "_:").startswith("_:"):
            if value.get("encoding") == "base64":
                return {"value": value["contents"], "encoding": "base64", **kind}
            return _inline(value["contents"].encode(), kind)
        if not isinstance(place, str) or place.startswith("_:"):
            raise self._wrong("is a folder that is nowhere, which cannot be sent")
        return self._located(place, {"type": kind["mediaType"]} if kind else {})

    def _located(self, place: str, link: Mapping[str, Any]) -> Any:
        """Return a file by its path or URI."""
        if is_absolute(place) and not place.lower().startswith("file:"):
            return {**link, "href": place}
        if place.startswith("data:"):
            return {**link, "href": place}
        folder = uri_path(self._base) if self._base else ""
        is_uri = place.lower().startswith("file:")
        path = uri_path(place) if is_uri else os.path.join(folder, os.path.expanduser(place))
        if os.path.isdir(path):
            raise self._wrong(f"is the folder {path}, which cannot be sent", "give its URL")
        try:
            with open(path, "rb") as file:
                data = file.read(MOST + 1)
        except OSError as error:
            raise self._wrong(f"cannot read {path}: {error.strerror}") from None
        if len(data) > MOST:
            said = f"{path} has more than {MOST >> 20} MiB, which is the most that is sent inline"
            raise self._wrong(said, "put it where the server can read it, and give its URL")
        said_kind = str(link.get("type") or media_type(path))
        return _inline(data, {"mediaType": said_kind, "basename": os.path.basename(path)})

    def _wrong(self, said: str, hint: str = "") -> InvalidInputs:
        return InvalidInputs(
            "this cannot be sent to a server", [Problem(said, self._name, hint=hint)]
        )


def _inline(data: bytes, said: Mapping[str, str]) -> dict[str, str]:
    return {"value": base64.b64encode(data).decode("ascii"), "encoding": "base64", **said}


def _kind(value: Mapping[str, Any]) -> dict[str, str]:
    """Return the media type that a File's format is, nothing for those of other vocabularies."""
    _, found, kind = str(value.get("format") or "").partition(_IANA)
    named = media_type(str(value.get("basename") or value.get("location") or ""))
    return {"mediaType": kind if found else named}
