"""What is in a compressed file, as it is read.

Owns the compressions that a tar archive may have, and how much memory they may take, in a ZIP
archive as well. Must not know what is in archives.
"""

import bz2
import gzip
import io
import lzma
import os
import struct
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import IO, TYPE_CHECKING, Any, Final, Protocol
from zipfile import ZIP_LZMA, ZipInfo

from localproc.errors import PluginMissing

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_CHUNK: Final = 1 << 18
_MEMORY: Final = 128 << 20  #: bytes that xz may take; 65 MiB are what its highest level needs
_ZSTD: Final = ("compression.zstd", "backports.zstd")  #: the first one since Python 3.14


class _Decompressor(Protocol):
    """What all modules have that are like ``bz2``."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class _Inflating(io.RawIOBase):
    """Reads a file of one compressed stream or of several, forwards only.

    Raises ``EOFError`` for what is broken.
    """

    def __init__(self, path: str, new: Callable[[], _Decompressor]) -> None:
        self._new = new
        self._stream = new()
        self._file = open(path, "rb")  # noqa: SIM115 - it is closed with this
        self._at = 0

    def close(self) -> None:
        self._file.close()
        super().close()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence != io.SEEK_SET or offset < self._at:
            raise io.UnsupportedOperation("it is read forwards only")
        while self._at < offset and self.read(min(offset - self._at, _CHUNK)):
            pass
        return self._at

    def readinto(self, buffer: "WriteableBuffer") -> int:
        room = memoryview(buffer).cast("B")
        data = b""
        while not data:
            more = self._input()
            if more is None:
                return 0
            try:
                data = self._stream.decompress(more, len(room))
            except Exception as error:  # each has one of its own, which need not be known here
                raise EOFError(str(error)) from None
        room[: len(data)] = data
        self._at += len(data)
        return len(data)

    def _input(self) -> bytes | None:
        """Return what is to be decompressed next, ``None`` at the end; begins the next stream."""
        if not self._stream.eof:
            more = self._file.read(_CHUNK) if self._stream.needs_input else b""
            if self._stream.needs_input and not more:
                raise EOFError("it is cut off")
            return more
        more = self._stream.unused_data or self._file.read(_CHUNK)
        while more and not (more := more.lstrip(b"\0")):  # it may be filled up between streams
            more = self._file.read(_CHUNK)
        if not more:
            return None
        self._stream = self._new()
        return more


def _xz() -> _Decompressor:
    return lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=_MEMORY)


def _zstd() -> _Decompressor:
    for name in _ZSTD:
        try:
            made: _Decompressor = import_module(name).ZstdDecompressor()
        except ImportError:
            continue
        return made
    raise PluginMissing.for_extra(
        "zstd", "a tar archive that is compressed with Zstandard needs what is not installed"
    )


def check_memory(file: int, entry: ZipInfo) -> None:
    """Raise ``EOFError`` for an entry of a ZIP archive that would take too much memory.

    One that LZMA has made says how much in its properties (APPNOTE.TXT, 5.8.8).
    """
    if entry.compress_type != ZIP_LZMA:
        return
    try:
        lengths = struct.unpack("<HH", os.pread(file, 4, entry.header_offset + 26))
        said = os.pread(file, 9, entry.header_offset + 30 + sum(lengths))
    except (OSError, struct.error):
        raise EOFError(f"nothing is where {entry.filename!r} should be") from None
    if int.from_bytes(said[5:], "little") > _MEMORY:
        raise EOFError(f"{entry.filename!r} takes too much memory")


#: Open a tar archive, by its kind.
_OPENERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "tar": io.FileIO,
    "tar.gz": gzip.GzipFile,
    "tar.bz2": lambda path: _Inflating(path, bz2.BZ2Decompressor),
    "tar.xz": lambda path: _Inflating(path, _xz),
    "tar.zst": lambda path: _Inflating(path, _zstd),
}


def inflating(path: str, kind: str) -> IO[bytes]:
    """Return what a tar archive of a kind is read from; raises ``PluginMissing``."""
    opened: IO[bytes] = _OPENERS[kind](path)
    return opened
