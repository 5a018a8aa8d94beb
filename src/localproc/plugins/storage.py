"""The protocol of a storage: where inputs come from and results go to.

Owns its verbs, each of one object. Must not know staging: temporary files, digests, retries,
order and redaction are the engine's, so that a storage is safe by construction.

A storage may be used by several threads at once.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Info:
    """What there is at a URI; ``etag`` changes when the contents do."""

    uri: str
    size: int
    etag: str = ""


#: Is called with the bytes that have come so far; what it raises ends the transfer.
Watch = Callable[[int], None]


def unwatched(_: int) -> None:
    """Let a transfer go on."""


class Storage(Protocol):
    """Objects under URIs of one scheme. Errors are ``StagingError``s that name the URI."""

    def info(self, uri: str) -> Info | None:
        """Give what is there, ``None`` for nothing."""

    def fetch(
        self, uri: str, path: str, *, most: int | None = None, watch: Watch = unwatched
    ) -> Info:
        """Write the object to a new file at ``path``; refuse more than ``most`` bytes.

        ``watch`` is to be called again and again while it is transferred.
        """

    def put(
        self,
        path: str,
        uri: str,
        *,
        media_type: str = "application/octet-stream",
        disposable: bool = False,
    ) -> Info:
        """Make the file the object at ``uri``, all of it or nothing; replaces what is there.

        ``disposable``: nobody will change the file, so the storage may share it.
        """

    def list(self, prefix: str) -> Iterator[Info]:
        """Give every object whose URI begins with the prefix."""

    def delete(self, uris: Iterable[str]) -> None:
        """Remove objects; one that is not there is no error."""

    def presign(self, uri: str, seconds: int) -> str | None:
        """Give a URL that anybody can read for a time, ``None`` if there is no such thing."""

    def describe(self, uri: str) -> Mapping[str, Any]:
        """Give the ``storage:*`` fields of a STAC asset that lies here, if any."""

    def close(self) -> None:
        """Let go of connections; the storage is not used afterwards."""


@dataclass(frozen=True, slots=True)
class StoragePlugin:
    """A storage that can be opened for a URI scheme. ``writable``: results can go there."""

    scheme: str
    open: Callable[[Mapping[str, Any]], Storage]
    summary: str = ""
    options: Mapping[str, str] = field(default_factory=dict)  #: option name to what it means
    writable: bool = True
