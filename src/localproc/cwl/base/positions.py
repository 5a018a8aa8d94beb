"""Where a part of a document stands.

Owns the walk from names (``steps``, ``crop``, ``in``, ``x``) to a line and a column of YAML. Must
not know what the names mean.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from localproc.errors import Problem
from localproc.frozen import frozen

_NAMES: Final = ("id", "name", "class", "entryname", "envName")


@frozen
class Position:
    """A position in a document, counted from 1."""

    document: str
    line: int | None = None
    column: int | None = None

    def problem(self, message: str, hint: str = "") -> Problem:
        """Return a problem at this place."""
        return Problem(message, self.document, self.line, self.column, hint)


def find(document: str, raw: Any, path: Sequence[str]) -> Position:
    """Follow the names as far as they lead; give the last position found.

    Lists are searched for the entry whose id, name, class, entryname or envName it is.
    """
    position = _position(raw)
    current = raw
    if isinstance(raw, Mapping) and path:
        if "$graph" in raw and path[0] not in raw:
            current = raw["$graph"]
        elif "$graph" not in raw and str(raw.get("id", "")).rpartition("#")[2] == path[0]:
            path = path[1:]  # the document's own name
    for name in path:
        current, found = _follow(current, name)
        if found is None:
            break
        position = found
    return Position(document, *position)


def _follow(current: Any, name: str) -> tuple[Any, tuple[int, int] | None]:
    if isinstance(current, Mapping):
        if name not in current:
            return None, None
        return current[name], _key_position(current, name)
    if isinstance(current, list):
        index = _names(current).get(name)
        if index is not None:
            return current[index], _item_position(current, index)
    return None, None


def _names(items: Any) -> dict[str, int]:
    """Return where each entry of a list is, by its names; looked up once, kept with the list."""
    marks = getattr(items, "lc", None)
    found: dict[str, int] | None = getattr(marks, "names", None)
    if found is None or len(items) != marks.counted:  # type: ignore[union-attr]
        found = {}
        for index, entry in enumerate(items):
            for name in (*_own_names(entry), str(index)):
                found.setdefault(name, index)
        if marks is not None:
            marks.names, marks.counted = found, len(items)
    return found


def _own_names(entry: Any) -> list[str]:
    if isinstance(entry, str):
        return [entry]
    if not isinstance(entry, Mapping):
        return []
    return [_last(str(entry[key])) for key in _NAMES if key in entry]


def _last(identifier: str) -> str:
    return identifier.rpartition("#")[2].rpartition("/")[2]


def _position(value: Any) -> tuple[int, int]:
    marks = getattr(value, "lc", None)
    if marks is None or marks.line is None:
        return 1, 1
    return marks.line + 1, marks.col + 1


def _key_position(mapping: Any, key: str) -> tuple[int, int] | None:
    try:
        line, column = mapping.lc.key(key)
    except (AttributeError, KeyError, TypeError):
        return None
    return line + 1, column + 1


def _item_position(items: Any, index: int) -> tuple[int, int] | None:
    try:
        line, column = items.lc.item(index)
    except (AttributeError, KeyError, TypeError):
        return None
    return line + 1, column + 1
