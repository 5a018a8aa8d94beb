"""The disk, for a short look.

Owns how much the loop may look at before it has to leave it to a worker. Must not know what for.
"""

from collections.abc import Sequence
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

    def listdir(self, path: str) -> Sequence[str]:
        """Return the names in a directory, sorted."""
        found = super().listdir(path)
        self._look(len(found))
        return found

    def glob(self, root: str, pattern: str) -> Sequence[str]:
        """Return the paths below ``root`` that match, sorted."""
        found = super().glob(root, pattern)
        self._look(len(found))
        return found

    def _look(self, count: int = 1) -> None:
        self._looks -= count
        if self._looks < 0:
            raise TooBig("there is too much to look at")
