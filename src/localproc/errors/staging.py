"""A file could not be brought in or out.

Owns what a storage says of an object, and whether trying again helps.
"""

from typing import Any

from localproc.errors.root import LocalprocError


class StagingError(LocalprocError):
    """A file could not be brought in or out; ``uri`` says which (without its secrets)."""

    type = "https://localproc.dev/problems/staging"

    def __init__(self, message: str, *, uri: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.uri = uri

    def _members(self) -> dict[str, Any]:
        return {"uri": self.uri} if self.uri else {}


class NoSuchObject(StagingError):
    """Nothing is there."""


class ObjectExists(StagingError):
    """Something is there already, and is not to be replaced."""


class StorageUnreachable(StagingError):
    """There is no way to a storage: no network, no such host, nobody who listens."""


class NotMirrored(NoSuchObject):
    """It is elsewhere and not kept here, and nothing is asked of the network."""


class StorageUnavailable(StagingError):
    """A storage is away, busy, or broke off: a moment later it may do what it is asked.

    ``retry_after``: the seconds that it asked to be left alone. ``etag`` is that of the object of
    which the first bytes have been written, if the rest can be asked for; ``size`` are the bytes
    that all of it was said to have.
    """

    def __init__(
        self,
        message: str,
        *,
        uri: str = "",
        hint: str = "",
        retry_after: float = 0.0,
        etag: str = "",
        size: int | None = None,
    ) -> None:
        super().__init__(message, uri=uri, hint=hint)
        self.retry_after = retry_after
        self.etag = etag
        self.size = size
