"""What went wrong with a file system, in localproc's words.

Owns telling what a new connection may help from what it will not. Must not know what was asked.
"""

import errno
import socket
from collections.abc import Iterable
from types import TracebackType
from typing import Final

from localproc.errors import NoSuchObject, StagingError, StorageUnavailable
from localproc.storage.addresses import redacted

_SHORT: Final = 4  #: characters up to which an option is no secret
#: Paramiko's and ftplib's errors of the kind, of which none is a ``ConnectionError``.
_BROKEN: Final = ("SSHException", "NoValidConnectionsError", "error_temp")
#: What is wrong where there is no way to a host.
_AWAY: Final = (errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ENETDOWN, errno.ENETUNREACH)
_FAILURES: Final = (OSError, EOFError, ValueError, NotImplementedError)
#: Where the errors of file systems come from that are none of Python's own.
_THEIRS: Final = (
    "adlfs",
    "azure",
    "aiohttp",
    "ftplib",
    "gcsfs",
    "google",
    "paramiko",
    "smb",
    "zipfile",
    "zlib",
)


class telling:  # noqa: N801 - reads as a statement
    """Says what went wrong with which URI, without the options that may be keys."""

    def __init__(self, uri: str, secrets: Iterable[str], etag: str) -> None:
        self._uri = redacted(uri)
        self._secrets = [one for one in secrets if len(one) > _SHORT]
        self._etag = etag

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: object, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None or not isinstance(error, Exception) or isinstance(error, StagingError):
            return
        if not type(error).__module__.startswith(_THEIRS) and not isinstance(error, _FAILURES):
            return
        said = f"{self._uri}: {str(error) or type(error).__name__}"
        for one in self._secrets:
            said = said.replace(one, "…")
        if isinstance(error, FileNotFoundError):
            raise NoSuchObject(f"nothing is at {self._uri}", uri=self._uri) from None
        if _passes(error):
            raise StorageUnavailable(said, uri=self._uri, etag=self._etag) from None
        raise StagingError(said, uri=self._uri) from None


def _passes(error: Exception) -> bool:
    """Whether a new connection may help: one that broke or could not be made, or a busy server."""
    is_broken = isinstance(error, (ConnectionError, TimeoutError, EOFError, socket.gaierror))
    is_away = isinstance(error, OSError) and error.errno in _AWAY
    return (
        is_broken or is_away or type(error).__name__ in _BROKEN or str(error) == "Socket is closed"
    )
