"""Halves of characters, which JSON's escapes can write.

Owns putting them together and telling those that are alone: no text with one of these can be
stored or sent. Must not know what the texts are.
"""

import json
import re
from typing import Any, Final

#: A pair of halves, or an escaped backslash, which begins none.
_PAIR: Final = re.compile(r"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_HALF: Final = re.compile(r"\\u[dD][89a-fA-F]")


def joined(text: str) -> str:
    """Return a text of JSON for a reader of YAML, which takes each half for a character."""
    return _PAIR.sub(_pair, text)


def _pair(found: re.Match[str]) -> str:
    return found[0] if found[0] == "\\\\" else str(json.loads(f'"{found[0]}"'))


def has_half(document: Any, text: str) -> bool:
    """Whether a document, read from a text, has a lone surrogate in it."""
    if not _HALF.search(text):
        return False
    try:
        json.dumps(document, ensure_ascii=False, default=str, skipkeys=True).encode()
    except UnicodeEncodeError:
        return True
    return False
