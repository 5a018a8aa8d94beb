"""Inputs that a process would take, to show how it is executed.

Owns making up a value for each input that has to be given. Must not know where they are shown.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from localproc.http.forms import Field

_ADDRESS: Final = "https://example.org/data/"
_TEXTS: Final = {
    "date-time": "2026-05-31T12:00:00Z",
    "date": "2026-05-31",
    "time": "12:00:00Z",
    "duration": "P1D",
    "uri": f"{_ADDRESS}item.json",
    "email": "somebody@example.org",
    "uuid": "01970000-0000-7000-8000-000000000000",
    "ipv4": "192.0.2.1",
    "hostname": "example.org",
}


def example_inputs(fields: Sequence[Field]) -> dict[str, Any]:
    """Return an execute request's inputs: those that have no default, one if there are none."""
    wanted = [one for one in fields if one.required and one.default is None]
    return {one.name: _value(one) for one in wanted or fields[:1]}


def _value(field: Field) -> Any:
    if field.kind == "bbox":
        return {"bbox": [5.9, 45.8, 10.5, 47.8]}
    if field.kind in ("file", "files", "folder"):
        link = {"href": _ADDRESS + ("item.json" if field.kind == "folder" else field.name)}
        return [link] if field.kind == "files" else link
    return _sample(field.schema)


def _sample(schema: Any) -> Any:
    """Return a value that a schema takes, as far as its commonest words go."""
    if not isinstance(schema, Mapping):
        return "text"
    for word in ("default", "example"):
        if word in schema:
            return schema[word]
    if schema.get("enum"):
        return schema["enum"][0]
    for word in ("oneOf", "anyOf", "allOf"):
        if schema.get(word):
            return _sample(schema[word][0])
    kind = schema.get("type", "string")
    if kind == "array":
        return [_sample(schema.get("items") or {})] * max(1, schema.get("minItems", 1))
    if kind == "object":
        return {name: _sample(one) for name, one in schema.get("properties", {}).items()}
    if kind in ("number", "integer"):
        return schema.get("minimum", 1)
    return True if kind == "boolean" else _TEXTS.get(str(schema.get("format")), "text")
