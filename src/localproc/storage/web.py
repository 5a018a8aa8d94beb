"""Files on the web as a storage to read from.

Owns ``https:`` and ``http:`` URIs, going on with a download that broke off, and which answers may
be others a moment later. Must not know staging or jobs.
"""

import os
import re
import socket
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpx

from localproc.errors import (
    NoSuchObject,
    StagingError,
    StorageUnavailable,
    StorageUnreachable,
)
from localproc.plugins.known_options import check_options
from localproc.plugins.storage import Description, Info, Put, Watch, unwatched
from localproc.storage.addresses import redacted
from localproc.storage.content_codings import coding_of, decoded
from localproc.storage.pace import SLOWEST, slowest_of
from localproc.storage.web_client import WebClient

#: Options of this storage.
OPTIONS: Final = ("guarded", "slowest")
_TIMEOUT: Final = 30.0
_REDIRECTS: Final = 5
#: Answers of servers that have too much to do, or of what stands before them (RFC 9110, 6585).
_PASSING: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
#: Answers that bring what was asked for; a 202 is for what is still being fetched from an archive.
_BRINGING: Final = frozenset({200, 201, 203, 206})
_NO_HEAD: Final = frozenset({403, 405, 501})  #: addresses may be signed for GET alone
_SURE: Final = timedelta(seconds=1)
_RANGE: Final = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


class WebStorage:
    """Implements ``localproc.plugins.storage.Storage``, but for writing."""

    def __init__(self, *, guarded: bool = False, slowest: float = SLOWEST) -> None:
        self._client = WebClient(
            guarded=guarded, redirects=_REDIRECTS, timeout=_TIMEOUT, slowest=slowest
        )

    @classmethod
    def open(cls, options: Mapping[str, Any]) -> "WebStorage":
        """Open it; ``guarded`` refuses addresses that are not public, ``slowest`` what trickles."""
        check_options("the storage of the web", options, OPTIONS)
        return cls(guarded=bool(options.get("guarded")), slowest=slowest_of(options))

    def info(self, uri: str) -> Info | None:
        """Ask for the headers alone, or leave the rest of an answer where that is refused."""
        with _explaining(uri):
            with self._client.asking("HEAD", uri) as answer:
                answer.read()  # nothing, but only then the connection is used again
                if answer.status_code not in _NO_HEAD:
                    return _told(answer, uri)
            with self._client.asking("GET", uri) as answer:
                return _told(answer, uri)

    def fetch(
        self,
        uri: str,
        path: str,
        *,
        most: int | None = None,
        watch: Watch = unwatched,
        resume: str = "",
    ) -> Info:
        """Download; the length that was announced must be the length that came."""
        have = os.path.getsize(path) if resume and os.path.exists(path) else 0
        # Without If-Range a file that has changed meanwhile would become half one, half other.
        asked = {"range": f"bytes={have}-", "if-range": resume} if have else {}
        with _explaining(uri) as told, self._client.asking("GET", uri, asked) as answer:
            if answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE and have:
                raise StorageUnavailable(f"{redacted(uri)} has changed", uri=redacted(uri))
            _check_contents(answer, uri)
            told.etag = _validator(answer) if _can_go_on(answer) else ""
            start = _start(answer, have, resume)
            told.size = _size(answer, start)
            return _received(answer, path, start, most, watch, told.etag)

    def part(self, uri: str, start: int, size: int) -> bytes:
        """Return bytes of a file; raises ``StagingError`` if they cannot be had alone."""
        asked = {"range": f"bytes={start}-{start + size - 1}"}
        with _explaining(uri), self._client.asking("GET", uri, asked) as answer:
            _check_contents(answer, uri)
            shown, found = redacted(uri), _RANGE.match(answer.headers.get("content-range", ""))
            if answer.status_code != httpx.codes.PARTIAL_CONTENT or found is None:
                raise StagingError(f"{shown}: its server does not send parts of it", uri=shown)
            data = bytearray()
            for chunk in answer.iter_raw():
                data += chunk
                if int(found[1]) != start or len(data) > size:
                    raise StagingError(f"{shown} sends other parts than were asked for", uri=shown)
            return bytes(data)

    def ask(
        self,
        uri: str,
        body: bytes,
        path: str,
        *,
        most: int | None = None,
        watch: Watch = unwatched,
    ) -> Info:
        """Send JSON and take the answer as an object."""
        said = {"content-type": "application/json"}
        with _explaining(uri), self._client.asking("POST", uri, said, body) as answer:
            _check_contents(answer, uri)
            return _received(answer, path, 0, most, watch, "")

    def put(self, what: Put, watch: Watch = unwatched) -> Info:
        """Refuse: the web is read only."""
        shown = redacted(what.uri)
        raise StagingError(f"results cannot be written to {shown}", uri=shown)

    def list(self, prefix: str) -> Iterator[Info]:
        """Refuse: the web has no listings."""
        raise StagingError(f"{redacted(prefix)} cannot be listed", uri=redacted(prefix))

    def delete(self, uris: Iterable[str]) -> None:
        """Refuse: the web is read only."""
        for uri in uris:
            raise StagingError(f"{redacted(uri)} cannot be deleted", uri=redacted(uri))

    def sweep(self, prefix: str) -> None:
        """Nothing is ever written, so nothing is left."""

    def check(self, prefix: str) -> None:
        """Refuse: the web is read only."""
        raise StagingError(f"results cannot be written to {redacted(prefix)}", uri=prefix)

    def presign(self, uri: str, seconds: int) -> str | None:
        """Return the URI: whoever may read it needs no more."""
        return uri

    def describe(self, uri: str) -> Description:
        """The web has no ``storage:*`` fields."""
        return Description()

    def close(self) -> None:
        """Close the connections that are kept for later."""
        self._client.close()


def _received(
    answer: httpx.Response, path: str, start: int, most: int | None, watch: Watch, etag: str
) -> Info:
    """Write what comes to a file, from its byte ``start`` on; all that was announced must come."""
    shown = redacted(str(answer.request.url))
    coding = coding_of(answer.headers.get("content-encoding", ""), shown)
    with open(path, "r+b" if start else "wb") as file:
        file.seek(start)
        size = start
        for chunk in decoded(answer.iter_raw(), coding, shown):
            size += len(chunk)
            watch(size)
            if most is not None and size > most:
                raise StagingError(f"{shown} is larger than {most} bytes", uri=shown)
            file.write(chunk)
    announced = _size(answer, start)
    if announced is not None and announced != size:
        raise StorageUnavailable(
            f"{shown} ended after {size} of {announced} bytes",
            uri=shown,
            etag=etag,
            size=announced,
        )
    return Info(str(answer.url), size, _validator(answer))


def _told(answer: httpx.Response, uri: str) -> Info | None:
    """Return what the headers of an answer say; the size of what is encoded is not told by them."""
    if answer.status_code in (httpx.codes.NOT_FOUND, httpx.codes.GONE):
        return None
    _check(answer, uri)
    said = answer.headers.get("content-length", "")
    is_size = said.isascii() and said.isdigit() and "content-encoding" not in answer.headers
    return Info(str(answer.url), int(said) if is_size else 0, _validator(answer))


def _size(answer: httpx.Response, start: int) -> int | None:
    """Return the bytes that a file has, ``None`` if that is not told: of what is encoded.

    An answer may have less than was asked for (RFC 9110, section 15.3.7): its range tells of all.
    """
    if coding_of(answer.headers.get("content-encoding", ""), redacted(str(answer.url))):
        return None
    found = _RANGE.match(answer.headers.get("content-range", ""))
    if answer.status_code == httpx.codes.PARTIAL_CONTENT and found and found[2] != "*":
        return int(found[2])
    length = answer.headers.get("content-length")
    return None if length is None else start + int(length)


def _check(answer: httpx.Response, uri: str) -> None:
    """Raise for an answer that is not what was asked for."""
    if answer.is_success:
        return
    shown = redacted(uri)
    reason = f"{shown}: {answer.status_code} {answer.reason_phrase}"
    if answer.status_code in (httpx.codes.NOT_FOUND, httpx.codes.GONE):
        raise NoSuchObject(reason, uri=shown)
    if answer.status_code in _PASSING:
        raise StorageUnavailable(reason, uri=shown, retry_after=_retry_after(answer))
    raise StagingError(reason, uri=shown)


def _check_contents(answer: httpx.Response, uri: str) -> None:
    """Raise for an answer that does not bring an object."""
    _check(answer, uri)
    if answer.status_code in _BRINGING:
        return
    shown = redacted(uri)
    reason = f"{shown}: {answer.status_code} {answer.reason_phrase}"
    if answer.status_code == httpx.codes.ACCEPTED:
        raise StorageUnavailable(
            f"{reason}, it is not there yet", uri=shown, retry_after=_retry_after(answer)
        )
    raise StagingError(f"{reason}, without any contents", uri=shown)


def _retry_after(answer: httpx.Response) -> float:
    """Return the seconds that a server asks to be left alone (RFC 9110, section 10.2.3)."""
    said = answer.headers.get("retry-after", "").strip()
    if said.isascii() and said.isdigit():
        return float(said[:9])
    at = _moment(said)
    return max(0.0, (at - datetime.now(UTC)).total_seconds()) if at else 0.0


def _validator(answer: httpx.Response) -> str:
    """Return what is another once the contents are, nothing if a server does not tell.

    That is its ETag. Without one the time of the last change will do, but only a second later: it
    may have changed again within that second (RFC 9110, sections 8.8.2.2 and 13.1.5).
    """
    etag = str(answer.headers.get("etag", ""))
    changed = str(answer.headers.get("last-modified", ""))
    if etag or not changed:
        return etag
    at, now = _moment(changed), _moment(answer.headers.get("date", ""))
    return changed if at and now and now - at >= _SURE else ""


def _moment(said: str) -> datetime | None:
    """Return the time that a header tells, ``None`` for what is none (RFC 9110, section 5.6.7)."""
    try:
        at = parsedate_to_datetime(said)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _can_go_on(answer: httpx.Response) -> bool:
    """Whether the rest of a file can be asked for: weak etags name no bytes (RFC 9110, 13.1.5)."""
    ranges = answer.status_code == httpx.codes.PARTIAL_CONTENT or (
        answer.headers.get("accept-ranges", "").lower() == "bytes"
    )
    weak = _validator(answer).startswith("W/")
    return ranges and not weak and "content-encoding" not in answer.headers


def _start(answer: httpx.Response, have: int, etag: str) -> int:
    """Return the first byte that an answer has: 0 for a whole file.

    Some servers know ranges and do not look at If-Range: what they send may be of another file.
    """
    if answer.status_code != httpx.codes.PARTIAL_CONTENT:
        return 0
    shown = redacted(str(answer.url))
    found = _RANGE.match(answer.headers.get("content-range", ""))
    if found is None or int(found[1]) != have:
        raise StorageUnavailable(f"{shown} sends another part than was asked for", uri=shown)
    told = _validator(answer)
    if (
        have and told != etag and (told or etag.startswith('"'))
    ):  # an ETag is to be told of a part, too
        raise StorageUnavailable(f"{shown} has changed", uri=shown)
    return have


class _explaining:  # noqa: N801 - reads as a statement
    """Says what went wrong with which URI. What httpx says of it has all of the address."""

    def __init__(self, uri: str) -> None:
        self._uri = redacted(uri)
        self.etag = ""
        self.size: int | None = None

    def __enter__(self) -> "_explaining":
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, (httpx.HTTPError, httpx.InvalidURL, socket.gaierror, UnicodeError)):
            said = f"{self._uri}: {str(error) or type(error).__name__}"
            hint = "check the address and the network"
            if _breaks_off(error):
                raise StorageUnavailable(
                    said, uri=self._uri, hint=hint, etag=self.etag, size=self.size
                ) from None
            if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | socket.gaierror):
                raise StorageUnreachable(said, uri=self._uri, hint=hint) from None
            raise StagingError(said, uri=self._uri, hint=hint) from None


def _breaks_off(error: Exception) -> bool:
    """Whether a connection was there and is no more."""
    if isinstance(error, httpx.ReadTimeout):
        return True
    return isinstance(error, (httpx.NetworkError, httpx.RemoteProtocolError)) and not isinstance(
        error, httpx.ConnectError
    )
