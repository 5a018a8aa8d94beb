"""Files that a task was given to read, and whether it left them as they were.

Owns which files are watched, and telling of one that has changed. Must not know outputs.

A tool's files are links to the user's, or the user's own paths, so nothing keeps it from writing to
them (docs/adr/0031). Where it does, the step fails and names the file.
"""

import contextlib
import hashlib
import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from localproc.cwl.base.files import Files, Stat, is_local, local_path, walk
from localproc.errors import LocalprocError, StepError
from localproc.model import StageAction

_MOST: Final = 1000  #: files watched in folders that are linked to
_HEAD: Final = 1 << 12  #: bytes of a file that are compared where its size and times say nothing


@dataclass(frozen=True, slots=True)
class FileState:
    """How a file was: what is known about it, and a digest of what it begins with."""

    stat: Stat
    head: bytes


@dataclass(frozen=True, slots=True)
class Given:
    """What a task may only read: files by their paths, and the names in folders."""

    files: Mapping[str, FileState] = field(default_factory=dict)
    folders: Mapping[str, frozenset[str]] = field(default_factory=dict)


def seen(
    values: Mapping[str, Any], actions: Iterable[StageAction], shared: Iterable[str], files: Files
) -> Given:
    """Return how all is that a task may only read.

    ``values`` are its inputs, ``actions`` what is put in place for it. ``shared`` are paths that it
    may write to.
    """
    given = [local_path(one) for one in walk(dict(values)) if is_local(one)]
    linked = [action.source for action in actions if action.kind == "link"]
    writable = tuple(shared)
    found: dict[str, Stat] = {}
    for path in dict.fromkeys([*given, *linked]):
        stat = files.stat(path)
        if stat is not None and not stat.is_dir:
            found[path] = stat
    folders = (path for path in linked if path not in found)
    inner = (each for folder in folders for each in _below(folder, files))
    found |= dict(islice(inner, _MOST))
    ours = {
        path: stat
        for path, stat in found.items()
        if not any(_is_below(path, one) for one in writable)
    }
    return Given(
        {
            path: FileState(stat, _head(path, files))
            for path, stat in ours.items()
            if not (stat.is_special or stat.is_dir)
        },
        {path: _names(path, files) for path, stat in ours.items() if stat.is_dir},
    )


def check(tool: str, before: Given, files: Files) -> None:
    """Raise ``StepError`` for a file that is no longer what it was, or was not there."""
    for path, was in before.files.items():
        now = files.stat(path)
        if now is None or _has_changed(path, was, now, files):
            what = "removed" if now is None else "changed"
            raise _touched(f"{tool}: its input {path} was {what} while it ran")
    for folder, names in before.folders.items():
        new = sorted(_names(folder, files) - names) if files.stat(folder) else []
        if new:
            raise _touched(f"{tool}: {new[0]} was made in its input {folder} while it ran")


def _touched(what: str) -> StepError:
    return StepError(
        what,
        hint="a tool that writes to what it is given needs it as writable in "
        "InitialWorkDirRequirement, which makes a copy",
    )


def _has_changed(path: str, was: FileState, now: Stat, files: Files) -> bool:
    """Whether a file has been written to, even if its size and times were set back."""
    if _state(now) != _state(was.stat):
        return True
    if now.changed == was.stat.changed or not now.size:
        return False
    return _head(path, files) != was.head  # else it is its mode, or another link to it


def _head(path: str, files: Files) -> bytes:
    """Return a digest of what a file begins with; nothing if it cannot be read."""
    with contextlib.suppress(LocalprocError):
        return hashlib.blake2b(files.read(path, _HEAD), digest_size=16).digest()
    return b""


def _state(stat: Stat) -> tuple[int, ...]:
    """Return what tells that a file has changed; those of /proc are empty and always new."""
    return (stat.size, stat.modified, stat.inode) if stat.size else (0,)


def _below(folder: str, files: Files) -> Iterator[tuple[str, Stat]]:
    """Yield a folder and all that is in it, hidden ones left out."""
    stat = files.stat(folder)
    if stat is None:
        return
    yield folder, stat
    if stat.is_dir:
        for name in sorted(_names(folder, files)):
            yield from _below(posixpath.join(folder, name), files)


def _names(folder: str, files: Files) -> frozenset[str]:
    """Return the names in a folder, but for hidden ones and what Python compiles on its way."""
    return frozenset(
        name for name in files.listdir(folder) if name[:1] != "." and name != "__pycache__"
    )


def _is_below(path: str, folder: str) -> bool:
    return f"{path}/".startswith(f"{folder}/")
