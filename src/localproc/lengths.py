"""How long values are, written as JSON.

Owns reckoning that, about, in a moment: without writing them, and no further than is asked for.
Must not know what the values are.
"""

import sys
from collections.abc import Mapping
from types import NoneType
from typing import Any, Final

LARGE: Final = 1 << 18  #: characters that take some milliseconds to be gone through
_PLAIN: Final = frozenset({str, int, float, bool, NoneType})
_MAPPINGS: Final = (dict, Mapping)  #: nearly all are dicts, which takes less to tell
_INNER: Final = (list, tuple, *_MAPPINGS)  #: what values are inside of
_AROUND: Final = 4  #: characters that a value has around it: quotes, a comma, a space
_is_text: Final = str.__instancecheck__


class WithLength(dict[str, Any]):
    """An object with its length, so that it is not reckoned again."""

    __slots__ = ("length",)

    def __init__(self, value: Mapping[str, Any], length: int) -> None:
        super().__init__(value)
        self.length = length


def with_length(value: Mapping[str, Any], most: int) -> WithLength | None:
    """Return an object with its length; ``None`` for one that is not within ``most``."""
    left = _left(value, most)
    return WithLength(value, most - left) if left >= 0 else None


def is_within(value: Any, most: int) -> bool:
    """Whether a value has at the most about so many characters."""
    return _left(value, most) >= 0


def length(value: Any) -> int:
    """Return about how many characters a value has."""
    if isinstance(value, WithLength):
        return value.length
    return sys.maxsize - _left(value, sys.maxsize)


def _left(value: Any, most: int) -> int:
    """Return what a value leaves of so many characters; less than nothing if it is more."""
    most -= _AROUND
    if not isinstance(value, _INNER):
        return most - len(value) if isinstance(value, str) else most
    inner = [value]
    while inner:
        parts: list[Any] = []
        for one in inner:
            most -= len(one) * _AROUND
            if most < 0:
                return most
            parts += one
            if isinstance(one, _MAPPINGS):
                parts += one.values()
        most -= len(parts) * _AROUND + sum(map(len, filter(_is_text, parts)))
        if most < 0 or _PLAIN.issuperset(map(type, parts)):  # as it is for most
            break
        inner = [one for one in parts if type(one) not in _PLAIN and isinstance(one, _INNER)]
    return most
