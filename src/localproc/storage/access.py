"""Reading objects by URI, safely whatever the storage.

Owns the choice of the storage for a URI, holding to an ``InputPolicy``, and downloads that are
tried again and gone on with. Must not know STAC or jobs.
"""

import hashlib
import os
import posixpath
import tempfile
from collections.abc import Callable, Iterator
from typing import Final, TypeVar
from urllib.parse import urlsplit

from localproc.errors import LocalprocError, NoSuchObject, StagingError, StorageUnavailable
from localproc.frozen import frozen
from localproc.model import InputPolicy
from localproc.plugins.storage import Answering, Info, Storage, object_key
from localproc.storage import transfer_retries
from localproc.storage.addresses import redacted
from localproc.storage.budget import Budget
from localproc.storage.disk import telling
from localproc.storage.kept_inputs import KeptInputs
from localproc.storage.meter import Meter
from localproc.uris import unquoted, uri_path

_T = TypeVar("_T")

_DOCUMENT: Final = 64 << 20  #: bytes that a document may have
#: Schemes of what anybody may name: the web, and what came with the request itself (RFC 2397).
_ANYBODYS: Final = ("http", "https", "data")

#: Opens the storage of a URI; guarded if the second argument says so.
OpenStorage = Callable[[str, bool], Storage]


@frozen
class Document:
    """A small object, and where it was found: what relative links in it hang from.

    That is the last of a chain of redirects (RFC 3986, section 5.1.3).
    """

    data: bytes
    uri: str


class Access:
    """All storages of an engine, under one policy, until ``stopped`` says that it is over.

    ``log`` is told of what is tried again. ``kept`` is what has been read before, and what may be
    asked of the network at all. ``meter`` counts the bytes that come.
    """

    def __init__(
        self,
        open_storage: OpenStorage,
        policy: InputPolicy,
        stopped: Callable[[], bool] = lambda: False,
        log: Callable[[str], None] = lambda _: None,
        kept: KeptInputs | None = None,
        meter: Meter | None = None,
    ) -> None:
        self._meter = meter or Meter()
        self._open = open_storage
        self._kept = kept or KeptInputs(None, "")
        self._budget = Budget(policy)
        self._policy = policy
        self._log = log
        self.stopped = stopped

    def go_on(self, _: int = 0) -> None:
        """Raise ``StagingError`` if nobody waits for the files any more."""
        transfer_retries.go_on(self.stopped)

    def check(self, uri: str) -> None:
        """Raise ``StagingError`` for an object that the policy does not let anybody name.

        Web addresses are not judged here: they are where a connection is made.
        """
        scheme = scheme_of(uri)
        if scheme == "file":
            self.check_path(uri_path(uri))
        elif not (self._policy.trusting or scheme in _ANYBODYS or self._is_open(uri)):
            raise StagingError(
                f"{redacted(uri)} cannot be used as an input here",
                uri=redacted(uri),
                hint="give a web address, or ask whoever runs the service for an --input-prefix",
            )
        elif scheme not in _ANYBODYS and "@" in urlsplit(uri).netloc:
            raise StagingError(
                f"{redacted(uri)} is given with a user or a password",
                uri=redacted(uri),
                hint="keys belong into the options of the storage",
            )

    def reaches(self, uri: str) -> bool:
        """Return whether there is a storage for a URI, and it may be asked; nothing is asked."""
        try:
            self.check(uri)
            self._storage(uri)
        except LocalprocError:
            return False
        return True

    def check_path(self, path: str) -> None:
        """Raise ``StagingError`` for a path outside the policy's roots, links followed."""
        if self._policy.roots is None:
            return
        real = os.path.realpath(path)
        for root in self._policy.roots:
            top = os.path.realpath(root)
            if real == top or real.startswith(top.rstrip("/") + "/"):
                return
        raise StagingError(
            "files of this machine cannot be used as inputs here",
            uri=posixpath.basename(path),
            hint="give a web address, or ask whoever runs the service for a --file-root",
        )

    def download(self, uri: str, path: str, verify: Callable[[], _T]) -> _T:
        """Bring an object to a path that did not exist; return what ``verify`` gives of it.

        What that raises a ``StagingError`` for is brought once more, from where it lies and not
        from what is kept: bytes may have been damaged on their way. Raises ``StagingError`` or
        ``NoSpace``.
        """
        self._fetch(uri, path, self._policy.most)
        try:
            return verify()
        except StagingError as error:
            if scheme_of(uri) == "file" or not self._kept.may_ask:
                raise
            self._log(f"{error.message}: it is brought once more")
        os.remove(path)
        self._fetch(uri, path, self._policy.most, fresh=True)
        return verify()

    def unpack(self, uri: str, kind: str, folder: str) -> None:
        """Bring an archive, and write what is in it into a folder.

        What it has counts as what comes for the job.
        """
        from localproc.storage.archives import unpack  # few inputs are archives

        def watch(more: int) -> None:
            self.go_on()
            self._budget.unpacked(uri, more)

        with tempfile.TemporaryDirectory(prefix="localproc-", dir=os.path.dirname(folder)) as aside:
            path = os.path.join(aside, "archive")
            self._fetch(uri, path, self._policy.most)
            unpack(
                path,
                kind,
                folder,
                redacted(uri),
                most=self._policy.most,
                watch=watch,
            )

    def read(self, uri: str, body: bytes = b"") -> Document:
        """Return a small object, such as a STAC item; with a ``body`` the answer to that."""
        most = min(_DOCUMENT, self._policy.most or _DOCUMENT)
        with tempfile.TemporaryDirectory(prefix="localproc-") as folder:
            path = os.path.join(folder, "object")
            info = self._fetch(uri, path, most, body)
            with open(path, "rb") as file:
                return Document(file.read(), info.uri)

    def below(self, uri: str) -> list[Info]:
        """Return the objects below a prefix, as if it were a folder; raises ``NoSuchObject``."""
        self.check(uri)
        prefix = uri.rstrip("/") + "/"
        found = self._kept.listed(prefix, lambda: self._retrying(lambda: self._list(prefix)))
        return self._expected(found)

    def remembered_below(self, uri: str) -> list[Info] | None:
        """Return the objects that were below a prefix, if that will do where nobody answers."""
        self.check(uri)
        found = self._kept.remembered(uri.rstrip("/") + "/")
        return None if found is None else self._expected(found)

    def _expected(self, found: list[Info]) -> list[Info]:
        for one in found:
            self._meter.expect(one.uri, one.size)
        return found

    def _list(self, prefix: str) -> list[Info]:
        found = list(self._storage(prefix).list(prefix))
        if not found:
            raise NoSuchObject(f"nothing is at {redacted(prefix)}", uri=redacted(prefix))
        return found

    def _fetch(
        self, uri: str, path: str, most: int | None, body: bytes = b"", *, fresh: bool = False
    ) -> Info:
        self.check(uri)
        if scheme_of(uri) == "file":
            return self._download(uri, path, most)
        answers = f"{uri}#{hashlib.sha256(body).hexdigest()}"  # whose answer it is
        info = self._kept.fetched(
            answers if body else uri,
            path,
            most,
            asked=lambda: None if body else self._storage(uri).info(uri),
            download=lambda: self._download(uri, path, most, body),
            log=self._log,
            fresh=fresh,
        )
        self._budget.count(uri, path, info.size)
        return info

    def _download(self, uri: str, path: str, most: int | None, body: bytes = b"") -> Info:
        storage = self._storage(uri)
        resume = ""
        expected: int | None = None

        def watch(size: int) -> None:
            self.go_on()
            self._budget.count(uri, path, size)
            self._meter.count(uri, size)

        def fetch() -> Info:
            nonlocal resume, expected
            if body:
                return _answering(storage, uri).ask(uri, body, path, most=most, watch=watch)
            try:
                info = storage.fetch(uri, path, most=most, watch=watch, resume=resume)
                if resume and expected not in (None, info.size):
                    shown = redacted(uri)
                    raise StorageUnavailable(f"{shown} has changed: its size is another", uri=shown)
            except StorageUnavailable as error:
                resume, expected = error.etag, error.size
                raise
            return info

        with telling(path):
            return self._retrying(fetch)

    def _retrying(self, action: Callable[[], _T]) -> _T:
        return transfer_retries.retrying(action, transfer_retries.READING, self.stopped, self._log)

    def _storage(self, uri: str) -> Storage:
        return self._open(uri, self._policy.guarded)

    def _is_open(self, uri: str) -> bool:
        """Whether a URI lies below one of the prefixes that anybody may name objects of."""
        parts = list(_parts(uri))
        if {".", ".."} & set(parts):
            return False
        return any(
            parts[: len(prefix)] == prefix
            for prefix in (list(_parts(one.rstrip("/"))) for one in self._policy.prefixes)
        )


def _answering(storage: Storage, uri: str) -> Answering:
    if isinstance(storage, Answering):
        return storage
    raise StagingError(f"{redacted(uri)} cannot be asked by POST", uri=redacted(uri))


def scheme_of(uri: str) -> str:
    """Return the scheme of a URI, ``file`` for none; raises ``StagingError`` for what is none."""
    try:
        return urlsplit(uri).scheme or "file"
    except ValueError as error:
        raise StagingError(f"{redacted(uri)} is no address: {error}", uri=redacted(uri)) from None


def _parts(uri: str) -> Iterator[str]:
    """Yield scheme, host and the parts of the path, each in the one form that it has."""
    split = urlsplit(uri)
    yield split.scheme
    yield split.netloc
    yield from (unquoted(part) for part in object_key(uri).split("/") if object_key(uri))
