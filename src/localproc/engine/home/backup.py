"""A whole copy of a home, made while it is in use, and the way back.

Owns which folders belong to it and in which order they are copied. Must not know what is in them.

What the store tells of has to be in the copy: folders are copied before the store, for what a job
that ends meanwhile removes, and once more after it, for what has come and changed meanwhile.
"""

import errno
import os
import shutil
from typing import Final

from localproc.engine.home.home import Home
from localproc.errors import HomeUnusable, NoSpace
from localproc.plugins.store import Store

#: Folders that are kept, where they are in the home. Others name what runs, or can be done without.
_KEPT: Final = ("jobs", "results", "cache")
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


def back_up(home: Home, store: Store, folder: str) -> None:
    """Copy a home into a folder that is empty or not there.

    Raises ``HomeUnusable`` for another one, or ``NoSpace``.
    """
    copy = Home(os.path.abspath(folder))
    if os.path.realpath(copy.path).startswith(os.path.realpath(home.path) + os.sep):
        raise HomeUnusable(f"{copy.path} lies in the home", hint="name a folder outside of it")
    _check_free(copy)
    part = f"{copy.store}.part"
    try:
        os.makedirs(copy.path, exist_ok=True)
        _copy_folders(home, copy)
        store.copy_to(part)
        _copy_folders(home, copy)
        os.replace(part, copy.store)
    except OSError as error:
        raise _explained(error, copy.path) from error


def restore(folder: str, home: Home) -> None:
    """Make a home out of a backup, where none is.

    Raises ``HomeUnusable`` if there is one, or if the folder is no backup; or ``NoSpace``.
    """
    backup = Home(os.path.abspath(folder))
    if not os.path.isfile(backup.store):
        raise HomeUnusable(
            f"{backup.path} is no backup: it has no {os.path.basename(backup.store)}",
            hint="name the folder that 'localproc backup' has made",
        )
    _check_free(home)
    part = f"{home.store}.part"
    try:
        os.makedirs(home.path, exist_ok=True)
        _copy_folders(backup, home)
        shutil.copyfile(backup.store, part)
        os.replace(part, home.store)
    except OSError as error:
        raise _explained(error, home.path) from error


def _check_free(home: Home) -> None:
    if os.path.lexists(home.path) and (not os.path.isdir(home.path) or os.listdir(home.path)):
        raise HomeUnusable(
            f"{home.path} is not empty",
            hint="name a folder that is not there yet, or move this one away",
        )


def _explained(error: OSError, path: str) -> HomeUnusable | NoSpace:
    said = f"{error.strerror or error}: {error.filename or path}"
    if error.errno in _FULL:
        return NoSpace(said, hint=f"make room on the disk of {path}, and remove what was copied")
    return HomeUnusable(f"{path} could not be written: {said}")


def _copy_folders(source: Home, target: Home) -> None:
    for name in _KEPT:
        _copy(os.path.join(source.path, name), os.path.join(target.path, name))


def _copy(source: str, target: str) -> None:
    """Copy a tree, without what the copy has already; what vanishes meanwhile is left out."""
    try:
        entries = list(os.scandir(source))
    except FileNotFoundError:
        return
    os.makedirs(target, exist_ok=True)
    for entry in entries:
        place = os.path.join(target, entry.name)
        try:
            if entry.is_symlink():
                _copy_link(entry.path, place)
            elif entry.is_dir():
                _copy(entry.path, place)
            elif entry.is_file() and _state(entry.path) != _state(place):
                shutil.copy2(entry.path, place)
        except FileNotFoundError:
            if os.path.lexists(entry.path):
                raise


def _copy_link(source: str, place: str) -> None:
    if not os.path.lexists(place):
        os.symlink(os.readlink(source), place)


def _state(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_size, found.st_mtime_ns
