"""The documents of OGC API - Processes about processes: summary and description.

Owns their members. Must not know HTTP: ``base`` is whatever the links hang from.
"""

from collections.abc import Mapping
from typing import Any, Final

from localproc.model import ProcessRecord

JSON: Final = "application/json"
_JOB_CONTROL: Final = ["sync-execute", "async-execute", "dismiss"]
_EXECUTE_REL: Final = "http://www.opengis.net/def/rel/ogc/1.0/execute"


def process_summary(process: ProcessRecord, base: str = "") -> dict[str, Any]:
    """Return a process's summary (schema ``processSummary.yaml``, with Part 2's ``mutable``)."""
    said: Mapping[str, Any] = process.description
    summary: dict[str, Any] = {
        "id": process.id,
        "title": process.title,
        "description": said.get("description", ""),
        "version": process.version,
        "keywords": said.get("keywords", []),
        "jobControlOptions": said.get("jobControlOptions", _JOB_CONTROL),
        "outputTransmission": ["value", "reference"],
        "mutable": process.mutable,
    }
    place = f"{base}/processes/{process.id}"
    summary = {name: value for name, value in summary.items() if value not in ("", [])}
    summary["links"] = [
        {"rel": "self", "type": JSON, "href": place, "title": "Process description"},
        {"rel": "alternate", "type": "text/html", "href": f"{place}?f=html", "title": "As HTML"},
    ]
    return summary


def process_description(process: ProcessRecord, base: str = "") -> dict[str, Any]:
    """Return a process's description (schema ``process.yaml``)."""
    place = f"{base}/processes/{process.id}"
    summary = process_summary(process, base)
    summary["links"] += [
        {"rel": _EXECUTE_REL, "type": JSON, "href": f"{place}/execution", "title": "Execute"},
        {
            "rel": "service-desc",
            "type": process.media_type,
            "href": f"{place}/package",
            "title": "The package as it was deployed",
        },
    ]
    return {
        **summary,
        "inputs": process.description["inputs"],
        "outputs": process.description["outputs"],
    }
