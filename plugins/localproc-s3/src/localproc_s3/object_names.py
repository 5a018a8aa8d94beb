"""How an object of S3 is named.

Owns the bucket and the key of a URI. Must not connect to anything.
"""

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from localproc.errors import StagingError
from localproc.plugins.storage import object_key, object_uri
from localproc.storage.addresses import redacted

_LONGEST: Final = 1024  #: bytes that a key may have


@dataclass(frozen=True, slots=True)
class Place:
    """An object, or the beginning of the names of objects."""

    uri: str
    bucket: str
    key: str

    @property
    def named(self) -> dict[str, Any]:
        """The arguments of S3's operations that name it."""
        return {"Bucket": self.bucket, "Key": self.key}

    @property
    def shown(self) -> str:
        """Its URI without what may be secret."""
        return redacted(self.uri)

    def beside(self, key: str) -> str:
        """Return the URI of another object in the bucket."""
        return object_uri(f"s3://{self.bucket}", key)


def place(uri: str) -> Place:
    """Read a URI; raises ``StagingError`` for one that names no bucket."""
    bucket = urlsplit(uri).netloc
    if not bucket or "@" in bucket or ":" in bucket:
        raise StagingError(
            f"{redacted(uri)} names no bucket",
            uri=redacted(uri),
            hint="it is s3://bucket/key; keys belong into the options of the storage",
        )
    key = object_key(uri)
    if not _is_name(key):
        raise StagingError(
            f"{redacted(uri)} is no name of an object in S3",
            uri=redacted(uri),
            hint=f"names are UTF-8, of no more than {_LONGEST} bytes: give the file another one",
        )
    return Place(uri, bucket, key)


def _is_name(key: str) -> bool:
    try:
        return len(key.encode()) <= _LONGEST
    except UnicodeEncodeError:
        return False
