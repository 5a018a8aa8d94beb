"""Hooks of plugins that cannot break each other.

Owns what stands between pluggy and an implementation: an error is noted and the others count, as if
this one had said nothing. Must not know what the hooks are for.
"""

from collections.abc import Callable, Generator, Iterable
from functools import wraps
from typing import Any

#: Takes down an error of the plugin.
Note = Callable[[Exception], None]


def noting(function: Callable[..., Any], note: Note) -> Callable[..., None]:
    """Return an implementation of a hook that gives nothing, which never raises."""

    @wraps(function)
    def call(*arguments: Any) -> None:
        try:
            function(*arguments)
        except Exception as error:
            note(error)

    return call


def giving(
    function: Callable[..., Iterable[Any]], note: Note, kind: type
) -> Callable[..., list[Any]]:
    """Return an implementation of a hook that gives objects of a kind, which never raises.

    What it gave before an error counts; what is of another kind does not.
    """

    @wraps(function)
    def call(*arguments: Any) -> list[Any]:
        found: list[Any] = []
        try:
            for one in function(*arguments):
                if not isinstance(one, kind):
                    raise TypeError(f"gave a {type(one).__name__}, not an {kind.__name__}")
                found.append(one)
        except Exception as error:
            note(error)
        return found

    return call


def wrapping(
    function: Callable[..., Generator[None, Any, Any]], note: Note
) -> Callable[..., Generator[None, Any, Any]]:
    """Return a hook wrapper that never raises: where it fails, it changes nothing."""

    @wraps(function)
    def call(*arguments: Any) -> Generator[None, Any, Any]:
        try:
            around = function(*arguments)
            next(around)
        except Exception as error:
            note(error)
            return (yield)
        result = yield
        try:
            around.send(result)
        except StopIteration as end:
            return end.value
        except Exception as error:
            note(error)
        else:
            note(RuntimeError("a hook wrapper yields once"))
        return result

    return call
