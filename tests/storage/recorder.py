"""A storage that notes everything that is put, and can break or crash at any of it."""

import hashlib
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

from localproc.errors import NoSuchObject, StagingError, StorageUnavailable
from localproc.plugins.storage import Description, Info, Put, Watch, unwatched


class Crashed(Exception):
    """The machine went down."""


class Recorder:
    """Objects in memory, in the order they were put.

    ``crash`` is the number of the put at which the machine goes down: before it is done, or
    ``late`` right after. ``refuse`` is the number of a put that is refused.
    """

    def __init__(self, crash: int = 0, *, late: bool = False, refuse: int = 0) -> None:
        self.objects: dict[str, bytes] = {}
        self.order: list[str] = []
        self.media_types: dict[str, str] = {}
        self.announced: dict[str, str] = {}  #: digests that were known before
        self.swept: list[str] = []
        self.busy: dict[str, int] = {}  #: how often a URI is refused for a moment
        self._crash = crash
        self._late = late
        self._refuse = refuse
        self._down = False
        self._lock = threading.Lock()

    def reboot(self) -> None:
        """Come up again; what was there is there."""
        self._down = False
        self._crash = 0

    def info(self, uri: str) -> Info | None:
        return Info(uri, len(self.objects[uri])) if uri in self.objects else None

    def fetch(
        self,
        uri: str,
        path: str,
        *,
        most: int | None = None,
        watch: Watch = unwatched,
        resume: str = "",
    ) -> Info:
        if uri not in self.objects:
            raise NoSuchObject(f"{uri} does not exist", uri=uri)
        Path(path).write_bytes(self.objects[uri])
        return Info(uri, len(self.objects[uri]))

    def put(self, what: Put, watch: Watch = unwatched) -> Info:
        source, uri = what.source, what.uri
        data = source if isinstance(source, bytes) else Path(source).read_bytes()
        what.verify(hashlib.sha256(data).hexdigest())
        with self._lock:
            self._check()
            if self.busy.get(uri, 0):
                self.busy[uri] -= 1
                raise StorageUnavailable(f"{uri}: slow down", uri=uri)
            self.order.append(uri)
            number = len(self.order)
            if number == self._refuse:
                raise StagingError(f"{uri}: no more room", uri=uri)
            self._down = number == self._crash
            if not self._down or self._late:
                self.objects[uri] = data
                self.media_types[uri] = what.media_type
                self.announced[uri] = what.sha256
            self._check()
            return Info(uri, len(data))

    def _check(self) -> None:
        if self._down:
            raise Crashed

    def list(self, prefix: str) -> Iterator[Info]:
        for uri in sorted(self.objects):
            if uri.startswith(prefix):
                yield Info(uri, len(self.objects[uri]), sha256=self.digest(uri))

    def digest(self, uri: str) -> str:
        """Give the SHA-256 of an object."""
        return hashlib.sha256(self.objects[uri]).hexdigest()

    def delete(self, uris: Iterable[str]) -> None:
        for uri in uris:
            self._check()
            self.objects.pop(uri, None)

    def presign(self, uri: str, seconds: int) -> str | None:
        return None

    def check(self, prefix: str) -> None:
        """Everything can be put."""

    def sweep(self, prefix: str) -> None:
        self.swept.append(prefix)

    def describe(self, uri: str) -> Description:
        return Description({"storage:platform": "memory"})

    def close(self) -> None:
        """Nothing is open."""
