"""Where homes are put: in memory, and on a disk that really is one.

Owns finding such folders, and fresh ones in them. Must not know what they are for.
"""

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from localproc.file_systems import file_system

_IN_MEMORY = frozenset({"tmpfs", "ramfs", "hugetlbfs"})
_CANDIDATES = ("/dev/shm", tempfile.gettempdir(), "/var/tmp", str(Path.home()), str(Path.cwd()))


def places() -> dict[str, str]:
    """Give a folder for each kind of place that there is: ``tmpfs`` and ``disk``."""
    found: dict[str, str] = {}
    for folder in _CANDIDATES:
        if os.access(folder, os.W_OK):
            kind = "tmpfs" if file_system(folder) in _IN_MEMORY else "disk"
            found.setdefault(kind, folder)
    return found


def quickest() -> str:
    """Give the folder for what has nothing to do with disks."""
    return next(iter(places().values()))


def usual() -> str:
    """Give the folder that a user's home would be in."""
    known = places()
    return known.get("disk") or known["tmpfs"]


def lasting(place: str) -> str:
    """Give an empty folder that goes when all has been measured.

    It is for whatever makes many files. Removing them at once would slow down what is measured
    next: for minutes ext4 passes over the inodes that have just become free.
    """
    folder = tempfile.mkdtemp(prefix="localproc-bench-", dir=place)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@contextmanager
def fresh(place: str) -> Iterator[str]:
    """Give an empty folder that goes when it is done with."""
    folder = tempfile.mkdtemp(prefix="localproc-bench-", dir=place)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
