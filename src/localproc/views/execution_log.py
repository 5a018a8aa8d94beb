"""The execution log: every job as an execution with its phases.

Owns the members of that document, the way process execution services write it (``_id``,
``service``, ``name``, ``trigger``, ``phases`` and so on). Must not know how it is served.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from localproc.model import JobRecord, JobStatus, Step, StepStatus
from localproc.model.events import STAGE_OUT
from localproc.views.ogc import timestamp, usage

STATUSES: Final = {
    JobStatus.ACCEPTED: "triggered",
    JobStatus.RUNNING: "running",
    JobStatus.SUCCESSFUL: "success",
    JobStatus.FAILED: "failed",
    JobStatus.DISMISSED: "failed",
}
#: The states of jobs that are shown as failed.
FAILED: Final = tuple(status for status, shown in STATUSES.items() if shown == "failed")
_PHASES: Final = {
    StepStatus.ACCEPTED: "running",
    StepStatus.RUNNING: "running",
    StepStatus.FAILED: "failed",
    StepStatus.DISMISSED: "failed",
}


def execution(
    job: JobRecord,
    steps: Sequence[Step],
    logs: Mapping[str, Sequence[str]],
    features: Mapping[str, Any],
) -> dict[str, Any]:
    """Give a job as an execution.

    ``logs`` has the last lines of each step's log, ``features`` the FeatureCollection of each
    output that is one. A phase is a step; its ``properties`` tell where it ran and what it took.
    The loader is the step that publishes the results. What was updated is the STAC items, by the
    date of each.
    """
    document: dict[str, Any] = {
        "_id": job.id,
        "service": job.service,
        "name": job.process_id,
        "environment": job.environment,
        "trigger": job.trigger.value,
        "reason": job.reason,
        "start": timestamp(job.started or job.created),
    }
    if job.finished is not None:
        document["end"] = timestamp(job.finished)
    return document | {
        "runAs": job.run_as,
        "status": STATUSES[job.status],
        "message": job.message,
        "phases": [_phase(step, logs.get(step.name, ())) for step in steps],
        "loaderMessage": _loader_message(steps, logs),
        "data": {"name": job.process_id, "curves": {}, "series": _series(features)},
    }


def _phase(step: Step, log: Sequence[str]) -> dict[str, Any]:
    phase: dict[str, Any] = {"name": step.name}
    if step.start is not None:
        phase["start"] = timestamp(step.start)
    if step.end is not None:
        phase["end"] = timestamp(step.end)
    status = _PHASES.get(step.status, "success")
    said = step.message or ("Running" if status == "running" else f"{status} {step.name}")
    if status == "success" and not step.message:
        said = f"Completed {step.name}"
    phase |= {"status": status, "message": said, "log": list(log)}
    told = usage(step)
    return phase | {"properties": told} if told else phase


def _loader_message(steps: Sequence[Step], logs: Mapping[str, Sequence[str]]) -> str:
    loader = next((step for step in steps if step.key == STAGE_OUT), None)
    if loader is None:
        return ""
    lines = logs.get(loader.name, ())
    return loader.message or (lines[-1] if lines else "")


def _series(features: Mapping[str, Any]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for collection in features.values():
        for item in collection["features"]:
            said = item.get("properties", {})
            when = said.get("datetime") or said.get("start_datetime") or ""
            found.setdefault(str(when)[:10], []).append(item["id"])
    return found
