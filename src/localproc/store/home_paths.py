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
_OWN: Final = re.compile(r"(\\u000[12])|\\.")  # or another escape, to be passed over
_MARK: Final = re.compile(r"(\\u000[12])(\1)?|\\.")
#: What a path may stand behind, and what may follow it, if the home is what it names or lies in.
_BEFORE: Final = r"(?:(?<=\\n)|(?<![\w.%/~-]))"
_AFTER: Final = r"""(?=[/" :,;']|\\["n])"""


class HomePaths:
    """The paths of one home, in JSON texts."""

    def __init__(self, folder: str) -> None:
        path = os.path.abspath(folder)
        real = os.path.realpath(folder)
        self._whole = {_PATH: _written(path), _URI: _written(path_uri(path))}
        self._short = {_written(one): _PATH for one in (path, real)}
        self._short |= {_written(path_uri(one)): _URI for one in (path, real)}
        forms = "|".join(map(re.escape, self._short))
        self._form = re.compile(f"{_BEFORE}(?:{forms}){_AFTER}")

    def shortened(self, text: str) -> str:
        """Return a JSON text with marks in place of the home."""
        if _PATH in text or _URI in text:
            text = _OWN.sub(lambda found: found[0] + (found[1] or ""), text)
        if not any(form in text for form in self._short):
            return text
        return self._form.sub(lambda found: self._short[found[0]], text)

    def whole(self, text: str) -> str:
        """Return the JSON text that was shortened, for where the home is now."""
        if _PATH not in text and _URI not in text:
            return text
        return _MARK.sub(self._meant, text)

    def _meant(self, found: re.Match[str]) -> str:
        mark, again = found[1], found[2]
        if mark is None:
            return found[0]
        return str(mark) if again else self._whole[mark]


def _written(text: str) -> str:
    """Return a text as it stands in JSON."""
    return json.dumps(text)[1:-1]
