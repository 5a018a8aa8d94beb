"""Whole numbers that clients write.

Owns reading them. Must not know what is counted.
"""

from typing import Final

#: Whatever is larger is as large as this.
_LARGEST: Final = 10**18


def whole(text: str) -> int | None:
    """Read a number written in digits, ``None`` if it is not; no text is too long for it."""
    if not text.isascii() or not text.isdigit():
        return None
    significant = text.lstrip("0") or "0"
    return min(int(significant[:20]), _LARGEST)
