"""A storage that notes everything that is put, and can break or crash at any of it."""

import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from localproc.errors import StagingError
from localproc.plugins.storage import Info, Watch, unwatched


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
        self, uri: str, path: str, *, most: int | None = None, watch: Watch = unwatched
    ) -> Info:
        raise NotImplementedError

    def put(
        self,
        path: str,
        uri: str,
        *,
        media_type: str = "application/octet-stream",
        disposable: bool = False,
    ) -> Info:
        with open(path, "rb") as file:
            data = file.read()
        with self._lock:
            self._check()
            self.order.append(uri)
            number = len(self.order)
            if number == self._refuse:
                raise StagingError(f"{uri}: no more room", uri=uri)
            self._down = number == self._crash
            if not self._down or self._late:
                self.objects[uri] = data
                self.media_types[uri] = media_type
            self._check()
            return Info(uri, len(data))

    def _check(self) -> None:
        if self._down:
            raise Crashed

    def list(self, prefix: str) -> Iterator[Info]:
        raise NotImplementedError

    def delete(self, uris: Iterable[str]) -> None:
        for uri in uris:
            self._check()
            self.objects.pop(uri, None)

    def presign(self, uri: str, seconds: int) -> str | None:
        return None

    def describe(self, uri: str) -> Mapping[str, Any]:
        return {"storage:platform": "memory"}

    def close(self) -> None:
        """Nothing is open."""
