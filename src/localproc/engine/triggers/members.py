"""The members of schedules and subscriptions, as programs, files and clients give them.

Owns telling which are missing, are not known, or are not of the type that their class declares.
Must not know what they mean.
"""

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import MISSING, Field, fields
from functools import cache
from typing import Any, get_args, get_type_hints

from localproc.errors import Problem
from localproc.near import near
from localproc.spelling import is_of_type, shown_type


@cache
def _hints_of(kind: type) -> Mapping[str, Any]:
    return get_type_hints(kind)


def wrong_names(kind: type, data: Mapping[str, Any]) -> list[Problem]:
    """Return what is wrong with the names of the members of a dataclass."""
    known = {one.name: one for one in fields(kind)}
    missing = [name for name, one in known.items() if _is_required(one) and name not in data]
    return [
        *unknown_names(data, known),
        *(Problem("is missing", name) for name in missing),
    ]


def unknown_names(given: Iterable[str], known: Collection[str], where: str = "") -> list[Problem]:
    """Return which members there are not, each with what may have been meant."""
    return [
        Problem("there is no such member", f"{where}{name}", hint=near(name, known))
        for name in given
        if name not in known
    ]


def wrong_types(made: Any) -> list[Problem]:
    """Return what is wrong with the types of the members of an instance of a dataclass."""
    kind: type = type(made)
    hints = _hints_of(kind)
    return [
        problem
        for one in fields(made)
        for problem in wrong_type(
            getattr(made, one.name), hints[one.name], one.name, needed=_is_required(one)
        )
    ]


def wrong_type(value: Any, kind: Any, name: str, *, needed: bool = False) -> Iterator[Problem]:
    """Yield what is wrong with one value; a text that is needed cannot be empty."""
    inner = get_args(kind)
    if not is_of_type(value, kind):
        yield Problem(f"expected {shown_type(kind)}, got {value!r:.80}", name)
    elif isinstance(value, str):
        if needed and not value:
            yield Problem("is empty", name)
        if not _is_storable(value):
            yield Problem("has a character that cannot be kept", name)
    elif isinstance(value, float) and not math.isfinite(value):
        yield Problem("is no finite number", name)
    elif kind is int and not isinstance(value, int):
        yield Problem("is no whole number", name)
    elif inner and not isinstance(value, Mapping):
        for number, one in enumerate(value):
            yield from wrong_type(one, inner[0], f"{name}[{number}]")


def _is_storable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # half a surrogate pair
        return False
    return "\0" not in text


def _is_required(one: Field[Any]) -> bool:
    return one.default is MISSING and one.default_factory is MISSING
