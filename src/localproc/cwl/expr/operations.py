"""What JavaScript's operators and methods give, for plain values.

Owns their meaning for booleans, whole numbers, ASCII texts, and arrays and objects of these, and
how much of that may be worked out. Must not know how expressions are written.

Each gives what QuickJS gives, or raises ``Unsure``: then QuickJS has to be asked. So nothing is
here that is not the same in both by a simple rule: no fractions, no ``undefined``, no ``NaN``, no
texts in which UTF-16 units count.
"""

import re
from collections.abc import Callable, Mapping
from types import NoneType
from typing import Any, Final

STEPS: Final = 2_000  #: that an expression may take: less than a millisecond
_CHARACTERS: Final = 64  #: of a text that count as a step; a short text counts as none
_LARGEST: Final = 2**53 - 1  #: of whole numbers that JavaScript can tell from each other
_DEEPEST: Final = 20  #: value that is given back
_SPACE: Final = "\t\n\v\f\r "
_HALF: Final = re.compile("[\ud800-\udfff]")
_WHOLE: Final = re.compile(rf"[{_SPACE}]*([+-]?[0-9]{{1,15}})(?![0-9xX])")

_KINDS: Final[Mapping[type, str]] = {
    NoneType: "null",
    bool: "boolean",
    int: "number",
    str: "text",
    list: "object",
}

Function = Callable[[Any], Any]


class Unsure(Exception):
    """What QuickJS would give is not known here."""


class StepCount:
    """How many more steps an expression may take."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = STEPS

    def take(self, count: int) -> None:
        """Take so many; raises ``Unsure`` when there are none left."""
        self.left -= count
        if self.left < 0:
            raise Unsure


def text_of(value: Any, steps: StepCount) -> str:
    """Return a text that every character of counts as one."""
    if type(value) is not str or not value.isascii():
        raise Unsure
    if len(value) > _CHARACTERS:
        steps.take(len(value) // _CHARACTERS)
    return value


def _are_texts(values: list[Any], steps: StepCount) -> bool:
    """Whether all in an array is what ``text_of`` gives; seen without a look at each."""
    if not (set(map(type, values)) <= {str} and all(map(str.isascii, values))):
        return False
    steps.take(len(values) + sum(map(len, values)) // _CHARACTERS)
    return True


def number_of(value: Any) -> int:
    """Return a whole number that is the same in JavaScript."""
    if type(value) is not int or not -_LARGEST <= value <= _LARGEST:
        raise Unsure
    return value


def list_of(value: Any, steps: StepCount) -> list[Any]:
    """Return an array that is gone through."""
    if type(value) is not list:
        raise Unsure
    steps.take(1 + len(value))
    return value


def is_true(value: Any) -> bool:
    """Whether a value counts as true: also an array, or an object, with nothing in it."""
    if value is None or type(value) is bool:
        return bool(value)
    if type(value) is str:
        return value != ""
    if type(value) is int:
        return number_of(value) != 0
    if isinstance(value, (list, dict)):
        return True
    raise Unsure


def is_same(one: Any, other: Any, steps: StepCount) -> bool:
    """Return ``one === other``."""
    kinds = {_kind(one), _kind(other)}
    if len(kinds) == 2:
        return False
    if kinds == {"text"}:
        return text_of(one, steps) == text_of(other, steps)
    if kinds == {"object"}:
        raise Unsure
    return bool(one == other)


def is_equal(one: Any, other: Any, steps: StepCount) -> bool:
    """Return ``one == other``, which nothing but values of one kind, and null, are asked for."""
    if one is not None and other is not None and _kind(one) != _kind(other):
        raise Unsure
    return is_same(one, other, steps)


def _kind(value: Any) -> str:
    if type(value) is int:
        number_of(value)
    elif isinstance(value, dict):  # a File may be one of a class of its own
        return "object"
    try:
        return _KINDS[type(value)]
    except KeyError:
        raise Unsure from None


def is_less(one: Any, other: Any, steps: StepCount) -> bool:
    """Return ``one < other``."""
    if type(one) is str:
        return text_of(one, steps) < text_of(other, steps)
    return number_of(one) < number_of(other)


def plus(one: Any, other: Any, steps: StepCount) -> Any:
    """Return ``one + other``."""
    if type(one) is int and type(other) is int:
        return number_of(number_of(one) + number_of(other))
    if type(one) is not str and type(other) is not str:
        raise Unsure
    return _word(one, steps) + _word(other, steps)


def _word(value: Any, steps: StepCount) -> str:
    return str(number_of(value)) if type(value) is int else text_of(value, steps)


def minus(one: Any, other: Any, _: StepCount) -> int:
    """Return ``one - other``."""
    return number_of(number_of(one) - number_of(other))


def times(one: Any, other: Any, _: StepCount) -> int:
    """Return ``one * other``. That zero may be a negative one is never seen."""
    return number_of(number_of(one) * number_of(other))


def remainder(one: Any, other: Any, _: StepCount) -> int:
    """Return ``one % other``."""
    if number_of(one) < 0 or number_of(other) <= 0:
        raise Unsure
    return int(one % other)


def member(of: Any, name: str) -> Any:
    """Return ``of.name``, of what has it by itself."""
    if isinstance(of, dict) and name in of and name != "__proto__":
        return of[name]
    if name == "length" and (type(of) is list or (type(of) is str and of.isascii())):
        return len(of)
    raise Unsure


def item(of: Any, key: Any) -> Any:
    """Return ``of[key]``."""
    if type(key) is str:
        return member(of, key)
    is_listed = type(of) is list or (type(of) is str and of.isascii())
    if is_listed and 0 <= number_of(key) < len(of):
        return of[key]
    raise Unsure


def parse_int(value: Any, steps: StepCount) -> int:
    """Return ``parseInt(value)`` of a text that begins with a whole number."""
    found = _WHOLE.match(text_of(value, steps))
    if found is None:
        raise Unsure
    return int(found[1])


def given(value: Any, steps: StepCount, depth: int = 0) -> Any:
    """Return what an expression gives, as it is once it was JSON: a value of its own."""
    kind = type(value)
    if kind is str:
        _whole(value, steps)
    elif kind is int:
        number_of(value)
    elif depth > _DEEPEST:
        raise Unsure
    elif kind is list:
        return [given(one, steps, depth + 1) for one in list_of(value, steps)]
    elif isinstance(value, dict):
        steps.take(1 + len(value))
        return {_key(key, steps): given(one, steps, depth + 1) for key, one in value.items()}
    elif value is not None and kind is not bool:
        raise Unsure
    return value


def _whole(text: str, steps: StepCount) -> str:
    """Return a text in which no halves of characters are, which JavaScript could put together."""
    if text.isascii() and len(text) <= _CHARACTERS:
        return text
    steps.take(len(text) // _CHARACTERS)
    if _HALF.search(text) is not None:
        raise Unsure
    return text


def _key(key: Any, steps: StepCount) -> str:
    """Return the name of a member that stays in its place: those that are numbers come first."""
    if type(key) is not str or key[:1].isdecimal():
        raise Unsure
    return _whole(key, steps)


# Methods: what they are called on, their arguments, and the steps that are left


def _upper(text: Any, steps: StepCount) -> str:
    return text_of(text, steps).upper()


def _lower(text: Any, steps: StepCount) -> str:
    return text_of(text, steps).lower()


def _trim(text: Any, steps: StepCount) -> str:
    return text_of(text, steps).strip(_SPACE)


def _to_string(value: Any, steps: StepCount) -> str:
    return _word(value, steps)


def _split(text: Any, steps: StepCount, by: Any) -> list[str]:
    if text_of(by, steps) == "":
        raise Unsure
    steps.take(text_of(text, steps).count(by))
    return list(text.split(by))


def _replace(text: Any, steps: StepCount, old: Any, new: Any) -> str:
    if "$" in text_of(new, steps):  # it stands for what was found
        raise Unsure
    return text_of(text, steps).replace(text_of(old, steps), new, 1)


def _starts_with(text: Any, steps: StepCount, with_: Any) -> bool:
    return text_of(text, steps).startswith(text_of(with_, steps))


def _ends_with(text: Any, steps: StepCount, with_: Any) -> bool:
    return text_of(text, steps).endswith(text_of(with_, steps))


def _slice(of: Any, steps: StepCount, begin: Any = 0, end: Any = _LARGEST) -> Any:
    whole = list_of(of, steps) if type(of) is list else text_of(of, steps)
    return whole[number_of(begin) : number_of(end)]


def _join(words: Any, steps: StepCount, by: Any = ",") -> str:
    between = text_of(by, steps)
    steps.take(len(between) * len(list_of(words, steps)) // _CHARACTERS)
    if _are_texts(words, steps):
        return between.join(words)
    return between.join([_word(word, steps) for word in words])


def _sort(words: Any, steps: StepCount) -> list[str]:
    """Sort texts. That is a new array here: ``SORTED`` says of which this makes no difference."""
    if not _are_texts(list_of(words, steps), steps):
        raise Unsure
    return sorted(words)


def _map(values: Any, steps: StepCount, function: Function) -> list[Any]:
    return [function(value) for value in list_of(values, steps)]


def _filter(values: Any, steps: StepCount, function: Function) -> list[Any]:
    return [value for value in list_of(values, steps) if is_true(function(value))]


#: Methods by their names, with how many arguments they may have.
METHODS: Final[Mapping[str, tuple[Callable[..., Any], range]]] = {
    "toUpperCase": (_upper, range(1)),
    "toLowerCase": (_lower, range(1)),
    "trim": (_trim, range(1)),
    "toString": (_to_string, range(1)),
    "split": (_split, range(1, 2)),
    "replace": (_replace, range(2, 3)),
    "startsWith": (_starts_with, range(1, 2)),
    "endsWith": (_ends_with, range(1, 2)),
    "slice": (_slice, range(3)),
    "join": (_join, range(2)),
    "sort": (_sort, range(1)),
}
#: Methods whose argument is a function.
FUNCTIONAL: Final[Mapping[str, Callable[[Any, StepCount, Function], Any]]] = {
    "map": _map,
    "filter": _filter,
}
#: What may be sorted where it is: arrays that nobody else has.
SORTED: Final = frozenset({"map", "filter", "split", "slice", "sort"})
