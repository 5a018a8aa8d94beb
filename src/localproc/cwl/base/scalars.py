"""What a plain scalar of YAML stands for.

Owns null, booleans and numbers of YAML 1.2, and of 1.1 for documents that say they are of it. Dates
stay texts, as CWL has no such type. Must not know what documents are made of.
"""

import math
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final, TypeAlias

from localproc.cwl.base.numbers import LARGEST

_TAG: Final = "tag:yaml.org,2002:"
_TRUE: Final = ("true", "yes", "on")
_BASES: Final = {"0b": 2, "0o": 8, "0x": 16}
_MOST_DIGITS: Final = LARGEST.bit_length()  #: in any base
_NON_FINITE: Final = {".inf": math.inf, "-.inf": -math.inf, "+.inf": math.inf, ".nan": math.nan}
#: Patterns by the first letter of a text, each with the tag of what it makes.
_Patterns: TypeAlias = Mapping[str, list[tuple[str, Any]]]

MERGE: Final = object()  #: the key ``<<``
_CONSTANTS: Final[Mapping[str, Any]] = {f"{_TAG}null": None, f"{_TAG}merge": MERGE}


def scalar(text: str, tag: str | None, *, plain: bool, old: bool) -> Any:
    """Return the value of a scalar.

    ``plain``: it has no quotes. ``old``: it is of YAML 1.1. Raises ``ValueError`` for a tag that is
    unknown here, or whose values have another form.
    """
    if tag is None:
        tag = _implied(text, old=old) if plain else f"{_TAG}str"
    if tag in ("!", f"{_TAG}str", f"{_TAG}timestamp", f"{_TAG}value", f"{_TAG}yaml"):
        return text
    if tag in _CONSTANTS:
        return _CONSTANTS[tag]
    make = _MAKERS.get(tag.removeprefix(_TAG))
    if make is None:
        raise ValueError(f"the tag {tag.replace(_TAG, '!!')} has no meaning here")
    return make(text, old)


def read_float(text: str) -> float | int:
    """Read a float; one with an exponent but no fraction is an int.

    So ``1.23e5`` is written as 123000 wherever it goes (CWL v1.2 test
    ``very_big_and_very_floats_nojs``), and ``1.0`` stays 1.0. Raises ``ValueError`` for one beyond
    all that can be counted.
    """
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:20]} is too large a number")
    return int(value) if "e" in text.lower() and value.is_integer() else value


def _implied(text: str, *, old: bool) -> str:
    for tag, pattern in _patterns(old).get(text[:1], ()):
        if pattern.match(text):
            return tag
    return f"{_TAG}str"


@cache
def _patterns(old: bool) -> _Patterns:
    from ruamel.yaml.resolver import implicit_resolvers

    found: dict[str, list[tuple[str, Any]]] = {}
    for versions, tag, pattern, letters in implicit_resolvers:
        if ((1, 1) if old else (1, 2)) in versions:
            for letter in letters:
                found.setdefault(letter, []).append((tag, pattern))
    return found


def _float(text: str, old: bool) -> float | int:
    plain = text.replace("_", "").lower()
    if plain in _NON_FINITE:
        return _NON_FINITE[plain]
    return _sexagesimal(plain) if old and ":" in plain else read_float(plain)


def _int(text: str, old: bool) -> int | float:
    plain = text.replace("_", "").lower()
    sign = -1 if plain.startswith("-") else 1
    digits = plain.lstrip("+-")
    if old and ":" in digits:
        return _sexagesimal(plain)
    base = 8 if old and len(digits) > 1 and digits[0] == "0" else 10
    if digits[:2] in _BASES:
        base, digits = _BASES[digits[:2]], digits[2:]
    digits = digits.lstrip("0") or "0"
    if len(digits) > _MOST_DIGITS or (value := int(digits, base)) > LARGEST:
        raise ValueError(f"{text[:20]} is too large a number")
    return sign * value


def _sexagesimal(text: str) -> float | int:
    """Read ``1:30``, which YAML 1.1 has as 90."""
    sign = -1 if text.startswith("-") else 1
    parts = [float(part) if "." in part else int(part) for part in text.lstrip("+-").split(":")]
    value: float | int = 0
    for part in parts[-12:]:
        value = value * 60 + part
    return sign * value


def _bool(text: str, old: bool) -> bool:
    if _implied(text, old=old) != f"{_TAG}bool":
        raise ValueError(f"{text[:20]!r} is no boolean")
    return text.lower() in (*_TRUE, "y")


_MAKERS: Final[Mapping[str, Callable[[str, bool], Any]]] = {
    "bool": _bool,
    "int": _int,
    "float": _float,
}
