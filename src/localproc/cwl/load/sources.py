"""The texts that a package is made of: its entry document and all that it includes.

Owns which text a URI stands for, the names the texts have within the package and their digest. Must
not know how a URI is read: that is asked of a ``Read``. Well-known documents, as those of EO types,
are handed in, so that documents which import them load offline.
"""

import hashlib
import posixpath
import re
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias
from urllib.parse import urldefrag, urlsplit

from localproc.errors import InvalidPackage, Problem, StagingError
from localproc.uris import joined_uri, unquoted

#: Gives the bytes behind a URI without fragment; raises ``OSError`` or ``LocalprocError``.
Read: TypeAlias = Callable[[str], bytes]

#: Gives the bytes of a document that everybody knows, and nothing for any other.
WellKnown: TypeAlias = Callable[[str], bytes | None]

#: Where the types of EO application packages are published: their branch, and their releases.
_EO_TYPES: Final = re.compile(
    r"https://raw\.githubusercontent\.com/eoap/schemas/"
    r"(?:(?:refs/heads/)?main|(?:refs/tags/)?0\.[1-3]\.\d+)/(?P<name>.+)"
)


def is_eo_type(uri: str) -> bool:
    """Whether a URI is that of a well-known EO type, or of a document of these."""
    return _EO_TYPES.match(uri) is not None


def eo_document(uri: str) -> str:
    """Return the name of a document of EO types, nothing for a URI of anything else."""
    found = _EO_TYPES.fullmatch(uri)
    return found["name"] if found else ""


class Sources:
    """The closure of one entry document. ``texts`` grows as the loader follows references.

    ``well_known`` documents are no part of it.

    ``moved`` grows as ``read`` does: it has where documents were found that are not where their
    URIs said, for servers redirect, perhaps to a process of a document.
    """

    def __init__(
        self,
        entry: str,
        read: Read,
        texts: Mapping[str, bytes] | None = None,
        well_known: WellKnown | None = None,
        moved: Mapping[str, str] | None = None,
    ) -> None:
        self.entry = urldefrag(entry)[0]
        self.texts: dict[str, bytes] = dict(texts or {})
        self._moved = {} if moved is None else moved
        self._read = read
        self._well_known = well_known

    def located(self, uri: str) -> str:
        """Return where a document is in the end; raises ``InvalidPackage`` if it cannot be read.

        Relative references in it hang from there (RFC 3986, section 5.1.3). A fragment that was
        asked for stays; without one it is the server's (RFC 9110, section 10.2.2).
        """
        document, fragment = urldefrag(uri)
        if urlsplit(document).scheme not in ("http", "https"):
            return uri
        self.text(document)
        found, named = urldefrag(self._moved.get(document, document))
        part = fragment or named
        return f"{found}#{part}" if part else found

    def text(self, uri: str) -> str:
        """Return the text of a document; raises ``InvalidPackage`` if it cannot be had."""
        uri = self._found(urldefrag(uri)[0])
        data = self.texts.get(uri)
        if data is None:
            data = self._well_known(uri) if self._well_known else None
        if data is None:
            data = self._fetch(uri)
            data = self.texts.setdefault(self._found(uri), data)
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise InvalidPackage(
                f"{self.name(uri)} is not text in UTF-8: {error.reason} at byte {error.start}"
            ) from None

    def name(self, uri: str) -> str:
        """Return a document's name within the package: relative to the entry's folder."""
        parts = urlsplit(uri)
        if parts.scheme != "file":
            return uri
        folder = posixpath.dirname(unquoted(urlsplit(self.entry).path))
        name = posixpath.relpath(unquoted(parts.path), folder or "/")
        return f"{name}?{parts.query}" if parts.query else name

    def named(self) -> dict[str, bytes]:
        """Return the texts by their names, the entry first."""
        others = {self.name(uri): data for uri, data in sorted(self.texts.items())}
        entry = self.name(self.entry)
        return {entry: others.pop(entry), **others} if entry in others else others

    def _found(self, uri: str) -> str:
        return urldefrag(self._moved.get(uri, uri))[0]

    def _fetch(self, uri: str) -> bytes:
        try:
            return self._read(uri)
        except (OSError, StagingError) as error:
            if isinstance(error, StagingError):
                reason, hint = error.message, error.hint
            elif isinstance(error, IsADirectoryError):
                reason, hint = "it is a folder", "name the file in it that is to be run"
            else:
                reason, hint = error.strerror or str(error), "check the path"
            raise InvalidPackage(
                f"cannot read {self.name(uri)}: {reason.removeprefix(f'{uri}: ')}",
                [] if uri == self.entry else [Problem(reason, where=self.name(uri))],
                hint=hint,
            ) from error


def leads_to(base: str, named: str) -> str:
    """Return where a reference in a document leads to; raises ``InvalidPackage`` if nowhere."""
    try:
        return joined_uri(base, named)
    except ValueError as error:
        raise InvalidPackage(f"{named!r} is no address: {error}") from None


def digest(texts: Mapping[str, bytes], main: str) -> str:
    """Return the digest of a process: that of a whole package, the same wherever its folder lies.

    ``main`` names the process among those of the package.
    """
    total = hashlib.sha256(main.encode())
    for name, data in texts.items():
        total.update(f"{name}\0{len(data)}\0".encode())
        total.update(data)
    return total.hexdigest()
