"""The names that files and folders of inputs and results get.

Owns which names stay in their folder, which can stand in any URL as they are, and telling equal
ones apart. Must not know what is named.
"""

import hashlib
import os
import posixpath
import re
import unicodedata
from collections.abc import Collection
from itertools import chain, count
from typing import Any, Final

from localproc.errors import StagingError
from localproc.uris import unquoted

_LONGEST: Final = 200  #: bytes of a name; file systems have 255, and temporary ones are longer
#: What means itself in every part of a URL (RFC 3986, section 2.3), and in every file system.
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._~+=@,-]+")
#: What ends the path in a URL, and control characters, which parsers leave out.
_ENDS: Final = re.compile(r"[?#;\x00-\x1f\x7f]")


def safe_name(name: Any, what: str) -> str:
    """Return a name that stays in its folder; raises ``StagingError`` for any other.

    It must do so when it has been unquoted, too: others may take it for a part of a URL.
    """
    if (
        not isinstance(name, str)
        or {name, unquoted(name)} & {".", ".."}
        or any(bad in unquoted(name) for bad in ("/", "\\", "\0"))
        or name.startswith("-")
        or not 0 < len(_encoded(name)) <= _LONGEST
    ):
        raise StagingError(
            f"{name!r} cannot be {what}",
            hint="a name must not hold slashes, be longer than 200 bytes or begin with a dash",
        )
    return name


def url_name(name: str) -> str:
    """Return a name that is the same in a path, in a URL and in a relative link.

    One that is already stays as it is. Of others, accents are left out and what else has a meaning
    in some URLs becomes ``_``; a long one is cut, and ends with a digest of itself.
    """
    safe = _UNSAFE.sub("_", "".join(map(_plain, name)))
    safe = f"_{safe}" if safe[:1] in ("-", "") or safe in (".", "..") else safe
    if len(safe) <= _LONGEST:
        return safe
    stem, extension = posixpath.splitext(safe)
    extension = extension if len(extension) <= 20 else ""
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{stem[: _LONGEST - 40]}_{digest}{extension}"


def link_name(name: str) -> str:
    """Return a name that a relative link can have as it is, read as a path: as pystac reads it.

    What ends a path, and what readers of URLs leave out, becomes ``_``; all else stays.
    """
    return _ENDS.sub("_", name)


def free_name(name: str, key: str, taken: Collection[str]) -> str:
    """Return the name for an asset's file: its own, with its key in front, or a number as well.

    Raises ``StagingError`` for a key that would have to be part of a name, and cannot be.
    """
    if name not in taken:
        return name
    return numbered(safe_name(f"{key}_{name}", "an asset's name"), taken)


def numbered(name: str, taken: Collection[str]) -> str:
    """Return the first of ``name``, ``name_2``, ``name_3``, ... that is free."""
    stem, extension = os.path.splitext(name)
    others = (f"{stem}_{number}{extension}" for number in count(2))
    return next(one for one in chain([name], others) if one not in taken)


def _plain(character: str) -> str:
    """Return a character without its accents, ``_`` if there is nothing left of it."""
    if character.isascii():
        return character
    base = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return base or ("" if unicodedata.combining(character) else "_")


def _encoded(name: str) -> bytes:
    """Return a name as a disk has it; nothing for halves of characters, which JSON may hold."""
    try:
        return name.encode()
    except UnicodeEncodeError:
        return b""
