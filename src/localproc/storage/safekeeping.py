"""Seeing that files survive a power cut before it is recorded that they are there.

Owns which files and folders are written through to the disk, and doing so for many at once. Must
not know what is recorded.

A disk takes as long for one file as for many that come together: whoever comes while it is at work
is served in the next round, with all others who have come.
"""

import contextlib
import fcntl
import os
import stat
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Final

from localproc.cwl.base.files import is_local, local_path, walk

_MANY: Final = 32  #: paths from which on a whole file system is written through at once


class Safekeeping:
    """Writes files through to the disk; many threads may ask for that at a time."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: list[_Round] = []
        self._is_working = False

    def keep(self, paths: Iterable[str]) -> None:
        """Write files and folders through; what is not there any more is left out.

        Raises ``OSError`` if the disk cannot take them; whatever goes wrong is told to all.
        """
        mine = _Round(set(paths))
        with self._changed:
            self._waiting.append(mine)
            self._changed.wait_for(lambda: mine.is_over or not self._is_working)
            if mine.is_over:
                return mine.end()
            rounds, self._waiting = self._waiting, []
            self._is_working = True
        error: Exception | None = None
        try:
            _write_through(set().union(*(one.paths for one in rounds)))
        except Exception as broken:
            error = broken
        with self._changed:
            self._is_working = False
            for one in rounds:
                one.is_over, one.error = True, error
            self._changed.notify_all()
        return mine.end()


class _Round:
    """What one thread wants to have kept."""

    def __init__(self, paths: set[str]) -> None:
        self.paths = paths
        self.is_over = False
        self.error: Exception | None = None

    def end(self) -> None:
        if self.error is not None:
            raise self.error


def paths_of(outputs: Mapping[str, Any], folders: Iterable[str]) -> Iterator[str]:
    """Yield the files that outputs are made of, and the folders that they are found by.

    Only what lies in one of ``folders``: anything else was there before, and is somebody else's.
    """
    tops = [os.path.realpath(folder) for folder in folders]
    for one in walk(dict(outputs)):
        if not is_local(one):
            continue
        given = local_path(one)
        place = os.path.realpath(os.path.dirname(given))
        link_and_file = {os.path.join(place, os.path.basename(given)), os.path.realpath(given)}
        seen = set(link_and_file)
        for path in link_and_file:
            yield from _tree(path, tops, seen)


def _tree(path: str, tops: Iterable[str], seen: set[str]) -> Iterator[str]:
    """Yield what a path is made of, links followed, if it lies in one of ``tops``."""
    top = next((top for top in tops if f"{path}/".startswith(f"{top}/")), None)
    if top is None:
        return
    yield path
    yield from _way(path, top)
    for folder, folders, names in os.walk(path):
        for inner in (os.path.join(folder, name) for name in (*folders, *names)):
            yield inner
            if os.path.islink(inner) and (real := os.path.realpath(inner)) not in seen:
                seen.add(real)
                yield from _tree(real, tops, seen)


def _way(path: str, top: str) -> Iterator[str]:
    """Yield the folders that lead to a path, the one that holds ``top`` included."""
    while path != top:
        path = os.path.dirname(path)
        yield path
    for _ in range(2):  # the folder of the job, and that of all jobs
        path = os.path.dirname(path)
        yield path


def _write_through(paths: set[str]) -> None:
    if len(paths) < _MANY or _syncfs() is None:
        for path in paths:
            with _opened(path) as file:
                if file is not None:
                    _sync(file)
        return
    devices: set[int] = set()
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            device = os.lstat(path).st_dev
            if device not in devices:
                with _opened(path) as file:
                    if file is not None and _sync_all(file):
                        devices.add(device)


@contextlib.contextmanager
def _opened(path: str) -> Iterator[int | None]:
    """Open a file or folder to write it through; nothing else has contents to be kept."""
    try:
        kind = os.stat(path).st_mode
        known = stat.S_ISREG(kind) or stat.S_ISDIR(kind)
        file = os.open(path, os.O_RDONLY) if known else None
    except OSError:  # it is gone, or a link that leads nowhere
        file = None
    try:
        yield file
    finally:
        if file is not None:
            os.close(file)


def _sync(file: int) -> None:
    if sys.platform == "darwin":
        fcntl.fcntl(file, fcntl.F_FULLFSYNC)
    else:
        os.fsync(file)


def _sync_all(file: int) -> bool:
    """Write a whole file system through."""
    import ctypes

    if _syncfs()(file) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return True


@cache
def _syncfs() -> Any:
    import ctypes  # few jobs have so many files

    try:
        return ctypes.CDLL(None, use_errno=True).syncfs
    except (AttributeError, OSError):  # not Linux
        return None
