"""What belongs to a File or Directory object: what stands beside it, and what a Directory holds.

Owns secondaryFiles at any depth, when a Directory is what its location has and when what it lists,
and how listings are merged. Must not know where anything is put.

Source: CWL v1.2 CommandLineTool, "Directory".
"""

import hashlib
import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from localproc.cwl.base.files import Files, Stat, is_dot, is_literal, is_local, known, local_path
from localproc.cwl.base.listing import list_directory
from localproc.errors import StepError
from localproc.uris import canonical, is_absolute

#: Bytes that a name may have on the file systems in use.
NAME_LIMIT: Final = 255
_NOT_IN_NAMES: Final = (("/", "a slash"), ("\0", "a zero character"))


def name_of(one: Mapping[str, Any], otherwise: str) -> str:
    """Return the name an object is to have on a disk; raises ``StepError`` if none can."""
    name = otherwise if is_dot(one) else str(one.get("basename") or otherwise)
    for mark, said in _NOT_IN_NAMES:
        if mark in name:
            raise StepError(f"{name!r} cannot be the name of a file: it has {said} in it")
    if name in (".", ".."):
        raise StepError(f"{name!r} cannot be the name of a file: it means a folder")
    check_length(name)
    return name


def check_length(path: str) -> None:
    """Raise ``StepError`` for a path with a name that no file system takes."""
    names = path.split("/") if len(path) > NAME_LIMIT // 4 else ()
    for name in names:
        if len(name.encode("utf-8", "surrogatepass")) > NAME_LIMIT:
            raise StepError(
                f"the name {name[:40]}… is too long: it has more than {NAME_LIMIT} bytes",
                hint="give the file a shorter basename",
            )


def required_part(literal: Mapping[str, Any], part: str) -> Any:
    """Return what a literal is made of; raises ``StepError`` if it has none."""
    if literal.get(part) is None:
        name = literal.get("basename", "without a name")
        raise StepError(
            f"the {literal['class']} {name!r} has neither location, path nor {part}",
            hint=f"give it a location, or {part} of its own",
        )
    return literal[part]


def made_of(contents: str) -> dict[str, Any]:
    """Return size and checksum of a File that has these contents."""
    data = contents.encode("utf-8", "surrogateescape")
    digest = hashlib.sha1(data, usedforsecurity=False).hexdigest()
    return {"size": len(data), "checksum": f"sha1${digest}"}


def by_location(one: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object without members that are null, its location in the one form it has here.

    A URI that stands in ``path`` is its location (CWL v1.2, File). Raises ``StepError`` for a
    location that leads nowhere, ``InvalidInputs`` for members of a wrong kind.
    """
    one = known(one)
    if is_absolute(one.get("path", "")):
        one = {"location": one["path"], **one}
        del one["path"]
    if "location" in one and is_absolute(one["location"]):
        try:
            one["location"] = canonical(one["location"])
        except ValueError as error:
            raise StepError(
                f"a {one['class']} has the location {one['location']!r}: {error}"
            ) from None
    return one


def check_class(one: Mapping[str, Any], path: str, stat: Stat | None) -> None:
    """Raise ``StepError`` unless an object's path has what its class says."""
    what = one["class"].lower()
    if stat is None:
        raise StepError(f"{path} does not exist, so it is not a {what}")
    if stat.is_special:
        raise StepError(f"{path} is no regular file")
    if stat.is_dir is not (what == "directory"):
        raise StepError(f"{path} is not a {what}")


def companions(one: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield all that stands beside an object: its secondaryFiles, and theirs."""
    for beside in one.get("secondaryFiles") or ():
        yield beside
        yield from companions(beside)


def is_whole(one: Mapping[str, Any]) -> bool:
    """Whether an object is what its location has, and nothing else.

    A Directory that lists what is not in its location, under the name it has there, is not; nor is
    a literal.
    """
    if is_literal(one):
        return False
    if one["class"] == "File" or not one.get("listing"):
        return True
    return is_local(one) and all(
        is_local(child)
        and local_path(child) == posixpath.join(local_path(one), name_of(child, ""))
        and is_whole(child)
        for child in _with_companions(one["listing"])
    )


def held(directory: Mapping[str, Any], files: Files) -> list[Mapping[str, Any]]:
    """Return what a Directory holds, one entry for each name.

    Directories of one name are one, their listings merged. Raises ``StepError`` for a File whose
    name something else in the listing has.
    """
    found: dict[str, Mapping[str, Any]] = {}
    for entry in _with_companions(_listing(directory, files)):
        name = name_of(entry, entry["class"].lower())
        there = found.setdefault(name, entry)
        if there is entry or _is_same(there, entry):
            continue
        if there["class"] == entry["class"] == "Directory":
            both = [*_listing(there, files), *_listing(entry, files)]
            found[name] = {"class": "Directory", "basename": name, "listing": both}
        else:
            raise StepError(
                f"two different files in one listing have the name {name!r}",
                hint="give one of them another basename",
            )
    return list(found.values())


def _listing(directory: Mapping[str, Any], files: Files) -> Sequence[Mapping[str, Any]]:
    if is_local(directory) and is_whole(directory):
        return list_directory(files, local_path(directory), deep=False)
    return directory.get("listing") or ()


def _with_companions(listing: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for one in listing:
        yield one
        yield from companions(one)


def _is_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two objects are one thing on the disk, or made of the same."""
    if is_literal(one) and is_literal(other):
        parts: tuple[str, ...] = ("class", "contents", "listing")
    else:
        parts = ("class", "location")
    return all(one.get(part) == other.get(part) for part in parts)
