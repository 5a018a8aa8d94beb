"""Where results come from, as W3C PROV (PROV-JSON).

Owns the entities, activities and agents that a job's history amounts to. Pure, like all views.
Source: https://www.w3.org/submissions/prov-json/.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from localproc.model import Event, JobRecord, Step
from localproc.model.events import StepFinished, Succeeded, request_of
from localproc.views.ogc import step_usage, timestamp

_PREFIXES: Final = {
    "localproc": "https://localproc.dev/ns#",
    "job": "urn:uuid:",
    "package": "urn:sha256:",
}


def provenance(
    job: JobRecord, events: Sequence[Event], steps: Sequence[Step], version: str
) -> dict[str, Any]:
    """Return the PROV-JSON document of a job.

    The job and its steps are activities. Inputs, outputs, the files that steps made and the package
    are entities; files carry their checksum. ``version`` is that of the software.
    """
    return _Document(job, version).build(events, steps)


class _Document:
    def __init__(self, job: JobRecord, version: str) -> None:
        self._job = job
        self._version = version
        self._activity = f"job:{job.id}"
        self._found: dict[str, dict[str, Any]] = {"prefix": dict(_PREFIXES)}

    def build(self, events: Sequence[Event], steps: Sequence[Step]) -> dict[str, Any]:
        package = f"package:{self._job.revision}"
        software = "localproc:software"
        self._add("entity", package, {"prov:type": "prov:Plan", "prov:label": self._job.process_id})
        self._add(
            "agent",
            software,
            {"prov:type": "prov:SoftwareAgent", "prov:label": f"localproc {self._version}"},
        )
        self._add("activity", self._activity, self._times(self._job.started, self._job.finished))
        self._relate(
            "wasAssociatedWith",
            {"prov:activity": self._activity, "prov:agent": software, "prov:plan": package},
        )
        if self._job.run_as:
            user = "localproc:user"
            self._add("agent", user, {"prov:type": "prov:Person", "prov:label": self._job.run_as})
            self._relate("wasAssociatedWith", {"prov:activity": self._activity, "prov:agent": user})
        self._inputs(request_of(self._job.id, events).inputs)
        self._steps(events, steps)
        if isinstance(events[-1], Succeeded):
            self._generated(self._activity, "outputs", events[-1].outputs)
        return self._found

    def _inputs(self, inputs: Mapping[str, Any]) -> None:
        for name, value in inputs.items():
            for key, described in _values(f"{self._activity}/inputs/{name}", value):
                self._add("entity", key, described)
                self._relate("used", {"prov:activity": self._activity, "prov:entity": key})

    def _steps(self, events: Sequence[Event], steps: Sequence[Step]) -> None:
        made = {
            event.name: event.outputs or {} for event in events if isinstance(event, StepFinished)
        }
        for step in steps:
            activity = f"{self._activity}/steps/{step.name}"
            said = {**self._times(step.start, step.end), "prov:label": step.name}
            said["localproc:status"] = step.status.value
            if step.exit_code is not None:
                said["localproc:exitCode"] = step.exit_code
            said |= {f"localproc:{name}": value for name, value in step_usage(step).items()}
            self._add("activity", activity, said)
            self._relate(
                "wasInformedBy", {"prov:informed": activity, "prov:informant": self._activity}
            )
            self._generated(activity, "outputs", made.get(step.name, {}))

    def _generated(self, activity: str, part: str, outputs: Mapping[str, Any]) -> None:
        for name, value in outputs.items():
            for key, described in _values(f"{activity}/{part}/{name}", value):
                self._add("entity", key, described)
                self._relate("wasGeneratedBy", {"prov:entity": key, "prov:activity": activity})

    def _times(self, start: Any, end: Any) -> dict[str, Any]:
        times = {"prov:startTime": start, "prov:endTime": end}
        return {name: timestamp(at) for name, at in times.items() if at is not None}

    def _add(self, kind: str, key: str, described: Mapping[str, Any]) -> None:
        self._found.setdefault(kind, {})[key] = dict(described)

    def _relate(self, kind: str, members: Mapping[str, Any]) -> None:
        relations = self._found.setdefault(kind, {})
        relations[f"_:{kind}{len(relations) + 1}"] = dict(members)


def _values(key: str, value: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield an entity for a value, or for each of the values in an array."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _values(f"{key}/{index}", item)
        return
    if value is None:
        return
    if not isinstance(value, Mapping) or value.get("class") not in ("File", "Directory"):
        import json

        plain = value if isinstance(value, (str, int, float, bool)) else json.dumps(value)
        yield key, {"prov:value": plain}
        return
    described = {"prov:type": f"localproc:{value['class']}"}
    if value.get("basename"):
        described["prov:label"] = value["basename"]
    if value.get("location"):
        described["prov:location"] = value["location"]
    for name in ("checksum", "size"):
        if name in value:
            described[f"localproc:{name}"] = value[name]
    yield key, described
