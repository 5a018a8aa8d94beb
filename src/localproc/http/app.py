"""The ASGI app: which handler answers what.

Owns the routes, and the errors that no handler sees. Must not know what handlers do.
"""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final, Unpack

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from localproc.engine.engine import LocalEngine
from localproc.http import (
    execution,
    execution_log,
    jobs,
    live,
    log_search,
    pages,
    processes,
    schedules,
    service,
)
from localproc.http.answers import HttpProblem
from localproc.http.doors import Cors, Door, problem_answer
from localproc.http.echo import deploy_echo
from localproc.http.endpoints import Handler, endpoint
from localproc.http.http_settings import HttpOptions, HttpSettings
from localproc.http.threads import Threads
from localproc.spelling import spelled

#: Each is tried after the other, so those that are asked for most come first.
_RESOURCES: Final[dict[str, dict[str, Handler]]] = {
    "/processes/{process_id}/execution": {"POST": execution.execute},
    "/jobs": {"GET": jobs.list_jobs},
    "/jobs/{job_id}": {"GET": jobs.status, "DELETE": jobs.dismiss},
    "/jobs/{job_id}/retry": {"GET": execution.retry_form, "POST": execution.retry},
    "/jobs/{job_id}/results": {"GET": jobs.results},
    "/jobs/{job_id}/results/{output}": {"GET": jobs.result},
    "/jobs/{job_id}/results/{output}/{index}": {"GET": jobs.result},
    "/jobs/{job_id}/files/{path:path}": {"GET": jobs.published_file},
    "/jobs/{job_id}/events": {"GET": live.events},
    "/jobs/{job_id}/inputs": {"GET": jobs.inputs},
    "/jobs/{job_id}/prov": {"GET": jobs.prov},
    "/jobs/{job_id}/{step}.log": {"GET": live.log},
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
    "/logs": {"GET": log_search.search},
    "/schedules": {"GET": schedules.list_schedules, "POST": schedules.add},
    "/schedules/{name}": {
        "GET": schedules.show,
        "PUT": schedules.replace,
        "DELETE": schedules.remove,
    },
    "/hooks/{name}": {"POST": schedules.hook},
    "/executions": {"GET": execution_log.build},
    "/executions/v1": {"GET": execution_log.list_executions, "POST": execution_log.trigger},
    "/executions/v1/private/{job_id}": {"GET": execution_log.execution},
}


class _Route(Route):
    """A route whose ``{name:path}`` may have line breaks, as names of files may."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.path_regex = re.compile(self.path_regex.pattern, re.DOTALL)


@spelled
def create_app(
    engine: LocalEngine, settings: HttpSettings | None = None, **options: Unpack[HttpOptions]
) -> Starlette:
    """Return the ASGI app of an engine; it can be mounted in another.

    ``options`` are those of ``HttpSettings``, by name. The engine stays the caller's to close.
    Raises ``ValueError`` for settings that do not go together, ``UnknownOption`` for an option that
    does not exist.
    """
    settings = settings or HttpSettings(**options)
    namespaces = settings.namespaces or (engine.namespace,)
    if len(namespaces) > 1 and "{namespace}" not in settings.template:
        raise ValueError("several namespaces need a prefix with {namespace} in it")
    routes: list[Route] = [
        _Route(settings.template + path or "/", endpoint(**handlers), methods=list(handlers))
        for path, handlers in _RESOURCES.items()
    ]
    routes.append(Route("/static/{name}", pages.static))
    if settings.template:
        routes.append(Route("/", service.root))
    app = Starlette(
        routes=routes,
        middleware=_middleware(settings),
        exception_handlers=_ERRORS,
        lifespan=_lifespan,
    )
    app.router.redirect_slashes = False  # a path with a slash at its end is the same: see Door
    app.state.settings = settings
    app.state.threads = Threads()
    app.state.stopping = False
    app.state.engines = {name: engine.within(name) for name in namespaces}
    if settings.echo:
        for one in app.state.engines.values():
            deploy_echo(one)
    return app


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    yield
    app.state.threads.close()


def _middleware(settings: HttpSettings) -> list[Middleware]:
    found = [Middleware(Door)]
    if settings.origins:
        found.append(Middleware(Cors, origins=settings.origins))
    return found


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    title = {404: "NotFound", 405: "MethodNotAllowed"}.get(error.status_code, "Error")
    detail = f"{request.method} {request.url.path}: {error.detail}"
    return problem_answer(
        request, HttpProblem(error.status_code, title, detail, headers=error.headers)
    )


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, HttpProblem)
    return problem_answer(request, error)


_ERRORS: Final[Any] = {HTTPException: _http_error, HttpProblem: _problem}
