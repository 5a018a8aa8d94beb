"""What is to be put: a file, or bytes.

Owns reading it piece by piece. Must not know where to.
"""

import io
import os
from typing import BinaryIO

from localproc.errors import StagingError


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
