"""The data of a document of YAML, made of a parser's events.

Owns the limits that keep one document from harming everybody else: how deep it may be, and how
much its aliases may repeat. What it gives are trees: an alias is a copy of what it names, so every
walk over a document is as long as the document. Must not know which parser there is.
"""

from dataclasses import dataclass, field
from typing import Any, Final

from localproc.cwl.base.scalars import MERGE, scalar
from localproc.frozen import frozen

DEEPEST: Final = 100  #: levels that a document may have
#: Nodes that aliases may add, and as a multiple of those that are written out.
_MOST_REPEATED: Final = 100_000
_MOST_TIMES: Final = 10
_NO_KEY: Final = object()


class UnreadableText(ValueError):
    """A text that is neither JSON nor YAML, with the line and column, counted from 1."""

    def __init__(self, message: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column


@dataclass(slots=True)
class _Open:
    """A mapping or a list that has not ended. ``height`` counts the levels in it so far."""

    value: Any
    anchor: str | None
    before: int
    at: tuple[int, int]
    key: Any = _NO_KEY
    key_at: tuple[int, int] = (0, 0)
    merged: list[Any] = field(default_factory=list)
    height: int = 1


@frozen
class _Anchored:
    value: Any
    nodes: int
    height: int


class TreeBuilder:
    """Makes data of the events of one document."""

    def __init__(self, *, marked: bool) -> None:
        self._marked = marked
        self._old = False
        self._open: list[_Open] = []
        self._anchors: dict[str, _Anchored | None] = {}
        self._written = 0
        self._repeated = 0
        self._result: Any = None
        self._documents = 0

    def build(self, events: Any) -> Any:
        """Return the value of the only document; raises ``Unreadable``."""
        handlers = {
            "DocumentStartEvent": self._start,
            "ScalarEvent": self._scalar,
            "AliasEvent": self._alias,
            "MappingStartEvent": self._begin,
            "SequenceStartEvent": self._begin,
            "MappingEndEvent": self._end,
            "SequenceEndEvent": self._end,
        }
        for event in events:
            if handler := handlers.get(type(event).__name__):
                handler(event)
        return self._result

    def _start(self, event: Any) -> None:
        self._documents += 1
        self._old = event.version == (1, 1)
        if self._documents > 1:
            raise _at(event, "expected a single document, and there is another one here")

    def _scalar(self, event: Any) -> None:
        plain = event.style in (None, "")
        try:
            value = scalar(event.value, event.tag, plain=plain, old=self._old)
        except ValueError as error:
            raise _at(event, str(error)) from None
        self._written += 1
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchored(value, 1, 0)
        self._add(value, event)

    def _alias(self, event: Any) -> None:
        known = self._anchors.get(event.anchor, _NO_KEY)
        if not isinstance(known, _Anchored):
            wrong = "undefined alias" if known is _NO_KEY else "alias of what it stands in:"
            raise _at(event, f"found {wrong} {event.anchor!r}")
        self._repeated += known.nodes
        if self._repeated > max(_MOST_REPEATED, _MOST_TIMES * self._written):
            raise _at(event, "the aliases of this document repeat too much of it")
        self._check_levels(event, known.height)
        self._add(_copied(known.value), event, known.height)

    def _begin(self, event: Any) -> None:
        is_mapping = type(event).__name__ == "MappingStartEvent"
        kind = "map" if is_mapping else "seq"
        if event.tag not in (None, "!", f"tag:yaml.org,2002:{kind}"):
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            raise _at(event, f"the tag {tag} has no meaning here")
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        self._check_levels(event, 1)
        at = _position(event)
        self._open.append(_Open(self._empty(at, mapping=is_mapping), event.anchor, self._nodes, at))
        self._written += 1

    def _check_levels(self, event: Any, height: int) -> None:
        if len(self._open) + height > DEEPEST:
            raise _at(event, f"it has more than {DEEPEST} levels, one in another")

    @property
    def _nodes(self) -> int:
        return self._written + self._repeated

    def _empty(self, at: tuple[int, int], *, mapping: bool) -> Any:
        if not self._marked:
            return {} if mapping else []
        from ruamel.yaml.comments import CommentedMap, CommentedSeq

        value: Any = CommentedMap() if mapping else CommentedSeq()
        value.lc.line, value.lc.col = at
        value.lc.data = {}
        return value

    def _end(self, event: Any) -> None:
        done = self._open.pop()
        for other in done.merged:
            _merge(done.value, other)
        if done.anchor is not None:
            nodes = self._nodes - done.before
            self._anchors[done.anchor] = _Anchored(done.value, nodes, done.height)
        self._add(done.value, event, done.height, done.at)

    def _add(
        self, value: Any, event: Any, height: int = 0, at: tuple[int, int] | None = None
    ) -> None:
        """Put a value where it belongs in what is open."""
        at = at or _position(event)
        if not self._open:
            self._result = None if value is MERGE else value
            return
        holder = self._open[-1]
        holder.height = max(holder.height, height + 1)
        items = holder.value
        if not isinstance(items, dict):
            if self._marked:
                items.lc.data[len(items)] = list(at)
            items.append("<<" if value is MERGE else value)
        elif holder.key is _NO_KEY:
            holder.key, holder.key_at = _key(value, holder, at), at
        else:
            self._set(holder, "<<" if value is MERGE else value, at)

    def _set(self, holder: _Open, value: Any, at: tuple[int, int]) -> None:
        if holder.key is MERGE:
            holder.merged += _mappings(value, at)
        else:
            holder.value[holder.key] = value
            if self._marked:
                holder.value.lc.data[holder.key] = [*holder.key_at, *at]
        holder.key = _NO_KEY


def _key(value: Any, holder: _Open, at: tuple[int, int]) -> Any:
    line, column = at
    if isinstance(value, (dict, list)):
        said = "the name of a member is a mapping or a list here; quote it"
        raise UnreadableText(said, line + 1, column + 1)
    if value is not MERGE and value in holder.value:
        raise UnreadableText(f'found duplicate key "{value}"', line + 1, column + 1)
    return value


def _position(event: Any) -> tuple[int, int]:
    return event.start_mark.line, event.start_mark.column


def _at(event: Any, message: str) -> UnreadableText:
    line, column = _position(event)
    return UnreadableText(message, line + 1, column + 1)


def _mappings(value: Any, at: tuple[int, int]) -> list[Any]:
    found = value if isinstance(value, list) else [value]
    if not all(isinstance(one, dict) for one in found):
        raise UnreadableText("<< is for mappings, or a list of these", at[0] + 1, at[1] + 1)
    return found


def _merge(value: Any, other: Any) -> None:
    """Add the members of a mapping that ``<<`` names and that are not there yet."""
    for key, item in other.items():
        if key not in value:
            value[key] = item
            if hasattr(value, "lc"):
                value.lc.data[key] = other.lc.data[key]


def _copied(value: Any) -> Any:
    """Copy data, with the positions of its parts."""
    if not isinstance(value, (dict, list)):
        return value
    if isinstance(value, dict):
        copy: Any = type(value)()
        for key, item in value.items():
            copy[key] = _copied(item)
    else:
        copy = type(value)(_copied(item) for item in value)
    if hasattr(value, "lc"):
        copy.lc.line, copy.lc.col, copy.lc.data = value.lc.line, value.lc.col, dict(value.lc.data)
    return copy
