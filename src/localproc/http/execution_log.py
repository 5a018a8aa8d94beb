"""The execution log: the same jobs, told as executions with phases.

Owns the resources of that log and its query. Must not know how executions are written.
"""

import platform
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import Any, Final
from urllib.parse import parse_qsl

from starlette.responses import RedirectResponse, Response

from localproc.errors import InvalidInputs, Problem
from localproc.http.answers import bad_parameter
from localproc.http.bodies import read_json
from localproc.http.exchange import Exchange
from localproc.http.execution import start
from localproc.http.joblist import page_of_jobs, times
from localproc.http.numbers import whole
from localproc.http.paging import link_header
from localproc.model import Trigger
from localproc.views.execution_log import SHOWN
from localproc.views.parameters import bounds

_MOST: Final = 10_000  #: executions in an answer
#: How far back a list may go, by what people call it.
LAST: Final = {
    "12h": timedelta(hours=12),
    "24h": timedelta(hours=24),
    "48h": timedelta(hours=48),
    "week": timedelta(days=7),
    "month": timedelta(days=31),
}
_FORM: Final = "application/x-www-form-urlencoded"
_AHEAD: Final = timedelta(hours=12)
_MOST_AHEAD: Final = 20
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
    if status and len(SHOWN.get(status, ())) == 1 and status not in ("triggered", "running"):
        found = _all(exchange, status, exchange.limit(), filters)
        links: list[dict[str, str]] = []
    else:
        states = SHOWN[_known(status)] if status else ()
        page, links = page_of_jobs(exchange, {**filters, "status": states})
        found = [job.execution() for job in page]
        found = [one for one in found if status in ("", one["status"])]
    if exchange.wants_html:
        content = {
            "executions": found,
            "links": links,
            "last": LAST,
            "statuses": SHOWN,
            "triggers": list(Trigger),
            "coming": _coming(exchange),
        }
        return exchange.page("executions.html", content)
    return exchange.document(found, headers={"Link": link_header(links)})


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


def _coming(exchange: Exchange) -> list[tuple[datetime, str, str]]:
    """Give what is due in the next hours: when, which schedule, which process."""
    until = datetime.now(UTC) + _AHEAD
    found = [
        (due, one.name, one.schedule.process)
        for one in exchange.engine.schedules.all()
        for due in (one.next_runs(_MOST_AHEAD) if one.due and one.due <= until else ())
        if due <= until
    ]
    return sorted(found)[:_MOST_AHEAD]


def execution(exchange: Exchange) -> Response:
    """Answer with one execution."""
    job = exchange.job()
    said = exchange.addressed(job, job.execution())
    if not exchange.wants_html:
        return exchange.document(said)
    inputs = exchange.addressed(job, dict(job.inputs))
    return exchange.page("execution.html", {"one": said, "inputs": inputs})


def trigger(exchange: Exchange) -> Response:
    """Start an execution: ``{"name": PROCESS, "body": INPUTS}``; ``input`` says the same.

    ``?_reason=TEXT`` says why.
    """
    is_form = exchange.content_type == _FORM
    asked = _form(exchange) if is_form else exchange.json()
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
    job = start(exchange, process, {"inputs": inputs}, reason=reason)
    place = f"{exchange.base}/executions/v1/private/{job.id}"
    if is_form and exchange.prefers_html:
        return RedirectResponse(place, 303)
    return exchange.document(job.execution(), 201, headers={"Location": place})


def _form(exchange: Exchange) -> dict[str, Any]:
    """Read what the page of an execution sends: ``name``, and ``body`` as a JSON text."""
    fields = dict(parse_qsl(exchange.body.decode(errors="replace"), keep_blank_values=True))
    return {"name": fields.get("name"), "body": read_json(fields.get("body", "{}").encode())}
