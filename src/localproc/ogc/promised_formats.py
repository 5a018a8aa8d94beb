"""Formats that a description promises for texts and boxes.

Owns checking them: those of JSON Schema, and ``ogc-bbox``. Must not know CWL types.
"""

from collections.abc import Mapping
from typing import Any, Final

#: Formats of references, which may be relative where there is something that they are relative to.
REFERENCES: Final = frozenset({"uri", "iri"})
_UNKNOWN: Final = frozenset({"password"})
_EXAMPLES: Final = {
    "date": "2024-05-31",
    "date-time": "2024-05-31T12:00:00Z",
    "duration": "P1D",
    "time": "12:00:00Z",
    "uri": "https://example.org/a",
}


def text_mismatch(text: str, name: str) -> str:
    """Say why a text is not of a format of JSON Schema; nothing if it is, or none is known."""
    if name in _UNKNOWN or _validator(name).is_valid(text):
        return ""
    example = f", such as {_EXAMPLES[name]}" if name in _EXAMPLES else ""
    return f"expected a {name}{example}, got {text[:60]!r}"


def box_mismatch(value: Any) -> str:
    """Say why an object is no bounding box (``bbox.yaml``: 4 or 6 numbers); nothing if it is.

    West may be east of east, where it crosses 180 degrees; south cannot be north of north.
    """
    box = value.get("bbox") if isinstance(value, Mapping) else None
    if not isinstance(box, list) or not all(isinstance(one, int | float) for one in box):
        return ""  # its type says more
    half = len(box) // 2
    if len(box) not in (4, 6):
        return f"a bounding box has 4 or 6 numbers, this one has {len(box)}"
    for axis, name in ((1, "second"), (2, "third"))[: half - 1]:
        if box[axis] > box[half + axis]:
            return (
                f"its lower corner is above its upper one: the {name} coordinate of the first "
                f"corner is {box[axis]}, of the second {box[half + axis]}"
            )
    return ""


_VALIDATORS: Final[dict[str, Any]] = {}


def _validator(name: str) -> Any:
    if name not in _VALIDATORS:
        import jsonschema_rs  # it is large, and few jobs need it

        _VALIDATORS[name] = jsonschema_rs.Draft202012Validator(
            {"type": "string", "format": name}, validate_formats=True
        )
    return _VALIDATORS[name]
