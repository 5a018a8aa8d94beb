"""The formats of files, as URIs.

Owns when one is another, or stands below it, and the media types of IANA as formats. Must not know
what is in a file.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

_IANA: Final = "https://www.iana.org/assignments/media-types/"
_MEDIA_TYPE: Final = re.compile(
    r"(?:iana:|https?://www\.iana\.org/assignments/media-types/)([\w.+-]+/[\w.+-]+)"
)


def iana_format(media_type: str) -> str:
    """Return a media type as a format; what it says beside its name does not count."""
    return _IANA + media_type.partition(";")[0].strip().lower()


def media_type_of(uri: str) -> str:
    """Return the media type that a format stands for, nothing for any other format."""
    found = _MEDIA_TYPE.fullmatch(uri)
    return found[1] if found else ""


def is_format(have: str, wanted: str, ontology: Mapping[str, Sequence[str]]) -> bool:
    """Whether a format is another, or below it in the document's ontology."""
    seen: set[str] = set()
    waiting = [have]
    while waiting:
        one = waiting.pop()
        if _canonical(one) == _canonical(wanted):
            return True
        if one not in seen:
            seen.add(one)
            waiting += ontology.get(one, ())
    return False


def _canonical(uri: str) -> str:
    kind = media_type_of(uri)
    return iana_format(kind) if kind else uri
