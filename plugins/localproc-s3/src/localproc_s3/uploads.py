"""Putting an object, whole or in parts.

Owns multipart uploads, and that what arrives is what was sent: a server compares it with a checksum
that costs next to nothing for parts, as their SHA-256 would be one more of the same bytes. Must not
know who asks for it.

What has been sent is waited for, whoever wants no more of it: one who removes what was put must not
do so before it is there.
"""

import base64
import hashlib
import zlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import closing, suppress
from functools import partial
from typing import Any, Final

from localproc.errors import NoSuchObject, StagingError
from localproc.plugins.storage import Info, Put, Watch
from localproc_s3.connection import Connection
from localproc_s3.object_body import Contents
from localproc_s3.object_names import Place
from localproc_s3.window import PART, Window

_PARTS: Final = 10_000  #: that an upload may have
_ABORTS: Final = 3
_FREE: Final = 1 << 20  #: bytes up to which nobody has to wait for room
#: User metadata that says what an object is, to whoever would put it again.
DIGEST: Final = "localproc-sha256"


class Uploads:
    """Puts objects by way of a connection; ``said`` is what S3 is told of each besides."""

    def __init__(self, connection: Connection, window: Window, said: Mapping[str, Any]) -> None:
        self._connection = connection
        self._window = window
        self._said = said

    def put(self, contents: Contents, place: Place, what: Put, watch: Watch) -> Info:
        """Put an object; raises ``StagingError``, and what ``watch`` raises."""
        watch(0)
        said = {"ContentType": what.media_type, **self._said}
        condition = {"IfNoneMatch": "*"} if what.if_absent else {}
        if contents.size > PART:
            return self._in_parts(contents, place, what, watch, said, condition)
        digest = hashlib.sha256()
        begin = partial(self._whole, contents, place, what, digest, said | condition)
        with self._connection.explaining(place.uri):
            if contents.size <= _FREE:
                answer = self._connection.wait(begin())
            else:
                (answer,) = self._window.through([begin], lambda: watch(0))
        watch(contents.size)
        return Info(place.uri, contents.size, answer.get("ETag", ""), digest.hexdigest())

    def _whole(
        self, contents: Contents, place: Place, what: Put, digest: Any, said: Mapping[str, Any]
    ) -> "Future[Any]":
        data = contents.read(PART + 1)
        check(place, len(data), contents.size)
        digest.update(data)
        what.verify(digest.hexdigest())
        return self._connection.begin(
            "put_object",
            **place.named,
            Body=data,
            ChecksumSHA256=base64.b64encode(digest.digest()).decode(),
            **_named(said, digest.hexdigest()),
        )

    def _in_parts(
        self,
        contents: Contents,
        place: Place,
        what: Put,
        watch: Watch,
        said: Mapping[str, Any],
        condition: Mapping[str, Any],
    ) -> Info:
        call = self._connection.call
        summed = {**_named(said, what.sha256), "ChecksumAlgorithm": "CRC32"}
        begun = call("create_multipart_upload", place.uri, **place.named, **summed)
        upload = {**place.named, "UploadId": begun["UploadId"]}
        try:
            parts, digest = self._sent(contents, place, upload, watch)
            what.verify(digest)
            call(
                "complete_multipart_upload",
                place.uri,
                MultipartUpload={"Parts": parts},
                **upload,
                **condition,
            )
        except BaseException:
            with suppress(StagingError):  # or it is swept later
                abort(self._connection, place, begun["UploadId"])
            raise
        there = call("head_object", place.uri, **place.named)
        return Info(place.uri, there["ContentLength"], there.get("ETag", ""), digest)

    def _sent(
        self, contents: Contents, place: Place, upload: Mapping[str, Any], watch: Watch
    ) -> tuple[list[dict[str, Any]], str]:
        """Send all parts, a few at a time; return what S3 says of them, and the digest."""
        digest, sent = hashlib.sha256(), 0
        length, count = parts_of(contents.size)
        sums: list[str] = []

        def send(number: int) -> "Future[Any]":
            data = contents.read(length)
            due = length if number < count else contents.size - length * (count - 1)
            check(place, len(data), due)
            sums.append(_crc32(data))
            future = self._connection.begin(
                "upload_part", **upload, PartNumber=number, Body=data, ChecksumCRC32=sums[-1]
            )
            digest.update(data)
            return future

        def beginnings() -> Iterator[Callable[[], "Future[Any]"]]:
            for number in range(1, count + 1):
                yield partial(send, number)

        parts: list[dict[str, Any]] = []
        answers = self._window.through(beginnings(), lambda: watch(sent))
        with self._connection.explaining(place.uri), closing(answers):
            for answer in answers:
                number, summed = len(parts) + 1, sums[len(parts)]
                parts.append(
                    {"PartNumber": number, "ETag": answer["ETag"], "ChecksumCRC32": summed}
                )
                sent = min(contents.size, sent + length)
                watch(sent)
        return parts, digest.hexdigest()


def parts_of(size: int) -> tuple[int, int]:
    """Return the bytes of each part of an object but the last, and how many parts there are."""
    length = max(PART, -(-size // _PARTS))
    return length, -(-size // length)


def _named(said: Mapping[str, Any], digest: str) -> dict[str, Any]:
    """Return what is said of an object, with its digest if that is known when it is begun."""
    if not digest:
        return dict(said)
    return {**said, "Metadata": {**said.get("Metadata", {}), DIGEST: digest}}


def _crc32(data: bytes) -> str:
    return base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()


def abort(connection: Connection, place: Place, upload: str) -> None:
    """End an upload and remove its parts, as often as it takes: some may just have come."""
    named = {**place.named, "UploadId": upload}
    for _ in range(_ABORTS):
        try:
            connection.call("abort_multipart_upload", place.uri, **named)
            connection.call("list_parts", place.uri, **named)
        except NoSuchObject:
            return


def check(place: Place, size: int, expected: int) -> None:
    """Raise ``StagingError`` for contents that are longer or shorter by now."""
    if size != expected:
        raise StagingError(
            f"{place.shown} would not be what was announced: it has another size",
            uri=place.shown,
            hint="the file was changed while it was published",
        )
