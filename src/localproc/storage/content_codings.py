"""Files as they are, whatever a server has made of them for the way.

Owns undoing content codings (RFC 9110, section 8.4.1), piece by piece, and that what is cut short
is seen. Must not know who answers.

None is ever asked for; objects that were stored with one come with it all the same. httpx undoes
them as well, but takes a part of a file for all of it.
"""

import zlib
from collections.abc import Iterable, Iterator
from typing import Final

from localproc.errors import StagingError, StorageUnavailable

_PIECE: Final = 1 << 20  #: bytes that are made of what came at a time
_GZIP, _ZLIB = 31, 15  #: the formats, as zlib calls them
_FORMATS: Final = {"gzip": _GZIP, "x-gzip": _GZIP, "deflate": _ZLIB}
_UNREAD: Final = frozenset({"br", "compress", "x-compress", "zstd", "dcb", "dcz"})


def coding_of(said: str, shown: str) -> str:
    """Return the coding that a Content-Encoding names, nothing for none.

    What is no coding (``aws-chunked``, ``utf-8``, which S3 gives back to whoever put it) changes
    nothing. Raises ``StagingError`` for one that cannot be undone here.
    """
    names = [one.strip().lower() for one in said.split(",")]
    found = [one for one in names if one in _FORMATS or one in _UNREAD]
    if len(found) > 1 or _UNREAD.intersection(found):
        raise StagingError(
            f"{shown} comes encoded ({said}), though nobody asked for it",
            uri=shown,
            hint="have the server send it as it is",
        )
    return found[0] if found else ""


def decoded(chunks: Iterable[bytes], coding: str, shown: str) -> Iterator[bytes]:
    """Yield the bytes of a file of which ``chunks`` come.

    Raises ``StorageUnavailable`` if they end too soon, ``StagingError`` for what is not encoded so.
    """
    if not coding:
        yield from chunks
        return
    try:
        yield from _decompressed(chunks, _FORMATS[coding], shown)
    except zlib.error as error:
        raise StagingError(f"{shown} is no {coding}: {error}", uri=shown) from None


def _decompressed(chunks: Iterable[bytes], form: int, shown: str) -> Iterator[bytes]:
    """A file of gzip may be several, one after the other (RFC 1952, section 2.2)."""
    reader = zlib.decompressobj(form)
    begun = False
    for chunk in chunks:
        rest = chunk
        while rest:
            if reader.eof:
                rest = rest.lstrip(b"\0")  # padding, as of tapes
                if not rest:
                    break
                reader = zlib.decompressobj(form)
            begun = True
            yield reader.decompress(rest, _PIECE)
            rest = reader.unused_data if reader.eof else reader.unconsumed_tail
    while begun and not reader.eof and (piece := reader.decompress(b"", _PIECE)):
        yield piece
    if begun and not reader.eof:
        raise StorageUnavailable(f"{shown} ended too soon", uri=shown)
