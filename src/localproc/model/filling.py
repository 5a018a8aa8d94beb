"""Frozen classes that are made fast.

Owns one way to fill them. Must not know what they mean.

A frozen class sets each of its fields through ``object.__setattr__``, which takes ten times as long
as an assignment. Where one with many fields is made for every job or event, an open class of the
same slots is filled instead, and becomes the frozen one.
"""

from collections.abc import Callable
from dataclasses import MISSING, Field, field, fields, make_dataclass
from typing import Any, TypeVar

_T = TypeVar("_T")


def maker_of(cls: type[_T]) -> Callable[..., _T]:
    """Return what makes instances of a frozen dataclass with slots as the class itself does."""
    own = [(one.name, one.type, _default(one)) for one in fields(cls)]  # type: ignore[arg-type]
    opened: Any = make_dataclass(f"_Open{cls.__name__}", own, slots=True)

    def make(*given: Any, **named: Any) -> _T:
        made: Any = opened(*given, **named)
        made.__class__ = cls
        frozen: _T = made
        return frozen

    return make


def _default(one: "Field[Any]") -> Any:
    if one.default_factory is not MISSING:
        return field(default_factory=one.default_factory)
    return field() if one.default is MISSING else field(default=one.default)
