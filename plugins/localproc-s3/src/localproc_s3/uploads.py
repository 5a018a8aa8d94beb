"""Putting an object, whole or in parts.

Owns multipart uploads, and that an object has the digest that was announced. Must not know who asks
for it.

What has been sent is waited for, whoever wants no more of it: one who removes what was put must not
do so before it is there.
"""

import base64
import hashlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import closing, suppress
from functools import partial
from typing import Any, Final

from localproc.errors import NoSuchObject, StagingError
from localproc.plugins.storage import Info, Watch
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

    def put(
        self,
        contents: Contents,
        place: Place,
        media_type: str,
        sha256: str,
        watch: Watch,
        *,
        if_absent: bool,
    ) -> Info:
        """Put an object; raises ``StagingError``, and what ``watch`` raises."""
        watch(0)
        said = {"ContentType": media_type, **self._said}
        if sha256:
            said["Metadata"] = {DIGEST: sha256.lower()}
        condition = {"IfNoneMatch": "*"} if if_absent else {}
        if contents.size > PART:
            return self._in_parts(contents, place, sha256, watch, said, condition)
        if contents.size <= _FREE:
            begun = self._whole(contents, place, sha256, said | condition)
            with self._connection.explaining(place.uri):
                answer = self._connection.wait(begun)
        else:
            begin = partial(self._whole, contents, place, sha256, said | condition)
            with self._connection.explaining(place.uri):
                (answer,) = self._window.through([begin], lambda: watch(0))
        watch(contents.size)
        return Info(place.uri, contents.size, answer.get("ETag", ""), sha256.lower())

    def _whole(
        self, contents: Contents, place: Place, sha256: str, said: Mapping[str, Any]
    ) -> "Future[Any]":
        data = contents.read(PART + 1)
        digest = hashlib.sha256(data)
        check(place, digest.hexdigest(), sha256, len(data), contents.size)
        summed = base64.b64encode(digest.digest()).decode()
        return self._connection.begin(
            "put_object", **place.named, Body=data, ChecksumSHA256=summed, **said
        )

    def _in_parts(
        self,
        contents: Contents,
        place: Place,
        sha256: str,
        watch: Watch,
        said: Mapping[str, Any],
        condition: Mapping[str, Any],
    ) -> Info:
        call = self._connection.call
        begun = call("create_multipart_upload", place.uri, **place.named, **said)
        upload = {**place.named, "UploadId": begun["UploadId"]}
        try:
            parts, digest = self._sent(contents, place, upload, watch)
            check(place, digest, sha256, contents.size, contents.size)
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
        length = max(PART, -(-contents.size // _PARTS))
        count = -(-contents.size // length)

        def send(number: int) -> "Future[Any]":
            data = contents.read(length)
            due = length if number < count else contents.size - length * (count - 1)
            check(place, "", "", len(data), due)
            future = self._connection.begin(
                "upload_part", **upload, PartNumber=number, Body=data, ContentMD5=_md5(data)
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
                parts.append({"PartNumber": len(parts) + 1, "ETag": answer["ETag"]})
                sent = min(contents.size, sent + length)
                watch(sent)
        return parts, digest.hexdigest()


def _md5(data: bytes) -> str:
    """Return what every server compares a part with, be it new or old."""
    return base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()


def abort(connection: Connection, place: Place, upload: str) -> None:
    """End an upload and remove its parts, as often as it takes: some may just have come."""
    named = {**place.named, "UploadId": upload}
    for _ in range(_ABORTS):
        try:
            connection.call("abort_multipart_upload", place.uri, **named)
            connection.call("list_parts", place.uri, **named)
        except NoSuchObject:
            return


def check(place: Place, digest: str, sha256: str, size: int, expected: int) -> None:
    """Raise ``StagingError`` for contents that are not those that were announced."""
    if size != expected or (sha256 and digest != sha256.lower()):
        raise StagingError(
            f"{place.shown} would not be what was announced: it has another size or SHA-256",
            uri=place.shown,
            hint="the file was changed while it was published",
        )
