"""The service itself: landing page, conformance, API definition.

Owns what the service says of itself. Must not know processes or jobs.
"""

from functools import cache
from importlib.metadata import version
from importlib.resources import files
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from localproc.cwl.base.reading import read_yaml
from localproc.engine.engine import LocalEngine, namespace_of
from localproc.engine.job.executor_choice import ExecutorChoice
from localproc.http import pages
from localproc.http.answers import HTML, JSON, HttpProblem, document
from localproc.http.apidoc import by_tag
from localproc.http.auth import identify
from localproc.http.exchange import Exchange
from localproc.http.http_settings import HttpSettings
from localproc.http.negotiation import best, listed
from localproc.http.urls import static_of

OPENAPI: Final = "application/vnd.oai.openapi+json;version=3.0"
_REL: Final = "http://www.opengis.net/def/rel/ogc/1.0/"
_PART_1: Final = "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/"
_PART_2: Final = "http://www.opengis.net/spec/ogcapi-processes-2/1.0/conf/"
_CLASSES: Final = (
    *(_PART_1 + name for name in ("core", "ogc-process-description", "json", "html", "oas30")),
    *(_PART_1 + name for name in ("job-list", "callback", "dismiss")),
    *(_PART_2 + name for name in ("deploy-replace-undeploy", "ogcapppkg", "cwl")),
)


def conformance_classes(engine: LocalEngine) -> list[str]:
    """Return the URIs of the conformance classes; containers are one of them if there are any."""
    executor = engine.plugins.executor(ExecutorChoice.read(engine.settings.executor).default)
    has_some = (
        executor.capabilities.containers or namespace_of(engine).runtime.containers.are_used()
    )
    return [*_CLASSES, *([_PART_2 + "docker"] if has_some else [])]


async def root(request: Request) -> Response:
    """Answer with the namespaces that are served here, to those who may enter them."""
    answer: Response = await request.app.state.threads.run(_root, request)
    return answer


def _root(request: Request) -> Response:
    settings = request.app.state.settings
    here = f"{request.url.scheme}://{request.url.netloc}{request.scope.get('root_path', '')}"
    places = [
        {
            "rel": "child",
            "type": JSON,
            "title": namespace,
            "href": (settings.base_url.rstrip("/") or here) + settings.root(namespace),
        }
        for namespace in _open_to(request, settings)
    ]
    accept, asked = listed(request.headers, "accept"), request.query_params.get("f")
    if best(accept, (JSON, HTML), asked) == HTML:
        static = static_of(request, settings)
        content = {"service": settings.title, "static": static, "links": places}
        return pages.render("root.html", content)
    return document({"title": settings.title, "links": places}, headers={"Vary": "Accept"})


def _open_to(request: Request, settings: HttpSettings) -> list[str]:
    """Return the namespaces that a request may see; raises 401 if there is none."""
    found, refused = [], None
    for namespace, engine in request.app.state.engines.items():
        try:
            identify(request, engine, settings)
        except HttpProblem as error:
            refused = error
        else:
            found.append(namespace)
    if refused is not None and not found:
        raise refused
    return found


def landing(exchange: Exchange) -> Response:
    """Answer with the landing page of a namespace (Part 1, class "core")."""
    base = exchange.base
    links = [
        _link("self", JSON, base, "This document"),
        _link("alternate", HTML, f"{base}?f=html", "This page for people"),
        _link("service-desc", OPENAPI, f"{base}/api", "The API as OpenAPI 3.0"),
        _link("service-doc", HTML, f"{base}/api?f=html", "The API for people"),
        _link(f"{_REL}conformance", JSON, f"{base}/conformance", "Conformance classes"),
        _link("conformance", JSON, f"{base}/conformance", "Conformance classes"),
        _link(f"{_REL}processes", JSON, f"{base}/processes", "Processes"),
        _link("processes", JSON, f"{base}/processes", "Processes"),
        _link(f"{_REL}job-list", JSON, f"{base}/jobs", "Jobs"),
        _link("jobs", JSON, f"{base}/jobs", "Jobs"),
        _link("schedules", JSON, f"{base}/schedules", "What is run at certain times"),
        _link("executions", JSON, f"{base}/executions/v1", "The execution log"),
    ]
    said = {
        "title": f"{exchange.settings.title}: {exchange.engine.namespace}",
        "description": "Runs CWL application packages where its data is. Deploy one with "
        f"POST {base}/processes, execute it with POST {base}/processes/ID/execution.",
        "links": links,
    }
    return exchange.page("landing.html", said) if exchange.wants_html else exchange.document(said)


def conformance(exchange: Exchange) -> Response:
    """Answer with the conformance classes."""
    said = {"conformsTo": conformance_classes(exchange.engine)}
    if exchange.wants_html:
        return exchange.page("conformance.html", said)
    return exchange.document(said)


def api(exchange: Exchange) -> Response:
    """Answer with the OpenAPI 3.0 definition."""
    said = definition(exchange.base, exchange.settings.title)
    if exchange.wants(OPENAPI, JSON, HTML) == HTML:
        return exchange.page("api.html", {"api": said, "tags": by_tag(said)})
    return exchange.document(said, media_type="application/vnd.oai.openapi+json;version=3.0")


def definition(base: str, title: str) -> dict[str, Any]:
    """Return the OpenAPI document of a namespace whose root is ``base``."""
    said = {**_definition()}
    said["info"] = {**said["info"], "title": title, "version": version("localproc")}
    said["servers"] = [{"url": base}]
    return said


@cache
def _definition() -> dict[str, Any]:
    text = files("localproc.http").joinpath("openapi.yaml").read_text("utf-8")
    found: dict[str, Any] = read_yaml(text)
    return found


def _link(rel: str, kind: str, href: str, title: str) -> dict[str, str]:
    return {"rel": rel, "type": kind, "href": href, "title": title}
