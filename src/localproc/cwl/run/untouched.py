"""Files that a task was given to read, and whether it left them as they were.

Owns which files are watched, and telling of one that has changed. Must not know outputs.

A tool's files are links to the user's, or the user's own paths, so nothing keeps it from writing to
them (docs/adr/0031). Where it does, the step fails and names the file.
"""

import contextlib
import hashlib
import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from itertools import islice
from operator import attrgetter
from typing import Any, Final

from localproc.cwl.base.files import Files, Stat, are_plain, is_local, local_path, walk
from localproc.errors import LocalprocError, StepError
from localproc.frozen import frozen
from localproc.model import StageAction
from localproc.uris import is_below

_MOST: Final = 1000  #: files watched in folders
#: Bytes up to which a file is compared as a whole, if its times say nothing.
_WHOLE: Final = 1 << 16
_HEAD: Final = 1 << 12  #: bytes compared of a larger one
_BUDGET: Final = 1 << 22  #: bytes that are read for that, of all files in folders
_OTHERS: Final = (".log", "nohup.out")  #: what else is written to in a folder somebody works in
_HOME: Final = "localproc.db"  #: a folder with it is a home, which changes all the time
_HINT: Final = (
    "a tool that writes to what it is given needs it as writable in "
    "InitialWorkDirRequirement, which makes a copy"
)


@frozen
class FileState:
    """How a file was: what is known about it, and the checksum of its first ``read`` bytes."""

    stat: Stat
    head: str = ""
    read: int = 0


@frozen
class Given:
    """What a task may only read: files by their paths, and the names in folders.

    Others may make files in the folders ``theirs``, which are the user's. ``paths`` are those of
    all objects among its inputs.
    """

    files: Mapping[str, FileState] = field(default_factory=dict)
    folders: Mapping[str, frozenset[str]] = field(default_factory=dict)
    theirs: frozenset[str] = frozenset()
    paths: tuple[str, ...] = ()


_NOTHING: Final = Given()
#: What is the same of a file to which nothing has been done.
_facts: Final = attrgetter("size", "modified", "inode", "changed")


def seen(
    values: Mapping[str, Any],
    actions: Sequence[StageAction],
    shared: Iterable[str],
    files: Files,
    outdir: str,
) -> Given:
    """Return how all is that a task may only read.

    ``values`` are its inputs, ``actions`` what is put in place for it. ``shared`` are paths that it
    may write to. ``outdir`` is its own folder, which lies beside those of other tasks.
    """
    if not actions and are_plain(values.values()):
        return _NOTHING
    given = {local_path(one): one for one in walk(values) if is_local(one)}
    linked = [action.source for action in actions if action.kind == "link"]
    writable = tuple(f"{path}/" for path in shared)
    named = {
        path: stat
        for path in dict.fromkeys([*given, *linked])
        if (stat := files.stat(path)) is not None
    }
    if not named:
        return Given(paths=tuple(given)) if given else _NOTHING
    inner = _inside({path: stat for path, stat in named.items() if path != outdir}, files)
    steps = posixpath.dirname(outdir)
    watched = {**named, **inner}
    budget = _BUDGET
    found: dict[str, FileState] = {}
    names: dict[str, frozenset[str]] = {}
    for path, stat in watched.items():
        if stat.is_special or f"{path}/".startswith(writable):
            continue
        if not stat.is_dir:
            most = (_WHOLE if stat.size <= _WHOLE else _HEAD) if path in named or budget > 0 else 0
            known = given.get(path, {}) if is_below(path, steps) and stat.size <= most else {}
            head = _collected(known, stat) or _head(path, most, files)
            found[path] = FileState(stat, head, most)
            budget -= 0 if path in named else min(stat.size, most)
        elif path in inner:
            names[path] = _names(path, files)
    closed = (*linked, steps) if names else ()
    others = [one for one in names if not any(is_below(one, each) for each in closed)]
    return Given(found, names, frozenset(others), tuple(given))


def _inside(paths: Mapping[str, Stat], files: Files) -> dict[str, Stat]:
    """Return what lies in the folders among some paths, as far as it is watched."""
    inner: dict[str, Stat] = {}
    for folder, stat in paths.items():
        if stat.is_dir:
            inner |= islice(_below(folder, files), _MOST - len(inner))
    return inner


def check(tool: str, before: Given, files: Files) -> list[str]:
    """Return what is to be told of files that may have changed, or were made.

    Raises ``StepError`` for a file that is no longer what it was; for one that was made only where
    nobody else makes any.
    """
    told: list[str] = []
    for path, was in before.files.items():
        now = files.stat(path)
        if now is not None and _facts(now) == _facts(was.stat):
            continue
        if now is None or _has_changed(path, was, now, files):
            what = f"its input {path} was {'removed' if now is None else 'changed'} while it ran"
            if not _is_others(path, before):
                raise StepError(f"{tool}: {what}", hint=_HINT)
            told.append(what)
        elif _may_have_changed(was, now):
            told.append(f"its input {path} may have been changed while it ran, and its times reset")
    for folder, names in before.folders.items():
        new = sorted(_names(folder, files) - names) if files.stat(folder) else []
        if new:
            what = f"{new[0]} was made in its input {folder} while it ran"
            if folder not in before.theirs:
                raise StepError(f"{tool}: {what}", hint=_HINT)
            told.append(what)
    return told


def _is_others(path: str, before: Given) -> bool:
    """Whether somebody else writes to a file: a log in a folder that is the user's."""
    return path.endswith(_OTHERS) and any(is_below(path, one) for one in before.theirs)


def _has_changed(path: str, was: FileState, now: Stat, files: Files) -> bool:
    """Whether a file has been written to, even if its size and times were set back."""
    if _state(now) != _state(was.stat):
        return True
    if now.changed == was.stat.changed or not was.read or not now.size:
        return False
    return _head(path, was.read, files) != was.head  # else it is its mode, or another link to it


def _may_have_changed(was: FileState, now: Stat) -> bool:
    """Whether nothing but the time of change tells that something has been done to a file.

    It is told of a file that was not compared as a whole.
    """
    if now.size <= was.read or now.changed == was.stat.changed:
        return False
    return now.owned == was.stat.owned


def _collected(known: Mapping[str, Any], now: Stat) -> str:
    """Return the checksum of a file that a step has made: it was read when it was collected."""
    return known.get("checksum", "") if known.get("size") == now.size else ""


def _head(path: str, most: int, files: Files) -> str:
    """Return the checksum of what a file begins with; nothing if it cannot be read."""
    if most:
        with contextlib.suppress(LocalprocError):
            return f"sha1${hashlib.sha1(files.read(path, most), usedforsecurity=False).hexdigest()}"
    return ""


def _state(stat: Stat) -> tuple[int, ...]:
    """Return what tells that a file has changed; those of /proc are empty and always new."""
    return (stat.size, stat.modified, stat.inode) if stat.size else (0,)


def _below(folder: str, files: Files) -> Iterator[tuple[str, Stat]]:
    """Yield a folder and all that is in it, hidden ones and homes left out."""
    stat = files.stat(folder)
    if stat is None:
        return
    names = _names(folder, files) if stat.is_dir else frozenset()
    if _HOME in names:
        return
    yield folder, stat
    for name in sorted(names):
        yield from _below(posixpath.join(folder, name), files)


def _names(folder: str, files: Files) -> frozenset[str]:
    """Return the names in a folder, but for hidden ones and what Python compiles on its way."""
    return frozenset(
        name for name in files.listdir(folder) if name[:1] != "." and name != "__pycache__"
    )
