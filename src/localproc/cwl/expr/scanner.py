"""Where an expression ends.

Owns as much of JavaScript's syntax as tells brackets of code from those in strings, templates,
comments and regular expressions. Must not know what the code means.

Source: CWL v1.2 CommandLineTool, section 3.6 "Expressions": nesting has to be accounted for.
"""

import re
from typing import Final

from localproc.errors import ExpressionError

_COMMENT: Final = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_REGEX: Final = re.compile(r"/(?![*/])(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/")
#: What a regular expression, and no division, follows.
_BEFORE_REGEX: Final = re.compile(
    r"(?:[(,=:\[!&|?{;>%~^<*]|(?<!\+)\+|(?<!-)-|\b(?:return|typeof|case|in|of|do|else))\s*\Z"
)
_NEAR: Final = 64  #: characters that are looked at for that
_CLOSERS: Final = {"(": ")", "{": "}", "[": "]"}
_TELLING: Final = re.compile(r"""[(){}\[\]"'`/]""")  #: all else is passed over


def end_of_expression(text: str, start: int) -> int:
    """Return the position after the bracket that closes the one at ``start``.

    Raises ``ExpressionError`` if there is none.
    """
    end = _scanned(text, start) or _counted(text, start)
    if end is None:
        raise ExpressionError(
            f"the expression {text[start - 1 :][:80]!r} does not end",
            expression=text,
            hint="write \\$( for a literal $(",
        )
    return end


def _scanned(text: str, start: int) -> int | None:
    """Find the end as JavaScript has it: brackets in what is no code do not count."""
    stack: list[str] = []
    position = start
    while (found := _TELLING.search(text, position)) is not None:
        character, position = found[0], found.start()
        if character in _CLOSERS:
            stack.append(_CLOSERS[character])
        elif character in "\"'":
            position = _string_end(text, position)
        elif character == "`":
            position = _template_end(text, position)
        elif character == "/":
            position = _aside_end(text, start, position)
        elif stack and character == stack[-1]:
            stack.pop()
            if not stack:
                return position + 1
        position += 1
    return None


def _counted(text: str, start: int) -> int | None:
    """Find the end by brackets alone, for what could not be made sense of."""
    depth = 0
    for position in range(start, len(text)):
        depth += (text[position] in _CLOSERS) - (text[position] in _CLOSERS.values())
        if not depth:
            return position + 1
    return None


def _template_end(text: str, start: int) -> int:
    position = start + 1
    while position < len(text) and text[position] != "`":
        if text.startswith("${", position):
            position = _scanned(text, position + 1) or len(text)
        else:
            position += 2 if text[position] == "\\" else 1
    return position


def _aside_end(text: str, start: int, position: int) -> int:
    """Return the last position of a comment or regular expression; this one if it is neither."""
    found = _COMMENT.match(text, position)
    if found is None and _BEFORE_REGEX.search(text[max(start, position - _NEAR) : position]):
        found = _REGEX.match(text, position)
    return position if found is None else found.end() - 1


def _string_end(text: str, start: int) -> int:
    quote = text[start]
    position = start + 1
    while position < len(text):
        if text[position] == "\\":
            position += 1
        elif text[position] == quote:
            return position
        position += 1
    return start  # an apostrophe in a comment, say: no string begins here
