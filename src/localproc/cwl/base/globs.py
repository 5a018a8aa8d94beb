"""Patterns of pathnames, as POSIX has them.

Owns what a pattern means, segment by segment, and walking down the names that match. Must not touch
a disk: it asks for names.

Source: POSIX.1-2017, XCU 2.13 "Pattern Matching Notation", which ``glob(3)`` follows; CWL v1.2
CommandOutputBinding.glob.
"""

import posixpath
import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Final

_MAGIC: Final = re.compile(r"[*?\[\\]")
_ANYTHING: Final = ".*"
_CLASSES: Final = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "blank": " \\t",
    "cntrl": "\\x00-\\x1f\\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": "!-/:-@\\[-`{-~",
    "space": " \\t-\\r",
    "upper": "A-Z",
    "xdigit": "0-9A-Fa-f",
}


def matching(
    pattern: str,
    names: Callable[[str], Sequence[str]],
    exists: Callable[[str], bool],
    root: str,
) -> list[str]:
    """Return the paths below ``root`` that match, sorted and without ``.`` and ``..``.

    ``names`` gives what is in a folder, nothing for what is none; ``exists`` whether there is
    anything at a path, if only a link that leads nowhere.
    """
    found = [root]
    for segment in filter(None, pattern.split("/")):
        plain = literal(segment)
        if plain is not None:
            found = [at for path in found if exists(at := posixpath.join(path, plain))]
        else:
            found = [
                posixpath.join(path, name)
                for path in found
                for name in names(path)
                if matches(name, segment)
            ]
    return sorted(map(posixpath.normpath, found))


def literal(segment: str) -> str | None:
    """Return the only name that a segment matches, ``None`` if there can be several."""
    if not _MAGIC.search(segment):
        return segment
    parts = list(_parts(segment))
    return None if any(special for _, special in parts) else "".join(text for text, _ in parts)


def matches(name: str, segment: str) -> bool:
    """Whether a name matches a segment. A leading period is only matched by a period."""
    if name.startswith(".") and not segment.startswith((".", "\\.")):
        return False
    return _expression(segment).fullmatch(name) is not None


@lru_cache(maxsize=256)
def _expression(segment: str) -> re.Pattern[str]:
    """Return a segment as a regular expression.

    What stands between two ``*`` is looked for once, from the left: were every place tried for
    every ``*``, a name that does not match might be tried for years.
    """
    pieces = [""]
    for text, special in _parts(segment):
        if special and text == _ANYTHING:
            pieces.append("")
        else:
            pieces[-1] += text if special else re.escape(text)
    first, *others = pieces
    if not others:
        return re.compile(first, re.DOTALL)
    *middle, last = others
    between = "".join(f"(?>.*?{one})" for one in middle if one)
    return re.compile(f"{first}{between}.*{last}", re.DOTALL)


def _parts(segment: str) -> Iterator[tuple[str, bool]]:
    """Yield each part: a character that stands for itself, or a regular expression."""
    at = 0
    while at < len(segment):
        character = segment[at]
        at += 1
        if character == "*":
            yield _ANYTHING, True
        elif character == "?":
            yield ".", True
        elif character == "\\" and at < len(segment):
            yield segment[at], False
            at += 1
        elif character == "[" and (bracket := _bracket(segment, at)) is not None:
            yield bracket[0], True
            at = bracket[1]
        else:
            yield character, False


def _bracket(segment: str, start: int) -> tuple[str, int] | None:
    """Return a bracket expression and where it ends, ``None`` if it does not."""
    at = start
    negated = segment[at : at + 1] in ("!", "^")
    at += negated
    first, items = at, []
    while at < len(segment) and (segment[at] != "]" or at == first):
        item, at = _item(segment, at)
        if item is None:
            return None
        if segment[at : at + 1] == "-" and segment[at + 1 : at + 2] not in ("", "]"):
            end, at = _item(segment, at + 1)
            if end is None or len(item) > 1 or len(end) > 1:
                return None
            items.append(f"{re.escape(item)}-{re.escape(end)}" if item <= end else "")
        else:
            items.append(item if len(item) > 1 else re.escape(item))
    if at >= len(segment):
        return None
    inner = "".join(items)
    if not inner:
        return ("." if negated else "(?!)"), at + 1
    return f"[{'^' if negated else ''}{inner}]", at + 1


def _item(segment: str, at: int) -> tuple[str | None, int]:
    """Return one character, or the members of a class, and where what follows begins."""
    for opening, closing in (("[:", ":]"), ("[=", "=]"), ("[.", ".]")):
        if segment.startswith(opening, at):
            end = segment.find(closing, at + 2)
            name = segment[at + 2 : end] if end > 0 else ""
            item = _CLASSES.get(name) if opening == "[:" else name if len(name) == 1 else None
            return item, end + 2
    if segment[at] == "\\" and at + 1 < len(segment):
        at += 1
    return segment[at], at + 1
