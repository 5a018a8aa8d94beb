"""The execution log: the same jobs, told as executions with phases.

Owns the resources of that log and its query. Must not know how executions are written.
"""

import platform
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from typing import Any, Final
from urllib.parse import parse_qsl

from starlette.responses import RedirectResponse, Response

from localproc.engine.handles import Job
from localproc.errors import InvalidInputs, LocalprocError, Problem
from localproc.http.answers import bad_parameter
from localproc.http.bodies import read_json
from localproc.http.exchange import Exchange
from localproc.http.execution import start
from localproc.http.execution_pages import LAST, execution_page, executions_page
from localproc.http.joblist import page_of_jobs, times
from localproc.http.paging import link_header
from localproc.http.whole_numbers import whole
from localproc.model import Trigger
from localproc.views.execution_log import SHOWN
from localproc.views.parameters import bounds

_MOST: Final = 10_000  #: executions in an answer
_FORM: Final = "application/x-www-form-urlencoded"
_DISTINCT: Final = ("name", "service", "environment", "trigger", "runAs", "status", "reason")


def build(exchange: Exchange) -> Response:
    """Answer with what runs here."""
    said = {
        "name": "localproc",
        "version": version("localproc"),
        "python": platform.python_version(),
        "service": exchange.settings.title,
        "namespace": exchange.engine.namespace,
    }
    return exchange.either("What runs here", said)


def list_executions(exchange: Exchange) -> Response:
    """Answer with executions, newest first: of a process, of days, of a status, of a trigger.

    ``start=range(A,B)`` has days or times, both included; ``_limit=-1`` means all, ``_distinct``
    asks for the values of a member instead. The list is bare, so the links to its other pages are
    headers (RFC 8288).
    """
    filters = _filters(exchange)
    status = exchange.query("status") or ""
    distinct = exchange.query("_distinct")
    if distinct is not None and distinct not in _DISTINCT:
        raise bad_parameter("_distinct", f"there is: {', '.join(_DISTINCT)}")
    if distinct or exchange.query("_limit") is not None:
        most = _MOST if distinct else _limit(exchange)
        found = _all(exchange, status, most, filters)
        if distinct:
            return exchange.document(sorted({str(one[distinct]) for one in found}))
        return exchange.document(found)
    filters["status"] = SHOWN[_known(status)] if status else ()
    chosen = partial(_is_shown_as, status) if status else None
    page, links = page_of_jobs(exchange, filters, chosen)
    found = [job.execution() for job in page]
    if exchange.wants_html:
        return executions_page(exchange, found, links, filters)
    return exchange.document(found, headers={"Link": link_header(links)})


def _is_shown_as(status: str, job: Job) -> bool:
    """Whether an execution has a status: a state of jobs may be shown as several."""
    return bool(job.execution(lines=0)["status"] == status)


def _filters(exchange: Exchange) -> dict[str, Any]:
    since, until = times(exchange.query("datetime"))
    began_since, began_until = _range(exchange.query("start"))
    if last := exchange.query("last"):
        if last not in LAST:
            raise bad_parameter("last", f"there is: {', '.join(LAST)}")
        began_since = datetime.now(UTC) - LAST[last]
    trigger = exchange.query("trigger") or None
    if trigger is not None and trigger not in set(Trigger):
        raise bad_parameter("trigger", f"there is: {', '.join(Trigger)}")
    return {
        "process": exchange.query("name") or "",
        "since": since,
        "until": until,
        "began_since": began_since,
        "began_until": began_until,
        "trigger": trigger,
    }


def _all(
    exchange: Exchange, status: str, most: int, filters: Mapping[str, Any]
) -> list[dict[str, Any]]:
    return exchange.engine.executions(status=_known(status), limit=most, **filters)


def _known(status: str) -> str:
    if status and status not in SHOWN:
        raise bad_parameter("status", f"there is: {', '.join(SHOWN)}")
    return status


def _limit(exchange: Exchange) -> int:
    """Read ``_limit``: how many, -1 for all that a list may have."""
    given = exchange.query("_limit") or ""
    if given == "-1":
        return _MOST
    limit = whole(given)
    if not limit:
        raise bad_parameter("_limit", f"{given!r} is not a number from 1 on, or -1 for all")
    return min(limit, _MOST)


def _range(text: str | None) -> tuple[datetime | None, datetime | None]:
    """Read ``range(A,B)``, of days or times, both included; or a single day."""
    if not text:
        return None, None
    found = re.fullmatch(r"range\(([^,()]*),([^,()]*)\)", text)
    first, last = (found[1], found[2]) if found else (text, text)
    try:
        return bounds(first.strip(), last.strip(), ("start", "start"))
    except InvalidInputs as error:
        raise bad_parameter("start", "; ".join(one.message for one in error.problems)) from None


def execution(exchange: Exchange) -> Response:
    """Answer with one execution."""
    job = exchange.job()
    if exchange.wants_html:
        return execution_page(exchange, job)
    return exchange.document(exchange.addressed(job, job.execution()))


def trigger(exchange: Exchange) -> Response:
    """Start an execution: ``{"name": PROCESS, "body": INPUTS}``; ``input`` says the same.

    ``?_reason=TEXT`` says why.
    """
    if exchange.content_type == _FORM:
        return _run_again(exchange)
    job = _started(exchange, exchange.json())
    place = f"{exchange.base}/executions/v1/private/{job.id}"
    return exchange.document(job.execution(), 201, headers={"Location": place})


def _run_again(exchange: Exchange) -> Response:
    """Do what the page of an execution asks for; what cannot be done is said there."""
    fields = dict(parse_qsl(exchange.body.decode(errors="replace"), keep_blank_values=True))
    text = fields.get("body", "{}")
    try:
        job = _started(exchange, {"name": fields.get("name"), "body": read_json(text.encode())})
    except LocalprocError as error:
        if "of" not in fields or not exchange.prefers_html:
            raise
        return execution_page(exchange, exchange.engine.job(fields["of"]), error, text)
    place = f"{exchange.base}/executions/v1/private/{job.id}"
    if exchange.prefers_html:
        return RedirectResponse(place, 303)
    return exchange.document(job.execution(), 201, headers={"Location": place})


def _started(exchange: Exchange, asked: Any) -> Job:
    """Start what is asked for; raises ``InvalidInputs``."""
    if not isinstance(asked, Mapping) or not isinstance(asked.get("name"), str):
        raise InvalidInputs(
            "this starts no execution",
            [Problem("is missing, or no text", "name")],
            hint='send {"name": PROCESS, "body": {INPUT: VALUE}}',
        )
    member = "input" if "input" in asked else "body"
    inputs: Any = asked.get(member, {})
    if not isinstance(inputs, Mapping):
        raise InvalidInputs("this starts no execution", [Problem("is no object", member)])
    process, reason = exchange.engine.process(asked["name"]), exchange.query("_reason") or ""
    return start(exchange, process, {"inputs": inputs}, reason=reason)
