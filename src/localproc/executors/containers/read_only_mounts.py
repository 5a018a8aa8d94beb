"""Inputs that are mounted over themselves, read-only, in a namespace of their own.

Owns what ``mount --all`` is told of them: the lines of ``fstab`` (its manual, section 5). Must not
know any runtime. Nothing is lost where a line cannot be done: the input is there as it was.
"""

import os
from collections.abc import Sequence
from typing import Final

from localproc.model import Mount

_MOST: Final = 100  #: each mount looks through all others
#: What a mount has to keep in a namespace of a user.
_FLAGS: Final = {os.ST_NOSUID: "nosuid", os.ST_NODEV: "nodev", os.ST_NOEXEC: "noexec"}
_PLAIN: Final = frozenset(b"/._-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")


def fstab(seen: Sequence[Mount]) -> str:
    """Return the lines for what is only read; one in which something is written has none."""
    written = [one.source for one in seen if one.writable]
    sources = [
        one.source
        for one in seen
        if not one.writable and not any(_is_below(path, one.source) for path in written)
    ]
    return "".join(map(_line, sources[:_MOST]))


def _line(path: str) -> str:
    flags = os.statvfs(path).f_flag if os.path.exists(path) else 0
    options = ["bind", "ro", *(name for flag, name in _FLAGS.items() if flags & flag)]
    place = "".join(chr(one) if one in _PLAIN else f"\\{one:03o}" for one in os.fsencode(path))
    return f"{place} {place} none {','.join(options)} 0 0\n"


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")
