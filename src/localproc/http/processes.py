"""Processes: the list, descriptions, and deploying packages.

Owns Part 1's process list and description and Part 2 (deploy, replace, undeploy). Must not know
jobs.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

from starlette.responses import RedirectResponse, Response

from localproc.engine.packages.archive import MAGIC, ZIP
from localproc.engine.packages.package_source import PackageSource, find_source, package_of
from localproc.engine.packages.parts import NOWHERE, Parts, main_of
from localproc.errors import EXCEPTIONS_2, DuplicatedProcess
from localproc.http.answers import FORM, HttpProblem, nothing
from localproc.http.exchange import Exchange
from localproc.http.multipart import BodyPart, read_parts, start_of
from localproc.http.negotiation import best
from localproc.http.paging import page_links
from localproc.http.process_page import process_page
from localproc.ogc.apppkg import MEDIA_TYPE as APPPKG
from localproc.ogc.apppkg import YAML_MEDIA_TYPE
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
    if exchange.wants_html:
        return process_page(exchange, process)
    return exchange.document(process_description(process.record, exchange.base))


def package(exchange: Exchange) -> Response:
    """Answer with what deploys the process again (Part 2, ``package-response-body``).

    That is the package, byte for byte as it was deployed. One that came from a folder with other
    files, and any other that is wanted so, is an archive of all of them.
    """
    process = exchange.engine.process(exchange.path["process_id"])
    kind = process.record.media_type
    if best(exchange.accept, (kind, ZIP), exchange.query("f")) == ZIP != kind:
        body, kind = process.archive(), ZIP
    elif kind.startswith("multipart/"):
        body = process.package
    else:
        body, kind = process.exported()
    return Response(body, headers={"Content-Type": kind, "Vary": "Accept"})


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
            staging=exchange.query("staging") or "own",
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
        staging=exchange.query("staging") or "own",
    )
    return nothing()


def undeploy(exchange: Exchange) -> Response:
    """Undeploy a process; with ``force`` even while jobs of it run."""
    force = exchange.flag("force")
    exchange.engine.undeploy(exchange.path["process_id"], force=force)
    return nothing()


def _source(exchange: Exchange) -> PackageSource:
    """Read what was sent; the media type is looked at before anything else is."""
    kind = exchange.content_type
    if kind in _SINGLE or kind == ZIP:
        return find_source(exchange.body, NOWHERE)
    if kind in _MULTIPART:
        return _several(exchange)
    raise HttpProblem(
        415,
        "UnsupportedMediaType",
        f"a package cannot be of the type {kind or '(none)'}",
        kind=EXCEPTIONS_2 + "unsupported-media-type",
        hint=f"send one of {', '.join((*_CWL[:3], APPPKG, ZIP, *_MULTIPART[:2]))}",
        headers={"Accept-Post": ", ".join((*_SINGLE, ZIP, *_MULTIPART))},
    )


def _several(exchange: Exchange) -> PackageSource:
    """Read documents and files that came together. What is kept is the whole body.

    Of a form the package is the document that no other names; else it is the part that ``start``
    names, or the first one (RFC 2387, 3.2).
    """
    content_type = exchange.request.headers["content-type"]
    parts = read_parts(content_type, exchange.body)
    is_form = exchange.content_type == FORM
    if is_form:
        parts = [one for one in parts if one.filename or one.data]
    if len(parts) == 1 and parts[0].data.startswith(MAGIC):
        return find_source(parts[0].data, NOWHERE)
    names = [one.name or f"part-{number}" for number, one in enumerate(parts)]
    named = {name: one.data for name, one in zip(names, parts, strict=True)}
    _check_names(names, is_form=is_form)
    aliases = {one.content_id: name for name, one in zip(names, parts, strict=True)}
    main = main_of(named) if is_form else names[_root(content_type, parts)]
    return package_of(
        Parts(named, {alias: name for alias, name in aliases.items() if alias}),
        main,
        media_type=content_type,
        deposit={"package.multipart": exchange.body},
    )


def _check_names(names: Sequence[str], *, is_form: bool) -> None:
    """See that there are parts, each with a name of its own; raises 400."""
    if not names and is_form:
        hint = "choose a file, or the folder that the package lies in"
        raise HttpProblem(400, "InvalidBody", "No package was chosen", hint=hint)
    if not names:
        raise HttpProblem(400, "InvalidBody", "the body has no parts")
    name, times = Counter(names).most_common(1)[0]
    if times > 1:
        raise HttpProblem(400, "InvalidBody", f"{times} parts of the body have the name {name!r}")


def _root(content_type: str, parts: Sequence[BodyPart]) -> int:
    """Return the place of the part that ``start`` names, the first if it is not there."""
    start = start_of(content_type)
    if not start:
        return 0
    for place, part in enumerate(parts):
        if part.content_id == start:
            return place
    raise HttpProblem(400, "InvalidBody", f"no part has the Content-ID that start names: {start}")


def _place(exchange: Exchange, process_id: str) -> str:
    return f"{exchange.base}/processes/{quote(process_id)}"
