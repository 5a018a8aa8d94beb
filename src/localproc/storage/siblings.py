"""What lies beside scripts.

Owns one digest for all that a script may use without anybody having declared it: modules that it
imports, settings that it reads, in its folder, below it, and wherever else its text leads. Must not
know what is done with it.

Documents, and the files that the package names for other steps, lie there as well, and are what
people change between two runs. They count only where they are mentioned: by their names, or by how
their names end (``*.json``), in the script or in what is mentioned there.
"""

import hashlib
import os
import re
import secrets
from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from typing import Final

from localproc.storage.script_reach import reach

_READ: Final = 1 << 20  #: bytes up to which contents count; of larger files, size and time
_MOST: Final = 2_000  #: files that are looked at, for a job is accepted only after that
_MOST_BYTES: Final = 32 << 20  #: bytes of them that are read
_TOO_MUCH: Final = "there is too much to look at"
_WORD: Final = re.compile(rb"(?<!\w)\.\w+|\w+")
_DOCUMENTS: Final = (".cwl", ".json", ".md", ".rst", ".txt", ".yaml", ".yml")


def siblings(
    paths: Collection[str], named: Collection[str], besides: Collection[str]
) -> dict[str, str]:
    """Return a digest for each of some files, of what lies around it that it may use.

    It changes when any of that does: what lies in its folder and below, and what it, or any of
    that, names elsewhere. ``named`` are all files that somebody names. Hidden names and
    ``__pycache__`` do not count, nor do the folders ``besides``. Where there is too much to
    look at, another file system, or what cannot be read, it is never the same twice. A file that is
    not there has nothing beside it.
    """
    look = _Look(frozenset(os.path.realpath(one) for one in besides))
    real = {os.path.realpath(one) for one in named}
    found = dict.fromkeys(paths, "")
    for path in filter(os.path.lexists, paths):
        try:
            found[path] = _digest(os.path.dirname(path), _around(path, real, look))
        except OSError:
            found[path] = secrets.token_hex(32)
    return found


def _around(path: str, named: Collection[str], look: "_Look") -> Mapping[str, "_File"]:
    """Return the files that count for a script, wherever its text, or theirs, leads."""
    script = os.path.realpath(path)
    files: dict[str, _File] = {}
    counting: Mapping[str, _File] = {}
    seen: set[str] = set()
    fresh = [os.path.dirname(path), os.path.dirname(script)]
    while fresh:
        seen.update(fresh)
        for place in fresh:
            files |= look.at(place)
        if len(files) > _MOST:
            raise OSError(_TOO_MUCH)
        counting, used = _counting(files, script, named)
        led = {place for one in used for place in one.leads_to}
        fresh = sorted(
            place for place in led - seen if not _is_within(place, {*seen, *look.left_out})
        )
    return counting


def _is_within(place: str, folders: Collection[str]) -> bool:
    """Whether a place has been looked at, as it lies in a folder that has."""
    return any(f"{place}/".startswith(f"{one}/") for one in folders)


class _File:
    """A file that may count: how it is, and its text as far as it can be searched."""

    def __init__(self, path: str) -> None:
        self.real = os.path.realpath(path)
        self._folders = {os.path.dirname(path), os.path.dirname(self.real)}
        self.text = b""
        stat = os.stat(path, follow_symlinks=os.path.exists(path))
        self.state = f"{stat.st_size} {stat.st_mtime_ns}"
        if os.path.isfile(path) and stat.st_size <= _READ:
            with open(path, "rb") as file:
                self.text = file.read(_READ)
            self.state = hashlib.sha256(self.text).hexdigest()
        if os.path.isfile(path) and stat.st_mode & 0o111:
            self.state += " may be run"

    @cached_property
    def leads_to(self) -> frozenset[str]:
        """The places elsewhere that its text names."""
        return frozenset(place for one in self._folders for place in reach(self.text, one))

    @cached_property
    def words(self) -> frozenset[bytes]:
        """The words of its text, with the dot of those that begin with one, and without."""
        found = frozenset(_WORD.findall(self.text))
        return found | {one[1:] for one in found if one.startswith(b".")}

    def has(self, part: "_Part") -> bool:
        """Whether a part of a name stands in its text, and is no part of another word."""
        return part.words <= self.words and (
            part.is_word or part.whole.search(self.text) is not None
        )


class _Part:
    """What a name begins with, or how it ends: a text may put names together of both."""

    def __init__(self, text: str) -> None:
        self._text = os.fsencode(text)
        self.words = frozenset(_WORD.findall(self._text))
        self.is_word = _WORD.fullmatch(self._text) is not None

    @cached_property
    def whole(self) -> re.Pattern[bytes]:
        """It, where it is no part of another word."""
        return re.compile(rb"(?<!\w)" + re.escape(self._text) + rb"(?!\w)")

    def is_mentioned(self, files: Collection[_File], words: frozenset[bytes]) -> bool:
        """Whether one of some files has it, of which these are all words."""
        return self.words <= words and (self.is_word or any(one.has(self) for one in files))


def _counting(
    files: Mapping[str, _File], script: str, named: Collection[str]
) -> tuple[Mapping[str, _File], list[_File]]:
    """Return the files that count for a script, and those that it says it uses, it included.

    The others may be imported without a word, but where these lead it cannot be told.
    """
    counting = {
        path: one
        for path, one in files.items()
        if one.real == script or not (one.real in named or path.endswith(_DOCUMENTS))
    }
    fresh = used = [one for one in files.values() if one.real == script]
    left = {path: _parts(path) for path, one in files.items() if one.real != script}
    while fresh:
        words = frozenset[bytes]().union(*(one.words for one in fresh))
        mentioned = [
            path
            for path, parts in left.items()
            if any(part.is_mentioned(fresh, words) for part in parts)
        ]
        fresh = [files[path] for path in mentioned]
        used = [*used, *fresh]
        for path in mentioned:
            counting[path] = files[path]
            del left[path]
    return counting, used


def _parts(path: str) -> list[_Part]:
    return [_Part(one) for one in os.path.splitext(os.path.basename(path)) if one]


def _digest(top: str, files: Mapping[str, _File]) -> str:
    total = hashlib.sha256()
    for path in sorted(files):
        line = f"{os.path.relpath(path, top)}\0{files[path].state}\n"
        total.update(line.encode(errors="replace"))
    return total.hexdigest()


class _Look:
    """Looks at files and folders, each once. ``left_out`` are folders that are not looked into."""

    def __init__(self, left_out: Collection[str]) -> None:
        self.left_out = left_out
        self._seen: dict[str, dict[str, _File] | OSError] = {}

    def at(self, place: str) -> Mapping[str, _File]:
        """Return what lies at a place: a file, or all that is in a folder and below."""
        if place not in self._seen:
            try:
                self._seen[place] = dict(self._files(place))
            except OSError as error:
                self._seen[place] = error
        seen = self._seen[place]
        if isinstance(seen, OSError):
            raise seen
        return seen

    def _files(self, place: str) -> Iterator[tuple[str, _File]]:
        size = 0
        paths = self._below(place) if os.path.isdir(place) else iter([place])
        for count, path in enumerate(paths, 1):
            one = _File(path)
            size += len(one.text)
            if count > _MOST or size > _MOST_BYTES:
                raise OSError(_TOO_MUCH)
            yield path, one

    def _below(self, top: str) -> Iterator[str]:
        device = os.stat(top).st_dev
        for folder, folders, names in os.walk(top, onerror=_raise):
            folders[:] = sorted(
                name
                for name in folders
                if not _is_hidden(name)
                and os.path.realpath(os.path.join(folder, name)) not in self.left_out
            )
            if os.stat(folder).st_dev != device:  # /proc, say, or a disk that somebody has mounted
                raise OSError("another file system lies there")
            yield from (
                os.path.join(folder, name) for name in sorted(names) if not _is_hidden(name)
            )


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name == "__pycache__"


def _raise(error: OSError) -> None:
    raise error
