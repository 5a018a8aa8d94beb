"""A file on the web that is read here and there, as an archive is.

Owns reading it by parts, in the way in which all else on the web is read: who may be asked, also
after a redirect, and how slowly it may come, hold for it as well. Must not know what it is.
"""

import io
import os
from typing import Final

from localproc.errors import StagingError
from localproc.storage.addresses import redacted
from localproc.storage.web import WebStorage

PART: Final = 4 << 20  #: bytes that are asked for at a time
_MOST: Final = 256 << 20  #: bytes that are wanted at once, as of a list in an archive


class _Parts(io.RawIOBase):
    def __init__(self, web: WebStorage, uri: str) -> None:
        found = web.info(uri)
        if found is None:
            raise FileNotFoundError(uri)
        self._web = web
        self._uri = uri
        self._size = found.size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, at: int, whence: int = os.SEEK_SET) -> int:
        self._at = max(0, at + (0, self._at, self._size)[whence])
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        wanted = min(len(buffer), self._size - self._at)
        if wanted <= 0:
            return 0
        if wanted > _MOST:
            shown = redacted(self._uri)
            raise StagingError(f"{shown}: {wanted} bytes of it are wanted at once", uri=shown)
        data = self._web.part(self._uri, self._at, wanted)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def web_file(web: WebStorage, uri: str) -> io.BufferedReader:
    """Return what reads a file; raises ``FileNotFoundError`` if there is none."""
    return io.BufferedReader(_Parts(web, uri), PART)
