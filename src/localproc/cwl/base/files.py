"""File and Directory objects, and what the interpreter asks of a disk.

Owns the form such objects have between steps (``class``, ``location``, ``basename`` and what is
known of them), and the ``Files`` protocol. Must not touch a disk itself.
"""

import posixpath
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import field
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from localproc.cwl.base.types import FILELIKE, MAPPINGS, PLAIN, is_filelike
from localproc.errors import InvalidInputs, Problem
from localproc.frozen import frozen
from localproc.uris import canonical, is_absolute, path_from, unquoted, uri_path

#: Bytes that loadContents may read (CWL v1.2, CommandInputParameter).
CONTENT_LIMIT: Final = 64 * 1024

#: Says of a Directory that it is to be made of an archive at its location, and of which kind.
ARCHIVE: Final = "localproc:archive"
_TEXTS: Final = ("location", "path", "basename", "contents")
_PLACES: Final = ("location", "path", "dirname")
_PARTS: Final = ("secondaryFiles", "listing")


@frozen
class Stat:
    """What there is at a path, links followed.

    ``is_special``: neither a file nor a directory. ``is_hidden``: what it is may not be told.
    ``modified`` (nanoseconds) and ``inode`` tell whether it is still the same; ``changed`` is when
    anything about it was, which nobody can set back. ``is_executable``: somebody may run the file.
    ``owned`` is whose it is, what these may do with it, and how many names it has.
    """

    is_dir: bool
    size: int
    is_special: bool = False
    modified: int = field(default=0, compare=False)
    inode: int = field(default=0, compare=False)
    is_hidden: bool = False
    changed: int = field(default=0, compare=False)
    is_executable: bool = False
    owned: tuple[int, ...] = field(default=(), compare=False)


class Files(Protocol):
    """How the interpreter looks at files. All paths are absolute."""

    def stat(self, path: str) -> Stat | None:
        """Return what is there, ``None`` for nothing."""

    def listdir(self, path: str) -> Sequence[str]:
        """Return the names in a directory, sorted."""

    def glob(self, root: str, pattern: str) -> Sequence[str]:
        """Return the paths below ``root`` that match, sorted (POSIX ``glob(3)``)."""

    def read(self, path: str, most: int = -1) -> bytes:
        """Return the contents, ``most`` bytes of them at the most."""

    def realpath(self, path: str) -> str:
        """Follow every link."""

    def checksum(self, path: str) -> str:
        """Return ``sha1$`` and the digest in hex."""


def unwritable(text: str) -> str | None:
    """Say what in a text no system call takes, if anything."""
    if "\0" in text:
        return "a NUL character in it"
    try:
        text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return "a lone surrogate in it"
    return None


def is_literal(value: Mapping[str, Any]) -> bool:
    """Whether the object is nowhere yet: it has contents or a listing of its own.

    Its location, if it has one, is but a name to tell it from others (``_:1``).
    """
    return str(value.get("location") or "_:").startswith("_:")


def is_dot(value: Mapping[str, Any]) -> bool:
    """Whether the object is a Directory called ``.``: it is the folder that it is put into."""
    return value["class"] == "Directory" and value.get("basename") == "."


def is_local(value: Mapping[str, Any]) -> bool:
    """Whether the object has a location on this machine."""
    location = value.get("location")
    return isinstance(location, str) and location.startswith("file://")


def local_path(value: Mapping[str, Any]) -> str:
    """Return the path that the object's location names."""
    return uri_path(value["location"])


def split_name(basename: str) -> tuple[str, str]:
    """Return nameroot and nameext."""
    return posixpath.splitext(basename)


def walk(value: Any) -> list[dict[str, Any]]:
    """Return every File and Directory object in a value, each before what is beside and inside."""
    found: list[dict[str, Any]] = []
    _gather(value if isinstance(value, list) else (value,), found)
    return found


def _gather(values: Collection[Any], found: list[dict[str, Any]]) -> None:
    if are_plain(values):
        return
    for one in values:
        if type(one) in PLAIN:
            continue
        if isinstance(one, list):
            _gather(one, found)
        elif isinstance(one, MAPPINGS):
            if one.get("class") in FILELIKE:
                found.append(one)  # type: ignore[arg-type]
                for part in _PARTS:
                    if part in one:
                        _gather((one[part],), found)
            else:
                _gather(one.values(), found)


def local_paths(value: Any) -> list[str]:
    """Return the paths of all File and Directory objects in a value that are on this machine."""
    return [local_path(one) for one in walk(value) if is_local(one)]


def map_files(value: Any, change: Callable[[Mapping[str, Any]], Any]) -> Any:
    """Return the value with every outermost File and Directory object replaced."""
    if type(value) in PLAIN:
        return value
    if isinstance(value, list):
        return [map_files(item, change) for item in value]
    if isinstance(value, MAPPINGS):
        if is_filelike(value):
            return change(value)
        return {
            key: item if type(item) in PLAIN else map_files(item, change)
            for key, item in value.items()
        }
    return value


def shown(value: Any) -> Any:
    """Return File and Directory objects with the names that expressions ask for."""
    return map_files(value, _shown_one)


def _shown_one(one: Mapping[str, Any]) -> dict[str, Any]:
    seen = dict(one)
    if one["class"] == "File":
        seen["nameroot"], seen["nameext"] = split_name(str(one.get("basename", "")))
    if is_local(one):
        seen["path"] = local_path(one)
        seen["dirname"] = posixpath.dirname(seen["path"])
    return seen


def reference(location: str, *, text: bool) -> dict[str, Any]:
    """Return an input whose value lies behind a URI, as text or as JSON; staging replaces it."""
    return {"class": "Reference", "location": location, "text": text}


def is_reference(value: Any) -> bool:
    """Whether an input's value is still behind a URI."""
    if type(value) in PLAIN:
        return False
    return isinstance(value, MAPPINGS) and value.get("class") == "Reference"


def are_plain(values: Collection[Any]) -> bool:
    """Whether no value has parts: it takes no time to see that there are no files then."""
    return PLAIN.issuperset(map(type, values))


def has_files(value: Any) -> bool:
    """Whether there is any File or Directory object in a value."""
    return _any((value,))


def _any(values: Collection[Any]) -> bool:
    """Stop at the first: of the outputs of a large scatter all are alike."""
    if are_plain(values):
        return False
    for one in values:
        if type(one) in PLAIN:
            continue
        if isinstance(one, list):
            if _any(one):
                return True
        elif isinstance(one, MAPPINGS) and (one.get("class") in FILELIKE or _any(one.values())):
            return True
    return False


def normalize(value: Any, base: str = "") -> Any:
    """Return a job's input with its File and Directory objects in the form they have between steps.

    A ``path`` becomes a ``location``; relative ones are resolved against ``base``, a URI. Raises
    ``InvalidInputs`` for an object without location, contents or listing, or whose location leads
    nowhere.
    """
    return map_files(value, lambda one: _normalize_one(one, base))


def default_of(spec: Mapping[str, Any]) -> Any:
    """Return a port's default, its files in the form they have between steps.

    What it says of sizes and checksums is left to be worked out: the files may have changed since.
    """
    value = normalize(spec.get("default"))
    for one in walk(value):
        if one["class"] == "File":
            one.pop("size", None)
            one.pop("checksum", None)
    return value


def known(one: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object without the members that are null, which are as good as not there.

    Raises ``InvalidInputs`` for members of a wrong kind.
    """
    given = {key: item for key, item in one.items() if item is not None}
    for name in _TEXTS:
        text = given.get(name, "")
        if not isinstance(text, str):
            raise _malformed(one, f"its {name} is no text")
        if wrong := unwritable(text.replace("\0", "") if name == "contents" else text):
            raise _malformed(one, f"its {name} has {wrong}")
    if is_dot(given) and not (is_literal(given) and "path" not in given):
        del given["basename"]  # it says no more than that it is a folder
    for name in ("secondaryFiles", "listing"):
        part = given.get(name, [])
        if not isinstance(part, list) or not all(map(is_filelike, part)):
            raise _malformed(one, f"its {name} is no array of File and Directory objects")
    return given


def _malformed(one: Mapping[str, Any], what: str) -> InvalidInputs:
    return InvalidInputs(f"a {one['class']} object cannot be used: {what}", [Problem(what)])


def _normalize_one(one: Mapping[str, Any], base: str) -> dict[str, Any]:
    one = known(one)
    clean = {key: item for key, item in one.items() if key not in _PLACES}
    try:
        location = _absolute(one, base)
    except ValueError as error:
        raise InvalidInputs(
            f"a {one['class']} object has a location that cannot be used: {error}",
            [Problem(f"its location cannot be used: {error}")],
        ) from None
    if location is not None:
        clean["location"] = location.rstrip("/") if location != "file:///" else location
        clean.setdefault("basename", posixpath.basename(unquoted(urlsplit(clean["location"]).path)))
    elif ("contents" if one["class"] == "File" else "listing") not in one:
        raise InvalidInputs(
            f"a {one['class']} object has neither location nor path",
            [Problem(f"{one['class']} without location, path, contents or listing")],
        )
    for part in ("secondaryFiles", "listing"):
        if part in one:
            clean[part] = normalize(one[part], base)
    return clean


def _absolute(one: Mapping[str, Any], base: str) -> str | None:
    """Return an object's location, absolute and canonical; raises ``ValueError``."""
    location = one.get("location")
    if location is not None and is_literal(one):
        return None
    if location is None and "path" in one:
        path = one["path"]
        if is_absolute(path):  # "may ... assign it to location" (CWL v1.2, File, "path")
            return canonical(path)
    elif isinstance(location, str) and not urlsplit(location).scheme:
        path = unquoted(location)
    else:
        return None if location is None else canonical(location)
    return path_from(base, path)
