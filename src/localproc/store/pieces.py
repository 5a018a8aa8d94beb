"""JSON in pieces.

Owns encoding a large value so that other threads go on meanwhile: the encoder of JSON keeps the
interpreter to itself until it is done. Must not know what the value is.
"""

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final

from localproc.lengths import LARGE, is_within

compact: Final = json.JSONEncoder(separators=(",", ":")).encode

_PIECE: Final = 1 << 16  #: characters, about, that are encoded at once
_MEMBERS: Final = 1 << 8  #: members that are
_NUMBERS: Final = frozenset({int, float, bool, type(None)})


def pieces(value: Any) -> Iterator[str]:
    """Yield the text of a value; each piece ends where a member does, or the text is one long one.

    They are what ``compact`` gives, together.
    """
    if isinstance(value, str) and len(value) > _PIECE:
        yield _in_parts(value)
    elif isinstance(value, Mapping) and not _is_short(value):
        yield from _object(value)
    elif isinstance(value, (list, tuple)) and not _is_short(value):
        yield from _array(value)
    else:
        yield compact(value)


def _in_parts(text: str) -> str:
    parts = (compact(text[at : at + _PIECE])[1:-1] for at in range(0, len(text), _PIECE))
    return f'"{"".join(parts)}"'


def _object(value: Mapping[str, Any]) -> Iterator[str]:
    mark = "{"
    for name, one in value.items():
        yield f"{mark}{compact(str(name))}:"
        yield from pieces(one)
        mark = ","
    yield "}"


def _array(value: list[Any] | tuple[Any, ...]) -> Iterator[str]:
    mark, members = "[", iter(value)
    while some := list(islice(members, _MEMBERS)):
        yield mark
        if _is_short(some):
            yield compact(some)[1:-1]
        else:
            yield from _members(some)
        mark = ","
    yield "]"


def _members(some: list[Any]) -> Iterator[str]:
    for number, one in enumerate(some):
        if number:
            yield ","
        yield from pieces(one)


def is_large(value: Any) -> bool:
    """Whether an object is more than belongs into a row."""
    return isinstance(value, Mapping) and not is_within(value, LARGE)


def _is_short(value: Any) -> bool:
    """Whether a value is no more than a piece."""
    if isinstance(value, list) and len(value) <= _MEMBERS and _NUMBERS.issuperset(map(type, value)):
        return True
    return is_within(value, _PIECE)
