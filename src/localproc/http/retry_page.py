"""The page on which a job is gone on with: a form with the inputs it had.

Owns what is filled in, and which inputs a form that comes back changes: what is sent as it was
shown stays as it was, also what no page can show (files of the server, secrets in addresses). Must
not know how jobs are started.
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

from starlette.responses import Response

from localproc.cwl.base.types import is_filelike
from localproc.engine.admission.retrying import check_retry
from localproc.engine.handles import Job, Process
from localproc.errors import LocalprocError, NoSuchProcess
from localproc.http.exchange import Exchange
from localproc.http.forms import Field, form_fields, form_parts, read_fields, refilled
from localproc.http.multipart import BodyPart
from localproc.http.process_page import refusal
from localproc.storage.addresses import without_secrets

_FILES: Final = ("file", "files", "folder")
_ON_THE_WEB: Final = re.compile(r"(?!file:)[A-Za-z][A-Za-z0-9+.-]*://\S+")
#: What a browser takes out of a text that fits on one line.
_BREAKS: Final = re.compile("[\r\n]")


def chosen_process(exchange: Exchange, job: Job) -> Process:
    """Return what a retry runs: the ``revision`` that is asked for, else what is deployed now."""
    revision = exchange.query("revision")
    if revision:
        return exchange.engine.process(job.process_id, revision)
    try:
        return exchange.engine.process(job.process_id)
    except NoSuchProcess:
        return job.process


def retry_page(exchange: Exchange, job: Job, error: LocalprocError | None = None) -> Response:
    """Answer with the page; ``error`` is why the form that was sent is not accepted."""
    check_retry(job.record)
    process = chosen_process(exchange, job)
    fields = _fields(exchange, job, process)
    content: dict[str, Any] = {
        "job": job,
        "record": job.record,
        "process": process,
        "revisions": _revisions(exchange, job),
        "fields": fields,
        "wrong": None,
    }
    if error is None:
        return exchange.page("retry.html", content)
    problem = error.to_problem()
    content["fields"] = fields = refilled(exchange, fields, problem.get("problems", ()))
    content["wrong"] = refusal(problem, fields)
    return exchange.page("retry.html", content, problem["status"])


def changed_inputs(exchange: Exchange, job: Job) -> dict[str, Any]:
    """Return the inputs that a form changes, ``None`` for those that were emptied.

    Raises ``InvalidInputs``, or 400.
    """
    parts = form_parts(exchange)
    fields = [
        field
        for field in _fields(exchange, job, chosen_process(exchange, job))
        if field.name in parts and not _is_as_shown(field, parts[field.name])
    ]
    values = read_fields(fields, {field.name: parts[field.name] for field in fields})
    return {field.name: values.get(field.name) for field in fields}


def _fields(exchange: Exchange, job: Job, process: Process) -> list[Field]:
    given = exchange.addressed(job, without_secrets(dict(job.inputs)))
    return [_filled(field, given.get(field.name)) for field in form_fields(process)]


def _filled(field: Field, value: Any) -> Field:
    if value is None:
        return field
    if field.kind not in _FILES:
        return replace(field, default=value)
    several = value if isinstance(value, list) else [value]
    addresses = [one.get("location", "") if is_filelike(one) else str(one) for one in several]
    if all(map(_ON_THE_WEB.fullmatch, addresses)):
        return replace(field, default=" ".join(addresses))
    names = [str(one.get("basename") or one["class"]) for one in several if is_filelike(one)]
    return replace(field, default=None, required=False, kept=", ".join(names) or "as it was")


def _is_as_shown(field: Field, parts: Sequence[BodyPart]) -> bool:
    """Whether a browser sent what it was shown, and nobody changed it."""
    if any(part.filename for part in parts):
        return False
    texts = [part.text.replace("\r\n", "\n") for part in parts]
    if field.kind == "bbox":
        return texts == [side for _, side in field.corners]
    if field.kind == "flag":
        return ("true" in texts) == field.is_set and ("" in texts) == (field.default is None)
    if field.kind in ("lines", "json"):
        return "".join(texts) == field.shown
    return "".join(texts) == _BREAKS.sub("", field.shown)


def _revisions(exchange: Exchange, job: Job) -> Mapping[str, str]:
    """Return the revisions there are to choose from, with what each is called."""
    found = {}
    with suppress(NoSuchProcess):
        found[exchange.engine.process(job.process_id).revision] = "as it is deployed now"
    if job.record.revision not in found:
        found[job.record.revision] = "as the job ran it"
    return found
