"""Writing a job's results to a storage.

Owns which output files may be published at all, and taking back what could not be completed. Must
not know the layout of results.
"""

import json
import mimetypes
import os
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from localproc.errors import StagingError
from localproc.plugins.storage import Storage
from localproc.storage import stac

_PARALLEL: Final = 8


@dataclass(frozen=True, slots=True)
class _Upload:
    path: str
    uri: str
    media_type: str
    own: bool


class Outbound:
    """The files of one job on their way out.

    ``own`` are the folders whose files are the job's and may be shared with the storage instead of
    being copied; ``inputs`` paths that outputs may be, or link to, as well.
    """

    def __init__(
        self,
        storage: Storage,
        root: str,
        own: tuple[str, ...],
        inputs: tuple[str, ...],
        log: Callable[[str], None],
        stopped: Callable[[], bool],
    ) -> None:
        self._storage = storage
        self._root = root
        self._own = tuple(os.path.realpath(one) for one in own)
        self._inputs = tuple(os.path.realpath(one) for one in inputs)
        self._log = log
        self._stopped = stopped
        self._waiting: list[_Upload] = []
        self._written: list[str] = []

    @property
    def count(self) -> int:
        """How many objects have been written."""
        return len(self._written)

    def add(self, path: str, uri: str, media_type: str | None = None) -> None:
        """Note a file that is to be published; raises ``StagingError`` if it may not be."""
        real = self.guard(path)
        own = any(_is_below(real, one) for one in self._own)
        kind = media_type or mimetypes.guess_type(uri)[0] or "application/octet-stream"
        self._waiting.append(_Upload(real, uri, kind, own))
        self._log(f"{self._shown(path)} → {uri.removeprefix(self._root).lstrip('/')}")

    def guard(self, path: str) -> str:
        """See that a file is the job's own, or an input passed through, links followed."""
        real = os.path.realpath(path)
        if not any(_is_below(real, one) for one in (*self._own, *self._inputs)):
            raise StagingError(
                f"the output {path} leads out of the job's folder, to {real}",
                hint="copy the file into the output directory instead of linking to it",
            )
        return real

    def put(self) -> None:
        """Publish all that has been noted."""
        if urlsplit(self._root).scheme == "file" or len(self._waiting) < 2:
            for upload in self._waiting:
                self._put(upload)
            return
        with ThreadPoolExecutor(_PARALLEL, "localproc-publish") as pool:
            for _ in pool.map(self._put, self._waiting):
                pass

    def write_json(self, document: Mapping[str, Any], uri: str) -> None:
        """Publish a document."""
        self.write(json.dumps(document, indent=2), uri, stac.GEOJSON)

    def write(self, text: str, uri: str, media_type: str = "text/plain") -> None:
        """Publish a text."""
        with tempfile.TemporaryDirectory(prefix="localproc-") as folder:
            path = os.path.join(folder, "object")
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            self._storage.put(path, uri, media_type=media_type)
        self._written.append(uri)

    def undo(self) -> None:
        """Take back what has been written."""
        self._storage.delete(reversed(self._written))

    def _put(self, upload: _Upload) -> None:
        if self._stopped():
            raise StagingError("stopped: the job was dismissed")
        self._storage.put(
            upload.path, upload.uri, media_type=upload.media_type, disposable=upload.own
        )
        self._written.append(upload.uri)

    def _shown(self, path: str) -> str:
        """Give a path as the job's log has it: within the job's folder."""
        for folder in self._own:
            if _is_below(path, folder):
                return os.path.relpath(path, os.path.dirname(folder))
        return os.path.basename(path)


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")
