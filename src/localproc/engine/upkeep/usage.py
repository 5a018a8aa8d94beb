"""How much room things take on a disk.

Owns measuring folders. Must not know what is in them.
"""

import os
from collections.abc import Iterable

from localproc.engine.home.home import Home


class Sizes:
    """Adds up files. One that has several links counts once, and where it is removed as the last.

    ``total`` is what all that was added takes, ``freed`` what the disk has back if all of it goes:
    the bytes of a file that has links elsewhere stay.
    """

    def __init__(self) -> None:
        self.total = 0
        self._kept: dict[tuple[int, int], tuple[int, int]] = {}

    @property
    def freed(self) -> int:
        """Bytes that removing everything gives back."""
        return self.total - sum(size for left, size in self._kept.values() if left)

    def add(self, *paths: str) -> int:
        """Add files and folders with all that is in them; return what that adds to the total."""
        before, folders = self.total, list(paths)
        while folders:
            path = folders.pop()
            try:
                with os.scandir(path) as entries:
                    for entry in entries:
                        if entry.is_dir(follow_symlinks=False):
                            folders.append(entry.path)
                        else:
                            self._count(entry.stat(follow_symlinks=False))
            except NotADirectoryError:
                self._count(os.lstat(path))
            except OSError:
                continue  # it is gone, or somebody else's
        return self.total - before

    def _count(self, found: os.stat_result) -> None:
        if found.st_nlink < 2:
            self.total += found.st_size
            return
        key = (found.st_dev, found.st_ino)
        if key not in self._kept:
            self.total += found.st_size
            self._kept[key] = (found.st_nlink, found.st_size)
        left, size = self._kept[key]
        self._kept[key] = (left - 1, size)


def usage(home: Home) -> dict[str, int]:
    """Return what the parts of a home take, in bytes: store, jobs, results, cache, inputs, ....

    A file that several parts share counts for the first of them.
    """
    sizes = Sizes()
    parts = {
        "store": [f"{home.store}{end}" for end in ("", "-wal", "-shm")],
        "jobs": [home.jobs],
        "search": [f"{home.log_index}{end}" for end in ("", "-journal")],
        "results": [os.path.join(home.path, "results")],
        "cache": [home.steps],
        "inputs": [home.inputs],
        "tmp": [home.tmp],
    }
    found = {name: sizes.add(*paths) for name, paths in parts.items()}
    return {**found, "rest": sizes.add(*_others(home, parts.values()))}


def _others(home: Home, known: Iterable[list[str]]) -> list[str]:
    seen = {os.path.realpath(path) for paths in known for path in paths}
    seen.add(os.path.realpath(os.path.dirname(home.steps)))
    there = [os.path.join(home.path, name) for name in os.listdir(home.path)]
    return [path for path in there if os.path.realpath(path) not in seen]
