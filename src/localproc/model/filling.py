"""Frozen classes that are made fast.

Owns one way to fill them. Must not know what they mean.

A frozen class sets each of its fields through ``object.__setattr__``, which takes ten times as long
as an assignment. Where one with many fields is made for every job, task or event, its instances are
open while they are filled, and frozen from then on.
"""

from collections.abc import Callable
from dataclasses import MISSING, Field, field, fields, make_dataclass
from functools import wraps
from typing import Any, Final, TypeVar

_T = TypeVar("_T")
_PLAIN: Final = {"init": True, "repr": False, "eq": False, "match_args": False}
_ASSIGNS: Final = {"__setattr__": object.__setattr__, "__delattr__": object.__delattr__}


def made_fast(cls: type[_T]) -> type[_T]:
    """Have the instances of a frozen dataclass with slots filled by assignments.

    It must not have subclasses that are made by its ``__init__``.
    """
    own = [(one.name, one.type, _like(one)) for one in fields(cls)]  # type: ignore[arg-type]
    fill: Any = make_dataclass(cls.__name__, own, namespace={"__doc__": ""}, **_PLAIN).__init__
    opened = type(f"_Open{cls.__name__}", (cls,), {"__slots__": (), **_ASSIGNS})
    become: Callable[[Any, str, type], None] = object.__setattr__

    @wraps(cls.__init__)
    def init(self: Any, *given: Any, **named: Any) -> None:
        become(self, "__class__", opened)
        fill(self, *given, **named)
        self.__class__ = cls

    cls.__init__ = init  # type: ignore[method-assign]
    return cls


def _like(one: "Field[Any]") -> Any:
    """Return a field with the same default."""
    if one.default_factory is not MISSING:
        return field(default_factory=one.default_factory, kw_only=one.kw_only is True)
    return field(default=one.default, kw_only=one.kw_only is True)
