"""The page of a process, with its form.

Owns what is on it, also when the form could not be accepted: then it keeps what was filled in, and
says at each field what is wrong. Must not know how jobs are started.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from localproc.engine.handles import Process
from localproc.errors import LocalprocError
from localproc.http.example import example_inputs
from localproc.http.exchange import Exchange
from localproc.http.forms import Field, form_fields, refilled
from localproc.views.graph import graph_of, in_words
from localproc.views.process import process_description


def process_page(
    exchange: Exchange, process: Process, error: LocalprocError | None = None
) -> Response:
    """Answer with the page; ``error`` is why the form that was sent is not accepted."""
    fields = form_fields(process)
    content: dict[str, Any] = {
        "process": process,
        "description": process_description(process.record, exchange.base),
        "steps": _steps(process),
        "example": {"inputs": example_inputs(fields)},
        "fields": fields,
        "wrong": None,
    }
    if error is None:
        return exchange.page("process.html", content)
    problem = error.to_problem()
    content["fields"] = fields = refilled(exchange, fields, problem.get("problems", ()))
    content["wrong"] = refusal(problem, fields)
    return exchange.page("process.html", content, problem["status"])


def refusal(problem: Mapping[str, Any], fields: Sequence[Field]) -> dict[str, Any]:
    """Return why a form is not accepted, with the field of each problem."""
    problems: Sequence[Mapping[str, Any]] = problem.get("problems", ())
    return {**problem, "problems": [_placed(one, fields) for one in problems]}


def _placed(problem: Mapping[str, Any], fields: Sequence[Field]) -> dict[str, Any]:
    """Return a problem with the number of the field that it is at, 0 if it is at none."""
    numbers = (number for number, one in enumerate(fields, 1) if one.is_at(problem.get("where")))
    return {**problem, "field": next(numbers, 0)}


def _steps(process: Process) -> str:
    """Say what the drawing of a workflow shows; a tool has no steps to be drawn."""
    resolved = process.record.resolved
    is_workflow = resolved["processes"][resolved["main"]]["class"] == "Workflow"
    return in_words(graph_of(resolved)) if is_workflow else ""
