"""A file system of fsspec as a storage.

Owns what the verbs of the protocol are there. Must not know any file system in particular.
"""

import errno
import hashlib
import io
import os
import socket
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, Final

import fsspec

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
from localproc_fsspec import hosts
from localproc_fsspec.places import NESTED, Place, place_of

_CHUNK: Final = 1 << 20
_PATIENCE: Final = 60.0  #: seconds without a byte by which a connection counts as broken
_AHEAD: Final = 64  #: pieces (of 32 KiB) of a file that are under way by SFTP
_SSH: Final = ("sftp", "ssh")
_FRESH: Final[Mapping[str, Any]] = {"use_listings_cache": False}
#: What is said besides; SFTP's has no listings and takes nothing but what paramiko does.
_USUAL: Final = {scheme: {"timeout": 30.0} for scheme in _SSH}
_SHORT: Final = 4  #: characters up to which an option is no secret


class FsspecStorage:
    """Implements ``localproc.plugins.storage.Storage``.

    Each thread has a file system of its own: those of one connection cannot be shared.
    """

    def __init__(self, scheme: str, options: Mapping[str, Any], *, by_host: bool) -> None:
        self._scheme = scheme
        self._told = {key: one for key, one in options.items() if key not in ("enabled", "guarded")}
        self._target = str(options.get("target_protocol", "https"))
        self._by_host = by_host
        self._mine = threading.local()

    @classmethod
    def open(cls, scheme: str, options: Mapping[str, Any], *, by_host: bool) -> "FsspecStorage":
        """Open it; raises ``ImportError`` if what the scheme needs is not installed."""
        fsspec.get_filesystem_class(scheme)
        return cls(scheme, options, by_host=by_host)

    def __reduce__(self) -> Any:
        raise TypeError("a storage is not to be pickled: there may be keys in it")

    def info(self, uri: str) -> Info | None:
        """Return what is known of a file."""
        with self._explaining(uri):
            try:
                files, path = self._place(uri, fresh=True)
                found = files.info(path)
            except FileNotFoundError:
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
        with self._explaining(uri, info.etag):
            files, place = self._place(uri)
            with files.open(place, "rb") as source, open(path, "ab" if goes_on else "wb") as file:
                source.seek(file.tell())
                if self._scheme in _SSH:  # else each piece is asked for when the last one is there
                    source.prefetch(info.size, _AHEAD)
                while chunk := source.read(_CHUNK):
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

    def put(self, what: Put, watch: Watch = unwatched) -> Info:
        """Put an object: it is there whole or not at all."""
        watch(0)
        digest, size = _digest(what.source, what.uri)
        what.verify(digest)
        with self._explaining(what.uri):
            try:
                self._put(what, size, watch)
            except FileExistsError:
                shown = redacted(what.uri)
                raise ObjectExists(f"{shown} is there already", uri=shown) from None
        watch(size)
        return Info(what.uri, size, sha256=digest)

    def _put(self, what: Put, size: int, watch: Watch) -> None:
        """Put an object, in one call where that is whole or nothing."""
        files, path = self._place(what.uri)
        source = what.source
        if self._scheme in hosts.HOSTS:
            host = hosts.HOSTS[self._scheme]
            with io.BytesIO(source) if isinstance(source, bytes) else open(source, "rb") as file:
                hosts.put(host, files, file, path, size, watch, if_absent=what.if_absent)
            return
        mode = "create" if what.if_absent else "overwrite"
        if isinstance(source, bytes):
            files.pipe_file(path, source, mode=mode)
        else:
            files.put_file(source, path, mode=mode)

    def list(self, prefix: str) -> Iterator[Info]:
        """Yield all files whose names begin with the prefix."""
        for name, found in self._below(prefix):
            if not (self._by_host and hosts.is_leftover(name)):
                yield _info(self._uri(prefix, name), found)

    def _below(self, prefix: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        with self._explaining(prefix):
            files, path = self._place(prefix, fresh=True)
            top = path if path.endswith("/") else path.rpartition("/")[0]
            with suppress(FileNotFoundError):
                found = files.find(top.rstrip("/"), detail=True)
                start = path.lstrip("/")
                for name in sorted(found):
                    if name.lstrip("/").startswith(start):
                        yield name, found[name]

    def delete(self, uris: Iterable[str]) -> None:
        """Remove files, one after the other."""
        for uri in uris:
            with self._explaining(uri):
                files, path = self._place(uri)
                try:
                    files.rm_file(path)
                except Exception:  # FTP has one error for all that it refuses
                    if files.exists(path):
                        raise

    def sweep(self, prefix: str) -> None:
        """Remove files of hosts that were not whole yet; elsewhere a call leaves nothing."""
        if self._by_host:
            left = [name for name, _ in self._below(prefix) if hosts.is_leftover(name)]
            self.delete(self._uri(prefix, name) for name in left)

    def check(self, prefix: str) -> None:
        """See that a host takes files; object stores tell that when something is put."""
        with self._explaining(prefix):
            files, path = self._place(prefix)
            if self._scheme in hosts.HOSTS:
                hosts.probe(files, path.rstrip("/") or "/")
            else:
                files.exists(path)

    def presign(self, uri: str, seconds: int) -> str | None:
        """Return a signed URL where the file system can make one."""
        with self._explaining(uri):
            files, path = self._place(uri)
            try:
                return str(files.sign(path, expiration=seconds))
            except (NotImplementedError, AttributeError):
                return None

    def describe(self, uri: str) -> Description:
        """Nothing is known of it."""
        return Description()

    def close(self) -> None:
        """Let go of the connections."""
        self._mine = threading.local()

    def _place(self, uri: str, *, fresh: bool = False) -> tuple[Any, str]:
        """Return the file system of a URI, and its path there.

        ``fresh``: what knows its files from when it was opened is opened anew.
        """
        place = self._named(uri)
        known = self._mine.__dict__.setdefault("files", {})
        if place.key not in known or (fresh and self._scheme in NESTED):
            known[place.key] = fsspec.filesystem(
                self._scheme,
                skip_instance_cache=True,
                **{**_USUAL.get(self._scheme, _FRESH), **place.given, **self._told},
            )
            if self._scheme in _SSH:
                known[place.key].ftp.get_channel().settimeout(_PATIENCE)
        return known[place.key], place.path

    def _named(self, uri: str) -> Place:
        return place_of(self._scheme, uri, self._target, by_host=self._by_host)

    def _uri(self, prefix: str, name: str) -> str:
        place = self._named(prefix)
        return object_uri(place.root, name.lstrip("/").removeprefix(place.within))

    @contextmanager
    def _explaining(self, uri: str, etag: str = "") -> Iterator[None]:
        """Say what went wrong with which URI; a connection on which something did is let go of."""
        try:
            with _telling(uri, [one for one in self._told.values() if isinstance(one, str)], etag):
                yield
        except Exception:
            if self._by_host:
                self._mine.__dict__.pop("files", None)
            raise


class _telling:  # noqa: N801 - reads as a statement
    """Says what went wrong with which URI, without the options that may be keys."""

    def __init__(self, uri: str, secrets: Iterable[str], etag: str) -> None:
        self._uri = redacted(uri)
        self._secrets = [one for one in secrets if len(one) > _SHORT]
        self._etag = etag

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: object, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None or not isinstance(error, Exception) or isinstance(error, StagingError):
            return
        if not type(error).__module__.startswith(_THEIRS) and not isinstance(error, _FAILURES):
            return
        said = f"{self._uri}: {str(error) or type(error).__name__}"
        for one in self._secrets:
            said = said.replace(one, "…")
        if isinstance(error, FileNotFoundError):
            raise NoSuchObject(f"nothing is at {self._uri}", uri=self._uri) from None
        if _passes(error):
            raise StorageUnavailable(said, uri=self._uri, etag=self._etag) from None
        raise StagingError(said, uri=self._uri) from None


def _passes(error: Exception) -> bool:
    """Whether a new connection may help: one that broke or could not be made, or a busy server."""
    is_broken = isinstance(error, (ConnectionError, TimeoutError, EOFError, socket.gaierror))
    is_away = isinstance(error, OSError) and error.errno in _AWAY
    return (
        is_broken or is_away or type(error).__name__ in _BROKEN or str(error) == "Socket is closed"
    )


#: Paramiko's and ftplib's errors of the kind, of which none is a ``ConnectionError``.
_BROKEN: Final = ("SSHException", "NoValidConnectionsError", "error_temp")
#: What is wrong where there is no way to a host.
_AWAY: Final = (errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ENETDOWN, errno.ENETUNREACH)
_FAILURES: Final = (OSError, EOFError, ValueError, NotImplementedError)
#: Where the errors of file systems come from that are none of Python's own.
_THEIRS: Final = ("adlfs", "azure", "aiohttp", "ftplib", "gcsfs", "google", "paramiko", "smb")


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
