"""Published files on their way out.

Owns finding them within the folder of a job's results, be it in another storage, and giving them
whole or in part. Must not know how they got there.
"""

import os
import posixpath
import stat
import tempfile
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any, BinaryIO, Final
from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from localproc import media_types
from localproc.cwl.base.files import walk
from localproc.engine.handles import Job
from localproc.engine.results import witness
from localproc.errors import NotFound, ResultsGone
from localproc.frozen import frozen
from localproc.http.answers import HttpProblem
from localproc.http.negotiation import is_known
from localproc.http.threads import Threads
from localproc.http.whole_numbers import whole
from localproc.model import JobStatus
from localproc.plugins.storage import object_key
from localproc.uris import unquoted, uri_path
from localproc.views.ogc import FOLDER, ITEM_REL

_CHUNK: Final = 1 << 18


def published(job: Job, location: str, *, folders: bool = False) -> str:
    """Return the path of a published file; raises ``NotFound`` for whatever else is asked for.

    It is where a job's results are after all links are followed, so that none leads out. With
    ``folders`` it may be a folder of them.
    """
    root = job.location
    if urlsplit(root).scheme != "file":
        raise NotFound("the results of this job are not on this machine", hint=f"see {root}")
    inside = os.path.realpath(uri_path(root))
    try:
        path = os.path.realpath(uri_path(location))
    except ValueError:  # a zero byte, or what is no UTF-8
        path = ""
    found = os.path.isfile(path) or (folders and os.path.isdir(path))
    if not path.startswith(inside + os.sep) or not found:
        raise NotFound("there is no such file among the results of this job")
    return path


def is_here(job: Job) -> bool:
    """Return whether the results of a job are on this machine."""
    return urlsplit(job.location).scheme == "file"


@frozen
class Opened:
    """A file, and the tag of its contents (RFC 9110, section 8.8.3)."""

    file: BinaryIO
    tag: str


def opened_result(job: Job, location: str) -> Opened:
    """Open a published file; one that is in another storage is fetched.

    Raises ``NotFound`` for what is none of the results, ``ResultsGone`` for one that was.
    """
    try:
        if is_here(job):
            return _open(published(job, location))
        _check_inside(job, location)
        with tempfile.TemporaryDirectory(prefix="localproc-") as folder:
            path = os.path.join(folder, "file")
            info = job.published.fetch(location, path)
            return _open(path, info.etag)
    except (NotFound, ResultsGone):
        raise missing(job, location) from None


def missing(job: Job, location: str) -> NotFound | ResultsGone:
    """Return the error that stands for what is not there: it never was, or somebody removed it."""
    if job.status is JobStatus.SUCCESSFUL:
        walked = walk(dict(job.outcome().outputs))
        if location in job.hrefs().union(one["location"] for one in walked):
            return ResultsGone(posixpath.basename(unquoted(location)))
    return NotFound("there is no such file among the results of this job")


def signed(job: Job, location: str, seconds: int) -> str | None:
    """Return an address where anybody can read a file in another storage for a time."""
    if not seconds or is_here(job):
        return None
    _check_inside(job, location)
    return job.published.presign(location, seconds)


def _check_inside(job: Job, location: str) -> None:
    steps = unquoted(urlsplit(location).path).split("/")
    if not location.startswith(job.location + "/") or ".." in steps:
        raise NotFound("there is no such file among the results of this job")


def _open(path: str, etag: str = "") -> Opened:
    try:
        file = open(path, "rb")  # noqa: SIM115 - whoever sends it closes it
    except OSError as error:
        raise NotFound(f"the file cannot be read: {error.strerror}") from None
    found = os.fstat(file.fileno())
    tag = etag if etag.startswith('"') else ""
    return Opened(file, tag or f'"{found.st_mtime_ns:x}-{found.st_size:x}"')


def asked_for(request: Request, job: Job) -> str:
    """Return the path of a file below ``files``, percent-encoded: not all names are UTF-8."""
    raw: bytes = request.scope.get("raw_path") or b""
    rest = raw.partition(f"/jobs/{job.id}/files/".encode())[2]
    return rest.decode("ascii", "replace") or quote(request.path_params["path"])


def content_type(name: str) -> str:
    """Guess what is in a file by its name."""
    kind = media_types.media_type(name)
    if kind == "image/tiff":
        return "image/tiff; application=geotiff"
    return f"{kind};charset=UTF-8" if kind.startswith("text/") or kind.endswith("json") else kind


def folder_document(path: str, place: str) -> dict[str, Any]:
    """Tell what is in a published folder whose address is ``place``: links, by name."""
    try:
        with os.scandir(path) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError as error:  # it was there a moment ago
        raise NotFound(f"the folder cannot be read: {error.strerror}") from None
    links = []
    for entry in entries:
        href, known = f"{place}/{quote(os.fsencode(entry.name))}", {}
        try:  # a link may lead out, and is not followed
            if entry.is_file(follow_symlinks=False):
                known = _of_file(entry.name, entry.stat().st_size)
            elif entry.is_dir(follow_symlinks=False):
                known = {"type": FOLDER}
        except FileNotFoundError:
            continue
        links.append(_link(entry.name, href, known))
    return {"title": os.path.basename(path), "links": links}


def folder_elsewhere(job: Job, location: str) -> Mapping[str, Any] | None:
    """Return the Directory of the results that is at a place in another storage, if any is.

    Raises ``ResultsGone`` for one that somebody has removed.
    """
    if is_here(job) or job.status is not JobStatus.SUCCESSFUL:
        return None
    key = object_key(location)
    for one in walk(dict(job.outcome().outputs)):
        if one["class"] == "Directory" and "listing" in one and object_key(one["location"]) == key:
            try:
                job.published.check(filter(None, [witness(one, is_catalog=False)]))
            except ResultsGone:
                raise ResultsGone(posixpath.basename(unquoted(location))) from None
            return one
    return None


def listed_document(title: str, listing: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Tell what is in a folder whose files and folders are where they are said to be."""
    links = []
    for one in listing:
        name, is_folder = one["basename"], one["class"] == "Directory"
        known = {"type": FOLDER} if is_folder else _of_file(name, one.get("size"))
        links.append(_link(name, one["location"], known))
    return {"title": title, "links": links}


def _link(name: str, href: str, known: Mapping[str, Any]) -> dict[str, Any]:
    return {"href": href, "rel": ITEM_REL, "title": name, **known}


def _of_file(name: str, size: int | None) -> dict[str, Any]:
    return {"type": content_type(name)} | ({} if size is None else {"length": size})


class FileAnswer(Response):
    """A file, or the range of it that was asked for (RFC 9110, one range).

    It is never shown as a page of this site: whatever is in it, a browser runs nothing of it.
    """

    def __init__(self, opened: Opened, media_type: str, request: Request) -> None:
        super().__init__(media_type=media_type)
        self._threads: Threads = request.app.state.threads
        self._file, tag = opened.file, opened.tag
        found = os.fstat(self._file.fileno())
        assert stat.S_ISREG(found.st_mode)
        self.headers["ETag"] = tag
        if is_known(request, tag):
            self._start = self._left = 0
            self.status_code = 304
            del self.headers["Content-Type"], self.headers["Content-Length"]
            return
        try:
            start, end = _range(request, found.st_size, tag)
        except HttpProblem:
            self._file.close()
            raise
        self._start, self._left = start, end - start
        if self._left < found.st_size:
            self.status_code = 206
            self.headers["Content-Range"] = f"bytes {start}-{end - 1}/{found.st_size}"
        self.headers["Content-Length"] = str(self._left)
        self.headers["Accept-Ranges"] = "bytes"
        self.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, a piece at a time."""
        head: dict[str, Any] = {"type": "http.response.start", "status": self.status_code}
        with self._file:
            await send(head | {"headers": self.raw_headers})
            if scope["method"] != "HEAD":
                async for chunk in self._chunks():
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b""})

    async def _chunks(self) -> AsyncIterator[bytes]:
        self._file.seek(self._start)
        left = self._left
        while left > 0:
            chunk = await self._threads.run(self._file.read, min(left, _CHUNK))
            if not chunk:
                return
            left -= len(chunk)
            yield chunk


def _range(request: Request, size: int, tag: str) -> tuple[int, int]:
    """Return start and end of what is wanted; raises 416 for what lies beyond the file.

    Ranges are of GET alone (RFC 9110, 14.2).
    """
    asked = request.headers.get("range", "") if request.method == "GET" else ""
    unit, _, spec = asked.partition("=")
    from_text, dash, to_text = spec.strip().partition("-")
    first, last = whole(from_text), whole(to_text)
    if request.headers.get("if-range", tag) != tag or unit.strip().lower() != "bytes" or not dash:
        return 0, size
    if first is not None and (last is not None or not to_text):
        start, end = first, size if last is None else min(last + 1, size)
    elif last is not None and not from_text:
        start, end = max(0, size - last), size
    else:
        return 0, size
    if start >= size or start >= end:
        raise HttpProblem(
            416,
            "RangeNotSatisfiable",
            f"the file has {size} bytes",
            headers={"Content-Range": f"bytes */{size}"},
        )
    return start, end
