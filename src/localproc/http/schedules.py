"""Schedules over HTTP, processes that are run at certain times; and webhooks that come in.

Owns their resources. Must not know when anything is due.
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

from starlette.responses import Response

from localproc.engine.home.home import check_namespace
from localproc.engine.triggers.members import unknown_names
from localproc.engine.triggers.schedule import Schedule
from localproc.engine.triggers.schedules import Scheduled
from localproc.errors import InvalidInputs, Problem
from localproc.http.exchange import Exchange

#: What clients may say of a schedule; the rest is its server's.
_MEMBERS: Final = {one.name for one in fields(Schedule)} - {"options", "run_as"}


def list_schedules(exchange: Exchange) -> Response:
    """Answer with the schedules of the namespace."""
    found = [_document(exchange, one) for one in exchange.engine.schedules.all()]
    if exchange.wants_html:
        return exchange.page("schedules.html", {"schedules": found})
    return exchange.document({"schedules": found})


def show(exchange: Exchange) -> Response:
    """Answer with a schedule, its next times, and what became of the last ones."""
    name = exchange.path["name"]
    found = _document(exchange, exchange.engine.schedules.get(name))
    found["history"] = [
        {
            "due": one.due.isoformat(),
            "attempt": one.attempt,
            "message": one.said,
            **({"href": f"{exchange.base}/jobs/{one.job_id}"} if one.job_id else {}),
        }
        for one in exchange.engine.schedules.history(name)
    ]
    return exchange.either(f"Schedule {name}", found, f"{exchange.base}/schedules")


def add(exchange: Exchange) -> Response:
    """Add a schedule."""
    asked = _asked(exchange)
    schedule = _schedule(exchange, {"name": asked.get("process", ""), **asked})
    added = exchange.engine.schedules.put(schedule, replace_it=False)
    place = f"{exchange.base}/schedules/{added.name}"
    return exchange.document(_document(exchange, added), 201, headers={"Location": place})


def replace(exchange: Exchange) -> Response:
    """Change a schedule: members that are left out stay as they are."""
    name = exchange.path["name"]
    known = exchange.engine.schedules.get(name).schedule.to_data()
    kept = {member: known[member] for member in _MEMBERS}
    schedule = _schedule(exchange, {**kept, **_asked(exchange), "name": name})
    changed = exchange.engine.schedules.put(schedule)
    return exchange.document(_document(exchange, changed))


def remove(exchange: Exchange) -> Response:
    """Forget a schedule; its jobs stay."""
    exchange.engine.schedules.remove(exchange.path["name"])
    return Response(status_code=204)


def hook(exchange: Exchange) -> Response:
    """Take a webhook in, for the subscription that has its name; 204 if it came before."""
    headers = {name.lower(): value for name, value in exchange.request.headers.items()}
    job_id = exchange.engine.subscriptions.take(exchange.path["name"], headers, exchange.body)
    if job_id is None:
        return Response(status_code=204)
    place = f"{exchange.base}/jobs/{job_id}"
    return exchange.document({"jobID": job_id, "href": place}, 201, headers={"Location": place})


def _asked(exchange: Exchange) -> Mapping[str, Any]:
    asked = exchange.json()
    if not isinstance(asked, Mapping):
        raise InvalidInputs("a schedule is an object", [Problem("is no object", "$")])
    if problems := unknown_names(asked, _MEMBERS):
        raise InvalidInputs("the schedule cannot be kept", problems)
    return asked


def _schedule(exchange: Exchange, data: Mapping[str, Any]) -> Schedule:
    schedule = Schedule.from_data(
        {
            **data,
            "run_as": exchange.user,
            "options": {
                "policy": exchange.settings.policy,
                "base": "",
                "references": False,
                "options": {"base": exchange.base},
            },
        }
    )
    check_namespace(schedule.name)
    return schedule


def _document(exchange: Exchange, found: Scheduled) -> dict[str, Any]:
    data = found.to_data()
    del data["options"]
    return {**data, "href": f"{exchange.base}/schedules/{found.name}"}
