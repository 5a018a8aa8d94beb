"""Where an object lies by its URI: in which file system of fsspec, and by which path there.

Owns how URIs of a scheme are made up. Must not know what is done with files.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from localproc.errors import StagingError
from localproc.plugins.storage import object_key
from localproc.storage.addresses import redacted
from localproc.uris import quoted

#: Schemes of what lies in something that has to be opened first.
NESTED: Final = ("github", "zip")


@dataclass(frozen=True, slots=True)
class Place:
    """A path in a file system.

    ``key`` tells file systems of a scheme apart, ``given`` is what opens it. ``root`` is the URI
    that names in it hang from, once ``within`` is taken off them.
    """

    key: str
    given: Mapping[str, Any]
    path: str
    root: str
    within: str = ""


def place_of(scheme: str, uri: str, target: str, *, by_host: bool) -> Place:
    """Return where a URI leads; ``target`` is the scheme by which archives are read."""
    parts, key = urlsplit(uri), object_key(uri)
    if "@" in parts.netloc:
        raise StagingError(
            f"{redacted(uri)} is given with a user or a password",
            uri=redacted(uri),
            hint="they belong into the options of the storage",
        )
    root = f"{scheme}://{parts.netloc}"
    if scheme == "github":
        return _in_repository(uri, parts.netloc, key)
    if scheme == "zip":
        return _in_archive(uri, f"{target}://{parts.netloc}", key)
    if not by_host:
        return Place("", {}, f"{parts.netloc}/{key}", root, f"{parts.netloc}/")
    port = {"port": parts.port} if parts.port else {}
    return Place(parts.netloc, {"host": parts.hostname, **port}, f"/{key}", root)


def _in_repository(uri: str, owner: str, key: str) -> Place:
    """Return a place in ``github://OWNER/REPOSITORY@REVISION/PATH``."""
    named, _, path = key.partition("/")
    repository, _, revision = named.partition("@")
    given = {"org": owner, "repo": repository} | ({"sha": revision} if revision else {})
    return Place(f"{owner}/{named}", given, path, _beginning(uri, 1))


def _in_archive(uri: str, server: str, key: str) -> Place:
    """Return a place in ``zip://HOST/PATH.zip/NAME``."""
    names = key.split("/")
    ends = [number for number, name in enumerate(names, 1) if name.lower().endswith(".zip")]
    if not ends:
        raise StagingError(
            f"{redacted(uri)} names no archive",
            uri=redacted(uri),
            hint="it is zip://HOST/PATH.zip/NAME, of an archive at https://HOST/PATH.zip",
        )
    archive = f"{server}/{quoted('/'.join(names[: ends[0]]))}"
    return Place(archive, {"fo": archive}, "/".join(names[ends[0] :]), _beginning(uri, ends[0]))


def _beginning(uri: str, count: int) -> str:
    """Return a URI up to so many names of its path, as it is written."""
    return "/".join(uri.split("/")[: 3 + count])
