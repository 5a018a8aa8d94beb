"""How files are at a moment, as one digest: cheap to take, and another one when any has changed.

Owns which facts count: names, sizes, times and inodes of all files, those in folders as well. Must
not read any file, nor know whose files they are. Absolute paths do not count, so that what is moved
as a whole, or shared by a hard link, stays the same.
"""

import hashlib
import posixpath
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from localproc.cwl.base.files import Files, Stat, are_plain, has_files, local_paths
from localproc.cwl.run.process import Tool, noted
from localproc.errors import LocalprocError

#: The digest where there are no files at all.
NOTHING: Final = "none"
MISSING: Final = "-- missing --"
_MOST: Final = 2_000  #: files that are looked at


def fingerprint(value: Any, files: Files) -> str:
    """Return a digest of the local files and folders in a value; nothing if that cannot be told.

    It cannot where something is missing or is no file, or where there are too many.
    """
    try:
        return _digest(value, files)
    except LocalprocError:
        return ""


def _digest(value: Any, files: Files) -> str:
    paths = dict.fromkeys(local_paths(value))
    if not paths:
        return NOTHING
    total = hashlib.sha256()
    count = 0
    for path in paths:
        for name, stat in _below(path, files):
            count += 1
            if stat is None or stat.is_special or count > _MOST:
                return ""
            total.update(f"{name}\0{state(stat)}\n".encode(errors="surrogateescape"))
    return total.hexdigest()[:32]


def of_given(tool: Tool, inputs: Mapping[str, Any], files: Files) -> str:
    """Return the digest of all files that a run of a tool names."""
    values = named(tool, inputs)
    if len(values) == 1 and are_plain(inputs.values()):
        return NOTHING
    return fingerprint(values, files)


def named(tool: Tool, inputs: Mapping[str, Any]) -> list[Any]:
    """Return all values in which a run of a tool names files: inputs, defaults, requirements."""
    return [inputs, *_held(tool)]


@noted
def _held(tool: Tool) -> tuple[Any, ...]:
    """Return what a tool itself names files in, if it names any."""
    defaults = [port.spec.get("default") for port in tool.inputs]
    requirements = {**tool.requirements.hinted, **tool.requirements.required}
    return tuple(one for one in (defaults, requirements) if has_files(one))


def state(stat: Stat) -> str:
    """Return what tells that a file is another one than it was; of a folder, that it is one."""
    if stat.is_dir:
        return "folder"
    return f"{stat.size} {stat.modified} {stat.inode}{' may be run' * stat.is_executable}"


class ByState:
    """A disk on which files are equal if they are the same, or hard links to the same.

    Nothing is read: it stands in for the checksums of contents (``Files``).
    """

    def __init__(self, files: Files) -> None:
        self._files = files
        self.stat = files.stat
        self.listdir = files.listdir
        self.glob = files.glob
        self.read = files.read
        self.realpath = files.realpath

    def checksum(self, path: str) -> str:
        """Return what tells a file from others."""
        stat = self._files.stat(path)
        return MISSING if stat is None else state(stat)


class Without:
    """A disk without what lies in some folders, though it may still be there."""

    def __init__(self, files: Files, folders: Collection[str]) -> None:
        self._files = files
        self._folders = tuple(f"{folder}/" for folder in folders)
        self.listdir = files.listdir
        self.glob = files.glob
        self.read = files.read
        self.realpath = files.realpath
        self.checksum = files.checksum

    def stat(self, path: str) -> Stat | None:
        """Return what is there, ``None`` for what lies in one of the folders."""
        return None if path.startswith(self._folders) else self._files.stat(path)


def _below(path: str, files: Files) -> Iterator[tuple[str, Stat | None]]:
    stat = files.stat(path)
    yield posixpath.basename(path), stat
    if stat is not None and stat.is_dir:
        for name in files.listdir(path):
            for inner, found in _below(posixpath.join(path, name), files):
                yield f"{posixpath.basename(path)}/{inner}", found
