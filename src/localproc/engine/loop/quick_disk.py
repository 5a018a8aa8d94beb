"""The disk, for a short look.

Owns how much the loop may look at before it has to leave it to a worker. Must not know what for.
"""

import os
from itertools import islice
from typing import Final

from localproc.storage.disk import Disk, TooBig

_BYTES: Final = 4 << 20  #: that may be read for checksums
_CONTENTS: Final = 256 << 10  #: that may be read as values: these are gone through then
_LOOKS: Final = 1_000  #: names that may be looked at


class QuickDisk(Disk):
    """A disk that raises ``TooBig`` once it has been looked at too much."""

    def __init__(self, settled: str = "") -> None:
        super().__init__(_BYTES, settled)
        self._looks = _LOOKS
        self._contents = _CONTENTS

    def read(self, path: str, most: int = -1) -> bytes:
        """Return the contents."""
        found = self.stat(path)
        size = 0 if found is None else found.size
        self._contents -= size if most < 0 else min(size, most)
        if self._contents < 0:
            raise TooBig(path)
        return super().read(path, most)

    def _listed(self, path: str) -> list[str]:
        """Return the names in a directory: of one with too many no more than that are read."""
        with os.scandir(path) as found:
            names = [one.name for one in islice(found, self._looks + 1)]
        self._look(len(names))
        return names

    def _look(self, count: int = 1) -> None:
        self._looks -= count
        if self._looks < 0:
            raise TooBig("there is too much to look at")
