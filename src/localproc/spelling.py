"""Calls that say what was meant by a name that they do not have.

Owns refusing misspelt keywords and options of other types, with one text for every public call.
Must not know what any call does.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from functools import cache, lru_cache, wraps
from numbers import Real
from types import CodeType, FunctionType, NoneType, UnionType
from typing import Any, Final, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from localproc.errors import InvalidInputs, Problem, UnknownOption
from localproc.near import near

_Call = TypeVar("_Call", bound=Callable[..., Any])
_Kind = TypeVar("_Kind", bound=type)
#: How alike an option is to what was given, where that may be the name of an input instead.
_ALIKE: Final = 0.7
_INPUTS: Final = "inputs"  #: the parameter that takes them, and the attribute that tells them


def public(kind: _Kind) -> _Kind:
    """Make the public methods of a class, and making one, refuse names that they do not have."""
    own: dict[str, Any] = {**vars(kind)}
    if "__init__" in own:
        own["__init__"] = cast("Any", kind).__init__  # that of a frozen class is made now
    for name, call in own.items():
        if isinstance(call, FunctionType) and (name == "__init__" or not name.startswith("_")):
            setattr(kind, name, spelled(call))
    return kind


def spelled(call: _Call) -> _Call:
    """Return a call that refuses names that it does not have: ``did you mean 'title'?``.

    Where it takes ``**options: Unpack[X]``, these are those of ``X``, a ``TypedDict``, and have to
    have its types. It raises ``UnknownOption``, a ``TypeError``, and ``InvalidInputs`` then, before
    anything is done.
    """
    code: CodeType = cast("FunctionType", inspect.unwrap(call)).__code__  # not a decorator's
    count = code.co_argcount + code.co_kwonlyargcount
    own = frozenset(code.co_varnames[code.co_posonlyargcount : count])
    open_ended = bool(code.co_flags & inspect.CO_VARKEYWORDS)

    @wraps(call)
    def checked(*args: Any, **given: Any) -> Any:
        if given and not given.keys() <= own:
            more = {name: value for name, value in given.items() if name not in own}
            _check(call, args, more, own, _options(call) if open_ended else {})
        return call(*args, **given)

    return cast("_Call", checked)


def check_types(call: str, given: Mapping[str, tuple[Any, Any]]) -> None:
    """Refuse arguments that are not of their types, each a value and a type.

    Raises ``InvalidInputs`` with all of them.
    """
    problems = [
        Problem(f"expected {shown_type(kind)}, got {value!r:.80}", name)
        for name, (value, kind) in given.items()
        if not is_of_type(value, kind)
    ]
    if problems:
        raise InvalidInputs(f"{call}() cannot be called like this", problems)


def is_of_type(value: Any, kind: Any) -> bool:
    """Return whether a value is of a type, as far as its outermost part tells."""
    given: Any = type(value)
    return takes(kind, given)


def shown_type(kind: Any) -> str:
    """Return a type as people write it: ``int or None``."""
    if get_origin(kind) in (Union, UnionType):
        return " or ".join(shown_type(one) for one in get_args(kind))
    plain = get_origin(kind) or kind
    return "None" if plain is NoneType else str(plain.__name__)


def _check(
    call: Callable[..., Any],
    args: Sequence[Any],
    given: Mapping[str, Any],
    own: frozenset[str],
    options: Mapping[str, Any] | None,
) -> None:
    """Refuse what is none of ``options``, any of which may be given if they are ``None``."""
    if options is None or _all_fit(given, options):
        return
    for name in given:
        if name not in options:
            choices = sorted({*own, *options} - {"self"})
            hint = _hint(call, args, name, choices)
            raise UnknownOption(f"{_name(call, args)}() has no option {name!r}", hint=hint)
    check_types(_name(call, args), {name: (given[name], options[name]) for name in given})


def _all_fit(given: Mapping[str, Any], options: Mapping[str, Any]) -> bool:
    for name, value in given.items():
        if name not in options or not is_of_type(value, options[name]):
            return False
    return True


def _hint(call: Callable[..., Any], args: Sequence[Any], name: str, choices: list[str]) -> str:
    there = f"there is: {', '.join(choices)}" if choices else "it takes none"
    if _INPUTS not in choices:
        return near(name, choices, there)
    before = [one for one in _leading(call) if one != "self"]
    shown = ", ".join([*before, f'{{"{name}": ...}}'])
    as_mapping = f"inputs are given as a mapping: {call.__name__}({shown})"
    if any(name in (getattr(one, _INPUTS, None) or ()) for one in args):
        return as_mapping
    return near(name, choices, f"{as_mapping}; {there}", alike=_ALIKE)


def _leading(call: Callable[..., Any]) -> Iterator[str]:
    """Yield the parameters that stand before the inputs."""
    for one in inspect.signature(call).parameters:
        if one == _INPUTS:
            return
        yield one


def _name(call: Callable[..., Any], args: Sequence[Any]) -> str:
    """Return a call as it was written: ``Engine.execute``, ``Engine``, ``run``."""
    if "." not in call.__qualname__ or not args:
        return call.__qualname__
    kind = type(args[0]).__name__
    return kind if call.__name__ == "__init__" else f"{kind}.{call.__name__}"


@cache
def _options(call: Callable[..., Any]) -> Mapping[str, Any] | None:
    """Return the options that a call takes beside its parameters, with their types, if told."""
    *_, last = inspect.signature(call).parameters.values()
    if last.annotation is Any:
        return None
    (options,) = get_args(last.annotation)
    return get_type_hints(options)


@lru_cache(maxsize=1024)
def takes(kind: Any, given: Any) -> bool:
    """Return whether values of a class are of a type, as far as its outermost part tells."""
    if get_origin(kind) in (Union, UnionType):
        return any(takes(one, given) for one in get_args(kind))
    plain = get_origin(kind) or kind
    if plain in (Literal, tuple):  # whoever takes these says more of what is wrong
        return True
    if plain is Sequence and issubclass(given, str | bytes):
        return False
    if plain in (int, float):
        return issubclass(given, Real) and not issubclass(given, bool)
    if isinstance(plain, type) and issubclass(plain, StrEnum):
        return issubclass(given, str)
    return issubclass(given, plain)
