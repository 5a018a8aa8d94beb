"""Frozen dataclasses with slots that are made quickly: the classes, and their instances.

Owns how they are made. Must not know what they mean.

They are those of ``dataclasses`` to all who use them (``fields``, ``replace``, ``match``, copies).
That module writes and compiles six methods for each, which is a third of a cold start with as many
as there are here, and has an instance set its fields through ``object.__setattr__``, by name. Here
one method is compiled, when there is a first instance, and uses the slots themselves; the others
are the same for all. An instance of many fields is of an open class of the same slots while they
are set: that is faster.
"""

from collections.abc import Callable, Iterator
from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field, fields
from operator import attrgetter
from typing import Any, Final, dataclass_transform


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: Any = None, /, *, kw_only: bool = False, eq: bool = True) -> Any:
    """Make a class a frozen dataclass with slots; without ``eq`` each instance equals itself alone.

    What it defines itself is left as it is. The dataclasses that it is derived from are frozen ones
    of this module, too.
    """

    def make(cls: type[Any]) -> type[Any]:
        own = cls.__dict__.keys()
        # Where there is none, dataclasses write the signature there: that takes a while.
        cls.__doc__ = cls.__doc__ or cls.__qualname__
        made: Any = dataclass(slots=True, init=False, repr=False, eq=False, kw_only=kw_only)(cls)
        made.__init__ = _Init(made)
        if eq:
            compared = [one.name for one in fields(made) if one.compare]
            made.__compared__ = staticmethod(_values(compared))
        for name, method in {**_METHODS, **(_COMPARING if eq else {})}.items():
            if name not in own:
                setattr(made, name, method)
        return made  # type: ignore[no-any-return]

    return make if cls is None else make(cls)


class _Init:
    """The ``__init__`` of a class until it is first asked for: of many there is no instance."""

    __slots__ = ("_cls",)

    def __init__(self, cls: Any) -> None:
        self._cls = cls

    def __get__(self, instance: Any, _: Any = None) -> Callable[..., None]:
        init = self._cls.__init__ = _init_of(self._cls)
        return init if instance is None else init.__get__(instance)


def _init_of(cls: Any) -> Callable[..., None]:
    """Return the ``__init__`` of a class."""
    own: tuple[Field[Any], ...] = fields(cls)
    given = [one for one in own if one.init]
    named = [_parameter(one) for one in given if one.kw_only]
    parameters = [_parameter(one) for one in given if not one.kw_only]
    head = ", ".join(["self", *parameters, *(["*", *named] if named else [])])
    set_ = [one for one in own if _is_set(one)]
    known: dict[str, Any] = {"MADE": _MADE}
    if len(set_) > _FEW:
        known |= {"BECOME": _become, "TWINS": _OPEN_TWINS}
        lines = ["OWN = self.__class__", "BECOME(self, TWINS[OWN])"]
        lines += [f"self.{one.name} = {_value(one)}" for one in set_]
        lines.append("BECOME(self, OWN)")
    else:
        known |= {f"set_{one.name}": getattr(cls, one.name).__set__ for one in set_}
        lines = [f"set_{one.name}(self, {_value(one)})" for one in set_]
    if hasattr(cls, "__post_init__"):
        lines.append("self.__post_init__()")
    for one in own:
        known[f"default_{one.name}"] = one.default
        known[f"make_{one.name}"] = one.default_factory
    exec(f"def __init__({head}):\n " + ("\n ".join(lines) or "pass"), known)  # noqa: S102
    init: Any = known.pop("__init__")
    init.__qualname__, init.__module__ = f"{cls.__qualname__}.__init__", cls.__module__
    init.__annotations__ = {one.name: one.type for one in given} | {"return": None}
    return init  # type: ignore[no-any-return]


class _OpenTwins(dict[type[Any], type[Any]]):
    """By class, one of the same slots whose instances can be changed; made when it is needed."""

    def __missing__(self, cls: type[Any]) -> type[Any]:
        space: dict[str, Any] = {"__setattr__": object.__setattr__}
        if "__slots__" in cls.__dict__:
            space["__slots__"] = cls.__dict__["__slots__"]
        meta: Any = type(cls)
        self[cls] = meta(cls.__name__, cls.__bases__, space)
        return self[cls]


_FEW: Final = 5  #: fields that are set one by one
_OPEN_TWINS: Final = _OpenTwins()
_become: Final = object.__dict__["__class__"].__set__


class _Made:
    """Stands for a default that is made anew for each instance."""

    def __repr__(self) -> str:
        return "<factory>"


_MADE: Final = _Made()


def _parameter(one: "Field[Any]") -> str:
    if one.default_factory is not MISSING:
        return f"{one.name}=MADE"
    return one.name if one.default is MISSING else f"{one.name}=default_{one.name}"


def _is_set(one: "Field[Any]") -> bool:
    return one.init or one.default is not MISSING or one.default_factory is not MISSING


def _value(one: "Field[Any]") -> str:
    if one.default_factory is MISSING:
        return one.name if one.init else f"default_{one.name}"
    made = f"make_{one.name}()"
    return f"{made} if {one.name} is MADE else {one.name}" if one.init else made


def _values(names: list[str]) -> Callable[[Any], Any]:
    """Return what gives the values of some fields, all at once."""
    return attrgetter(*names) if names else lambda _: ()


# The methods that are the same for all


def _repr(self: Any) -> str:
    def told() -> Iterator[str]:
        for one in fields(self):
            if one.repr:
                yield f"{one.name}={getattr(self, one.name)!r}"

    return f"{type(self).__qualname__}({', '.join(told())})"


def _set(_: Any, name: str, __: Any) -> None:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _delete(_: Any, name: str) -> None:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _fill(self: Any, state: tuple[None, dict[str, Any]]) -> None:
    """Take the values of a copy, as ``object.__getstate__`` gives them."""
    for name, value in state[1].items():
        object.__setattr__(self, name, value)


def _equal(self: Any, other: Any) -> Any:
    if other.__class__ is not self.__class__:
        return NotImplemented
    return self.__compared__(self) == self.__compared__(other)


def _hash(self: Any) -> int:
    return hash(self.__compared__(self))


_METHODS: Final = {
    "__repr__": _repr,
    "__setattr__": _set,
    "__delattr__": _delete,
    "__setstate__": _fill,
}
_COMPARING: Final = {"__eq__": _equal, "__hash__": _hash}
