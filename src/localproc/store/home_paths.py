r"""Paths within the home, as they are kept.

Owns writing them relative to the home, so that a home which is moved or copied finds its own files.
Must not know what the paths are of.

In the JSON of a row the character ``\u0001`` stands for the home's path, ``\u0002`` for its URI.
Where a text has one of these itself it is there twice.
"""

import json
import os
import re
from typing import Final

from localproc.uris import path_uri

_PATH: Final = "\\u0001"
_URI: Final = "\\u0002"
_MARKS: Final = "\\u000"  #: what both begin with
_OWN: Final = re.compile(r"(\\u000[12])|\\.")  # or another escape, to be passed over
_MARK: Final = re.compile(r"\\(?:(u000[12])(\\\1)?|.)")  # what it begins with is found fast
#: What ends a path, and what a path does not begin after: then it would be another one.
_ENDS: Final = r"""(?=[/" :,;']|\\["n])"""
_JOINS: Final = r"[\w.%/~-]"
_WINDOW: Final = 1 << 20  #: characters that are looked through at once


class HomePaths:
    """The paths of one home, in JSON texts."""

    def __init__(self, folder: str) -> None:
        path = os.path.abspath(folder)
        real = os.path.realpath(folder)
        self._whole = {_PATH: _written(path), _URI: _written(path_uri(path))}
        forms = {_written(path_uri(one)): _URI for one in (path, real)}
        forms |= {_written(one): _PATH for one in (path, real)}
        self._short = [(form, _path(form), mark) for form, mark in forms.items()]
        self._end = _common_end(list(forms))  # what is not there is short already

    def shortened(self, text: str) -> str:
        """Return a JSON text with marks in place of the home."""
        has = str.__contains__ if len(text) < _WINDOW else _has
        is_marked = has(text, _MARKS)
        if not (is_marked or has(text, self._end)):
            return text
        if is_marked and (has(text, _PATH) or has(text, _URI)):
            text = _OWN.sub(lambda found: found[0] + (found[1] or ""), text)
        for form, path, mark in self._short:
            if has(text, form):
                text = mark.join(path.split(text))
        return text

    def whole(self, text: str) -> str:
        """Return the JSON text that was shortened, for where the home is now."""
        if _PATH not in text and _URI not in text:
            return text
        return _MARK.sub(self._meant, text)

    def _meant(self, found: re.Match[str]) -> str:
        mark, again = found[1], found[2]
        if mark is None:
            return found[0]
        return f"\\{mark}" if again else self._whole[f"\\{mark}"]


def _common_end(texts: list[str]) -> str:
    """Return what all texts end with, which may be nothing."""
    first = texts[0]
    ends = (first[at:] for at in range(len(first) + 1))
    return next(end for end in ends if all(one.endswith(end) for one in texts))


def _has(text: str, form: str) -> bool:
    """Whether there is a form in a long text; other threads go on between two looks."""
    return any(
        text.find(form, at, at + _WINDOW + len(form)) >= 0 for at in range(0, len(text), _WINDOW)
    )


def _path(form: str) -> re.Pattern[str]:
    """Return what finds the home, in one of its forms, where a path names it or lies in it.

    It looks back from the end of the form, for what it begins with is found fast.
    """
    form = re.escape(form)
    return re.compile(rf"{form}(?:(?<!{_JOINS}{form})|(?<=\\n{form})){_ENDS}")


def _written(text: str) -> str:
    """Return a text as it stands in JSON."""
    return json.dumps(text)[1:-1]
