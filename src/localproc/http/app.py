"""The ASGI app: which handler answers what.

Owns the routes, and the errors that no handler sees. Must not know what handlers do.
"""

import re
from typing import Any, Final, Unpack

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from localproc.engine.engine import LocalEngine
from localproc.engine.options import check_options
from localproc.http import execution, execution_log, jobs, live, pages, processes, service
from localproc.http.answers import HTML, JSON, PROBLEM, HttpProblem, document
from localproc.http.auth import refuse_names
from localproc.http.echo import deploy_echo
from localproc.http.exchange import Handler, endpoint
from localproc.http.negotiation import best, listed
from localproc.http.settings import HttpOptions, HttpSettings
from localproc.http.urls import static_of

_RESOURCES: Final[dict[str, dict[str, Handler]]] = {
    "": {"GET": service.landing},
    "/conformance": {"GET": service.conformance},
    "/api": {"GET": service.api},
    "/processes": {"GET": processes.list_processes, "POST": processes.deploy},
    "/processes/{process_id}": {
        "GET": processes.describe,
        "PUT": processes.replace,
        "DELETE": processes.undeploy,
    },
    "/processes/{process_id}/package": {"GET": processes.package},
    "/processes/{process_id}/graph": {"GET": processes.graph},
    "/processes/{process_id}/execution": {"POST": execution.execute},
    "/jobs": {"GET": jobs.list_jobs},
    "/jobs/{job_id}": {"GET": jobs.status, "DELETE": jobs.dismiss},
    "/jobs/{job_id}/results": {"GET": jobs.results},
    "/jobs/{job_id}/results/{output}": {"GET": jobs.result},
    "/jobs/{job_id}/results/{output}/{index}": {"GET": jobs.result},
    "/jobs/{job_id}/files/{path:path}": {"GET": jobs.file},
    "/jobs/{job_id}/events": {"GET": live.events},
    "/jobs/{job_id}/inputs": {"GET": jobs.inputs},
    "/jobs/{job_id}/prov": {"GET": jobs.prov},
    "/jobs/{job_id}/{step}.log": {"GET": live.log},
    "/executions": {"GET": execution_log.build},
    "/executions/v1": {"GET": execution_log.list_executions, "POST": execution_log.trigger},
    "/executions/v1/private/{job_id}": {"GET": execution_log.execution},
}


class _Route(Route):
    """A route whose ``{name:path}`` may have line breaks, as names of files may."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.path_regex = re.compile(self.path_regex.pattern, re.DOTALL)


def create_app(
    engine: LocalEngine, settings: HttpSettings | None = None, **options: Unpack[HttpOptions]
) -> Starlette:
    """Return the ASGI app of an engine; it can be mounted in another.

    ``options`` are those of ``HttpSettings``, by name. The engine stays the caller's to close.
    Raises ``ValueError`` for settings that do not go together, ``UnknownOption`` for an option that
    does not exist.
    """
    check_options(create_app, options, HttpOptions)
    settings = settings or HttpSettings(**options)
    namespaces = settings.namespaces or (engine.namespace,)
    if len(namespaces) > 1 and "{namespace}" not in settings.template:
        raise ValueError("several namespaces need a prefix with {namespace} in it")
    routes: list[Route] = [
        _Route(settings.template + path or "/", endpoint(**handlers), methods=list(handlers))
        for path, handlers in _RESOURCES.items()
    ]
    if settings.template:  # clients write the root with a slash and without
        routes.append(Route(settings.template + "/", endpoint(**_RESOURCES[""]), methods=["GET"]))
    routes.append(Route("/static/{name}", pages.static))
    if settings.template:
        routes.append(Route("/", service.root))
    app = Starlette(routes=routes, middleware=_middleware(settings), exception_handlers=_ERRORS)
    app.state.settings = settings
    app.state.engines = {name: engine.within(name) for name in namespaces}
    if settings.echo:
        for one in app.state.engines.values():
            deploy_echo(one)
    return app


def _middleware(settings: HttpSettings) -> list[Middleware]:
    found = [Middleware(_Doorkeeper)]
    if settings.origins:
        found.append(
            Middleware(
                CORSMiddleware,
                allow_origins=list(settings.origins),
                allow_methods=["GET", "POST", "PUT", "DELETE"],
                allow_headers=["Authorization", "Content-Type", "Prefer", "Last-Event-ID"],
                expose_headers=["Location", "Link", "Preference-Applied"],
            )
        )
    return found


class _Doorkeeper:
    """Lets those in who call the server by a name of its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._app
        if scope["type"] == "http":
            request = Request(scope)
            try:
                refuse_names(request, request.app.state.settings)
            except HttpProblem as error:
                app = _answer(request, error)
        await app(scope, receive, send)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    title = {404: "NotFound", 405: "MethodNotAllowed"}.get(error.status_code, "Error")
    detail = f"{request.method} {request.url.path}: {error.detail}"
    return _answer(request, HttpProblem(error.status_code, title, detail, headers=error.headers))


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, HttpProblem)
    return _answer(request, error)


def _answer(request: Request, error: HttpProblem) -> Response:
    """Answer with a problem where no engine is known, and so nothing of it can be told."""
    members = error.to_problem()
    settings: HttpSettings = request.app.state.settings
    accept, asked = listed(request.headers, "accept"), request.query_params.get("f")
    if best(accept, (PROBLEM, JSON, HTML), asked) != HTML:
        return document(members, members["status"], media_type=PROBLEM, headers=error.headers)
    content = {"problem": members, "service": settings.title}
    content["static"] = static_of(request, settings)
    return pages.render("problem.html", content, members["status"], error.headers)


_ERRORS: Final[Any] = {HTTPException: _http_error, HttpProblem: _problem}
