"""What a server says went wrong, as errors of localproc.

Owns reading RFC 9457 problems. Must not know what was asked for.
"""

from collections.abc import Mapping
from typing import Any, Final

import httpx

from localproc import errors
from localproc.cwl.base.reading import read_written_json
from localproc.errors import LocalprocError, Problem
from localproc.remote.shapes import object_of, objects_of

#: Errors by the last piece of their type, which is the same in all versions of the standard.
_KINDS: Final = {
    "no-such-process": errors.NoSuchProcess,
    "no-such-job": errors.NoSuchJob,
    "no-such-step": errors.NoSuchStep,
    "no-such-output": errors.NoSuchOutput,
    "duplicated-process": errors.DuplicatedProcess,
    "immutable-process": errors.ImmutableProcess,
    "process-in-use": errors.ProcessInUse,
    "result-not-ready": errors.ResultsNotReady,
    "results-gone": errors.ResultsGone,
    "invalid-parameter": errors.InvalidInputs,
    "unsupported-package": errors.UnsupportedPackage,
}
_AWAY: Final = (502, 503, 504)


def error_of(answer: httpx.Response, base: str) -> LocalprocError:
    """Return the error that an answer is, of the kind that its problem's type names."""
    problem = _problem(answer)
    status = f"{answer.status_code} {answer.reason_phrase}".strip()
    said = str(problem.get("detail") or problem.get("title") or f"{base} answered {status}")
    hint = str(problem.get("hint", ""))
    name = str(problem.get("type", "")).rstrip("/").rpartition("/")[2]
    if name == "job-failed":
        return errors.JobFailed.from_problem(problem)
    if kind := _KINDS.get(name):
        error: LocalprocError = kind("")
        error.message, error.hint = said, hint
        if isinstance(error, (errors.InvalidInputs, errors.UnsupportedPackage)):
            error.problems = tuple(_listed(problem.get("problems")))
        return error
    if answer.status_code in _AWAY:
        return errors.ServerUnreachable(f"{base}: {said}", hint=hint or "try again later")
    if answer.is_redirect:
        place = answer.headers.get("location", "elsewhere")
        return errors.ServerRefused(f"{base} leads to {place}", answered=answer.status_code)
    if answer.status_code in (401, 403):
        hint = hint or "say who you are with --token or LOCALPROC_TOKEN"
    if answer.status_code in (404, 405):
        hint = hint or f"is {base} the address of its landing page?"
    return errors.ServerRefused(said, answered=answer.status_code, problem=problem, hint=hint)


def _problem(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        return object_of(read_written_json(answer.content))
    except ValueError:
        return {}


def _listed(given: Any) -> list[Problem]:
    """Return the single problems that localproc's own servers tell."""
    members = ("message", "where", "line", "column", "hint")
    return [
        Problem(**{"message": "", **{name: one[name] for name in members if name in one}})
        for one in objects_of(given)
    ]
