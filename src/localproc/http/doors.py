"""What happens to a request before any handler sees it.

Owns the names that the server may be called by, paths with a slash at their end, pages of other
origins (CORS), and problems where no namespace is known. Must not know any resource.
"""

import asyncio
from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from localproc.http import pages
from localproc.http.answers import HTML, JSON, PROBLEM, HttpProblem, document
from localproc.http.auth import refuse_names
from localproc.http.http_settings import HttpSettings
from localproc.http.negotiation import best, listed
from localproc.http.urls import static_of


class Door:
    """Lets those in who call the server by a name of its own.

    A path with a slash at its end is the one without it: nobody is sent on, for a redirect would
    have to carry bodies and tokens, and to know what clients call this server.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        app = self._app
        if scope["type"] == "http":
            path = _without_slash(scope)
            scope = scope if path == scope["path"] else {**scope, "path": path}
            request = Request(scope)
            try:
                refuse_names(request, request.app.state.settings)
            except HttpProblem as error:
                app = problem_answer(request, error)
        try:
            await app(scope, receive, send)
        except asyncio.CancelledError:
            if not scope["app"].state.stopping:  # who stops the server knows that it cuts answers
                raise


def _without_slash(scope: Scope) -> str:
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    inner = path.removeprefix(root)
    return path if inner == "/" else path.removesuffix("/")


class Cors(CORSMiddleware):
    """Lets pages of other origins in (Fetch standard, "CORS protocol"); refusals are problems."""

    def __init__(self, app: ASGIApp, origins: Sequence[str]) -> None:
        super().__init__(
            app,
            allow_origins=list(origins),
            allow_methods=["GET", "POST", "PUT", "DELETE"],
            allow_headers=[
                "Authorization",
                "Content-Type",
                "If-None-Match",
                "Last-Event-ID",
                "Prefer",
                "Range",
            ],
            expose_headers=["ETag", "Link", "Location", "Preference-Applied"],
        )

    def preflight_response(self, request_headers: Headers) -> Response:
        """Answer what a browser asks before the request itself."""
        answer = super().preflight_response(request_headers)
        if answer.status_code < 400:
            return answer
        refused = bytes(answer.body).decode().removeprefix("Disallowed CORS ")
        problem = HttpProblem(
            answer.status_code,
            "ForeignOrigin",
            f"pages of {request_headers['origin']} may not ask for this: {refused} not allowed",
            hint="whoever runs the service can allow an origin with --cors ORIGIN",
        ).to_problem()
        headers = {
            name: value
            for name, value in answer.headers.items()
            if name not in ("content-type", "content-length")
        }
        return document(problem, answer.status_code, media_type=PROBLEM, headers=headers)


def problem_answer(request: Request, error: HttpProblem) -> Response:
    """Answer with a problem where no engine is known, and so nothing of it can be told."""
    members = error.to_problem()
    settings: HttpSettings = request.app.state.settings
    accept, asked = listed(request.headers, "accept"), request.query_params.get("f")
    if best(accept, (PROBLEM, JSON, HTML), asked) != HTML:
        return document(members, members["status"], media_type=PROBLEM, headers=error.headers)
    content = {"problem": members, "service": settings.title, "above": [], "deploys": False}
    content["static"] = static_of(request, settings)
    return pages.render("problem.html", content, members["status"], error.headers)
