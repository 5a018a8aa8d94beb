"""The temporary folders of a node, lent to tasks.

Owns making and removing them. Must not know tasks.

Most short tasks put nothing there, and on a disk removing a folder costs more than starting a
process. So one that is as it was made is lent again.
"""

import contextlib
import os
import stat

_MODE = stat.S_IFDIR | 0o700


class Scratch:
    """Lends folders below ``place``."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.spares: list[str] = []

    def lend(self, name: str) -> str:
        """Return an empty folder of the owner alone; a new one has the name. Raises ``OSError``."""
        if self.spares:
            return self.spares.pop()
        path = os.path.join(self.place, name)
        os.mkdir(path, 0o700)
        return path

    def take_back(self, path: str) -> None:
        """Keep a folder that is as it was, remove any other one."""
        if is_as_made(path):
            self.spares.append(path)
            return
        import shutil

        shutil.rmtree(path, ignore_errors=True)

    def close(self) -> None:
        """Remove what nobody has."""
        while self.spares:
            with contextlib.suppress(OSError):
                os.rmdir(self.spares.pop())


def is_as_made(path: str) -> bool:
    """Whether a folder is empty, and still what it was made as."""
    try:
        now = os.lstat(path)
        return now.st_mode == _MODE and now.st_uid == os.geteuid() and not os.listdir(path)
    except OSError:
        return False
