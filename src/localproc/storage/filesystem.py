"""Folders of this machine as a storage.

Owns ``file:`` URIs. Must not know staging or jobs.
"""

import os
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from io import BufferedWriter
from typing import Any, Final

from localproc.errors import NoSuchObject, ObjectExists, StagingError
from localproc.plugins.known_options import check_options
from localproc.plugins.storage import Description, Info, Put, Watch, unwatched
from localproc.storage import contents
from localproc.storage.disk import telling
from localproc.storage.integrity import file_sha256
from localproc.uris import path_uri, uri_path

#: What files are called until they are whole.
_LEFTOVER: Final = re.compile(r"\..*\.[0-9a-f]{8}\.part", re.DOTALL)


class FilesystemStorage:
    """Implements ``localproc.plugins.storage.Storage``."""

    @classmethod
    def open(cls, options: Mapping[str, Any]) -> "FilesystemStorage":
        """Open it; there are no options, and whose it is makes no difference."""
        check_options("the storage of folders", options.keys() - {"guarded"}, ())
        return cls()

    def info(self, uri: str) -> Info | None:
        """Return what is there."""
        path = uri_path(uri)
        with telling(path):
            try:
                found = os.stat(path)
            except (FileNotFoundError, NotADirectoryError):
                return None
        return Info(uri, found.st_size, f"{found.st_mtime_ns:x}-{found.st_size:x}")

    def fetch(
        self,
        uri: str,
        path: str,
        *,
        most: int | None = None,
        watch: Watch = unwatched,
        resume: str = "",
    ) -> Info:
        """Copy the file."""
        watch(0)
        source = uri_path(uri)
        info = self.info(uri)
        if info is None:
            raise NoSuchObject(f"{source} does not exist", uri=uri)
        if not os.path.isfile(source):
            raise StagingError(f"{source} is not a file", uri=uri)
        if most is not None and info.size > most:
            raise StagingError(f"{source} is larger than {most} bytes", uri=uri)
        _copy(source, path, watch)
        return info

    def put(self, what: Put, watch: Watch = unwatched) -> Info:
        """Link the file to its place; where that cannot be, write it beside and rename it."""
        target = uri_path(what.uri)
        with telling(target):
            if what.if_absent and os.path.lexists(target):
                raise ObjectExists(f"{target} is there already", uri=what.uri)
            if what.sha256 or not (_may_share(what) and _linked(what.source, target)):
                self._replace(what, target, watch)
            return Info(what.uri, os.stat(target).st_size, sha256=what.sha256)

    def _replace(self, what: Put, target: str, watch: Watch) -> None:
        """Put a file where there may be another: whoever looks finds one of them, whole."""
        os.makedirs(os.path.dirname(target), exist_ok=True)
        temporary = _beside(target)
        try:
            if not (_may_share(what) and _linked(what.source, temporary)):
                _copy(what.source, temporary, watch)
            if what.sha256:
                what.verify(file_sha256(temporary))
            if not what.if_absent:
                os.replace(temporary, target)
            elif not _linked(temporary, target):
                raise ObjectExists(f"{target} is there already", uri=what.uri)
        finally:  # it is still there, too, if it and the target are links to one file
            with suppress(FileNotFoundError):
                os.remove(temporary)

    def list(self, prefix: str) -> Iterator[Info]:
        """Yield every file below the folder, or whose path begins with the prefix."""
        start = uri_path(prefix)
        for path in _files_below(start if start.endswith("/") else os.path.dirname(start)):
            if path.startswith(start) and not _LEFTOVER.fullmatch(os.path.basename(path)):
                info = self.info(path_uri(path))
                if info is not None:
                    yield info

    def delete(self, uris: Iterable[str]) -> None:
        """Remove files."""
        for uri in uris:
            with telling(uri_path(uri)), suppress(FileNotFoundError, NotADirectoryError):
                os.remove(uri_path(uri))

    def sweep(self, prefix: str) -> None:
        """Remove files that were not whole yet."""
        start = uri_path(prefix)
        for path in _files_below(start if start.endswith("/") else os.path.dirname(start)):
            if path.startswith(start) and _LEFTOVER.fullmatch(os.path.basename(path)):
                with telling(path), suppress(FileNotFoundError):
                    os.remove(path)

    def check(self, prefix: str) -> None:
        """See that there is a folder, or that it can be made."""
        folder = uri_path(prefix)
        with telling(folder):
            os.makedirs(folder, exist_ok=True)

    def presign(self, uri: str, seconds: int) -> str | None:
        """There is no such thing here."""
        return None

    def describe(self, uri: str) -> Description:
        """A folder has no ``storage:*`` fields."""
        return Description()

    def close(self) -> None:
        """There is nothing to let go of."""


def _files_below(top: str) -> Iterator[str]:
    """Yield the files below a folder, in order; a folder that cannot be read is an error."""

    def failed(error: OSError) -> None:
        if not isinstance(error, (FileNotFoundError, NotADirectoryError)):
            raise error

    with telling(top):
        for folder, folders, names in os.walk(top, onerror=failed):
            folders.sort()
            for name in sorted(names):
                yield os.path.join(folder, name)


def _copy(source: str | bytes, target: str, watch: Watch) -> None:
    """Write a file or bytes to a new file. A source that cannot be opened is told as such.

    All else that goes wrong is the target's, and told by whoever knows what it is.
    """
    if isinstance(source, bytes):
        with open(target, "wb") as new:
            new.write(source)
        return
    with telling(source):
        old = os.open(source, os.O_RDONLY)
    try:
        with open(target, "wb") as new:
            contents.copy(old, new.fileno(), lambda: watch(_size(new)))
            watch(_size(new))
    finally:
        os.close(old)


def _size(file: BufferedWriter) -> int:
    return os.fstat(file.fileno()).st_size


def _may_share(what: Put) -> bool:
    return what.disposable and isinstance(what.source, str)


def _linked(source: str | bytes, target: str) -> bool:
    """Make the target the same file, if the file system can."""
    try:
        os.link(source, target, follow_symlinks=True)
    except OSError:
        return False
    return True


def _beside(target: str) -> str:
    folder, name = os.path.split(target)
    short = os.fsdecode(os.fsencode(name)[:200])
    return os.path.join(folder, f".{short}.{secrets.token_hex(4)}.part")
