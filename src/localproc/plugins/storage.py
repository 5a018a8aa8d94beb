"""The protocol of a storage: where inputs come from and results go to.

Owns its verbs, each of one object, and how a name stands in a URI. Must not know staging: temporary
files, checksums of inputs, retries, order, limits and redaction are the engine's, so that a storage
is safe by construction.

A storage may be used by several threads at once, and any of its verbs may take long: none of them
is called where others would have to wait for it. What a storage holds has one name: its key, whose
parts are quoted in URIs (RFC 3986, section 2.1) as ``object_uri`` does it. URIs that differ in
quoting alone (``a%2fb`` and ``a%2Fb``, ``%41`` and ``A``) name one object.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field
from typing import Any, Final, Protocol, runtime_checkable
from urllib.parse import urlsplit

from localproc.errors import StagingError
from localproc.frozen import frozen
from localproc.spelling import public
from localproc.uris import quoted, unquoted


@frozen
class Info:
    """What there is at a URI.

    ``etag`` changes when the contents do. ``sha256`` is their digest in hex, where the storage
    knows it without reading them. ``uri`` is where the object was found: the last one of a chain of
    redirects.
    """

    uri: str
    size: int
    etag: str = ""
    sha256: str = ""


@frozen
class Description:
    """What a STAC item says of an asset that lies in a storage.

    ``asset`` are fields of the asset (``storage:*``), ``properties`` those of its item, and
    ``extensions`` the URIs of the STAC extensions that the item has to declare for them.
    """

    asset: Mapping[str, Any] = field(default_factory=dict)
    properties: Mapping[str, Any] = field(default_factory=dict)
    extensions: tuple[str, ...] = ()


#: What would end the path of a URI (RFC 3986, 3.3), or be left out of it.
_UNQUOTED: Final = re.compile(r"[?#\n\r\t]")

#: Is called with the bytes that have come so far; what it raises ends the transfer.
Watch = Callable[[int], None]


def unwatched(_: int) -> None:
    """Let a transfer go on."""


@frozen
class Put:
    """What is to become the object at ``uri``: a file (its path), or bytes.

    ``sha256`` is the digest in hex that the source has to have, where it is known before: with
    another one it is put nowhere (``verify``). ``if_absent``: what is there already stays, and that
    is an ``ObjectExists``. ``disposable``: nobody will change the file, so the storage may share
    it.
    """

    source: str | bytes
    uri: str
    media_type: str = "application/octet-stream"
    sha256: str = ""
    if_absent: bool = False
    disposable: bool = False

    def verify(self, sha256: str) -> None:
        """Raise ``StagingError`` if the digest of what was read is not the one that is expected.

        A storage asks it before the object can be seen.
        """
        if self.sha256 and sha256 != self.sha256:
            raise StagingError(
                f"{self.uri} would not be what was announced: its SHA-256 is {sha256}, not "
                f"{self.sha256}",
                uri=self.uri,
                hint="the file was changed while it was published",
            )


class Storage(Protocol):
    """Objects under URIs of one scheme.

    Errors are ``StagingError``s that name the URI: ``NoSuchObject`` where nothing is there, and
    ``StorageUnavailable`` for what may be better a moment later (away, busy, broken off), which the
    engine tries again. A storage tries nothing again by itself.
    """

    def info(self, uri: str) -> Info | None:
        """Return what is there, ``None`` for nothing; raise if there is no place for it either."""

    def fetch(
        self,
        uri: str,
        path: str,
        *,
        most: int | None = None,
        watch: Watch = unwatched,
        resume: str = "",
    ) -> Info:
        """Write the object to a file at ``path``; refuse more than ``most`` bytes.

        ``watch`` is to be called again and again while it is transferred. ``resume`` is the etag of
        the object whose first bytes are in the file already, from a try that broke off with a
        ``StorageUnavailable`` that had this etag; who cannot go on with them begins anew.
        """

    def put(self, what: Put, watch: Watch = unwatched) -> Info:
        """Make it an object, all of it or nothing; it replaces what is there.

        What has another digest than ``what.sha256`` is put nowhere. Return what has been put, with
        the ``sha256`` of the bytes that were, if they were read. A storage that can tell that the
        same is there already, may leave it alone.
        """

    def list(self, prefix: str) -> Iterator[Info]:
        """Yield every object whose URI begins with the prefix, by the URI that it was put at."""

    def delete(self, uris: Iterable[str]) -> None:
        """Remove objects; one that is not there is no error."""

    def sweep(self, prefix: str) -> None:
        """Remove what transfers that were cut short have left below the prefix.

        It is called only where nobody else is writing.
        """

    def check(self, prefix: str) -> None:
        """Raise ``StagingError`` if nothing can be put below the prefix; leave nothing there."""

    def presign(self, uri: str, seconds: int) -> str | None:
        """Return a URL that anybody can read for so many ``seconds``; ``None``: there is none."""

    def describe(self, uri: str) -> Description:
        """Return what an item is to say of an asset that lies here."""

    def close(self) -> None:
        """Let go of connections; the storage is not used afterwards."""


@runtime_checkable
class Answering(Protocol):
    """A storage that may also be asked with a body (POST), as search engines are."""

    def ask(
        self,
        uri: str,
        body: bytes,
        path: str,
        *,
        most: int | None = None,
        watch: Watch = unwatched,
    ) -> Info:
        """Send JSON to a URI and write the answer, of ``most`` bytes, to a file.

        All else is as in ``Storage.fetch``.
        """


@public
@frozen
class StoragePlugin:
    """A storage that can be opened for a URI scheme. ``writable``: results can go there.

    ``open`` is given the options of a scheme, a bucket or a namespace, and ``guarded``.
    """

    scheme: str
    open: Callable[[Mapping[str, Any]], Storage]
    summary: str = ""
    options: Mapping[str, str] = field(default_factory=dict)  #: option name to what it means
    writable: bool = True


def object_uri(root: str, key: str) -> str:
    """Return the URI of an object below a root (``scheme://bucket``), whatever its key."""
    return f"{root.rstrip('/')}/{quoted(key)}"


def object_key(uri: str) -> str:
    """Return the key of an object: the path of its URI, unquoted, without the first slash.

    Raises ``StagingError`` for a URI with a mark that would have to be quoted, as that of a query:
    it would be left out, and the object be another.
    """
    found = _UNQUOTED.search(uri)
    if found is not None:
        shown = uri[: found.start()]
        raise StagingError(
            f"{shown}… is no name of an object: {found[0]!r} is not quoted",
            uri=shown,
            hint=f"if it is a part of the name, write {quoted(found[0])}",
        )
    return unquoted(urlsplit(uri).path)[1:]


def normalized(uri: str) -> str:
    """Return a URI in the one form that all have which name the same object."""
    parts = urlsplit(uri)
    return object_uri(f"{parts.scheme}://{parts.netloc}", object_key(uri))
