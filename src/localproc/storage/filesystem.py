"""Folders of this machine as a storage.

Owns ``file:`` URIs. Must not know staging or jobs.
"""

import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from localproc.errors import StagingError
from localproc.plugins.storage import Info, Watch, unwatched
from localproc.storage.disk import telling
from localproc.uris import path_uri, uri_path


class FilesystemStorage:
    """Implements ``localproc.plugins.storage.Storage``."""

    @classmethod
    def open(cls, _: Mapping[str, Any]) -> "FilesystemStorage":
        """Open it; there are no options."""
        return cls()

    def info(self, uri: str) -> Info | None:
        """Give what is there."""
        try:
            found = os.stat(uri_path(uri))
        except (FileNotFoundError, NotADirectoryError):
            return None
        return Info(uri, found.st_size, f"{found.st_mtime_ns:x}-{found.st_size:x}")

    def fetch(
        self, uri: str, path: str, *, most: int | None = None, watch: Watch = unwatched
    ) -> Info:
        """Copy the file, at once."""
        watch(0)
        info = self.info(uri)
        if info is None:
            raise StagingError(f"{uri_path(uri)} does not exist", uri=uri)
        if not os.path.isfile(uri_path(uri)):
            raise StagingError(f"{uri_path(uri)} is not a file", uri=uri)
        if most is not None and info.size > most:
            raise StagingError(f"{uri_path(uri)} is larger than {most} bytes", uri=uri)
        with telling(uri_path(uri)):
            shutil.copyfile(uri_path(uri), path)
        return info

    def put(
        self,
        path: str,
        uri: str,
        *,
        media_type: str = "application/octet-stream",
        disposable: bool = False,
    ) -> Info:
        """Link the file to its place; where that cannot be, write it beside and rename it."""
        target = uri_path(uri)
        with telling(target):
            if not (disposable and _linked(path, target)):
                _replace(path, target, link=disposable)
            return Info(uri, os.stat(target).st_size)

    def list(self, prefix: str) -> Iterator[Info]:
        """Give every file below the folder, or whose path begins with the prefix."""
        start = uri_path(prefix)
        top = start if start.endswith("/") else os.path.dirname(start)
        for folder, folders, names in os.walk(top):
            folders.sort()
            for name in sorted(names):
                path = os.path.join(folder, name)
                if path.startswith(start) and (info := self.info(path_uri(path))) is not None:
                    yield info

    def delete(self, uris: Iterable[str]) -> None:
        """Remove files."""
        for uri in uris:
            with telling(uri_path(uri)), suppress(FileNotFoundError, NotADirectoryError):
                os.remove(uri_path(uri))

    def presign(self, uri: str, seconds: int) -> str | None:
        """There is no such thing here."""
        return None

    def describe(self, uri: str) -> Mapping[str, Any]:
        """A folder has no ``storage:*`` fields."""
        return {}

    def close(self) -> None:
        """There is nothing to let go of."""


def _linked(path: str, target: str) -> bool:
    """Make the target the same file, if the file system can."""
    try:
        os.link(path, target, follow_symlinks=True)
    except OSError:
        return False
    return True


def _replace(path: str, target: str, *, link: bool) -> None:
    """Put a file where there may be another, so that whoever looks finds one of them, whole."""
    os.makedirs(os.path.dirname(target), exist_ok=True)
    temporary = _beside(target)
    try:
        if not (link and _linked(path, temporary)):
            shutil.copyfile(path, temporary)
        os.replace(temporary, target)
    finally:  # it is still there, too, if it and the target are links to one file
        with suppress(FileNotFoundError):
            os.remove(temporary)


def _beside(target: str) -> str:
    folder, name = os.path.split(target)
    return os.path.join(folder, f".{name[:200]}.{secrets.token_hex(4)}")
