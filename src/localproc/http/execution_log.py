"""The execution log: the same jobs, told as executions with phases.

Owns the resources of that log and its query. Must not know how executions are written.
"""

import platform
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from starlette.responses import Response

from localproc.errors import InvalidInputs, Problem
from localproc.http.answers import bad_parameter
from localproc.http.exchange import Exchange
from localproc.http.execution import start
from localproc.http.joblist import page_of_jobs, times
from localproc.http.paging import link_header
from localproc.views.execution_log import FAILED


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
    """Answer with executions, newest first: of a process, of days, or those that failed.

    The list is bare, so the links to its other pages are headers (RFC 8288).
    """
    since, until = times(exchange.query("datetime"))
    status = exchange.query("status")
    if status not in (None, "", "failed"):
        raise bad_parameter("status", "the one that can be asked for is failed")
    filters = {
        "process": exchange.query("name") or "",
        "status": FAILED if status else (),
        "since": since,
        "until": until,
    }
    page, links = page_of_jobs(exchange, filters)
    found = [job.execution() for job in page]
    if exchange.wants_html:
        return exchange.page("executions.html", {"executions": found, "links": links})
    return exchange.document(found, headers={"Link": link_header(links)})


def execution(exchange: Exchange) -> Response:
    """Answer with one execution."""
    job = exchange.job()
    said = exchange.addressed(job, job.execution())
    return exchange.either("Execution", said, f"{exchange.base}/jobs/{job.id}")


def trigger(exchange: Exchange) -> Response:
    """Start an execution: ``{"name": PROCESS, "body": INPUTS}``."""
    asked = exchange.json()
    if not isinstance(asked, Mapping) or not isinstance(asked.get("name"), str):
        raise InvalidInputs(
            "this starts no execution",
            [Problem("is missing, or no text", "name")],
            hint='send {"name": PROCESS, "body": {INPUT: VALUE}}',
        )
    inputs: Any = asked.get("body", {})
    if not isinstance(inputs, Mapping):
        raise InvalidInputs("this starts no execution", [Problem("is no object", "body")])
    job = start(exchange, exchange.engine.process(asked["name"]), {"inputs": inputs})
    place = f"{exchange.base}/executions/v1/private/{job.id}"
    return exchange.document(job.execution(), 201, headers={"Location": place})
