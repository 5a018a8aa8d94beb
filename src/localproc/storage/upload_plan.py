"""Writing a job's results to a storage.

Owns which output files may be published at all, the order of writing, and taking back what could
not be completed. Must not know the layout of results.

All is planned before anything is written: whoever stops in the middle knows what there may be.
"""

import os
from collections.abc import Callable, Iterable
from functools import cached_property, partial
from itertools import chain
from typing import TypeVar
from urllib.parse import urlsplit

from localproc import media_types
from localproc.errors import StagingError
from localproc.frozen import frozen
from localproc.plugins.storage import Info, Put, Storage
from localproc.storage import transfer_retries
from localproc.storage.addresses import redacted
from localproc.storage.disk import Disk, telling
from localproc.storage.integrity import file_sha256
from localproc.storage.meter import Meter
from localproc.storage.remnants import Undoing
from localproc.storage.transfers import together
from localproc.storage.withdraw import bounded, remove_empty, remove_results
from localproc.uris import is_below, uri_path

_T = TypeVar("_T")


@frozen
class _Upload:
    """A file, or a text that is made when its turn comes. ``own``: it may be shared, not copied."""

    uri: str
    media_type: str
    path: str = ""
    text: Callable[[], str] = str
    own: bool = False

    def source(self) -> str | bytes:
        """Return the path, or the text as it is written."""
        return self.path or self.text().encode("utf-8", "surrogateescape")

    def size(self) -> int:
        """Return the bytes that it has now; raises ``StagingError``."""
        return _size(self.source())


class Outbound:
    """The files of one job on their way out.

    ``alone``: nobody else writes below the root. ``own`` are the folders whose files are the job's
    and may be shared with the storage instead of being copied, first the one that most are in;
    ``inputs`` paths that outputs may be, or link to, as well. ``undoing`` is begun with ``undo``.
    """

    def __init__(
        self,
        storage: Storage,
        root: str,
        own: tuple[str, ...],
        inputs: tuple[str, ...],
        log: Callable[[str], None],
        stopped: Callable[[], bool],
        *,
        alone: bool,
        meter: Meter | None = None,
        undoing: Undoing | None = None,
    ) -> None:
        self._meter = meter or Meter()
        self._undoing = undoing or Undoing()
        self._storage = storage
        self._root = root
        self._is_local = urlsplit(root).scheme == "file"
        self._most, self._rest = os.path.realpath(own[0]), own[1:]
        self._given = inputs
        self._files = Disk(settled=self._most)
        self._log = log
        self._job_stopped = stopped
        self._alone = alone
        self._there: dict[str, Info] = {}
        self._measured: dict[str, tuple[int, str]] = {}
        self._stages: list[list[_Upload]] = [[]]
        self._folders: list[str] = []
        self._written: list[str] = []
        self._went_wrong = False

    @cached_property
    def _others(self) -> tuple[str, ...]:
        """The job's own folders but the one that most files are in, links followed."""
        return tuple(map(os.path.realpath, self._rest))

    @cached_property
    def _elsewhere(self) -> tuple[str, ...]:
        """Where else files may be; it takes a look at each, and few outputs are there."""
        return (*self._others, *map(os.path.realpath, self._given))

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
        own = is_below(real, self._most) or _is_in(real, self._others)
        kind = media_type or media_types.media_type(uri)
        self._stages[-1].append(_Upload(uri, kind, path=real, own=own))
        self._log(f"{self.shown(path)} → {uri.removeprefix(self._root).lstrip('/')}")

    def leave(self, path: str, why: str = "it is neither a file nor a folder") -> None:
        """Note what is not published: a pipe, a link that leads nowhere."""
        self._log(f"{self.shown(path)} is left out: {why}")

    def add_text(self, text: Callable[[], str], uri: str, media_type: str = "text/plain") -> None:
        """Note a text that is to be published: it is made when all before it has been written."""
        self._stages[-1].append(_Upload(uri, media_type, text=text))

    def add_folder(self, uri: str) -> None:
        """Note a folder that is to be there even if it is empty, where there are folders at all."""
        if self._is_local:
            self._folders.append(uri_path(uri))

    def measured(self, uri: str) -> tuple[int, str] | None:
        """Return the size and the SHA-256, in hex, of a file that has been written elsewhere."""
        return self._measured.get(uri)

    def guard(self, path: str) -> str:
        """See that a file is the job's own, or an input passed through, links followed.

        It is asked of each file: so it raises ``StagingError`` also when nobody waits for them.
        """
        transfer_retries.go_on(self._stopped)
        real = self._files.realpath(path)
        if not is_below(real, self._most) and not _is_in(real, self._elsewhere):
            raise StagingError(
                f"the output {path} leads out of the job's folder, to {real}",
                hint="copy the file into the output directory instead of linking to it",
            )
        return real

    def send(self) -> None:
        """Write all that has been noted; raises ``StagingError`` or ``NoSpace``.

        What an earlier attempt has written is not written again.
        """
        for folder in self._folders:
            with telling(folder):
                os.makedirs(folder, exist_ok=True)
        for upload in chain(*self._stages):
            self._meter.expect(upload.uri, upload.size())
        if self._alone:
            self._again(partial(self._storage.sweep, f"{self._root}/"))
        if self._is_local:
            for upload in chain(*self._stages):
                self._put(upload)
            transfer_retries.go_on(self._stopped)
            return
        if self._alone:
            found = self._again(lambda: list(self._storage.list(f"{self._root}/")))
            self._there = {one.uri: one for one in found}
        for stage in self._stages:
            together([partial(self._put, upload) for upload in stage], self._stopped)
        if self._alone and self._went_wrong:  # what was begun by a request whose answer was lost
            self._again(partial(self._storage.sweep, f"{self._root}/"))
        transfer_retries.go_on(self._stopped)

    def undo(self) -> None:
        """Take back what has been written.

        Where the root is the job's own all goes that lies there, the catalog first: an earlier
        attempt may have written what this one has not come to plan.
        """
        hurry = self._stopped()
        self._undoing.begin()
        bounded(self._remove, self._log, self._undoing, hurry=hurry)

    def _remove(self) -> None:
        if self._alone:
            remove_results(self._storage, self._root)
            return
        self._storage.delete(self._written[::-1])
        if self._is_local:
            files = [uri_path(upload.uri) for upload in chain(*self._stages)]
            folders = {*self._folders, *map(os.path.dirname, files)}
            remove_empty(folders, uri_path(self._root))

    def _put(self, upload: _Upload) -> None:
        transfer_retries.go_on(self._stopped)
        source = upload.source()
        size = _size(source)
        self._meter.expect(upload.uri, size)  # a text may say more than when it was planned
        there = self._kept(upload, size)
        digest = file_sha256(upload.path) if there else ""
        if there and there.sha256 == digest:
            info = there
        else:
            info = self._again(partial(self._put_once, upload, source, digest))
        if info.size != size or (digest and info.sha256 not in ("", digest)):
            raise StagingError(
                f"{redacted(upload.uri)} is not what was sent: it has {info.size} bytes of {size}"
                f"{f', SHA-256 {info.sha256}' if digest else ''}",
                uri=redacted(upload.uri),
                hint="the file was changed while it was published, or the storage is broken",
            )
        if upload.path and not self._is_local:
            self._measured[upload.uri] = size, info.sha256 or digest or file_sha256(upload.path)
        self._written.append(upload.uri)
        self._meter.count(upload.uri, size)

    def _watch(self, uri: str, done: int) -> None:
        transfer_retries.go_on(self._stopped)
        self._meter.count(uri, done)

    def _kept(self, upload: _Upload, size: int) -> Info | None:
        """Return what an earlier attempt has written there, if it may be the same: it has a digest.

        Not every listing has them.
        """
        there = self._there.get(upload.uri)
        if there is None or there.size != size or not upload.path:
            return None
        if not there.sha256:
            there = self._again(partial(self._storage.info, upload.uri))
        return there if there and there.sha256 else None

    def _put_once(self, upload: _Upload, source: str | bytes, digest: str) -> Info:
        self._undoing.enter()
        try:
            what = Put(source, upload.uri, upload.media_type, digest, disposable=upload.own)
            return self._storage.put(what, partial(self._watch, upload.uri))
        finally:
            if self._stopped():  # nobody has waited for it: all that was written is removed by now
                self._storage.delete([upload.uri])
                self._storage.sweep(upload.uri)
            self._undoing.leave()

    def _stopped(self) -> bool:
        """Whether nothing more is to be written: what has been is taken back, or will be."""
        return self._undoing.begun or self._job_stopped()

    def _again(self, action: Callable[[], _T]) -> _T:
        return transfer_retries.retrying(
            action, transfer_retries.WRITING, self._stopped, self._tell
        )

    def _tell(self, trouble: str) -> None:
        self._went_wrong = True
        self._log(trouble)

    def shown(self, path: str) -> str:
        """Return a path as the job's log has it: within the job's folder."""
        for folder in (self._most,) if is_below(path, self._most) else self._others:
            if is_below(path, folder):
                return path.removeprefix(f"{os.path.dirname(folder)}/")
        return os.path.basename(path)


def _is_in(path: str, folders: Iterable[str]) -> bool:
    return any(is_below(path, one) for one in folders)


def _size(source: str | bytes) -> int:
    if isinstance(source, bytes):
        return len(source)
    with telling(source):
        return os.stat(source).st_size
