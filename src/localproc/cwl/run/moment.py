"""A disk at a moment.

Owns that a path is looked at once in one piece of work, which changes nothing itself. Must not know
what the work is.
"""

from typing import Final

from localproc.cwl.base.files import Files, Stat

_MOST: Final = 1_000  #: paths that are remembered


class Moment:
    """A disk (``Files``) on which what was seen at a path stays so."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._seen: dict[str, Stat | None] = {}
        self.listdir = files.listdir
        self.glob = files.glob
        self.read = files.read
        self.realpath = files.realpath
        self.checksum = files.checksum

    def stat(self, path: str) -> Stat | None:
        """Return what is there, or was when it was looked at first."""
        seen = self._seen
        if path in seen:
            return seen[path]
        found = self._files.stat(path)
        if len(seen) < _MOST:
            seen[path] = found
        return found
