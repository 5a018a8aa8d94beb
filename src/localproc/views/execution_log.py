"""The execution log: every job as an execution with its phases.

Owns the members of that document, the way process execution services write it (``_id``,
``service``, ``name``, ``trigger``, ``phases`` and so on). Must not know how it is served.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from localproc.model import JobRecord, JobStatus, Step, StepStatus
from localproc.model.events import STAGE_OUT
from localproc.model.trigger import Firing
from localproc.views.ogc import step_usage, timestamp

STATUSES: Final = {
    JobStatus.ACCEPTED: "triggered",
    JobStatus.RUNNING: "running",
    JobStatus.SUCCESSFUL: "success",
    JobStatus.FAILED: "failed",
    JobStatus.DISMISSED: "failed",
}
#: The states of jobs that may be shown as each status; which it is may need a closer look.
SHOWN: Final[Mapping[str, tuple[JobStatus, ...]]] = {
    "triggered": (JobStatus.ACCEPTED,),
    "running": (JobStatus.RUNNING,),
    "retrying": (JobStatus.ACCEPTED, JobStatus.RUNNING),
    "waiting": (JobStatus.FAILED,),
    "reschedule": (JobStatus.FAILED,),
    "success": (JobStatus.SUCCESSFUL,),
    "warning": (JobStatus.SUCCESSFUL,),
    "failed": (JobStatus.FAILED, JobStatus.DISMISSED),
}
FAILED: Final = SHOWN["failed"]
#: The output by which a process tells what it has updated.
UPDATED: Final = "updated"
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
    firing: Firing | None = None,
    updated: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return a job as an execution.

    ``logs`` has the last lines of each step's log, ``features`` the FeatureCollection of each
    output that is one. A phase is a step; its ``properties`` tell where it ran and what it took.
    ``firing`` is what has set it off. The loader is the step that publishes the results, and what
    was updated are the STAC items, by the date of each, unless the process itself says so by an
    output ``updated``: an object with any of ``message``, ``warning``, ``curves`` and ``series``.
    """
    said = updated or {}
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
        "status": status_of(job, firing, warning=bool(said.get("warning"))),
        "message": job.message,
        "phases": [_phase(step, logs.get(step.name, ())) for step in steps],
        "loaderMessage": str(said.get("message") or _loader_message(steps, logs)),
        "data": {
            "name": str(said.get("name") or job.process_id),
            "curves": _listed(said.get("curves")),
            "series": _listed(said.get("series")) or _series(features),
        },
    }


def status_of(job: JobRecord, firing: Firing | None, *, warning: bool = False) -> str:
    """Return what a job is shown as; one of ``SHOWN``."""
    shown = STATUSES[job.status]
    if shown == "success" and warning:
        return "warning"
    if firing is None:
        return shown
    if firing.again is not None and job.status is JobStatus.FAILED:
        return "reschedule" if firing.said.startswith("reschedule") else "waiting"
    return "retrying" if firing.attempt > 1 and not job.status.final else shown


def _listed(given: Any) -> dict[str, list[str]]:
    """Return ids by date, of what a process says."""
    if not isinstance(given, Mapping):
        return {}
    return {
        str(day): [str(one) for one in ids] if isinstance(ids, list) else [str(ids)]
        for day, ids in given.items()
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
    told = step_usage(step)
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
