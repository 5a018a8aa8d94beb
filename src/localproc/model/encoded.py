"""A value with the text that a store keeps of it.

Owns handing large values on to a store without anything left to be done. Must not know the form of
the text: that is the store's.
"""

from collections.abc import Mapping
from typing import Any


class Encoded(dict[str, Any]):
    """An object as it was made, and its text in the form of the store that has written it.

    Nobody changes it: it would not be what its text says.
    """

    __slots__ = ("text",)

    def __init__(self, value: Mapping[str, Any], text: str) -> None:
        super().__init__(value)
        self.text = text
