"""A storage of ``box:`` URIs in a folder, and a process that dies while it writes to it.

``folder_storage.py HOME FOLDER PACKAGE N``: kills itself before the put of number N.
"""

import os
import signal
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

import localproc
from localproc.errors import NoSuchObject, StagingError, StorageUnavailable
from localproc.plugins import hookimpl
from localproc.plugins.storage import (
    Description,
    Info,
    Put,
    StoragePlugin,
    Watch,
    object_key,
    object_uri,
    unwatched,
)


class FolderStorage:
    """Objects as files of a folder; the host of a URI must be ``there``."""

    swept: ClassVar[list[str]] = []

    def __init__(
        self, folder: Path, options: Mapping[str, Any], dies: int, refuses: threading.Event
    ) -> None:
        self.folder = folder
        self.options = options
        self.refuses = refuses
        self.begun = count(1)
        self.written = threading.Semaphore(0)
        self.dies = dies

    def path(self, uri: str) -> Path:
        if not uri.startswith("box://there"):
            raise StagingError(f"{uri}: there is no such box", uri=uri)
        return self.folder / object_key(uri)

    def info(self, uri: str) -> Info | None:
        path = self.path(uri)
        return Info(uri, path.stat().st_size) if path.is_file() else None

    def fetch(
        self,
        uri: str,
        path: str,
        *,
        most: int | None = None,
        watch: Watch = unwatched,
        resume: str = "",
    ) -> Info:
        info = self.info(uri)
        if info is None:
            raise NoSuchObject(uri)
        Path(path).write_bytes(self.path(uri).read_bytes())
        return info

    def put(self, what: Put, watch: Watch = unwatched) -> Info:
        if next(self.begun) == self.dies:
            for _ in range(self.dies - 1):  # they come at a time, and those before have to be there
                self.written.acquire()
            os.kill(os.getpid(), signal.SIGKILL)
        data = what.source if isinstance(what.source, bytes) else Path(what.source).read_bytes()
        self.path(what.uri).parent.mkdir(parents=True, exist_ok=True)
        self.path(what.uri).write_bytes(data)
        self.written.release()
        return Info(what.uri, len(data))

    def list(self, prefix: str) -> Iterator[Info]:
        for path in sorted(self.folder.rglob("*")):
            uri = object_uri("box://there", str(path.relative_to(self.folder)))
            if path.is_file() and uri.startswith(prefix):
                yield Info(uri, path.stat().st_size)

    def delete(self, uris: Iterable[str]) -> None:
        if self.refuses.is_set():
            raise StorageUnavailable("box: it refuses", retry_after=self.options.get("after", 0.0))
        for uri in uris:
            self.path(uri).unlink(missing_ok=True)

    def sweep(self, prefix: str) -> None:
        """Nothing is left half written."""
        self.swept.append(prefix)

    def check(self, prefix: str) -> None:
        self.path(prefix)
        if self.options.get("away"):
            raise StorageUnavailable("box: it is away")

    def presign(self, uri: str, seconds: int) -> str | None:
        return None

    def describe(self, uri: str) -> Description:
        return Description()

    def close(self) -> None:
        """Nothing is open."""


class Boxes:
    """The plugin. ``refuses``: nothing can be deleted."""

    def __init__(self, folder: Path, dies: int = 0) -> None:
        self.folder = folder
        self.dies = dies
        self.refuses = threading.Event()
        self.opened: list[Mapping[str, Any]] = []

    @hookimpl
    def localproc_storages(self) -> list[StoragePlugin]:
        return [StoragePlugin("box", self.open)]

    def open(self, options: Mapping[str, Any]) -> FolderStorage:
        self.opened.append(options)
        return FolderStorage(self.folder, options, self.dies, self.refuses)


def main(home: str, folder: str, package: str, number: int) -> None:
    """Run the package, and die while its results are published."""
    boxes = Boxes(Path(folder), number)
    with localproc.Engine(home, plugins=[boxes], results="box://there/results") as engine:
        engine.run(package, {})


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
