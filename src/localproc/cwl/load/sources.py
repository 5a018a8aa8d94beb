"""The texts that a package is made of: its entry document and all that it includes.

Owns which text a URI stands for, the names the texts have within the package and their digest. Must
not know how a URI is read: that is asked of a ``Read``. The well-known EO type documents are served
from this package, so that documents which import them load offline.
"""

import hashlib
import posixpath
from collections.abc import Callable, Mapping
from importlib import resources
from typing import Final, TypeAlias
from urllib.parse import urldefrag, urlsplit

from localproc.errors import InvalidPackage, Problem, StagingError
from localproc.uris import unquoted

#: Gives the bytes behind a URI without fragment; raises ``OSError`` or ``LocalprocError``.
Read: TypeAlias = Callable[[str], bytes]

EO_TYPE_PREFIXES: Final = (
    "https://raw.githubusercontent.com/eoap/schemas/main/",
    "https://raw.githubusercontent.com/eoap/schemas/refs/heads/main/",
)


class Sources:
    """The closure of one entry document. ``texts`` grows as the loader follows references."""

    def __init__(self, entry: str, read: Read, texts: Mapping[str, bytes] | None = None) -> None:
        self.entry = urldefrag(entry)[0]
        self.texts: dict[str, bytes] = dict(texts or {})
        self._read = read

    def text(self, uri: str) -> str:
        """Give the text of a document; raises ``InvalidPackage`` if it cannot be had."""
        uri = urldefrag(uri)[0]
        data = self.texts.get(uri)
        if data is None:
            bundled = _bundled(uri)
            if bundled is not None:
                return bundled
            data = self.texts[uri] = self._fetch(uri)
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise InvalidPackage(
                f"{self.name(uri)} is not text in UTF-8: {error.reason} at byte {error.start}"
            ) from None

    def name(self, uri: str) -> str:
        """Give a document's name within the package: relative to the entry's folder."""
        parts = urlsplit(uri)
        if parts.scheme != "file":
            return uri
        folder = posixpath.dirname(unquoted(urlsplit(self.entry).path))
        name = posixpath.relpath(unquoted(parts.path), folder or "/")
        return f"{name}?{parts.query}" if parts.query else name

    def named(self) -> dict[str, bytes]:
        """Give the texts by their names, the entry first."""
        others = {self.name(uri): data for uri, data in sorted(self.texts.items())}
        entry = self.name(self.entry)
        return {entry: others.pop(entry), **others} if entry in others else others

    def _fetch(self, uri: str) -> bytes:
        try:
            return self._read(uri)
        except (OSError, StagingError) as error:
            if isinstance(error, StagingError):
                reason, hint = error.message, error.hint
            else:
                reason, hint = error.strerror or str(error), "check the path"
            raise InvalidPackage(
                f"cannot read {self.name(uri)}: {reason.removeprefix(f'{uri}: ')}",
                [] if uri == self.entry else [Problem(reason, where=self.name(uri))],
                hint=hint,
            ) from error


def digest(texts: Mapping[str, bytes], main: str) -> str:
    """Give the digest of a process: that of a whole package, the same wherever its folder lies.

    ``main`` names the process among those of the package.
    """
    total = hashlib.sha256(main.encode())
    for name, data in texts.items():
        total.update(f"{name}\0{len(data)}\0".encode())
        total.update(data)
    return total.hexdigest()


def _bundled(uri: str) -> str | None:
    for prefix in EO_TYPE_PREFIXES:
        names = uri.removeprefix(prefix).split("/")
        if uri.startswith(prefix) and not {"", ".."} & set(names):
            file = resources.files("localproc.cwl.load").joinpath("eo_types", *names)
            return file.read_text("utf-8") if file.is_file() else None
    return None
