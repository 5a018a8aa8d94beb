"""The journals that keepers leave behind.

Owns reading what a keeper wrote, and whether it still lives. Must not know tasks' meaning.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from typing import Any


class Journal:
    """One keeper's folder, read as it grows."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._offset = 0
        self._rest = b""

    def news(self) -> Iterator[dict[str, Any]]:
        """Give the lines that are new since the last call; a half-written one waits."""
        try:
            with open(os.path.join(self.folder, "journal"), "rb") as file:
                file.seek(self._offset)
                data = file.read()
        except FileNotFoundError:
            return
        self._offset += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if line.strip():
                yield json.loads(line)

    def keeper_lives(self) -> bool:
        """Whether the keeper holds its lock."""
        try:
            lock = os.open(os.path.join(self.folder, "lock"), os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(lock)
        return False

    def remove(self) -> None:
        """Forget the keeper."""
        shutil.rmtree(self.folder, ignore_errors=True)


def journals(folder: str) -> list[Journal]:
    """Give the journals of all keepers of a home."""
    try:
        names = sorted(os.listdir(folder))
    except FileNotFoundError:
        return []
    return [Journal(os.path.join(folder, name)) for name in names]
