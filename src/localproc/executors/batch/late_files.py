"""Files of nodes, as they come to be seen here: on a disk of a network, later, or in part.

Owns asking the server anew where this machine may remember something old. Must not know what the
files are for.
"""

import os
from collections.abc import Mapping
from time import monotonic
from typing import Final

_AGAIN: Final = 0.5  #: seconds after which a folder is listed again that seems to be as it was


class Listed:
    """What there is in a folder that others write to.

    A name is looked for in a list of all: one that is asked for before it is there may stay unknown
    for a minute on a network file system, while a list is asked of the server.
    """

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._stamp = 0
        self._next = 0.0

    def has(self, folder: str, name: str, *, now: bool = False) -> bool:
        """Whether a name is there; ``now`` rather than some moments ago."""
        if name in self._names:
            return True
        try:
            stamp = os.stat(folder).st_mtime_ns  # it may be an old one: so not it alone counts
            if now or stamp != self._stamp or monotonic() >= self._next:
                self._names = set(os.listdir(folder))
                self._stamp, self._next = stamp, monotonic() + _AGAIN
        except OSError:
            return False
        return name in self._names


def are_there(folder: str, files: Mapping[str, int]) -> bool:
    """Whether a folder has files, by name, of so many bytes at least."""
    try:
        there = set(os.listdir(folder))
        return files.keys() <= there and all(
            _is_whole(os.path.join(folder, name), size) for name, size in files.items()
        )
    except OSError:
        return False


def _is_whole(path: str, size: int) -> bool:
    """Whether a file has so many bytes; its server may be asked for that when it is opened."""
    if os.stat(path).st_size >= size:
        return True
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        return os.fstat(file).st_size >= size
    finally:
        os.close(file)
