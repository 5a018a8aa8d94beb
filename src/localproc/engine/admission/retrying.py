"""What a job that takes up an earlier one is asked for.

Owns which of the earlier request still holds, and how inputs are changed. Must not know which steps
are taken over: whoever runs the job sees that.
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

from localproc.cwl.base.files import is_reference
from localproc.errors import Conflict
from localproc.model import JobRecord, JobRequest

#: What the new job has of its own.
_OWN: Final = frozenset({"inputs", "trigger", "derived_from", "retry_of", "passed_over"})


def check_retry(job: JobRecord) -> None:
    """Raise ``Conflict`` for a job that has not ended."""
    if not job.status.final:
        raise Conflict(
            f"job {job.id} is {job.status}: it cannot be retried yet",
            hint="wait for its end, or dismiss it",
        )


def retried(
    job_id: str,
    earlier: JobRequest,
    inputs: tuple[Mapping[str, Any], str],
    options: Mapping[str, Any],
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the inputs and options of a job that takes up another one.

    ``inputs`` are those that change, and the folder that they hang from; ``None`` for one takes it
    away. What ``options`` do not say is as it was.
    """
    changed, base = inputs
    kept = {name: _given(value) for name, value in earlier.inputs.items() if name not in changed}
    usual = {
        one.name: getattr(earlier, one.name) for one in fields(earlier) if one.name not in _OWN
    }
    if earlier.passed_over:
        del usual["containers"]  # that was nobody's wish: what was not here then may be here now
    rest = {**usual, **options, "derived_from": job_id, "retry_of": job_id, "base": base}
    whole = dict.fromkeys(kept, "file:///")  # they have absolute locations
    rest["bases"] = {**whole, **(options.get("bases") or {})}
    values = {name: value for name, value in changed.items() if value is not None}
    return {**kept, **values}, rest


def _given(value: Any) -> Any:
    """Return a value as it was given, where a request has another form of it."""
    return {"href": value["location"]} if is_reference(value) else value
