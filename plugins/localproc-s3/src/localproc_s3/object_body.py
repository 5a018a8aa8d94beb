"""What is to be put: a file, or bytes.

Owns reading it piece by piece, and how a piece is sent. Must not know where to.
"""

import io
import os
from collections.abc import AsyncIterator
from typing import BinaryIO, Final

from localproc.errors import StagingError

SENT: Final = 256 << 10  #: bytes that are given to the system at a time


class Contents:
    """A file or bytes, to be read once. Raises ``StagingError`` if there is no such file."""

    def __init__(self, source: str | bytes) -> None:
        try:
            self._file: BinaryIO = (
                io.BytesIO(source) if isinstance(source, bytes) else open(source, "rb")  # noqa: SIM115
            )
        except OSError as error:
            raise StagingError(f"{source!r} cannot be read: {error.strerror}") from None
        self.size = (
            len(source) if isinstance(source, bytes) else os.fstat(self._file.fileno()).st_size
        )

    def __enter__(self) -> "Contents":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def read(self, most: int) -> bytes:
        """Return the next bytes, nothing at the end."""
        return self._file.read(most)

    def rewind(self) -> None:
        """Go back to the first byte."""
        self._file.seek(0)


class Piece:
    """Bytes that a request sends, as botocore and aiohttp read them, without a copy.

    From ``io.BytesIO`` aiohttp makes one of all, and botocore one of each piece that it signs.
    """

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        self._at = 0
        self.taken = 0  #: bytes that have gone to the system, or are about to

    def read(self, most: int = -1) -> memoryview:
        """Return the next bytes, nothing at the end."""
        end = len(self._data) if most < 0 else self._at + most
        read = self._data[self._at : end]
        self._at += len(read)
        return read

    def seek(self, at: int, whence: int = os.SEEK_SET) -> int:
        """Go to a byte, counted as in files."""
        self._at = at + (0, self._at, len(self._data))[whence]
        return self._at

    def tell(self) -> int:
        """Return the byte that is next."""
        return self._at

    async def __aiter__(self) -> AsyncIterator[memoryview]:
        """Yield all bytes, whatever has been read."""
        for begin in range(0, len(self._data), SENT):
            yield self._data[begin : begin + SENT]
            self.taken = begin + SENT
