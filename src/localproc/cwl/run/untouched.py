"""Files that a task was given to read, and whether it left them as they were.

Owns which files are watched, and telling of one that has changed. Must not know outputs.

A tool's files are links to the user's, or the user's own paths, so nothing keeps it from writing to
them (docs/adr/0031). Where it does, the step fails and names the file.
"""

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

from localproc.cwl.base.files import Files, Stat, is_local, local_path, walk
from localproc.errors import StepError
from localproc.model import StageAction

_MOST: Final = 1000  #: files watched in folders that are linked to


def seen(
    values: Mapping[str, Any], actions: Iterable[StageAction], shared: Iterable[str], files: Files
) -> dict[str, Stat]:
    """Return how the files are that a task may only read.

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
    return {
        path: stat
        for path, stat in found.items()
        if not stat.is_special and not any(_is_below(path, one) for one in writable)
    }


def check(tool: str, before: Mapping[str, Stat], files: Files) -> None:
    """Raise ``StepError`` for a file that is no longer what it was."""
    for path, was in before.items():
        now = files.stat(path)
        if now is None or _state(now) != _state(was):
            raise StepError(
                f"{tool}: its input {path} was {'removed' if now is None else 'changed'} while it "
                f"ran",
                hint="a tool that writes to a file it is given needs it as writable in "
                "InitialWorkDirRequirement, which makes a copy",
            )


def _state(stat: Stat) -> tuple[int, ...]:
    """Return what tells that a file has changed; those of /proc are empty and always new."""
    return (stat.size, stat.modified, stat.inode) if stat.size else (0,)


def _below(folder: str, files: Files) -> Iterator[tuple[str, Stat]]:
    """Give the files in a folder, hidden ones left out."""
    for name in files.listdir(folder):
        path = posixpath.join(folder, name)
        stat = None if name.startswith(".") else files.stat(path)
        if stat is not None and stat.is_dir:
            yield from _below(path, files)
        elif stat is not None:
            yield path, stat


def _is_below(path: str, folder: str) -> bool:
    return f"{path}/".startswith(f"{folder}/")
