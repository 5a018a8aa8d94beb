"""A storage in memory.

Owns the objects. Must not know what they are for. It is as small as the contract of storages
allows.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from localproc.errors import NoSuchObject, ObjectExists, StagingError
from localproc.plugins.storage import Description, Info, Put, Watch, normalized, unwatched


class MemoryStorage:
    """Objects in a dictionary. Several threads may use it: each method touches it just once.

    It is kept by URIs in the one form that they have: an object has one name, however it is quoted.
    """

    def __init__(self) -> None:
        self._objects: dict[str, bytes] = {}

    @classmethod
    def open(cls, _: Mapping[str, Any]) -> "MemoryStorage":
        """Open it. The options would be those of ``Engine(storage_options={"memory": {...}})``."""
        return cls()

    def info(self, uri: str) -> Info | None:
        """Return what is there; the etag must change with the contents."""
        data = self._objects.get(normalized(uri))
        return None if data is None else _info(uri, data)

    def fetch(
        self,
        uri: str,
        path: str,
        *,
        most: int | None = None,
        watch: Watch = unwatched,
        resume: str = "",
    ) -> Info:
        """Write an object to a file. Partial files and retries are the engine's business.

        A storage that can be away raises ``StorageUnavailable``; here there is nothing to resume.
        """
        data = self._objects.get(normalized(uri))
        if data is None:
            raise NoSuchObject(f"{uri} does not exist", uri=uri)
        if most is not None and len(data) > most:
            raise StagingError(f"{uri} is larger than {most} bytes", uri=uri)
        watch(len(data))  # again and again where it takes long: so a job can be dismissed meanwhile
        with open(path, "wb") as file:
            file.write(data)
        return _info(uri, data)

    def put(self, what: Put, watch: Watch = unwatched) -> Info:
        """Read the file first, then store it in one step: nobody ever sees half of it."""
        data = what.source if isinstance(what.source, bytes) else _contents(what.source, what.uri)
        watch(len(data))
        what.verify(hashlib.sha256(data).hexdigest())  # before anybody can see it
        if not what.if_absent:
            self._objects[normalized(what.uri)] = data
        elif self._objects.setdefault(normalized(what.uri), data) is not data:  # in one step, too
            raise ObjectExists(f"{what.uri} is there already", uri=what.uri)
        return _info(what.uri, data)

    def list(self, prefix: str) -> Iterator[Info]:
        """Yield all objects below a prefix."""
        for uri, data in sorted(self._objects.items()):
            if uri.startswith(normalized(prefix)):
                yield _info(uri, data)

    def delete(self, uris: Iterable[str]) -> None:
        """Remove objects; one that is not there is no error."""
        for uri in uris:
            self._objects.pop(normalized(uri), None)

    def sweep(self, prefix: str) -> None:
        """Nothing is ever half written here. S3 would abort multipart uploads below the prefix."""

    def check(self, prefix: str) -> None:
        """Anything can be put anywhere; where there are buckets and rights, this looks at them."""

    def presign(self, uri: str, seconds: int) -> str | None:
        """There is no such thing here. A storage with web addresses gives one that expires."""
        return None

    def describe(self, uri: str) -> Description:
        """Nothing to add to STAC items. S3 would give ``storage:platform`` and the like."""
        return Description()

    def close(self) -> None:
        """Let go of everything. A storage with connections closes them."""
        self._objects.clear()


def _contents(path: str, uri: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise StagingError(f"{uri}: {error.strerror}", uri=uri) from error


def _info(uri: str, data: bytes) -> Info:
    digest = hashlib.sha256(data).hexdigest()
    return Info(uri, len(data), etag=digest, sha256=digest)
