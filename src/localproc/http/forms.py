"""Execute requests from the form on a process's page.

Owns the fields of that form: one for each input, and how what was filled in is read. Must not know
how the form looks. Whether a value fits is the engine's to say: what a field cannot read goes on as
the text that it is.
"""

import base64
import math
import posixpath
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

from localproc.cwl.base.types import CwlType, item_type, kind, without_null
from localproc.engine.handles import Process
from localproc.errors import InvalidInputs, Problem
from localproc.frozen import frozen
from localproc.http.answers import HttpProblem
from localproc.http.bodies import parsed
from localproc.http.exchange import Exchange
from localproc.http.formatting import brief
from localproc.http.multipart import BodyPart, read_parts

_SCALARS: Final = ("string", "number", "integer")
_ABSOLUTE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|/")
_CORNERS: Final = ("west", "south", "east", "north")


@frozen
class Field:
    """One field of a form.

    ``kind`` is ``text``, ``number``, ``flag``, ``choice``, ``lines`` (one value a line), ``json``,
    ``bbox`` (a field for each side), ``file``, ``files`` or ``folder``. ``default`` is what is
    filled in, unless something was ``given`` before; ``problems`` say what is wrong with that.
    ``kept`` names the files that it has as long as no others are chosen.
    """

    name: str
    kind: str
    title: str
    description: str
    required: bool
    schema: Mapping[str, Any]
    default: Any
    given: Sequence[str] | None = None
    problems: Sequence[str] = ()
    kept: str = ""

    def is_at(self, where: object) -> bool:
        """Whether the JSON path of a problem leads to this field."""
        place = f"inputs.{self.name}"
        return str(where) == place or str(where).startswith((f"{place}.", f"{place}["))

    @property
    def choices(self) -> Sequence[str]:
        """What there is to choose from."""
        return [brief(one) for one in self.schema["enum"]]

    @property
    def shown(self) -> str:
        """What it is filled in with."""
        if self.given is not None:
            return "\n".join(self.given) if self.kind == "lines" else "".join(self.given[-1:])
        if self.default is None:
            return ""
        if self.kind == "lines" and isinstance(self.default, list):
            return "\n".join(map(brief, self.default))
        return brief(self.default)

    @property
    def corners(self) -> list[tuple[str, str]]:
        """The sides of a box, with what is filled in."""
        if self.given is not None:
            return list(zip(_CORNERS, [*self.given, *[""] * 4], strict=False))
        box = self.default.get("bbox") if isinstance(self.default, Mapping) else None
        filled = (
            [brief(one) for one in box] if isinstance(box, list) and len(box) == 4 else [""] * 4
        )
        return list(zip(_CORNERS, filled, strict=True))

    @property
    def is_set(self) -> bool:
        """Whether a flag is filled in."""
        return bool(self.default) if self.given is None else "true" in self.given

    @property
    def is_whole(self) -> bool:
        """Whether numbers have no fraction."""
        return self.schema.get("type") == "integer"

    @property
    def hint(self) -> str:
        """Say how to fill it in, where that is not plain."""
        if self.kept:
            return f"{self.kept}, as long as no other is given"
        if self.kind == "lines":
            items = self.schema["items"].get("type", "value")
            return f"{_NAMES.get(items, 'values')}, one a line"
        if self.kind == "number":
            low, high = self.schema.get("minimum"), self.schema.get("maximum")
            bounds = [f"from {low}"] * (low is not None) + [f"to {high}"] * (high is not None)
            return " ".join(["whole number" if self.is_whole else "number", *bounds])
        if self.kind == "folder":
            return "the address of a STAC item, or of a folder where one may be named"
        if self.kind == "json":
            return "JSON" if self.schema.get("type") in ("object", "array") else "text or JSON"
        return str(self.schema.get("format", "")) if self.kind == "text" else ""


_NAMES: Final = {"string": "texts", "number": "numbers", "integer": "whole numbers"}


def form_fields(process: Process) -> list[Field]:
    """Return the fields of a process's form, in the order of the package."""
    return [_field(port["id"], port["type"], process.inputs) for port in process.ports()]


def _field(name: str, cwl_type: CwlType, inputs: Mapping[str, Any]) -> Field:
    said = inputs.get(name, {})
    schema = said.get("schema", {})
    return Field(
        name,
        _field_kind(without_null(cwl_type), schema),
        str(said.get("title") or name),
        str(said.get("description") or ""),
        said.get("minOccurs", 1) != 0,
        schema,
        schema.get("default"),
    )


def _field_kind(cwl_type: CwlType, schema: Mapping[str, Any]) -> str:
    if kind(cwl_type) == "File":
        return "file"
    if kind(cwl_type) == "Directory":
        return "folder"
    if kind(cwl_type) == "array" and kind(without_null(item_type(cwl_type))) == "File":
        return "files"
    parts = [schema, *(one for one in schema.get("allOf", ()) if isinstance(one, Mapping))]
    if any(one.get("format") == "ogc-bbox" for one in parts):
        return "bbox"
    if "enum" in schema:
        return "choice"
    what = schema.get("type")
    if what == "boolean":
        return "flag"
    if what in ("number", "integer"):
        return "number"
    items = schema.get("items")
    if what == "array" and isinstance(items, Mapping) and items.get("type") in _SCALARS:
        return "lines"
    return "text" if what == "string" else "json"


def refilled(
    exchange: Exchange, fields: Sequence[Field], problems: Sequence[Mapping[str, Any]]
) -> list[Field]:
    """Return fields with what the form that was sent had in them, and what is wrong with it.

    Files that were chosen have to be chosen again: no page can do that for its reader.
    """
    given: dict[str, list[str]] = {field.name: [] for field in fields}
    with suppress(HttpProblem):
        for part in read_parts(exchange.request.headers["content-type"], exchange.body):
            if not part.filename and part.field in given:
                given[part.field].append(part.text.replace("\r\n", "\n"))
    return [
        replace(
            field,
            given=given[field.name],
            problems=[one["message"] for one in problems if field.is_at(one.get("where"))],
        )
        for field in fields
    ]


def form_request(exchange: Exchange, process: Process) -> dict[str, Any]:
    """Return the execute request that a form holds; raises ``InvalidInputs``, or 400.

    Fields that were left empty are left out.
    """
    return {"inputs": read_fields(form_fields(process), form_parts(exchange))}


def form_parts(exchange: Exchange) -> dict[str, list[BodyPart]]:
    """Return what was sent of each field of a form; raises 400."""
    found: dict[str, list[BodyPart]] = {}
    for part in read_parts(exchange.request.headers["content-type"], exchange.body):
        found.setdefault(part.field, []).append(part)
    return found


def read_fields(fields: Sequence[Field], parts: Mapping[str, Sequence[BodyPart]]) -> dict[str, Any]:
    """Return the inputs that were filled in; raises ``InvalidInputs``."""
    inputs: dict[str, Any] = {}
    problems = []
    known = {field.name: field for field in fields}
    for name, sent in parts.items():
        filled = [part for part in sent if part.filename or part.data]
        try:
            if filled:
                inputs[name] = _value(known.get(name), filled)
        except ValueError as error:
            problems.append(Problem(str(error), f"inputs.{name}"))
    if problems:
        raise InvalidInputs("the form cannot be read", problems)
    return inputs


def _value(field: Field | None, parts: Sequence[BodyPart]) -> Any:
    """Read what a field was filled in with."""
    what = field.kind if field is not None else "text"
    if what in ("file", "files"):
        found = [one for part in parts for one in _files(part)]
        return found[0] if what == "file" and len(found) == 1 else found
    if what == "folder":
        return _address("".join(part.text for part in parts[-1:]).strip())
    texts = [part.text for part in parts]
    if any("\0" in text for text in texts):
        raise ValueError("has a zero character, which no program can be given")
    if field is not None and what == "bbox":
        if len(texts) != len(_CORNERS):
            raise ValueError("a box has four sides: " + ", ".join(_CORNERS))
        return {"bbox": [_number(one) for one in texts]}
    if field is not None and what == "lines":
        return _lines(field, "\n".join(texts))
    return _scalar(field, what, texts[-1])


def _scalar(field: Field | None, what: str, text: str) -> Any:
    if what == "flag":
        return {"true": True, "false": False}.get(text, text)
    if what == "number":
        return _number(text)
    if field is not None and what == "choice":
        return dict(zip(field.choices, field.schema["enum"], strict=True)).get(text, text)
    if what != "json":
        return text.replace("\r\n", "\n")
    try:
        return parsed(text)
    except ValueError as error:
        if text.lstrip()[:1] in ("{", "["):
            raise ValueError(f"is not JSON: {error}") from None
        return text


def _lines(field: Field, text: str) -> list[Any]:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if field.schema["items"]["type"] == "string":
        return list(lines)
    return [_number(line) for line in lines]


def _files(part: BodyPart) -> list[Any]:
    """Return a file that was sent, or the addresses of some."""
    if not part.filename:
        return [_address(one) for one in part.text.split()]
    data = base64.b64encode(part.data).decode("ascii")
    kind = part.media_type or "application/octet-stream"
    sent = {"value": data, "encoding": "base64", "mediaType": kind}
    name = posixpath.basename(part.filename.replace("\\", "/"))
    return [sent if name in ("", ".", "..") else {**sent, "basename": name}]


def _address(text: str) -> str:
    """Return an address as it is; a path would have to be relative to something."""
    if _ABSOLUTE.match(text):
        return text
    raise ValueError(
        f"{text!r} is a path of your machine, which this service does not see: choose the file "
        "itself, or give an address such as https://..."
    )


def _number(text: str) -> Any:
    for reader in (int, float):
        try:
            number = reader(text)
        except ValueError:
            continue
        return number if math.isfinite(number) else text
    return text
