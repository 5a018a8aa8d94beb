"""How objects come and go: by obstore, which is faster with many small files.

Owns what obstore does better. What it does not, and what fails, is done without it: that also tells
what is wrong. Must not know the protocol of storages.
"""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import obstore
from botocore.utils import get_environ_proxies
from obstore.exceptions import BaseError
from obstore.store import S3Store

from localproc.plugins.storage import Info, Put, Watch
from localproc_s3.connection import Connection
from localproc_s3.object_body import Contents
from localproc_s3.object_names import Place
from localproc_s3.object_transfers import Transfers
from localproc_s3.options import S3Options
from localproc_s3.uploads import DIGEST, check
from localproc_s3.window import PART

if TYPE_CHECKING:
    from obstore.store import ClientConfig

_AT_A_TIME: Final = 3  #: parts of a large object
_LOOK: Final = 0.05  #: seconds between two looks at whether anybody still waits
_WHOLE: Final = "60s"  #: how long a request may take; what is slower is done without obstore
_NOWHERE: Final = "http://127.0.0.1:0"  #: a proxy to which there is no connection
_FRESH: Final = timedelta(minutes=5)  #: how long keys are not asked for again
#: What obstore raises: whatever it is, it is not done.
_FAILED: Final = (BaseError, OSError, ValueError)


class ObstoreTransfers:
    """Transfers by obstore, or by others."""

    def __init__(self, options: S3Options, connection: Connection, others: Transfers) -> None:
        self._options = options
        self._connection = connection
        self._others = others
        self._stores: dict[str, S3Store] = {}
        self._large = threading.Semaphore()
        self._is_direct: bool | None = None

    def put(self, contents: Contents, place: Place, what: Put, watch: Watch) -> Info:
        """Put an object; raises ``StagingError``, and what ``watch`` raises."""
        if not what.if_absent and not self._options.upload and self._is_for(place):
            try:
                return self._put(contents, place, what, watch)
            except _FAILED:
                contents.rewind()
        return self._others.put(contents, place, what, watch)

    def fetch(self, place: Place, path: str, most: int | None, watch: Watch, resume: str) -> Info:
        """Write an object to a file; raises ``StagingError``, and what ``watch`` raises."""
        watch(0)
        if not resume and self._is_for(place):
            try:
                found = obstore.get(self._store(place.bucket), place.key)
                size, etag = found.meta["size"], found.meta["e_tag"] or ""
                if size <= min(PART, most or PART):
                    data = bytes(found.bytes())
                    with open(path, "wb") as file:
                        file.write(data)
                    watch(size)
                    return Info(place.uri, size, etag, str(found.attributes.get(DIGEST, "")))
            except _FAILED:
                pass
        return self._others.fetch(place, path, most, watch, resume)

    def _put(self, contents: Contents, place: Place, what: Put, watch: Watch) -> Info:
        store = self._store(place.bucket)
        said, digest = {"Content-Type": what.media_type}, hashlib.sha256()
        watch(0)
        if contents.size <= PART:
            data = contents.read(PART + 1)
            check(place, len(data), contents.size)
            digest.update(data)
            what.verify(digest.hexdigest())
            said[DIGEST] = digest.hexdigest()
            put = obstore.put(store, place.key, data, attributes=said, use_multipart=False)
            watch(len(data))
        else:
            said |= {DIGEST: what.sha256} if what.sha256 else {}
            with self._alone(watch):
                put = obstore.put(
                    store,
                    place.key,
                    _pieces(contents, place, what, digest, watch),
                    attributes=said,
                    chunk_size=PART,
                    max_concurrency=_AT_A_TIME,
                )
            check(place, obstore.head(store, place.key)["size"], contents.size)
        return Info(place.uri, contents.size, put["e_tag"] or "", digest.hexdigest())

    @contextmanager
    def _alone(self, watch: Watch) -> Iterator[None]:
        """Let one large object after the other go, so that memory is bounded."""
        while not self._large.acquire(timeout=_LOOK):
            watch(0)
        try:
            yield
        finally:
            self._large.release()

    def _store(self, bucket: str) -> S3Store:
        if bucket not in self._stores:
            known = self._connection.client.meta
            others: dict[str, Any] = {}
            if self._options.anonymous:
                others["skip_signature"] = True
            else:
                others["credential_provider"] = self._keys
            endpoint = str(known.endpoint_url)
            self._stores[bucket] = S3Store(
                bucket,
                endpoint=endpoint,
                region=known.region_name or "us-east-1",
                checksum_algorithm="sha256",
                request_payer=self._options.requester_pays,
                virtual_hosted_style_request=self._options.addressing == "virtual",
                client_options={**_staying(endpoint), "timeout": _WHOLE, "connect_timeout": "10s"},
                retry_config={"max_retries": 0},
                **others,
            )
        return self._stores[bucket]

    def _is_for(self, place: Place) -> bool:
        """Whether obstore asks for the key as it is, and the server by itself.

        It leaves out slashes at the ends of keys; what leads by a proxy does not stay (see below).
        """
        if place.key.strip("/") != place.key:
            return False
        if self._is_direct is None:
            self._is_direct = not get_environ_proxies(self._connection.client.meta.endpoint_url)
        return self._is_direct

    def _keys(self) -> Any:
        return {**self._connection.keys(), "expires_at": datetime.now(UTC) + _FRESH}


def _staying(endpoint: str) -> "ClientConfig":
    """Return what keeps requests with a server, though obstore goes wherever it is sent on to.

    A proxy decides where connections lead. By way of one that is the server itself, all of them
    lead there. That cannot be with TLS: there all but the server's own name lead nowhere, and
    nothing goes without.
    """
    server = urlsplit(endpoint)
    if server.scheme == "http":
        return {"allow_http": True, "proxy_url": f"http://{server.netloc}"}
    return {"allow_http": False, "proxy_url": _NOWHERE, "proxy_excludes": str(server.hostname)}


def _pieces(
    contents: Contents, place: Place, what: Put, digest: Any, watch: Watch
) -> Iterator[bytes]:
    """Yield the contents; what is raised at their end keeps the object from being there."""
    size = 0
    while data := contents.read(PART):
        digest.update(data)
        size += len(data)
        yield data
        watch(size)
    check(place, size, contents.size)
    what.verify(digest.hexdigest())
