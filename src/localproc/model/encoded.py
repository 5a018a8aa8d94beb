"""A value that a store has written already.

Owns handing large values on to a store without anything left to be done. Must not know where they
are: that is the store's.
"""

from collections.abc import Mapping
from typing import Any


class Encoded(dict[str, Any]):
    """An object as it was made, what the store calls it that has written it, and how long it is.

    Nobody changes it: it would not be what was written. ``size`` is in characters of JSON.
    """

    __slots__ = ("name", "size")

    def __init__(self, value: Mapping[str, Any], name: str, size: int) -> None:
        super().__init__(value)
        self.name = name
        self.size = size
