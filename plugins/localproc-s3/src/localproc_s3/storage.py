"""S3 as a storage.

Owns what the verbs of the protocol are in S3. Must not know how objects are transferred.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import groupby
from typing import Any, Final

from localproc.errors import NoSuchObject, StagingError, StorageUnavailable
from localproc.plugins.storage import Description, Info, Put, Watch, unwatched
from localproc_s3.connection import Connection
from localproc_s3.described import described
from localproc_s3.object_body import Contents
from localproc_s3.object_names import Place, place
from localproc_s3.object_transfers import Transfers
from localproc_s3.options import S3Options
from localproc_s3.unchanged import unchanged
from localproc_s3.uploads import DIGEST, abort

_MANY: Final = 1000  #: objects that one request can delete
#: Answers to who may not look for leftovers, or asks a server that has none.
_NO_SWEEPING: Final = ("AccessDenied", "NotImplemented", "MethodNotAllowed")


class S3Storage:
    """Implements ``localproc.plugins.storage.Storage``."""

    def __init__(self, options: S3Options, connection: Connection, transfers: Transfers) -> None:
        self._options = options
        self._connection = connection
        self._transfers = transfers

    def __reduce__(self) -> Any:
        raise TypeError("a storage is not to be pickled: there are keys in it")

    def info(self, uri: str) -> Info | None:
        """Ask for what is known of an object; a bucket that is not there is an error."""
        asked = place(uri)
        try:
            found = self._connection.call("head_object", uri, **asked.named)
        except NoSuchObject:
            self._connection.call("head_bucket", f"s3://{asked.bucket}", Bucket=asked.bucket)
            return None
        digest = found.get("Metadata", {}).get(DIGEST, "")
        return Info(uri, found["ContentLength"], found.get("ETag", ""), digest)

    def fetch(
        self,
        uri: str,
        path: str,
        *,
        most: int | None = None,
        watch: Watch = unwatched,
        resume: str = "",
    ) -> Info:
        """Write an object to a file, parts of a large one at the same time."""
        return self._transfers.fetch(place(uri), path, most, watch, resume)

    def put(self, what: Put, watch: Watch = unwatched) -> Info:
        """Put an object, a large one in parts: it is there when the last of them is."""
        target = place(what.uri)
        with Contents(what.source) as contents:
            there = unchanged(self._connection, contents, target, what, watch)
            return there or self._transfers.put(contents, target, what, watch)

    def list(self, prefix: str) -> Iterator[Info]:
        """Yield objects, a page of them at a time."""
        asked = place(prefix)
        for one in self._pages(
            "list_objects_v2", asked, "Contents", {"ContinuationToken": "NextContinuationToken"}
        ):
            yield Info(asked.beside(one["Key"]), one["Size"], one.get("ETag", ""))

    def delete(self, uris: Iterable[str]) -> None:
        """Remove objects, in the order in which they are given: a thousand in a request."""
        for bucket, places in groupby(map(place, uris), key=lambda one: one.bucket):
            for some in _batches(places):
                keys = [{"Key": one.key} for one in some]
                answer = self._connection.call(
                    "delete_objects",
                    some[0].uri,
                    Bucket=bucket,
                    Delete={"Objects": keys, "Quiet": True},
                )
                for failed in answer.get("Errors", ()):
                    if failed.get("Code") != "NoSuchKey":
                        shown = some[0].beside(failed.get("Key", ""))
                        raise StagingError(
                            f"{shown} cannot be deleted: {failed.get('Code')}", uri=shown
                        )

    def sweep(self, prefix: str) -> None:
        """Abort the uploads that were not completed, where that may be asked for.

        That of a look at the place where the prefix lies goes with them, if it was cut short.
        """
        asked = place(prefix)
        self._abort_all(asked)
        self._abort_all(_probe(asked, asked.key.rstrip("/").rpartition("/")[0]))

    def check(self, prefix: str) -> None:
        """Begin an upload and end it: that tells whether objects can be put, and leaves none.

        Some servers make a bucket for whoever puts something into it, so that is looked at, too.
        """
        asked = place(prefix)
        self._connection.call("head_bucket", f"s3://{asked.bucket}", Bucket=asked.bucket)
        probe = _probe(asked, asked.key)
        try:
            begun = self._connection.call("create_multipart_upload", prefix, **probe.named)
            abort(self._connection, probe, begun["UploadId"])
        except StorageUnavailable:  # it may have been begun all the same
            with suppress(StagingError):
                self._abort_all(probe)
            raise
        self._abort_all(probe)  # what others have left who were killed meanwhile

    def _abort_all(self, asked: Place) -> None:
        """Abort all uploads of keys that begin so."""
        markers = {"KeyMarker": "NextKeyMarker", "UploadIdMarker": "NextUploadIdMarker"}
        with self._connection.explaining(asked.uri):
            try:
                found = list(self._pages("list_multipart_uploads", asked, "Uploads", markers))
            except StagingError as error:
                if not any(f": {code}" in error.message for code in _NO_SWEEPING):
                    raise
                return
        for one in found:
            if one["Key"].startswith(asked.key):
                begun = Place(asked.beside(one["Key"]), asked.bucket, one["Key"])
                abort(self._connection, begun, one["UploadId"])

    def presign(self, uri: str, seconds: int) -> str | None:
        """Return a URL that holds for so many seconds."""
        asked = place(uri)
        with self._connection.explaining(uri):
            return self._connection.presigned(asked.bucket, asked.key, seconds)

    def describe(self, uri: str) -> Description:
        """Return the fields of the storage extension."""
        known = self._connection.client.meta
        region = known.region_name or "us-east-1"
        return described(self._options, place(uri).bucket, known.endpoint_url, region)

    def close(self) -> None:
        """Let go of the connections."""
        self._connection.close()

    def _pages(
        self, operation: str, asked: Place, member: str, markers: dict[str, str]
    ) -> Iterator[Any]:
        """Yield what a listing has, page by page; ``markers`` lead from one to the next."""
        marked: dict[str, Any] = {}
        while True:
            page = self._connection.call(
                operation, asked.uri, Bucket=asked.bucket, Prefix=asked.key, **marked
            )
            yield from page.get(member, ())
            if not page.get("IsTruncated"):
                return
            marked = {name: page[source] for name, source in markers.items() if source in page}


def _probe(asked: Place, folder: str) -> Place:
    """Return the object that an upload is begun of to see whether that can be done."""
    key = f"{folder.rstrip('/')}/.localproc".lstrip("/")
    return Place(asked.beside(key), asked.bucket, key)


def _batches(places: Iterable[Place]) -> Iterator[list[Place]]:
    some: list[Place] = []
    for one in places:
        some.append(one)
        if len(some) == _MANY:
            yield some
            some = []
    if some:
        yield some
