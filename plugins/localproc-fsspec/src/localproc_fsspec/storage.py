"""A file system of fsspec as a storage.

Owns what the verbs of the protocol are there. Must not know any file system in particular.
"""

import hashlib
import io
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, Final

import fsspec
from fsspec.callbacks import Callback

from localproc.errors import NoSuchObject, ObjectExists, StagingError, StorageUnavailable
from localproc.plugins.storage import (
    Description,
    Info,
    Put,
    Watch,
    object_uri,
    unwatched,
)
from localproc.storage.addresses import redacted
from localproc.storage.bounded_calls import Told
from localproc_fsspec import hosts
from localproc_fsspec.reaching import SSH, Files, Reach

_CHUNK: Final = 1 << 20
_PIECE: Final = 64 << 10  #: of hosts that have several of them under way
_AHEAD: Final = 64  #: pieces (of 32 KiB) of a file that are under way by SFTP
_LISTING: Final = 1 << 20  #: bytes, more or less, that a listing has


class FsspecStorage:
    """Implements ``localproc.plugins.storage.Storage``."""

    def __init__(self, scheme: str, options: Mapping[str, Any], *, by_host: bool) -> None:
        self._scheme = scheme
        self._by_host = by_host
        self._reach = Reach(scheme, options, by_host=by_host)

    @classmethod
    def open(cls, scheme: str, options: Mapping[str, Any], *, by_host: bool) -> "FsspecStorage":
        """Open it; raises ``ImportError`` if what the scheme needs is not installed."""
        fsspec.get_filesystem_class(scheme)
        return cls(scheme, options, by_host=by_host)

    def __reduce__(self) -> Any:
        raise TypeError("a storage is not to be pickled: there may be keys in it")

    def info(self, uri: str) -> Info | None:
        """Return what is known of a file."""
        with self._reach.at(uri, fresh=True) as files:
            try:
                found = files.ask(lambda there: there.info(files.path))
            except (FileNotFoundError, NoSuchObject):
                return None
            return None if found["type"] == "directory" else _info(uri, found)

    def fetch(
        self,
        uri: str,
        path: str,
        *,
        most: int | None = None,
        watch: Watch = unwatched,
        resume: str = "",
    ) -> Info:
        """Read a file, from where an earlier try has stopped if it is still the same."""
        watch(0)
        info = self.info(uri)
        if info is None:
            raise NoSuchObject(f"nothing is at {redacted(uri)}", uri=redacted(uri))
        if most is not None and info.size > most:
            raise StagingError(f"{redacted(uri)} is larger than {most} bytes", uri=redacted(uri))
        goes_on = bool(resume) and resume == info.etag and os.path.exists(path)
        with self._reach.at(uri, info.etag) as files, open(path, "ab" if goes_on else "wb") as file:
            look: Watch = lambda _: watch(file.tell())  # noqa: E731
            for chunk in self._read(files, file.tell(), info.size, look):
                file.write(chunk)
                watch(file.tell())
            size = file.tell()
            if size != info.size:
                raise StorageUnavailable(
                    f"{redacted(uri)} ended after {size} of {info.size} bytes",
                    uri=redacted(uri),
                    etag=info.etag,
                )
        return info

    def _read(self, files: Files, start: int, size: int, look: Watch) -> Iterator[bytes]:
        """Yield what a file has from a byte on."""

        def opened(there: Any) -> Any:
            source = there.open(files.path, "rb")
            source.seek(start)
            if self._scheme in SSH:  # else each piece is asked for when the last one is there
                source.prefetch(size, _AHEAD)
            return source

        piece = _PIECE if self._scheme in SSH else _CHUNK
        source = files.ask(opened, watch=look)
        most = piece + int(getattr(source, "blocksize", None) or 0)  # it may read ahead
        while chunk := files.ask(lambda _: source.read(piece), min(most, size), look):
            yield chunk
        files.ask(lambda _: source.close())

    def put(self, what: Put, watch: Watch = unwatched) -> Info:
        """Put an object: it is there whole or not at all."""
        watch(0)
        digest, size = _digest(what.source, what.uri)
        what.verify(digest)
        with self._reach.at(what.uri) as files:
            try:
                self._put(files, what, size, watch)
            except FileExistsError:
                shown = redacted(what.uri)
                raise ObjectExists(f"{shown} is there already", uri=shown) from None
        watch(size)
        return Info(what.uri, size, sha256=digest)

    def _put(self, files: Files, what: Put, size: int, watch: Watch) -> None:
        """Put an object, in one call where that is whole or nothing."""
        source, path = what.source, files.path
        if self._scheme in hosts.HOSTS:
            host = hosts.HOSTS[self._scheme]

            def send(there: Any, told: Told) -> None:
                with io.BytesIO(source) if isinstance(source, bytes) else open(source, "rb") as one:
                    hosts.put(host, there, one, path, size, told, if_absent=what.if_absent)

            files.tell(send, hosts.CHUNK, watch)
            return
        mode = "create" if what.if_absent else "overwrite"
        if isinstance(source, bytes):
            files.ask(lambda there: there.pipe_file(path, source, mode=mode), size, watch)
            return

        def put(there: Any, told: Told) -> None:
            there.put_file(source, path, mode=mode, callback=_noting(told))

        files.tell(put, size, watch)

    def list(self, prefix: str) -> Iterator[Info]:
        """Yield all files whose names begin with the prefix."""
        for name, found in self._below(prefix):
            if not (self._by_host and hosts.is_leftover(name)):
                yield _info(self._uri(prefix, name), found)

    def _below(self, prefix: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        with self._reach.at(prefix, fresh=True) as files:
            path = files.path
            top = path if path.endswith("/") else path.rpartition("/")[0]
            found: Mapping[str, Any] = {}
            with suppress(FileNotFoundError):
                found = files.ask(lambda there: there.find(top.rstrip("/"), detail=True), _LISTING)
        start = path.lstrip("/")
        for name in sorted(found):
            if name.lstrip("/").startswith(start):
                yield name, found[name]

    def delete(self, uris: Iterable[str]) -> None:
        """Remove files, one after the other."""
        for uri in uris:
            with self._reach.at(uri) as files:
                files.ask(partial(_remove, files.path))

    def sweep(self, prefix: str) -> None:
        """Remove files of hosts that were not whole yet; elsewhere a call leaves nothing."""
        if self._by_host:
            left = [name for name, _ in self._below(prefix) if hosts.is_leftover(name)]
            self.delete(self._uri(prefix, name) for name in left)

    def check(self, prefix: str) -> None:
        """See that a host takes files; object stores tell that when something is put."""
        with self._reach.at(prefix) as files:
            path = files.path.rstrip("/") or "/"
            if self._scheme in hosts.HOSTS:
                files.ask(lambda there: hosts.probe(there, path))
            else:
                files.ask(lambda there: there.exists(files.path))

    def presign(self, uri: str, seconds: int) -> str | None:
        """Return a signed URL where the file system can make one."""
        with self._reach.at(uri) as files:
            try:
                return str(files.ask(lambda there: there.sign(files.path, expiration=seconds)))
            except (NotImplementedError, AttributeError):
                return None

    def describe(self, uri: str) -> Description:
        """Nothing is known of it."""
        return Description()

    def close(self) -> None:
        """Let go of the connections."""
        self._reach.close()

    def _uri(self, prefix: str, name: str) -> str:
        place = self._reach.place(prefix)
        return object_uri(place.root, name.lstrip("/").removeprefix(place.within))


def _remove(path: str, there: Any) -> None:
    try:
        there.rm_file(path)
    except Exception:  # FTP has one error for all that it refuses
        if there.exists(path):
            raise


def _noting(told: Told) -> Callback:
    """Return what a file system tells its progress; an error from there would end it in halves."""

    def note(_: object, value: int, **__: object) -> None:
        with suppress(Exception):
            told(int(value))

    return Callback(hooks={"told": note})


def _info(uri: str, found: Mapping[str, Any]) -> Info:
    told = repr(sorted((key, str(one)) for key, one in found.items()))
    etag = str(found.get("ETag") or found.get("etag") or "")
    return Info(uri, int(found["size"]), etag or hashlib.sha256(told.encode()).hexdigest())


def _digest(source: str | bytes, uri: str) -> tuple[str, int]:
    if isinstance(source, bytes):
        return hashlib.sha256(source).hexdigest(), len(source)
    try:
        with open(source, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return digest, os.fstat(file.fileno()).st_size
    except OSError as error:
        raise StagingError(f"{source} cannot be read: {error.strerror}", uri=uri) from None
