"""What somebody may have meant by a name that is not there.

Owns guessing, and how long that may take. Must not know what is named.
"""

import difflib
from collections.abc import Collection
from itertools import islice
from typing import Final

_MOST: Final = 300  #: names that are compared: a guess is a courtesy, and each costs 10 us


def near(name: str, known: Collection[str], hint: str = "") -> str:
    """Return ``did you mean 'x'?`` for the closest of the known names, else ``hint``."""
    close = difflib.get_close_matches(name, list(islice(known, _MOST)), 1, 0.5)
    return f"did you mean {close[0]!r}?" if close else hint
