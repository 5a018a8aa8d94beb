"""Executing a process.

Owns ``POST processes/{id}/execution`` (Part 1): reading the request, choosing between synchronous
and asynchronous, and the first answer. Must not know how results are written.
"""

from collections.abc import Mapping
from typing import Any, Final

from starlette.responses import RedirectResponse, Response

from localproc.engine.engine import namespace_of
from localproc.engine.handles import Job, Process
from localproc.errors import Conflict, InvalidInputs, LocalprocError, NotFound, Problem
from localproc.http.answers import FORM, HTML, JSON, HttpProblem
from localproc.http.delivery import Delivery
from localproc.http.endpoints import ended, is_stopping, patient, stopping
from localproc.http.exchange import Exchange
from localproc.http.forms import form_request
from localproc.http.jobs import status_document
from localproc.http.process_page import process_page
from localproc.http.retry_page import changed_inputs, chosen_process, retry_page

#: Members of a request that are not of the standard, and the options that they are.
_OPTIONS: Final = {
    "keepGoing": "keep_going",
    "retries": "retries",
    "timeLimit": "time_limit",
    "priority": "priority",
    "once": "once",
    "progress": "progress",
}
_MEMBERS: Final = frozenset({"inputs", "outputs", "response", "subscriber", "title", *_OPTIONS})
_BUTTON: Final = "application/x-www-form-urlencoded"  #: a form without fields
_TRANSMISSION: Final = ("value", "reference")


@patient
def execute(exchange: Exchange) -> Response:
    """Execute a process (Part 1, requirements ``process-execute-*``)."""
    process = exchange.engine.process(exchange.path["process_id"])
    if exchange.content_type == FORM:
        try:
            job = start(exchange, process, form_request(exchange, process))
        except LocalprocError as error:
            if not exchange.prefers_html:
                raise
            return process_page(exchange, process, error)
        return RedirectResponse(f"{exchange.base}/jobs/{job.id}", 303)
    if exchange.content_type not in (JSON, "") and not exchange.content_type.endswith("+json"):
        raise HttpProblem(
            415,
            "UnsupportedMediaType",
            f"an execute request cannot be of the type {exchange.content_type}",
            hint=f"send it as {JSON}",
        )
    asked = _checked(exchange.json())
    job = start(exchange, process, asked)
    exchange.request.state.monitor = f"{exchange.base}/jobs/{job.id}"
    # Part 1, process-execute-default-execution-mode: what cannot be waited for is not.
    options = process.record.description.get("jobControlOptions", ["sync-execute"])
    if "sync-execute" in options and not exchange.prefer.asynchronous:
        if ended(exchange, job, _patience(exchange)):
            return _result(exchange, job)
        if is_stopping(exchange.request):
            raise stopping(exchange.request)
    return _accepted(exchange, job)


def start(
    exchange: Exchange, process: Process, asked: Mapping[str, Any], *, reason: str = ""
) -> Job:
    """Have a job accepted for an execute request."""
    settings, inputs = exchange.settings, _inputs(exchange, asked)
    return process.execute(
        inputs,
        outputs=asked.get("outputs"),
        subscriber=asked.get("subscriber", {}),
        title=asked.get("title", ""),
        reason=reason,
        policy=settings.policy,
        run_as=exchange.user,
        base="",
        references=False,
        options={"base": exchange.base, "response": asked.get("response", "")},
        **_options(asked),
    )


@patient
def retry(exchange: Exchange) -> Response:
    """Answer with a new job that goes on where one that has ended has failed.

    The request is one to execute, all of whose members may be left out, or a form of the inputs;
    ``revision`` in the query says which package is run, if not the one that is deployed now.
    """
    job = exchange.job()
    if exchange.content_type not in (FORM, _BUTTON):
        asked = _checked(exchange.json()) if exchange.body else {}
        return _accepted(exchange, _retried(exchange, job, asked))
    try:
        is_filled = exchange.content_type == FORM
        changed = changed_inputs(exchange, job) if is_filled else {}
        again = _retried(exchange, job, {"inputs": changed})
    except LocalprocError as error:
        if not exchange.prefers_html or isinstance(error, (Conflict, NotFound)):
            raise
        return retry_page(exchange, job, error)
    return RedirectResponse(f"{exchange.base}/jobs/{again.id}", 303)


def retry_form(exchange: Exchange) -> Response:
    """Answer with the page on which a job that has ended is gone on with."""
    exchange.wants(HTML)
    return retry_page(exchange, exchange.job())


def _retried(exchange: Exchange, job: Job, asked: Mapping[str, Any]) -> Job:
    options = {name: asked[name] for name in ("outputs", "subscriber", "title") if name in asked}
    return job.retry(
        _inputs(exchange, asked),
        chosen_process(exchange, job),
        policy=exchange.settings.policy,
        run_as=exchange.user,
        base="",
        references=False,
        options={"base": exchange.base, "response": asked.get("response", "")},
        **options,
        **_options(asked),
    )


def _options(asked: Mapping[str, Any]) -> dict[str, Any]:
    return {option: asked[name] for name, option in _OPTIONS.items() if name in asked}


def _inputs(exchange: Exchange, asked: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the inputs of a request; raises 429 and 413 where there is no room for it."""
    settings = exchange.settings
    if namespace_of(exchange.engine).open_jobs() >= settings.most_jobs:
        raise HttpProblem(
            429,
            "TooManyJobs",
            f"{settings.most_jobs} jobs have not ended; that is the most there may be here",
            hint="wait for some of them, or dismiss some",
            headers={"Retry-After": "10"},
        )
    inputs: Mapping[str, Any] = asked.get("inputs", {})
    count = _count(inputs)
    if count > settings.most_inputs:
        raise HttpProblem(
            413,
            "TooManyInputs",
            f"the inputs have {count} values, the most here is {settings.most_inputs}",
        )
    return inputs


def _checked(asked: Any) -> Mapping[str, Any]:
    """Check the shape of an execute request (schema ``execute.yaml``); raises all problems."""
    if not isinstance(asked, Mapping):
        raise InvalidInputs("an execute request is an object", [Problem("is no object", "$")])
    if asked and not _MEMBERS & set(asked):
        raise InvalidInputs(
            "this is not an execute request",
            [Problem("there is no such member", name) for name in asked],
            hint='send {"inputs": {INPUT: VALUE}}',
        )
    problems = [
        Problem("is no object", name)
        for name in ("inputs", "outputs", "subscriber")
        if not isinstance(asked.get(name, {}), Mapping)
    ]
    if asked.get("response", "raw") not in ("raw", "document"):
        problems.append(Problem("is neither raw nor document", "response"))
    if not isinstance(asked.get("title", ""), str):
        problems.append(Problem("is no text", "title"))
    outputs = asked.get("outputs", {})
    for name, wish in outputs.items() if isinstance(outputs, Mapping) else ():
        if not isinstance(wish, Mapping):
            problems.append(Problem("is no object", f"outputs.{name}"))
        elif wish.get("transmissionMode", "value") not in _TRANSMISSION:
            where = f"outputs.{name}.transmissionMode"
            problems.append(Problem("is neither value nor reference", where))
    if problems:
        raise InvalidInputs("this is not an execute request", problems)
    return asked


def _count(value: Any) -> int:
    """Count the values in the inputs, whatever they are nested in."""
    if isinstance(value, Mapping):
        return sum(map(_count, value.values()))
    return sum(map(_count, value)) if isinstance(value, list) else 1


def _patience(exchange: Exchange) -> float:
    """Return how many seconds a synchronous execution is waited for."""
    most = exchange.settings.sync_seconds
    seconds = exchange.prefer.wait
    return most if seconds is None else min(float(seconds), most)


def _accepted(exchange: Exchange, job: Job) -> Response:
    """Answer that a job was made, and where it is."""
    headers = {"Location": f"{exchange.base}/jobs/{job.id}"}
    prefer = exchange.prefer
    honoured = {"respond-async"}
    if prefer.representation:
        honoured.add("return")
    if not prefer.asynchronous and prefer.wait == _patience(exchange):
        honoured.add("wait")
    if applied := prefer.applied(honoured):
        headers["Preference-Applied"] = applied
    return exchange.document(status_document(exchange, job), 201, headers=headers)


def _result(exchange: Exchange, job: Job) -> Response:
    """Answer with the results of a job that has ended."""
    # Without quotes, as the official test suite looks for it.
    headers = {"Link": f"<{exchange.base}/jobs/{job.id}>; rel=monitor"}
    if applied := exchange.prefer.applied({"wait"} if exchange.prefer.wait is not None else ()):
        headers["Preference-Applied"] = applied
    try:
        answer = Delivery(exchange, job).synchronous()
    except LocalprocError as error:  # the job is there all the same
        answer = exchange.problem(error)
    for name, value in headers.items():
        answer.headers.append(name, value)
    return answer
