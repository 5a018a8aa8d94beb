"""One request on its way to its answer.

Owns what handlers get: the engine of the namespace, the body, the base of links, and the answer to
errors. Handlers are plain functions. Must not know any resource.
"""

import hashlib
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from localproc.engine.engine import LocalEngine, namespace_of
from localproc.engine.handles import Job
from localproc.errors import LocalprocError, NoSuchJob
from localproc.frozen import frozen
from localproc.http import pages
from localproc.http.answers import FORM, HTML, JSON, PROBLEM, HttpProblem, bad_parameter, document
from localproc.http.bodies import read_json
from localproc.http.http_settings import HttpSettings
from localproc.http.negotiation import Preferences, best, is_known, listed, preferences
from localproc.http.published_files import FileAnswer, opened_result, signed
from localproc.http.urls import root_of, static_of
from localproc.http.whole_numbers import whole
from localproc.uris import quoted
from localproc.views import ogc
from localproc.views.hrefs import place_of, with_addresses, with_places

#: What an answer of 304 has of the one that it stands for (RFC 9110, 15.4.5).
_KEPT: Final = ("cache-control", "content-location", "etag", "link", "vary")


@frozen
class Exchange:
    """A request with all that a handler needs.

    ``base`` is the URL of the namespace's root, ``user`` the name of the token that was given.
    """

    request: Request
    engine: LocalEngine
    settings: HttpSettings
    base: str
    body: bytes
    user: str

    @property
    def path(self) -> Mapping[str, str]:
        """The variables of the path."""
        return self.request.path_params

    @property
    def own_url(self) -> str:
        """The URL of the request without its query, as links have it."""
        root = root_of(self.request, self.settings)
        return self.base + quoted(self.request.url.path.removeprefix(root))

    @property
    def as_json(self) -> str:
        """The URL of the same resource as JSON."""
        query = [pair for pair in self.request.query_params.multi_items() if pair[0] != "f"]
        return f"{self.own_url}?{urlencode([*query, ('f', 'json')])}"

    @property
    def content_type(self) -> str:
        """The media type of the body, in lower case, without parameters."""
        return self.request.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def accept(self) -> str:
        """The media types that the client takes."""
        return listed(self.request.headers, "accept")

    @property
    def prefer(self) -> Preferences:
        """What the client prefers."""
        return preferences(listed(self.request.headers, "prefer"))

    # The query

    def query(self, name: str) -> str | None:
        """Return a query parameter."""
        return self.request.query_params.get(name)

    def queries(self, name: str) -> list[str]:
        """Return the values of a query parameter that may be repeated, or hold several."""
        given = self.request.query_params.getlist(name)
        return [value for one in given for value in one.split(",") if value]

    def flag(self, name: str) -> bool:
        """Whether a query parameter that is yes or no says yes."""
        given = (self.query(name) or "false").lower()
        if given not in ("true", "false"):
            raise bad_parameter(name, f"{given!r} is neither true nor false")
        return given == "true"

    def limit(self, otherwise: int = 10) -> int:
        """Return ``limit``: 1 to 10,000; more is taken as the most there is."""
        given = self.query("limit")
        if given is None:
            return otherwise
        limit = whole(given)
        if not limit:
            raise bad_parameter("limit", f"{given!r} is not a number from 1 to 10000")
        return min(limit, 10_000)

    def wants(self, *offered: str) -> str:
        """Return the media type to answer with; raises 406, or 400 for an unknown ``f``."""
        asked = self.query("f")
        chosen = best(self.accept, offered, asked)
        if chosen is not None:
            return chosen
        if asked:
            raise bad_parameter("f", f"{asked!r} is not offered here")
        raise HttpProblem(406, "NotAcceptable", f"there is: {', '.join(offered)}")

    @property
    def wants_html(self) -> bool:
        """Whether the answer is for a person; raises as ``wants`` does."""
        return self.wants(JSON, HTML) == HTML

    @property
    def prefers_html(self) -> bool:
        """Whether it is, where there may be other media types."""
        return best(self.accept, (JSON, HTML), self.query("f")) == HTML

    # The body

    def json(self) -> Any:
        """Read the body as JSON; raises 400."""
        return read_json(self.body)

    # Jobs

    def job(self) -> Job:
        """Return the job that the path names; raises what its dismissal policy says."""
        job = self.engine.job(self.path["job_id"])
        if not job.snapshot.hidden:
            return job
        if self.settings.dismiss == "gone":
            raise HttpProblem(410, "JobGone", f"the job {job.id} was dismissed")
        raise no_such_job(NoSuchJob(job.id), self.settings, hint="it was dismissed")

    def addressed(self, job: Job, content: Any) -> Any:
        """Return a document about a job with addresses in place of where things lie here."""
        return with_addresses(content, job.location, f"{self.base}/jobs/{job.id}/files")

    def file(self, job: Job, location: str, media_type: str) -> Response:
        """Answer with a published file, or with where it can be had if it is not here."""
        if self.request.method == "GET":
            address = signed(job, location, self.settings.presign)
            if address is not None:
                return RedirectResponse(address, 307, {"Cache-Control": "no-store"})
        return FileAnswer(opened_result(job, location), media_type, self.request)

    def fetchable(self, job: Job, location: str) -> str:
        """Return an address that a client can have a published file at."""
        return self._place(job, {"class": "File", "location": location})

    def served(self, job: Job, value: Any) -> Any:
        """Return an output whose files and folders are where a client can have them."""
        return with_places(value, lambda one: self._place(job, one))

    def served_results(self, job: Job) -> Any:
        """Return the results of a job as a document whose files a client can have."""
        outcome = job.outcome()
        values = self.served(job, dict(outcome.outputs))
        return self.addressed(job, ogc.results_document(values, outcome.features))

    def _place(self, job: Job, one: Mapping[str, Any]) -> str:
        """Return an address of a file or a folder; that of a folder tells what is in it."""
        root, location = job.location, str(one.get("location", ""))
        is_own_file = one["class"] == "File" and location.startswith(f"{root}/")
        address = signed(job, location, self.settings.presign) if is_own_file else None
        return address or place_of(one, root, f"{self.base}/jobs/{job.id}/files")

    # Answers

    def document(
        self,
        content: Any,
        status: int = 200,
        *,
        media_type: str = JSON,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Answer with a JSON document that tells nothing of where this machine keeps it."""
        varied = {"Vary": "Accept", **(headers or {})}
        return self.without_home(document(content, status, media_type=media_type, headers=varied))

    def either(self, heading: str, content: Any, above: str = "") -> Response:
        """Answer with a document, or with a page that has nothing but it.

        ``above`` is the URL of what it is a part of.
        """
        if not self.wants_html:
            return self.document(content)
        return self.page("document.html", {"heading": heading, "document": content, "above": above})

    def page(
        self,
        template: str,
        content: Mapping[str, Any],
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Answer with a page for people."""
        context = {
            "base": self.base,
            "json": self.as_json,
            "static": static_of(self.request, self.settings),
            "service": self.settings.title,
            "namespace": self.engine.namespace,
            "query": self.request.query_params,
        }
        answer = pages.render(template, {**context, **content}, status, headers)
        return self.without_home(answer)

    def tagged(self, answer: Response) -> Response:
        """Mark what GET answers with a tag; 304 for those who have it (RFC 9110, 13.1.2)."""
        is_plain = type(answer) is Response and answer.status_code == 200
        if not is_plain or self.request.method not in ("GET", "HEAD"):
            return answer
        tag = f'"{hashlib.sha256(answer.body).hexdigest()[:32]}"'
        answer.headers["ETag"] = tag
        answer.headers.setdefault("Cache-Control", "no-cache")
        if is_known(self.request, tag):
            kept = {name: answer.headers[name] for name in _KEPT if name in answer.headers}
            return Response(status_code=304, headers=kept)
        return answer

    def without_home(self, answer: Response) -> Response:
        """Take this machine's folders out of an answer."""
        answer.body = self.scrubbed(bytes(answer.body))
        answer.headers["content-length"] = str(len(answer.body))
        return answer

    def scrubbed(self, data: bytes) -> bytes:
        """Take this machine's folders out of what is told, unless those who ask are on it."""
        if self.settings.paths:
            return data
        for folder in namespace_of(self.engine).folders:
            data = data.replace(folder.encode(), b"...")
        return data

    def problem(self, error: LocalprocError) -> Response:
        """Answer with the problem that an error is (RFC 9457); as plain JSON if so asked."""
        if isinstance(error, NoSuchJob):
            error = no_such_job(error, self.settings)
        members = error.to_problem()
        headers = error.headers if isinstance(error, HttpProblem) else None
        kind = best(self.accept, (PROBLEM, JSON, HTML), self.query("f"))
        if kind == HTML:
            content = {"problem": members, "above": self._above(), "deploys": self._deploys()}
            return self.page("problem.html", content, members["status"], headers)
        return self.document(
            members, members["status"], media_type=kind or PROBLEM, headers=headers
        )

    def _above(self) -> list[tuple[str, str]]:
        """Return the ways back from a page that there is not: addresses, and what is there."""
        first = self.own_url.removeprefix(self.base).strip("/").partition("/")[0]
        name, path = _LISTS.get(first, ("Home", ""))
        ways = [(self.base + path, name)]
        process = self.path.get("process_id", "")
        if process and self.request.method == "POST":
            ways.append((f"{self.base}/processes/{quoted(process)}", process))
        return ways

    def _deploys(self) -> bool:
        """Whether this is the form that deploys a package, which can be filled in once more."""
        return self.content_type == FORM and self.own_url == f"{self.base}/processes"


_LISTS: Final = {
    "processes": ("Processes", "/processes"),
    "jobs": ("Jobs", "/jobs"),
    "executions": ("Executions", "/executions/v1"),
    "schedules": ("Schedules", "/schedules"),
}


def no_such_job(error: NoSuchJob, settings: HttpSettings, hint: str = "") -> HttpProblem:
    """Return the problem of a job that is not there in the words that clients know."""
    zoo = "http://www.opengis.net/def/rel/ogc/1.0/exception/no-such-job"
    return HttpProblem(
        404,
        "NoSuchJob",
        "The JobID from the request does not match any of the Jobs running on this server",
        kind=zoo if settings.profile == "zoo" else error.type,
        hint=hint,
    )
