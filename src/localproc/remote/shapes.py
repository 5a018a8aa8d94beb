"""Documents of a server, which may have anything in any place.

Owns reading members of them as what they should be. Must not know what they mean.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit


def object_of(value: Any) -> Mapping[str, Any]:
    """Return an object, an empty one for what is none."""
    return value if isinstance(value, Mapping) else {}


def objects_of(value: Any) -> list[Mapping[str, Any]]:
    """Return the objects of an array, none for what is no array."""
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def is_web_address(text: str) -> bool:
    """Whether a text is an address that can be asked over HTTP."""
    try:
        parts = urlsplit(text)
        text.encode()  # a lone surrogate is in no address
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
