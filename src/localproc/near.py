"""What somebody may have meant by a name that is not there.

Owns guessing, and how long that may take. Must not know what is named.
"""

from collections.abc import Collection
from itertools import islice
from typing import Final

_MOST: Final = 300  #: names that are compared: a guess is a courtesy, and each costs 10 us


def near(name: str, known: Collection[str], hint: str = "", alike: float = 0.5) -> str:
    """Return ``did you mean 'x'?`` for the closest of the known names, else ``hint``.

    ``alike``: how much it has to be, from 0 to 1.
    """
    close = closest(name, known, alike)
    return f"did you mean {close!r}?" if close else hint


def closest(name: str, known: Collection[str], alike: float = 0.6) -> str:
    """Return the closest of the known names, empty if none is near."""
    import difflib  # few mistake a name, and nobody who starts the command line is to wait for it

    return next(iter(difflib.get_close_matches(name, list(islice(known, _MOST)), 1, alike)), "")
