"""Temporary folders for tasks, used again and again.

Owns ``TMPDIR`` of tasks: each has one of its own while it runs, empty when it starts. Making a
folder for every short task costs as much as starting it, so one that was left empty is handed on.
Must not know tasks.
"""

import os
from collections.abc import Callable
from contextlib import suppress

from localproc.engine.loop.background import remove


class TmpDirs:
    """The temporary folders of one engine."""

    def __init__(self, folder: str, later: Callable[[Callable[[], None]], None]) -> None:
        self._folder = folder
        self._later = later
        self._free: list[str] = []
        self._count = 0

    def take(self) -> str:
        """Return an empty folder."""
        if self._free:
            return self._free.pop()
        self._count += 1
        path = os.path.join(self._folder, str(self._count))
        os.makedirs(path)
        return path

    def give_back(self, path: str) -> None:
        """Take a folder back; what a task has left in it is removed in the background."""
        own = os.path.dirname(path) == self._folder
        try:
            clean = not os.listdir(path)
        except OSError:
            return
        if own and clean:
            self._free.append(path)
        elif path:
            self._later(lambda: remove(path))

    def close(self, lives: Callable[[str], bool] = lambda _: True) -> None:
        """Remove them all, and those of engines of which none lives any more."""
        remove(self._folder)
        everybody = os.path.dirname(self._folder)
        with suppress(OSError):
            for engine in os.listdir(everybody):
                if not lives(engine):
                    remove(os.path.join(everybody, engine))
