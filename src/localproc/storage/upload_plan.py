"""Writing a job's results to a storage.

Owns which output files may be published at all, the order of writing, and taking back what could
not be completed. Must not know the layout of results.

All is planned before anything is written: whoever stops in the middle knows what there may be.
"""

import os
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from typing import Final
from urllib.parse import urlsplit

from localproc import media_types
from localproc.errors import StagingError
from localproc.plugins.storage import Storage
from localproc.storage.disk import Disk, telling
from localproc.uris import uri_path

_PARALLEL: Final = 8


@dataclass(frozen=True, slots=True)
class _Upload:
    """A file, or a text that is to become one. ``own``: it may be shared instead of copied."""

    uri: str
    media_type: str
    path: str = ""
    text: str = ""
    own: bool = False


class Outbound:
    """The files of one job on their way out.

    ``own`` are the folders whose files are the job's and may be shared with the storage instead of
    being copied, first the one that most are in; ``inputs`` paths that outputs may be, or link to,
    as well.
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
        self._is_local = urlsplit(root).scheme == "file"
        self._own = tuple(os.path.realpath(one) for one in own)
        self._inputs = tuple(os.path.realpath(one) for one in inputs)
        self._files = Disk(settled=self._own[0])
        self._log = log
        self._stopped = stopped
        self._stages: list[list[_Upload]] = [[]]
        self._folders: list[str] = []
        self._written: list[str] = []

    @property
    def count(self) -> int:
        """How many files there are."""
        return sum(map(len, self._stages))

    def barrier(self) -> None:
        """Have what is noted from now on written when all before it has been."""
        self._stages.append([])

    def add(self, path: str, uri: str, media_type: str | None = None) -> None:
        """Note a file that is to be published; raises ``StagingError`` if it may not be."""
        real = self.guard(path)
        own = any(_is_below(real, one) for one in self._own)
        kind = media_type or media_types.media_type(uri)
        self._stages[-1].append(_Upload(uri, kind, path=real, own=own))
        self._log(f"{self._shown(path)} → {uri.removeprefix(self._root).lstrip('/')}")

    def leave(self, path: str) -> None:
        """Note what cannot be published: a pipe, a link that leads nowhere."""
        self._log(f"{self._shown(path)} is left out: it is neither a file nor a folder")

    def add_text(self, text: str, uri: str, media_type: str = "text/plain") -> None:
        """Note a text that is to be published."""
        self._stages[-1].append(_Upload(uri, media_type, text=text))

    def add_folder(self, uri: str) -> None:
        """Note a folder that is to be there even if it is empty, where there are folders at all."""
        if self._is_local:
            self._folders.append(uri_path(uri))

    def guard(self, path: str) -> str:
        """See that a file is the job's own, or an input passed through, links followed."""
        real = self._files.realpath(path)
        if not any(_is_below(real, one) for one in (*self._own, *self._inputs)):
            raise StagingError(
                f"the output {path} leads out of the job's folder, to {real}",
                hint="copy the file into the output directory instead of linking to it",
            )
        return real

    def send(self) -> None:
        """Write all that has been noted; raises ``StagingError`` or ``NoSpace``."""
        for folder in self._folders:
            with telling(folder):
                os.makedirs(folder, exist_ok=True)
        if self._is_local:
            for upload in chain(*self._stages):
                self._put(upload)
            return
        with ThreadPoolExecutor(_PARALLEL, "localproc-publish") as pool:
            for stage in self._stages:
                for _ in pool.map(self._put, stage):
                    pass

    def undo(self, commit_point: str = "") -> None:
        """Take back what has been written.

        ``commit_point`` is the URI of the object that leads readers to all others. It goes first;
        and as the root is the job's own then, all goes that was to be written, for an earlier
        attempt may have written it.
        """
        planned = [upload.uri for upload in chain(*self._stages)]
        uris = [commit_point, *reversed(planned)] if commit_point else self._written[::-1]
        try:
            self._storage.delete(uris)
        except Exception as error:  # the reason for taking it back must not be lost over it
            self._log(f"not all that was written could be removed: {error}")
        if self._is_local:
            root = uri_path(self._root)
            folders = {root, *self._folders, *(os.path.dirname(uri_path(uri)) for uri in planned)}
            for folder in sorted(folders, reverse=True):
                _remove_empty(folder, os.path.dirname(root) if commit_point else root)

    def _put(self, upload: _Upload) -> None:
        if self._stopped():
            raise StagingError("stopped: the job was dismissed")
        if upload.path:
            self._storage.put(
                upload.path, upload.uri, media_type=upload.media_type, disposable=upload.own
            )
        else:
            with tempfile.NamedTemporaryFile(prefix="localproc-") as file:
                with telling(file.name):
                    file.write(upload.text.encode("utf-8", "surrogateescape"))
                    file.flush()
                self._storage.put(file.name, upload.uri, media_type=upload.media_type)
        self._written.append(upload.uri)

    def _shown(self, path: str) -> str:
        """Give a path as the job's log has it: within the job's folder."""
        for folder in self._own:
            if _is_below(path, folder):
                return os.path.relpath(path, os.path.dirname(folder))
        return os.path.basename(path)


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _remove_empty(folder: str, top: str) -> None:
    """Remove a folder, and those above it, as long as they are empty and below another one."""
    try:
        while folder != top and _is_below(folder, top):
            os.rmdir(folder)
            folder = os.path.dirname(folder)
    except OSError:
        return
