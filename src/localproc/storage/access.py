"""Reading objects by URI, safely whatever the storage.

Owns the choice of the storage for a URI, holding to an ``InputPolicy``, names, sizes and checksums.
Must not know STAC or jobs.
"""

import hashlib
import os
import posixpath
import tempfile
from collections.abc import Callable, Collection
from itertools import chain, count
from typing import Any, Final
from urllib.parse import urlsplit

from localproc.errors import StagingError
from localproc.model import InputPolicy
from localproc.plugins.storage import Storage
from localproc.storage.addresses import redacted
from localproc.storage.disk import telling
from localproc.uris import unquoted, uri_path

#: Multihash codes of STAC's ``file:checksum``, in hex, and what hashlib calls them.
_MULTIHASH: Final = {"1220": "sha256", "1340": "sha512", "1114": "sha1", "d50110": "md5"}
_CHUNK: Final = 1 << 20
_DOCUMENT: Final = 64 << 20  #: bytes that a document may have


#: Opens the storage of a scheme; guarded if the second argument says so.
OpenStorage = Callable[[str, bool], Storage]


class Access:
    """All storages of an engine, under one policy, until ``stopped`` says that it is over."""

    def __init__(
        self,
        open_storage: OpenStorage,
        policy: InputPolicy,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self._open = open_storage
        self._policy = policy
        self._stopped = stopped

    def go_on(self, _: int = 0) -> None:
        """Raise ``StagingError`` if nobody waits for the files any more."""
        if self._stopped():
            raise StagingError("stopped: the job was dismissed")

    def storage(self, uri: str) -> Storage:
        """Give the storage of a URI."""
        return self._open(_scheme(uri), self._policy.guarded)

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

    def download(self, uri: str, path: str) -> None:
        """Bring an object to a path that did not exist. Raises ``StagingError`` or ``NoSpace``."""
        self._fetch(uri, path, self._policy.most)

    def read(self, uri: str) -> bytes:
        """Give the contents of a small object, such as a STAC item."""
        most = min(_DOCUMENT, self._policy.most or _DOCUMENT)
        with tempfile.TemporaryDirectory(prefix="localproc-") as folder:
            path = os.path.join(folder, "object")
            self._fetch(uri, path, most)
            with open(path, "rb") as file:
                return file.read()

    def _fetch(self, uri: str, path: str, most: int | None) -> None:
        if _scheme(uri) == "file":
            self.check_path(uri_path(uri))
        with telling(path):
            self.storage(uri).fetch(uri, path, most=most, watch=self.go_on)


def _scheme(uri: str) -> str:
    try:
        return urlsplit(uri).scheme or "file"
    except ValueError as error:
        raise StagingError(f"{redacted(uri)} is no address: {error}", uri=redacted(uri)) from None


def verify(path: str, size: Any, checksum: Any, shown: str) -> None:
    """Compare a file with what its STAC asset says (``file:size``, ``file:checksum``).

    Checksums are multihashes in hex; those of a kind that is not known here are not looked at.
    ``shown`` is where the file comes from, without secrets.
    """
    have = os.stat(path).st_size
    if size is not None and have != size:
        raise StagingError(f"{shown} has {have} bytes, its item says {size}", uri=shown)
    expected = str(checksum or "").lower()
    name = next((name for code, name in _MULTIHASH.items() if expected.startswith(code)), "")
    if not name:
        return
    digest = hashlib.new(name, usedforsecurity=False)
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    if not expected.endswith(digest.hexdigest()):
        raise StagingError(
            f"{shown} does not have the checksum that its item says",
            uri=shown,
            hint="the file is damaged, or was changed after the item was written",
        )


def safe_name(name: Any, what: str) -> str:
    """Give a name that stays in its folder; raises ``StagingError`` for any other.

    It must do so when it has been unquoted, too: others may take it for a part of a URL.
    """
    if (
        not isinstance(name, str)
        or {name, unquoted(name)} & {".", ".."}
        or any(bad in unquoted(name) for bad in ("/", "\\", "\0"))
        or name.startswith("-")
        or not 0 < len(_encoded(name)) <= 200
    ):
        raise StagingError(
            f"{name!r} cannot be {what}",
            hint="a name must not hold slashes, be longer than 200 bytes or begin with a dash",
        )
    return name


def _encoded(name: str) -> bytes:
    """Give a name as a disk has it; nothing for halves of characters, which JSON may hold."""
    try:
        return name.encode()
    except UnicodeEncodeError:
        return b""


def free_name(name: str, key: str, taken: Collection[str]) -> str:
    """Give the name for an asset's file: its own, with its key in front, or a number as well.

    Raises ``StagingError`` for a key that would have to be part of a name, and cannot be.
    """
    if name not in taken:
        return name
    named = safe_name(f"{key}_{name}", "an asset's name")
    stem, extension = os.path.splitext(named)
    numbered = (f"{stem}_{number}{extension}" for number in count(2))
    return next(one for one in chain([named], numbered) if one not in taken)
