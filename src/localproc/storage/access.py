"""Reading and writing objects by URI, safely whatever the storage.

Owns the choice of the storage for a URI, holding to an ``InputPolicy``, temporary file and rename,
sizes and checksums, and what of a URI may be told. Must not know STAC or jobs.
"""

import hashlib
import os
import posixpath
import secrets
from collections.abc import Callable
from typing import Final
from urllib.parse import unquote, urlsplit, urlunsplit

from localproc.cwl.files import uri_path
from localproc.errors import StagingError
from localproc.model import InputPolicy
from localproc.plugins.storage import Storage

#: Multihash codes of STAC's ``file:checksum``, in hex, and what hashlib calls them.
_MULTIHASH: Final = {"1220": "sha256", "1340": "sha512", "1114": "sha1", "d50110": "md5"}
_CHUNK: Final = 1 << 20


#: Opens the storage of a scheme; guarded if the second argument says so.
OpenStorage = Callable[[str, bool], Storage]


class Access:
    """All storages of an engine, under one policy."""

    def __init__(self, open_storage: OpenStorage, policy: InputPolicy) -> None:
        self._open = open_storage
        self._policy = policy

    def storage(self, uri: str) -> Storage:
        """Give the storage of a URI."""
        return self._open(urlsplit(uri).scheme or "file", self._policy.guarded)

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
        """Bring an object to a path that did not exist: all of it or nothing."""
        if urlsplit(uri).scheme == "file":
            self.check_path(uri_path(uri))
        temporary = f"{path}.{secrets.token_hex(4)}.part"
        try:
            self.storage(uri).fetch(uri, temporary, most=self._policy.most)
            os.replace(temporary, path)
        finally:
            if os.path.exists(temporary):
                os.remove(temporary)

    def read(self, uri: str, most: int = 64 << 20) -> bytes:
        """Give the contents of a small object, such as a STAC item."""
        if urlsplit(uri).scheme == "file":
            self.check_path(uri_path(uri))
            try:
                with open(uri_path(uri), "rb") as file:
                    return file.read(most)
            except OSError as error:
                raise StagingError(f"{uri_path(uri)}: {error.strerror}", uri=uri) from error
        import tempfile

        with tempfile.TemporaryDirectory(prefix="localproc-") as folder:
            path = os.path.join(folder, "object")
            self.storage(uri).fetch(uri, path, most=most)
            with open(path, "rb") as file:
                return file.read()


def verify(path: str, size: int | None, checksum: str | None, uri: str) -> None:
    """Compare a file with what its STAC asset says (``file:size``, ``file:checksum``)."""
    have = os.stat(path).st_size
    if size is not None and have != size:
        raise StagingError(f"{uri} has {have} bytes, its item says {size}", uri=uri)
    name = next(
        (name for code, name in _MULTIHASH.items() if (checksum or "").startswith(code)), ""
    )
    if not checksum or not name:
        return
    digest = hashlib.new(name, usedforsecurity=False)
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    if not checksum.endswith(digest.hexdigest()):
        raise StagingError(
            f"{uri} does not have the checksum that its item says",
            uri=uri,
            hint="the file is damaged, or was changed after the item was written",
        )


def safe_name(name: str, what: str) -> str:
    """Give a name that stays in its folder; raises ``StagingError`` for any other."""
    plain = unquote(name)
    if (
        not plain
        or plain in (".", "..")
        or any(bad in plain for bad in ("/", "\\", "\0"))
        or plain.startswith("-")
        or len(plain.encode()) > 200
    ):
        raise StagingError(
            f"{name!r} cannot be {what}",
            hint="a name must not hold slashes, be longer than 200 bytes or begin with a dash",
        )
    return plain


def redacted(uri: str) -> str:
    """Give a URI without what may be secret in it: user, password, query and fragment."""
    parts = urlsplit(uri)
    if parts.scheme not in ("http", "https"):
        return uri
    host = parts.hostname or ""
    port = f":{parts.port}" if parts.port else ""
    return urlunsplit((parts.scheme, host + port, parts.path, "…" if parts.query else "", ""))
