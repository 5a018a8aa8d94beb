"""Processes: the list, descriptions, and deploying packages.

Owns Part 1's process list and description and Part 2 (deploy, replace, undeploy). Must not know
jobs.
"""

from typing import Final
from urllib.parse import quote

from starlette.responses import RedirectResponse, Response

from localproc.engine.handles import Process
from localproc.engine.packages.package_source import NOWHERE, PackageSource, find_source
from localproc.errors import EXCEPTIONS_2, DuplicatedProcess
from localproc.http.answers import FORM, HttpProblem, nothing
from localproc.http.exchange import Exchange
from localproc.http.forms import form_fields
from localproc.http.multipart import read_parts
from localproc.http.paging import page_links
from localproc.ogc.apppkg import MEDIA_TYPE as APPPKG
from localproc.ogc.apppkg import YAML_MEDIA_TYPE
from localproc.views.graph import graph_of, in_words
from localproc.views.graph_svg import svg
from localproc.views.process import process_description, process_summary

_CWL: Final = (
    "application/cwl",
    "application/cwl+json",
    "application/cwl+yaml",
    "application/x-yaml",
    "application/yaml",
    "text/yaml",
    "text/x-yaml",
)
_SINGLE: Final = (*_CWL, APPPKG, YAML_MEDIA_TYPE, "application/json")
_DRAWING: Final = "sandbox; default-src 'none'; style-src 'unsafe-inline'"
_MULTIPART: Final = ("multipart/related", FORM, "multipart/mixed")


def list_processes(exchange: Exchange) -> Response:
    """Answer with the process list, by id."""
    found = exchange.engine.processes()
    after, before = exchange.query("after") or "", exchange.query("before")
    rest = [one for one in found if one.id > after and (before is None or one.id < before)]
    limit = exchange.limit()
    page = rest[-limit:] if before is not None else rest[:limit]
    more = bool(page) and page[-1].id != found[-1].id
    earlier = bool(page) and page[0].id != found[0].id
    links = page_links(
        exchange,
        after=page[-1].id if more else None,
        before=page[0].id if earlier else None,
    )
    if exchange.wants_html:
        return exchange.page("processes.html", {"processes": page, "links": links})
    summaries = [process_summary(one.record, exchange.base) for one in page]
    return exchange.document({"processes": summaries, "links": links})


def describe(exchange: Exchange) -> Response:
    """Answer with a process description."""
    process = exchange.engine.process(exchange.path["process_id"])
    said = process_description(process.record, exchange.base)
    if exchange.wants_html:
        fields = form_fields(process)
        content = {"process": process, "description": said, "fields": fields}
        return exchange.page("process.html", content | {"steps": _steps(process)})
    return exchange.document(said)


def package(exchange: Exchange) -> Response:
    """Answer with the package, byte for byte as it was deployed."""
    process = exchange.engine.process(exchange.path["process_id"])
    return Response(process.package, headers={"Content-Type": process.record.media_type})


def graph(exchange: Exchange) -> Response:
    """Answer with a drawing of the steps; it runs nothing and loads nothing."""
    process = exchange.engine.process(exchange.path["process_id"])
    headers = {"Content-Security-Policy": _DRAWING, "X-Content-Type-Options": "nosniff"}
    return Response(svg(process.record.resolved), headers=headers, media_type="image/svg+xml")


def deploy(exchange: Exchange) -> Response:
    """Deploy a package under the id that it names."""
    source = _source(exchange)
    try:
        process = exchange.engine.deploy(
            source,
            fragment=exchange.query("w") or "",
            replace=False,
            policy=exchange.settings.policy,
        )
    except DuplicatedProcess as error:
        raise HttpProblem(
            error.status,
            "DuplicatedProcess",
            error.message,
            kind=error.type,
            hint="PUT replaces it, DELETE undeploys it",
            headers={"Location": _place(exchange, error.process_id)},
        ) from None
    place = _place(exchange, process.id)
    if exchange.content_type == FORM and exchange.wants_html:
        return RedirectResponse(place, 303)
    said = process_summary(process.record, exchange.base)
    return exchange.document(said, 201, headers={"Location": place})


def replace(exchange: Exchange) -> Response:
    """Deploy a package in the place of another; jobs of that go on with what they began with."""
    source = _source(exchange)
    process = exchange.engine.process(exchange.path["process_id"])
    exchange.engine.deploy(
        source,
        process_id=process.id,
        fragment=exchange.query("w") or "",
        policy=exchange.settings.policy,
    )
    return nothing()


def undeploy(exchange: Exchange) -> Response:
    """Undeploy a process; with ``force`` even while jobs of it run."""
    force = exchange.flag("force")
    exchange.engine.undeploy(exchange.path["process_id"], force=force)
    return nothing()


def _steps(process: Process) -> str:
    """Say what the drawing of a workflow shows; a tool has no steps to be drawn."""
    resolved = process.record.resolved
    is_workflow = resolved["processes"][resolved["main"]]["class"] == "Workflow"
    return in_words(graph_of(resolved)) if is_workflow else ""


def _source(exchange: Exchange) -> PackageSource:
    """Read what was sent; the media type is looked at before anything else is."""
    kind = exchange.content_type
    if kind in _SINGLE:
        return find_source(exchange.body, NOWHERE)
    if kind in _MULTIPART:
        return _several(exchange)
    raise HttpProblem(
        415,
        "UnsupportedMediaType",
        f"a package cannot be of the type {kind or '(none)'}",
        kind=EXCEPTIONS_2 + "unsupported-media-type",
        hint=f"send one of {', '.join((*_CWL[:3], APPPKG, *_MULTIPART[:2]))}",
        headers={"Accept-Post": ", ".join((*_SINGLE, *_MULTIPART))},
    )


def _several(exchange: Exchange) -> PackageSource:
    """Read documents that came together; the first is the package, the others it includes.

    They are told apart by Content-ID or file name. What is kept as the package is the whole body.
    """
    content_type = exchange.request.headers["content-type"]
    parts = read_parts(content_type, exchange.body)
    first, *others = parts
    source = find_source(first.data, NOWHERE)
    return PackageSource(
        NOWHERE + (first.name or source.uri.removeprefix(NOWHERE)),
        data=first.data,
        media_type=content_type,
        parts={NOWHERE + one.name: one.data for one in others},
        deposit={"package.multipart": exchange.body},
    )


def _place(exchange: Exchange, process_id: str) -> str:
    return f"{exchange.base}/processes/{quote(process_id)}"
