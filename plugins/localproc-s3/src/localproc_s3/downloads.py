"""Fetching an object, in parts that come at the same time.

Owns that all parts are of one version, and that they are written in order. Must not know who asks.
"""

import os
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import closing
from functools import partial
from typing import Any, BinaryIO, Final

from localproc.errors import StagingError, StorageUnavailable
from localproc.plugins.storage import Info, Watch
from localproc_s3.connection import Connection
from localproc_s3.failures import code_of
from localproc_s3.object_names import Place
from localproc_s3.uploads import DIGEST
from localproc_s3.window import Window

_PIECE: Final = 5 << 20  #: bytes; there are two of each at the moment when it has come
_CHANGED: Final = ("PreconditionFailed", "412", "InvalidRange", "416")


class Downloads:
    """Fetches objects by way of a connection."""

    def __init__(self, connection: Connection, window: Window) -> None:
        self._connection = connection
        self._window = window

    def fetch(self, place: Place, path: str, most: int | None, watch: Watch, resume: str) -> Info:
        """Write an object to a file; raises ``StagingError``, and what ``watch`` raises."""
        watch(0)
        start = os.path.getsize(path) if resume and os.path.exists(path) else 0
        first = self._first(place, start, resume if start else "", watch)
        if first is None:  # it is another by now, or all of it is there
            start = 0
            first = self._first(place, 0, "", watch)
        if first is None:
            told = f"{place.shown} sends another part than was asked for"
            raise StorageUnavailable(told, uri=place.shown)
        size, etag = _size(first), str(first.get("ETag", ""))
        if most is not None and size > most:
            raise StagingError(f"{place.shown} is larger than {most} bytes", uri=place.shown)
        with open(path, "r+b" if start else "wb") as file:
            file.seek(start)
            file.write(first["Data"])
            watch(file.tell())
            with self._connection.explaining(place.uri, etag):
                self._rest(file, place, size, etag, watch)
        return Info(place.uri, size, etag, first.get("Metadata", {}).get(DIGEST, ""))

    def _first(self, place: Place, start: int, etag: str, watch: Watch) -> Any:
        """Ask for a part and all that is known of the object, ``None`` if that cannot be had."""
        with self._connection.explaining(place.uri, etag):
            begun = self._part(place, etag, start)
            try:
                answer = self._connection.wait(begun, lambda: watch(start))
                return answer if _is_asked_for(answer, start, etag) else None
            except Exception as error:
                if code_of(error) not in _CHANGED:
                    raise
            finally:
                self._connection.leave([begun], settled=False)
        if etag:
            return None
        # There is no first byte of nothing.
        return self._connection.call("get_object", place.uri, **place.named)

    def _rest(self, file: BinaryIO, place: Place, size: int, etag: str, watch: Watch) -> None:
        offsets = range(file.tell(), size, _PIECE)
        parts: list[Callable[[], Future[Any]]] = [
            partial(self._part, place, etag, offset) for offset in offsets
        ]
        try:
            with closing(self._window.through(parts, lambda: watch(file.tell()))) as answers:
                for answer in answers:
                    if not _is_asked_for(answer, file.tell(), etag):
                        told = f"{place.shown} has changed, or other parts come than are asked for"
                        raise StorageUnavailable(told, uri=place.shown)
                    file.write(answer["Data"])
                    watch(file.tell())
        except Exception as error:
            if code_of(error) not in _CHANGED:
                raise
            raise StorageUnavailable(f"{place.shown} has changed", uri=place.shown) from None
        if file.tell() != size:
            told = f"{place.shown} ended after {file.tell()} of {size} bytes"
            raise StorageUnavailable(told, uri=place.shown, etag=etag)

    def _part(self, place: Place, etag: str, offset: int) -> "Future[Any]":
        same = {"IfMatch": etag} if etag else {}
        asked = f"bytes={offset}-{offset + _PIECE - 1}"
        return self._connection.begin("get_object", **place.named, Range=asked, **same)


def _is_asked_for(answer: Any, offset: int, etag: str) -> bool:
    """Whether an answer is the part of that version: some servers look at neither."""
    said = str(answer.get("ContentRange", "")).removeprefix("bytes ").partition("-")[0]
    start = int(said) if said.isdigit() else 0
    return start == offset and (not etag or str(answer.get("ETag", etag)) == etag)


def _size(answer: Any) -> int:
    whole = str(answer.get("ContentRange", "")).rpartition("/")[2]
    return int(whole) if whole.isdigit() else int(answer["ContentLength"])
