"""A server of OGC API - Processes, asked over HTTP.

Owns the requests of Part 1 and Part 2 and reading the answers. Must not know a terminal.
"""

import json
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import unquote, urlencode, urljoin, urlsplit

import httpx

from localproc.api import Engine
from localproc.cwl.base.reading import read_written_json
from localproc.engine.handles import Process
from localproc.engine.packages.archive import ZIP
from localproc.errors import (
    DuplicatedProcess,
    InvalidInputs,
    InvalidPackage,
    NoSuchJob,
    NoSuchStep,
    PackageError,
    ServerRefused,
    ServerUnreachable,
)
from localproc.remote.problems import error_of
from localproc.remote.sent_inputs import outgoing
from localproc.remote.shapes import is_web_address, object_of, objects_of
from localproc.spelling import public
from localproc.storage.web_client import WebClient
from localproc.uris import quoted

LAST: Final = "last"
_FINAL: Final = ("successful", "failed", "dismissed")
_CWL: Final = "application/cwl+yaml"
_NOT_TAKEN: Final = (400, 406, 415, 422)  #: what servers say of a package that they cannot read
_PATIENCE: Final = 300.0  #: seconds that an answer may take
_PAUSE: Final = (0.2, 5.0)  #: seconds between two looks at a job: the first, and the longest


@public
class Server:
    """A server by the address of its landing page, and the token that it asks for.

    ::

        with Server("https://example.org/ogc-api", token) as server:
            server.deploy("water-bodies.cwl")
            job = server.execute("water-bodies", {"aoi": "..."})
            server.wait(job["jobID"])
            print(server.results(job["jobID"]))

    Every method raises ``ServerUnreachable``, ``ServerRefused``, and the errors of localproc that
    the problems of the server name: ``NoSuchProcess``, ``NoSuchJob``, ``InvalidInputs``, ...
    """

    def __init__(self, url: str, token: str = "") -> None:
        if not is_web_address(url):
            said = f"{url!r} is not the address of a server"
            raise InvalidInputs(said, hint="write it as https://host/ogc-api")
        if not (token.isascii() and token.isprintable()):
            raise InvalidInputs("the token has characters that no token of a server has")
        self.url = url.rstrip("/")
        self._origin = urlsplit(url)[:2]
        self._token = token
        self._client = WebClient(guarded=False, redirects=0, timeout=_PATIENCE)
        self._anybody = WebClient(guarded=False, redirects=5, timeout=_PATIENCE)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that are kept for later."""
        self._client.close()
        self._anybody.close()

    # Processes

    def deploy(
        self, package: object, *, replace: bool = True, allow_remote: bool = False
    ) -> dict[str, Any]:
        """Deploy a package with all its files, and return the server's summary of the process.

        ``package`` is a ``Process``, or what ``Engine.deploy`` takes. A server that does not take
        an archive gets one document. Raises ``InvalidPackage``, ``UnsupportedPackage``,
        ``DuplicatedProcess`` with ``replace=False``.
        """
        with (
            tempfile.TemporaryDirectory(prefix="localproc-") as folder,
            Engine(folder, run_jobs=False, allow_remote=allow_remote) as engine,
        ):
            process = package if isinstance(package, Process) else engine.read(package)
            body, kind = process.exported()
            query = _picking(process.record.entry)
            answer = self._deployed(process.id, body, kind, query, replace=replace)
            if answer.status_code in _NOT_TAKEN and kind != _CWL:
                with suppress(PackageError):  # then what the server said is told
                    packed = engine.pack(body if kind == ZIP else package).encode()
                    answer = self._deployed(process.id, packed, _CWL, query, replace=replace)
        if not answer.is_success:
            error = error_of(answer, self.url)
            if isinstance(error, InvalidInputs):
                raise InvalidPackage(error.message, error.problems, hint=error.hint)
            raise error
        return {"id": process.id, **_document(answer)}

    def _deployed(
        self, process_id: str, body: bytes, kind: str, query: str, *, replace: bool
    ) -> httpx.Response:
        """Post a package; what is there already is replaced."""
        answer = self._ask("POST", f"/processes{query}", body, kind)
        is_there = not answer.is_success and (
            answer.status_code == httpx.codes.CONFLICT
            or isinstance(error_of(answer, self.url), DuplicatedProcess)
        )
        if is_there and replace:
            return self._ask("PUT", f"/processes/{quoted(process_id)}{query}", body, kind)
        return answer

    def describe(self, process_id: str) -> dict[str, Any]:
        """Return the description of a process (OGC API - Processes Part 1, "process.yaml")."""
        return self._get(f"/processes/{quoted(process_id)}")

    # Jobs

    def execute(
        self,
        process_id: str,
        inputs: Mapping[str, Any],
        *,
        bases: Mapping[str, str] | None = None,
        **members: Any,
    ) -> dict[str, Any]:
        """Start a job and return its statusInfo.

        Files of this machine among the ``inputs`` are sent inline; ``bases`` are the folders (URIs)
        that relative paths of an input hang from, the current one by default. ``members`` are
        further ones of the request. A server that has no jobs gives the ``results`` at once.
        """
        described = object_of(self.describe(process_id).get("inputs"))
        sent = outgoing(inputs, described, bases or {})
        answer = self._ask(
            "POST",
            f"/processes/{quoted(process_id)}/execution",
            json.dumps({"inputs": sent, **members}).encode(),
            "application/json",
            {"prefer": "respond-async"},
        )
        self._check(answer)
        place = answer.headers.get("location", "").rstrip("/")
        job_id = unquote(place.rpartition("/jobs/")[2])
        if answer.status_code == httpx.codes.OK and not job_id:
            return {"status": "successful", "results": _document(answer)}
        return _with_id(_document(answer), job_id)

    def status(self, job_id: str = LAST) -> dict[str, Any]:
        """Return the statusInfo of a job; ``last`` is the newest that the server lists."""
        if job_id != LAST:
            return _with_id(self._get(f"/jobs/{quoted(job_id)}"), job_id)
        listed = objects_of(self._get("/jobs").get("jobs"))
        if not listed:
            raise NoSuchJob(LAST, hint=f"{self.url} has none")
        newest = max(listed, key=lambda one: str(one.get("created", "")))
        return self.status(_with_id(newest, "")["jobID"])

    def steps(self, job: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return all steps of a job, which servers may tell of by pages; none where they do not.

        ``job`` is its statusInfo.
        """
        pages = [objects_of(page.get("steps")) for page in self._pages(job)]
        return [one for page in reversed(pages) for one in page]

    def _pages(self, job: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """Yield a statusInfo, then what it was with the steps before, the last ones first."""
        seen: set[str] = set()
        page: Mapping[str, Any] | None = job
        while page is not None:
            yield page
            links = objects_of(page.get("links")) if page.get("steps") else ()
            before = [str(one.get("href")) for one in links if one.get("rel") == "prev"]
            page = None
            if before and before[0] not in seen:
                seen.add(before[0])
                page = self._get(self._linked(before[0]))

    def watch(self, job_id: str) -> Iterator[dict[str, Any]]:
        """Yield the statusInfo of a job each time that it has changed, until its end."""
        pause, longest = _PAUSE
        last: dict[str, Any] = {}
        while last.get("status") not in _FINAL:
            if last:
                time.sleep(pause)
                pause = min(pause * 1.5, longest)
            found = self.status(job_id)
            if found != last:
                yield found
            last = found

    def wait(self, job_id: str) -> dict[str, Any]:
        """Wait for a job's end, and return its last statusInfo."""
        *_, found = self.watch(job_id)
        return found

    def logs(self, job_id: str, step: str = "") -> dict[str, str]:
        """Return the logs that a job's status links to, by their names; of one step if it is named.

        Raises ``NoSuchStep`` where there is no such log.
        """
        pages = list(self._pages(self.status(job_id)))
        links = [one for page in reversed(pages) for one in objects_of(page.get("links"))]
        named = {_log_name(one): str(one["href"]) for one in links if _is_log(one)}
        chosen = {name: href for name, href in named.items() if step in ("", *_names(name))}
        if step and not chosen:
            known = ", ".join(named) or "none"
            raise NoSuchStep(f"the job has no log of {step!r}", hint=f"it has: {known}")
        return {name: self.fetch(href).decode(errors="replace") for name, href in chosen.items()}

    def results(self, job_id: str) -> dict[str, Any]:
        """Return the results by output (OGC API - Processes Part 1, "results.yaml").

        Raises ``ResultsNotReady``, ``JobFailed``.
        """
        return self._get(f"/jobs/{quoted(job_id)}/results")

    def dismiss(self, job_id: str) -> dict[str, Any]:
        """Dismiss a job, and return its statusInfo as the server gives it."""
        answer = self._ask("DELETE", f"/jobs/{quoted(job_id)}")
        self._check(answer)
        return _with_id(_document(answer), job_id)

    def fetch(self, href: str) -> bytes:
        """Return what a link leads to; only the server itself is told the token."""
        address = self._linked(href)
        answer = self._ask("GET", address)
        if answer.has_redirect_location:
            leads = self._linked(answer.headers["location"], address)
            answer = self._sent(self._anybody, "GET", leads)
        self._check(answer)
        return answer.content

    # Asking

    def _linked(self, href: str, base: str = "") -> str:
        """Return the address that a link leads to; raises ``ServerRefused`` if that is none."""
        try:
            address = urljoin(base or f"{self.url}/", href)
        except ValueError:
            address = ""
        if not is_web_address(address):
            raise ServerRefused(f"{self.url} links to {href!r}, which is no address on the web")
        return address

    def _get(self, path: str) -> dict[str, Any]:
        answer = self._ask("GET", path, headers={"accept": "application/json"})
        self._check(answer)
        return _document(answer)

    def _check(self, answer: httpx.Response) -> None:
        if not answer.is_success:
            raise error_of(answer, self.url)

    def _ask(
        self,
        method: str,
        place: str,
        body: bytes = b"",
        kind: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Ask for a path of the server, or an address, which may be another server's."""
        address = self.url + place if place.startswith("/") else place
        said = {**(headers or {}), **({"content-type": kind} if kind else {})}
        if self._token and urlsplit(address)[:2] == self._origin:
            said["authorization"] = f"Bearer {self._token}"
        return self._sent(self._client, method, address, said, body)

    def _sent(
        self,
        client: WebClient,
        method: str,
        address: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> httpx.Response:
        try:
            with client.asking(method, address, headers, body) as answer:
                answer.read()
                return answer
        except (httpx.HTTPError, OSError) as error:
            host = urlsplit(address).netloc
            said = f"{host} cannot be asked: {str(error) or type(error).__name__}"
            raise ServerUnreachable(said, hint="check the address and the network") from None


def _with_id(status: Mapping[str, Any], job_id: str) -> dict[str, Any]:
    """Return a statusInfo whose job has a ``jobID``, whichever version of the standard it is of."""
    return {**status, "jobID": str(status.get("jobID") or status.get("id") or job_id)}


def _picking(entry: str) -> str:
    """Return the query that picks the process that a package's fragment names (Part 2, ``w``)."""
    fragment = entry.partition("#")[2]
    return "?" + urlencode({"w": fragment}) if fragment else ""


def _document(answer: httpx.Response) -> dict[str, Any]:
    if not answer.content:
        return {}
    try:
        found = read_written_json(answer.content)
    except ValueError:
        found = None
    if not isinstance(found, Mapping):
        said = f"{answer.url.host} answered with something else than a document"
        raise ServerRefused(said, answered=answer.status_code)
    return dict(found)


def _is_log(link: Mapping[str, Any]) -> bool:
    return isinstance(link.get("href"), str) and _log_name(link).endswith(".log")


def _log_name(link: Mapping[str, Any]) -> str:
    return unquote(urlsplit(str(link["href"])).path.rpartition("/")[2])


def _names(log: str) -> tuple[str, ...]:
    """Return what the step of a log may be called."""
    plain = log.removesuffix(".log").removesuffix(".out")
    return log, plain, plain.removeprefix("node_")
