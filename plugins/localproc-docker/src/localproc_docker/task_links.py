"""Where tasks of warm containers are, on the disk.

Owns a link for each task that was handed to a loop, named for its key, which leads to its number in
a container's folder: by it another engine finds both. Must not know what becomes of tasks.
"""

import hashlib
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from typing import Final

FOLDER: Final = "keys"


class TaskLinks:
    """The links of a home, in ``keys`` below the folder of its warm containers."""

    def __init__(self, folder: str) -> None:
        self._folder = os.path.join(folder, FOLDER)

    def note(self, key: str, lane: str, number: int) -> None:
        """Note that a task is the one of a number in a container's folder."""
        os.makedirs(self._folder, exist_ok=True)
        with suppress(FileExistsError):
            os.symlink(f"{lane}/{number}", self._path(key))

    def find(self, key: str) -> tuple[str, int] | None:
        """Return the name of a task's container, and its number there."""
        try:
            lane, _, number = os.readlink(self._path(key)).partition("/")
        except OSError:
            return None
        return lane, int(number)

    def remove(self, key: str) -> None:
        """Forget where a task is."""
        with suppress(FileNotFoundError):
            os.unlink(self._path(key))

    def sweep(self, is_used: Callable[[str], bool]) -> None:
        """Remove the folders of containers that nobody uses any more, and the last one with all."""
        below = os.path.dirname(self._folder)
        with suppress(FileNotFoundError):
            for name in os.listdir(below):
                if name != FOLDER and not is_used(name):
                    shutil.rmtree(os.path.join(below, name), ignore_errors=True)
            if os.listdir(below) == [FOLDER]:
                shutil.rmtree(below, ignore_errors=True)

    def _path(self, key: str) -> str:
        name = hashlib.sha256(key.encode(errors="surrogateescape")).hexdigest()
        return os.path.join(self._folder, name)
