"""A process's inputs and outputs as JSON Schema, the way OGC API - Processes describes them.

Owns the translation of CWL types into schemas. Must not know links, HTTP or jobs.

Files are described by what may stand for them in a request: a URI, a link, or a CWL object. The
description avoids what known clients cannot read (``type`` arrays, bare ``$ref``): null shows as
``nullable``.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from localproc.cwl.base.formats import media_type_of
from localproc.cwl.base.types import CwlType, is_filelike, is_optional, kind, members, without_null

_SCHEMA_ORG: Final = ("https://schema.org/", "http://schema.org/")
_NUMBERS: Final = {
    "int": {"type": "integer", "format": "int32"},
    "long": {"type": "integer", "format": "int64"},
    "float": {"type": "number", "format": "float"},
    "double": {"type": "number", "format": "double"},
}
#: string_format.yaml's types and the JSON Schema format that each stands for.
_STRING_FORMATS: Final = {
    "Date": "date",
    "DateTime": "date-time",
    "Duration": "duration",
    "Email": "email",
    "Hostname": "hostname",
    "IDNEmail": "idn-email",
    "IDNHostname": "idn-hostname",
    "IPv4": "ipv4",
    "IPv6": "ipv6",
    "IRI": "iri",
    "IRIReference": "iri-reference",
    "JsonPointer": "json-pointer",
    "Password": "password",
    "RelativeJsonPointer": "relative-json-pointer",
    "UUID": "uuid",
    "URI": "uri",
    "URIReference": "uri-reference",
    "URITemplate": "uri-template",
    "Time": "time",
}
LINK: Final = {
    "type": "object",
    "required": ["href"],
    "properties": {"href": {"type": "string"}, "type": {"type": "string"}},
}


def describe_process(resolved: Mapping[str, Any], digest: str) -> dict[str, Any]:
    """Return the members of an OGC process description that the package itself determines."""
    main = resolved["processes"][resolved["main"]]
    said = {**resolved["metadata"], **main["metadata"]}
    description: dict[str, Any] = {
        "id": main["id"],
        "title": text(main.get("label")) or main["id"],
        "description": text(main.get("doc")),
        "version": str(_schema_org(said, "softwareVersion") or f"0.0.0+{digest[:8]}"),
        "keywords": _keywords(_schema_org(said, "keywords")),
        "inputs": {port["id"]: input_description(port) for port in main["inputs"]},
        "outputs": {port["id"]: output_description(port) for port in main["outputs"]},
    }
    return {name: value for name, value in description.items() if value not in ("", [])}


def input_description(port: Mapping[str, Any]) -> dict[str, Any]:
    """Return the description of one input."""
    optional = is_optional(port["type"]) or "default" in port
    described: dict[str, Any] = {
        "title": text(port.get("label")) or port["id"],
        "description": text(port.get("doc")),
        "schema": _with_media_type(schema(port["type"]), port["type"], port),
        "minOccurs": 0 if optional else 1,
        "maxOccurs": 1,
    }
    if any(kind(member) == "array" for member in members(port["type"])):
        described["maxOccurs"] = "unbounded"
    if "default" in port and not _is_literal(port["default"]):
        described["schema"] = {**described["schema"], "default": _shown(port["default"])}
    if not described["description"]:
        del described["description"]
    return described


def output_description(port: Mapping[str, Any]) -> dict[str, Any]:
    """Return the description of one output."""
    described: dict[str, Any] = {
        "title": text(port.get("label")) or port["id"],
        "description": text(port.get("doc")),
        "schema": _with_media_type(output_schema(port["type"]), port["type"], port),
    }
    if not described["description"]:
        del described["description"]
    return described


def schema(cwl_type: CwlType, *, strict: bool = False) -> dict[str, Any]:
    """Return the JSON Schema of an input's value.

    ``strict`` writes null as JSON Schema proper has it, for validation; otherwise as OpenAPI 3.0
    has it, for descriptions.
    """
    rest = without_null(cwl_type)
    if is_optional(cwl_type) and kind(cwl_type) == "union":
        inner = schema(rest, strict=strict)
        return {"anyOf": [inner, {"type": "null"}]} if strict else {**inner, "nullable": True}
    what = kind(rest)
    if what == "union":
        return {"anyOf": [schema(member, strict=strict) for member in members(rest)]}
    if isinstance(rest, Mapping):
        return {**_composite(rest, what, strict=strict), **_said(rest)}
    if what in _NUMBERS:
        return dict(_NUMBERS[what])
    if what in ("File", "Directory", "stdin"):
        return _file(what, strict=strict)
    return {} if what == "Any" else {"type": what}


def _composite(cwl_type: Mapping[str, Any], what: str, *, strict: bool) -> dict[str, Any]:
    if what == "array":
        return {"type": "array", "items": schema(cwl_type["items"], strict=strict)}
    if what == "enum":
        return {"type": "string", "enum": list(cwl_type["symbols"])}
    if promised := string_format(cwl_type):
        plain = {"type": "string", "format": promised}
        if not strict:
            return plain
        wrapped = {"type": "object", "required": ["value"], "properties": {"value": plain}}
        return {"anyOf": [plain, wrapped]}
    fields = {field["name"]: field["type"] for field in cwl_type["fields"]}
    described: dict[str, Any] = {
        "type": "object",
        "properties": {
            field["name"]: _property(field, strict=strict) for field in cwl_type["fields"]
        },
        "required": [field for field, inner in fields.items() if not is_optional(inner)],
    }
    if is_bbox(cwl_type):
        described["required"] = ["bbox"]
        if not strict:
            return {"allOf": [{"format": "ogc-bbox"}, described]}
    if not described["required"]:
        del described["required"]
    if strict and "value" not in fields:
        qualified = {"type": "object", "required": ["value"], "properties": {"value": described}}
        return {"anyOf": [described, qualified]}
    return described


def _property(field: Mapping[str, Any], *, strict: bool) -> dict[str, Any]:
    """Return the schema of a record's field."""
    found = _with_media_type(schema(field["type"], strict=strict), field["type"], field)
    return {**found, **_said(field)}


def _said(part: Mapping[str, Any]) -> dict[str, str]:
    """Return what a type or a field says of itself."""
    said = {"title": text(part.get("label")), "description": text(part.get("doc"))}
    return {name: value for name, value in said.items() if value}


def _with_media_type(
    described: dict[str, Any], cwl_type: CwlType, port: Mapping[str, Any]
) -> dict[str, Any]:
    """Return a schema of files, alone or in arrays, that says of which media type they are."""
    found = media_type_of(port["format"]) if isinstance(port.get("format"), str) else ""
    rest = without_null(cwl_type)
    if found and isinstance(rest, Mapping) and kind(rest) == "array":
        items = _with_media_type(described["items"], rest["items"], port)
        return {**described, "items": items}
    if found and kind(rest) in ("File", "stdin", "stdout", "stderr"):
        return {**described, "contentMediaType": found}
    return described


def is_bbox(cwl_type: CwlType) -> bool:
    """Whether a type is ogc.yaml's BBox, whose ``crs`` may be left out."""
    return isinstance(cwl_type, Mapping) and str(cwl_type.get("name", "")).endswith("ogc.yaml#BBox")


def string_format(cwl_type: CwlType) -> str:
    """Return the JSON Schema format of one of string_format.yaml's types, nothing for another.

    Such a type is a record that stands for its ``value``.
    """
    name = str(cwl_type.get("name", "")) if isinstance(cwl_type, Mapping) else ""
    return _STRING_FORMATS.get(name.rpartition("#")[2], "") if "string_format.yaml#" in name else ""


def _file(what: str, *, strict: bool) -> dict[str, Any]:
    uri = {"type": "string", "format": "uri"}
    if not strict:
        return uri
    name = "File" if what == "stdin" else what
    cwl_object = {
        "type": "object",
        "required": ["class"],
        "properties": {"class": {"const": name}, "location": {"type": "string"}},
    }
    qualified = {"type": "object", "required": ["value"]}
    stac = {"type": "object", "required": ["type"]}
    inline = [stac] if what == "Directory" else []
    return {"anyOf": [uri, LINK, cwl_object, qualified, *inline]}


def output_schema(cwl_type: CwlType) -> dict[str, Any]:
    """Return the JSON Schema of an output's value: a Directory may be a STAC collection."""
    rest = without_null(cwl_type)
    if is_optional(cwl_type) and kind(cwl_type) == "union":
        return {**output_schema(rest), "nullable": True}
    what = kind(rest)
    if what == "union":
        return {"anyOf": [output_schema(member) for member in members(rest)]}
    if what == "array" and isinstance(rest, Mapping):
        return {"type": "array", "items": output_schema(rest["items"])}
    if what == "Directory":
        return {"type": "object", "contentMediaType": "application/geo+json"}
    if what in ("File", "stdout", "stderr"):
        return dict(LINK)
    return schema(rest)


def text(value: Any) -> str:
    """Return a label or a doc, which may be a list of lines, as one text."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "\n".join(str(line) for line in value).strip()
    return "" if value is None else str(value).strip()


def _schema_org(said: Mapping[str, Any], name: str) -> Any:
    for prefix in _SCHEMA_ORG:
        if prefix + name in said:
            return said[prefix + name]
    return None


def _keywords(value: Any) -> list[str]:
    if isinstance(value, str):
        return [word.strip() for word in value.split(",") if word.strip()]
    return [str(word) for word in value or ()]


def _shown(default: Any) -> Any:
    """Show a default file by its location."""
    if is_filelike(default):
        return default["location"]
    if isinstance(default, list):
        return [_shown(item) for item in default]
    return default


def _is_literal(default: Any) -> bool:
    """Whether a default has files without a location, which no URI can stand for."""
    if isinstance(default, list):
        return any(_is_literal(item) for item in default)
    return is_filelike(default) and not default.get("location")
