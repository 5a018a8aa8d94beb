"""The documents of OGC API - Processes: statusInfo, job list, process, results.

Owns their members and links. Must not know HTTP: ``base`` is whatever the links hang from.

A statusInfo is the union of the standard's 1.0 (``jobID``, ``type``) and its 2.0 draft (``id``,
``processingEntityType``), so that clients of either can read it.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any, Final

from localproc.cwl.base.files import map_files
from localproc.media_types import media_type
from localproc.model import JobRecord, JobStatus, Step, StepStatus
from localproc.uris import quoted

#: What a result given as a link is to the results: 2.0 wants every link to have a relation.
ITEM_REL: Final = "item"
RESULTS_REL: Final = "http://www.opengis.net/def/rel/ogc/1.0/results"
JSON: Final = "application/json"
FOLDER: Final = "application/vnd.localproc.directory"  #: a link leads to links to what is in it
_IANA: Final = "//www.iana.org/assignments/media-types/"
_MEDIA_TYPE: Final = re.compile(r"[\w.+-]+/[\w.+-]+( *;[ -~]+)?", re.ASCII)


def timestamp(at: datetime) -> str:
    """Write a time as the seeds do: UTC, milliseconds, ``Z``."""
    return at.astimezone(UTC).isoformat("T", "milliseconds").removesuffix("+00:00") + "Z"


def status_info(
    job: JobRecord,
    steps: Sequence[Step] | None = None,
    base: str = "",
    folders: Mapping[str, str] = {},
) -> dict[str, Any]:
    """Return the statusInfo of a job (schema ``statusInfo.yaml``).

    With ``steps`` it tells of them too under ``steps``: their names, states, times, exit codes,
    where they ran and what they took; and a link to the log of each that has ended, in the order
    they ended. ``folders`` are those that steps which failed have left, by the names of the steps.
    """
    info: dict[str, Any] = {
        "jobID": job.id,
        "id": job.id,
        "type": "process",
        "processingEntityType": "ogc-api-processes",
        "processID": job.process_id,
        "status": str(job.status),
        "message": job.message,
        "progress": job.progress,
        "created": timestamp(job.created),
        "updated": timestamp(job.updated),
    }
    for name, at in (("started", job.started), ("finished", job.finished)):
        if at is not None:
            info[name] = timestamp(at)
    if job.title:
        info["title"] = job.title
    if properties := _properties(job):
        info["properties"] = properties
    if steps is not None:
        info["steps"] = [step_info(step, folders.get(step.name, "")) for step in steps]
    info["links"] = _links(job, steps or (), base)
    return info


def _properties(job: JobRecord) -> dict[str, Any]:
    properties = {
        "trigger": str(job.trigger),
        "reason": job.reason,
        "runAs": job.run_as,
        "environment": job.environment,
        "service": job.service,
        "revision": job.revision,
        "tags": list(job.tags),
        "priority": job.priority,
        "once": job.once,
    }
    return {name: value for name, value in properties.items() if value}


def step_info(step: Step, folder: str = "") -> dict[str, Any]:
    """Tell of one step; ``folder`` is what it has left, if it failed."""
    info: dict[str, Any] = {"name": step.name, "status": step.status.value}
    for name, at in (("start", step.start), ("end", step.end)):
        if at is not None:
            info[name] = timestamp(at)
    if step.exit_code is not None:
        info["exitCode"] = step.exit_code
    if step.attempt > 1:
        info["attempt"] = step.attempt
    if step.message:
        info["message"] = step.message
    if step.reused_from:
        info["reusedFrom"] = step.reused_from
        if step.reused_step:
            info["reusedStep"] = step.reused_step
    if step.because:
        info["because"] = step.because
    if step.due is not None:
        info["due"] = timestamp(step.due)
    if step.status is StepStatus.FAILED:
        told = {"command": list(step.command), "inputs": dict(step.inputs), "folder": folder}
        info |= {name: value for name, value in told.items() if value}
    info |= step_usage(step)
    info["log"] = step.log
    return info


def step_usage(step: Step) -> dict[str, Any]:
    """Tell where and in what a step runs, and what it took; what nobody knows is left out."""
    said = {
        "executor": step.executor or None,
        "containers": step.containers or None,
        "image": step.image or None,
        "imageDigest": step.digest or None,
        "host": step.host or None,
        "nativeID": step.native_id or None,
        "reason": step.reason or None,
        "queuedSeconds": step.queued,
        "cpuSeconds": step.cpu,
        "peakMemoryKiB": step.rss,
        "software": list(step.software) or None,
        "without": list(step.without) or None,
        "bytesDone": step.bytes_done,
        "bytesTotal": step.bytes_total,
        "progress": None if step.share is None else int(100 * step.share),
        "said": step.said or None,
    }
    return {name: value for name, value in said.items() if value is not None}


def _links(job: JobRecord, steps: Sequence[Step], base: str) -> list[dict[str, str]]:
    place = f"{base}/jobs/{job.id}"
    links = [{"title": "Status location", "rel": "monitor", "type": JSON, "href": place}]
    if job.status is JobStatus.SUCCESSFUL:
        links.append(
            {
                "title": "Result location",
                "rel": RESULTS_REL,
                "type": JSON,
                "href": f"{place}/results",
            }
        )
    ended = [(step.end, step.log) for step in steps if step.end is not None and step.log]
    ended.sort(key=itemgetter(0))
    return links + [_log_link(place, log) for _, log in ended]


def _log_link(place: str, log: str) -> dict[str, str]:
    return {
        "href": f"{place}/{quoted(log)}",
        "title": f"Tool log {log}",
        "rel": "related",
        "type": "text/plain",
    }


def results_document(outputs: Mapping[str, Any], features: Mapping[str, Any]) -> dict[str, Any]:
    """Return the results of a job (schema ``results.yaml``).

    STAC catalogs are qualified values holding a FeatureCollection, files and folders are links
    wherever they stand, everything else is its value; objects are wrapped as qualified values.
    Outputs that are null are left out.
    """
    document: dict[str, Any] = {}
    for name, value in outputs.items():
        if name in features:
            document[name] = {"value": features[name]}
        elif value is not None:
            document[name] = _result(value)
    return document


def _result(value: Any) -> Any:
    if isinstance(value, Mapping):
        if value.get("class") in ("File", "Directory"):
            return file_link(value)
        return dict(value) if _is_box(value) else {"value": with_links(value)}
    if isinstance(value, list):
        return [_result(item) for item in value]
    return value


def _is_box(value: Mapping[str, Any]) -> bool:
    """Whether an object is a bounding box, which is not wrapped (schema ``bbox.yaml``)."""
    return "bbox" in value and set(value) <= {"bbox", "crs"} and isinstance(value["bbox"], list)


def with_links(value: Any) -> Any:
    """Return a value in which files and folders are links."""
    return map_files(value, file_link)


def file_link(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return a File or Directory object as a link, which has those of the files beside it."""
    link: dict[str, Any] = {
        "href": value.get("location", ""),
        "rel": ITEM_REL,
        "title": value.get("basename", ""),
    }
    link["type"] = _media_type(str(value.get("format") or "")) or _guessed(value)
    if isinstance(value.get("size"), int):
        link["length"] = value["size"]
    if value.get("secondaryFiles"):
        link["secondaryFiles"] = [file_link(one) for one in value["secondaryFiles"]]
    return link


def _media_type(format_: str) -> str:
    """Return the media type that a format of CWL is, nothing for those of other vocabularies."""
    kind = format_.removeprefix("http:").removeprefix("https:").removeprefix(_IANA)
    return kind if _MEDIA_TYPE.fullmatch(kind) else ""


def _guessed(value: Mapping[str, Any]) -> str:
    if value["class"] == "Directory":
        return FOLDER
    found = media_type(str(value.get("basename", "")))
    return "image/tiff; application=geotiff" if found == "image/tiff" else found
