"""Paths and URIs: how one is written as the other.

Owns quoting, ``file:`` URIs and the one form that a URI has here. Must not know what lies there.
"""

import base64
import posixpath
import re
from typing import Final
from urllib.parse import quote, unquote, unquote_to_bytes, urljoin, urlsplit

_PLAIN: Final = re.compile(r"[\w.~/-]*", re.ASCII)  #: what is written as it is
_ABSOLUTE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|file:/", re.IGNORECASE)


def is_absolute(text: str) -> bool:
    """Return whether a text is an absolute URI, and not a path."""
    return _ABSOLUTE.match(text) is not None


def is_below(path: str, folder: str) -> bool:
    """Return whether a path, or a URI, is a folder's or leads into it."""
    return path == folder or path.startswith(f"{folder.rstrip('/')}/")


def quoted(text: str) -> str:
    """Write a path or a name as a part of a URI; a byte that is no UTF-8 stays itself (``%FF``)."""
    return text if _PLAIN.fullmatch(text) else quote(text, errors="surrogateescape")


def unquoted(text: str) -> str:
    """Read a part of a URI as a path or a name."""
    return unquote(text, errors="surrogateescape")


def path_uri(path: str) -> str:
    """Return the ``file:`` URI of an absolute path."""
    return "file://" + quoted(path)


def uri_path(uri: str) -> str:
    """Return the path of a ``file:`` URI."""
    plain = uri.startswith("file:///") and not ("%" in uri or "?" in uri or "#" in uri)
    return uri[7:] if plain else unquoted(urlsplit(uri).path)


def joined_uri(base: str, reference: str) -> str:
    """Return where a reference leads that hangs from a URI, whatever its scheme (RFC 3986, 5.2)."""
    scheme, _, place = base.partition(":")
    if not place.startswith("//") or urlsplit(reference).scheme:
        return urljoin(base, reference)
    found = urljoin(f"https:{place}", reference)  # urljoin knows but a few schemes
    return scheme + found.removeprefix("https")


def path_from(folder: str, path: str) -> str:
    """Return the URI of a path that hangs from a folder, which is given as its URI."""
    if folder and not folder.startswith("file:"):
        return joined_uri(f"{folder.rstrip('/')}/", quoted(path))
    return path_uri(posixpath.normpath(posixpath.join(uri_path(folder) or "/", path)))


def data_uri(data: bytes, media_type: str) -> str:
    """Return a URI that holds data itself (RFC 2397)."""
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


def is_data(uri: str) -> bool:
    """Whether a URI holds data itself."""
    return uri[:5].lower() == "data:"


def data_of(uri: str) -> tuple[bytes, str]:
    """Return the data that a URI holds and its media type, nothing if it says none (RFC 2397).

    Raises ``ValueError`` for what holds no data that can be read.
    """
    head, comma, text = uri[5:].partition(",")
    if not comma:
        raise ValueError("it has no comma before its data")
    if "#" in text:
        raise ValueError("a # in it has to be written as %23")
    data = unquote_to_bytes(text)
    media_type = head.strip()
    if media_type.lower().endswith(";base64"):
        media_type = media_type[: -len(";base64")].strip()
        try:
            data = base64.b64decode(b"".join(data.split()), validate=True)
        except ValueError:
            raise ValueError("its data is not base64") from None
    return data, "" if media_type.startswith(";") else media_type


def canonical(uri: str) -> str:
    """Return a URI in the one form that it has here: files of this machine as ``file:///path``.

    RFC 8089 has others: ``file:/path``, ``file://localhost/path``, ``FILE:///path``. Raises
    ``ValueError`` for a URI that leads nowhere (a file of another machine, no host, a wrong port),
    and for one that would be kept with a password: a user has a place in no URI here.
    """
    if uri.startswith("file:///"):
        return uri
    parts = urlsplit(uri)
    if parts.scheme == "file":
        if parts.netloc.lower() not in ("", "localhost"):
            raise ValueError(f"it is a file of the machine {parts.netloc!r}, not of this one")
        return path_uri(unquoted(parts.path))
    if "@" in parts.netloc:
        raise ValueError("it has a user or a password in it")
    if parts.scheme in ("http", "https") and (not parts.hostname or parts.port == 0):
        raise ValueError("it names no host, or no port that can be asked")
    return uri
