"""What lies beside the scripts of a package.

Owns one digest for all that a script may use without anybody having declared it: modules that it
imports, settings that it reads. Must not know what is done with it.

Documents, and the files that the package names for other steps, lie there as well, and are what
people change between two runs. They count only where they are mentioned: by their names, or by how
their names end (``*.json``), in the script or in what is mentioned there.
"""

import hashlib
import os
import re
import secrets
from collections.abc import Collection, Iterator, Mapping
from typing import Final

_READ: Final = 1 << 20  #: bytes up to which contents count; of larger files, size and time
_MOST: Final = 2_000  #: files that are looked at, for a job is accepted only after that
_MOST_BYTES: Final = 32 << 20  #: bytes of them that are read
_DOCUMENTS: Final = (".cwl", ".json", ".md", ".rst", ".txt", ".yaml", ".yml")


def siblings(
    paths: Collection[str], package: Collection[str], besides: Collection[str]
) -> dict[str, str]:
    """Return a digest for each of some files, of what lies in its folder and below.

    It changes when any of that does. ``package`` are all files that the package names. Hidden names
    and ``__pycache__`` do not count, nor do the folders ``besides``. Where there is too much to
    look at, another file system, or what cannot be read, it is never the same twice. A file that is
    not there has nothing beside it.
    """
    left_out = {os.path.realpath(one) for one in besides}
    named = {os.path.realpath(one) for one in package}
    folders: dict[str, Mapping[str, _File]] = {}
    found: dict[str, str] = {}
    try:
        for path in filter(os.path.lexists, paths):
            for top in {os.path.dirname(path), os.path.dirname(os.path.realpath(path))}:
                if top not in folders:
                    folders[top] = dict(_below(top, left_out))
                counting = _counting(folders[top], os.path.realpath(path), named)
                found[path] = found.get(path, "") + _digest(top, counting)
    except OSError:
        return {path: secrets.token_hex(32) for path in paths}
    return dict.fromkeys(paths, "") | found


class _File:
    """A file that may count: how it is, and its text as far as it can be searched."""

    def __init__(self, path: str) -> None:
        self.real = os.path.realpath(path)
        self.text = b""
        stat = os.stat(path, follow_symlinks=os.path.exists(path))
        self.state = f"{stat.st_size} {stat.st_mtime_ns}"
        if os.path.isfile(path) and stat.st_size <= _READ:
            with open(path, "rb") as file:
                self.text = file.read(_READ)
            self.state = hashlib.sha256(self.text).hexdigest()
        if os.path.isfile(path) and stat.st_mode & 0o111:
            self.state += " may be run"

    def mentions(self, name: str) -> bool:
        """Whether its text has a name, or the beginning of one that is put together."""
        stem, ending = os.path.splitext(name)
        pattern = rf"(?<!\w){re.escape(stem)}(?!\w)"
        if ending:
            pattern += rf"|(?<![\w]){re.escape(ending)}(?!\w)"
        return re.search(pattern.encode(errors="surrogateescape"), self.text) is not None


def _counting(
    files: Mapping[str, _File], script: str, named: Collection[str]
) -> Mapping[str, _File]:
    """Return the files that count for a script."""
    quiet = {
        path: one
        for path, one in files.items()
        if one.real != script and (one.real in named or path.endswith(_DOCUMENTS))
    }
    counting = {path: one for path, one in files.items() if path not in quiet}
    fresh = [one for one in files.values() if one.real == script]
    left = dict(files) if quiet else {}
    while fresh:
        mentioned = {
            path: one
            for path, one in left.items()
            if any(other.mentions(os.path.basename(path)) for other in fresh)
        }
        counting |= mentioned
        left = {path: one for path, one in left.items() if path not in mentioned}
        fresh = list(mentioned.values())
    return counting


def _digest(top: str, files: Mapping[str, _File]) -> str:
    total = hashlib.sha256()
    for path in sorted(files):
        line = f"{os.path.relpath(path, top)}\0{files[path].state}\n"
        total.update(line.encode(errors="replace"))
    return total.hexdigest()


def _below(top: str, left_out: Collection[str]) -> Iterator[tuple[str, _File]]:
    count = size = 0
    device = os.stat(top).st_dev
    for folder, folders, names in os.walk(top, onerror=_raise):
        folders[:] = sorted(
            name
            for name in folders
            if not _is_hidden(name) and os.path.realpath(os.path.join(folder, name)) not in left_out
        )
        if os.stat(folder).st_dev != device:  # /proc, say, or a disk that somebody has mounted
            raise OSError("another file system lies there")
        for name in sorted(names):
            if not _is_hidden(name):
                one = _File(os.path.join(folder, name))
                count, size = count + 1, size + len(one.text)
                if count > _MOST or size > _MOST_BYTES:
                    raise OSError("there is too much to look at")
                yield os.path.join(folder, name), one


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name == "__pycache__"


def _raise(error: OSError) -> None:
    raise error
