"""A job as an RO-Crate: ``ro-crate-metadata.json``.

Owns the entities of the profile Provenance Run Crate 0.5 (https://w3id.org/ro/wfrun/provenance), a
Workflow Run Crate with its steps: the run of the whole, the runs of its steps, and what went in and
came out. Must not know where files are put.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from localproc.frozen import frozen
from localproc.model import JobRecord, JobStatus, Step, StepStatus
from localproc.model.events import STAGE_IN, STAGE_OUT
from localproc.uris import quoted
from localproc.views.crate_package import CratePackage
from localproc.views.crate_values import Entities, Reference, file
from localproc.views.measured import tool_of

METADATA: Final = "ro-crate-metadata.json"
CONTEXT: Final = [
    "https://w3id.org/ro/crate/1.1/context",
    "https://w3id.org/ro/terms/workflow-run/context",
]
_RUN: Final = "https://w3id.org/ro/wfrun"
_PROVENANCE: Final = f"{_RUN}/provenance/0.5"
_WORKFLOW: Final = "https://w3id.org/workflowhub/workflow-ro-crate/1.0"
_PROFILES: Final = {
    f"{_RUN}/process/0.5": ("Process Run Crate", "0.5"),
    f"{_RUN}/workflow/0.5": ("Workflow Run Crate", "0.5"),
    _PROVENANCE: ("Provenance Run Crate", "0.5"),
    _WORKFLOW: ("Workflow RO-Crate", "1.0"),
}
_ENGINE: Final = "#localproc"
_USER: Final = "#user"
_UNITS: Final = {
    "KiB": "https://qudt.org/vocab/unit/KibiBYTE",
    "s": "https://qudt.org/vocab/unit/SEC",
}
_ENDED_WELL: Final = (StepStatus.SUCCESSFUL, StepStatus.REUSED, StepStatus.SKIPPED)


@frozen
class Crate:
    """What a crate tells of a job that has ended.

    ``document`` is the package's place in the crate, ``files`` are the others that are in it, with
    their sizes. ``outputs`` are CWL values whose locations are places
    in the crate where the files are in it; ``made`` are those of the steps, by their names.
    """

    job: JobRecord
    title: str
    description: str
    resolved: Mapping[str, Any]
    document: str
    files: Mapping[str, int]
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    steps: Sequence[Step]
    made: Mapping[str, Mapping[str, Any]]
    version: str


def metadata(crate: Crate) -> dict[str, Any]:
    """Return the metadata document (JSON-LD, RO-Crate 1.1)."""
    return _Document(crate).build()


class _Document:
    def __init__(self, crate: Crate) -> None:
        self._crate = crate
        self._entities = Entities()
        own = [one for one in crate.steps if one.key not in (STAGE_IN, STAGE_OUT)]
        self._groups = dict(_nested(own))
        places = [*self._groups, *(one.key for one in own)]
        self._steps = own
        self._package = CratePackage(
            self._entities,
            crate.resolved,
            crate.document,
            crate.title,
            crate.job.revision,
            {tool_of(crate.resolved, one) for one in places},
        )

    def build(self) -> dict[str, Any]:
        crate, add = self._crate, self._entities.add
        add(
            METADATA,
            "CreativeWork",
            about={"@id": "./"},
            conformsTo=[{"@id": "https://w3id.org/ro/crate/1.1"}, {"@id": _WORKFLOW}],
        )
        title = crate.job.title or crate.title or crate.job.process_id
        add(
            "./",
            "Dataset",
            name=title,
            description=crate.description or f"A run of {title}",
            datePublished=_time(crate.job.finished or crate.job.updated),
            license={"@id": "#license"},
            mainEntity={"@id": quoted(crate.document)},
        )
        self._context()
        self._package.add()
        for name, size in crate.files.items():
            file(self._entities, {"class": "File", "location": quoted(name), "size": size})
        run = self._run()
        actions = [run, *self._runs(run)]
        parts = self._entities.of("File", "Dataset")
        add("./", "Dataset", hasPart=[one for one in parts if one != {"@id": "./"}])
        add("./", "Dataset", mentions=actions, conformsTo=self._profiles())
        return {"@context": CONTEXT, "@graph": self._entities.graph()}

    def _context(self) -> None:
        add, crate = self._entities.add, self._crate
        add("https://w3id.org/ro/crate/1.1", "CreativeWork", name="RO-Crate", version="1.1")
        text = "No license was stated for this run and its data."
        add("#license", "CreativeWork", name="not stated", description=text)
        add(_ENGINE, "SoftwareApplication", name="localproc", softwareVersion=crate.version)
        if crate.job.run_as:
            add(_USER, "Person", name=crate.job.run_as)

    def _profiles(self) -> list[Reference]:
        """Add the profiles that it has: without steps that ran it is no Provenance Run Crate."""
        has_steps = bool(self._entities.of("ControlAction"))
        return [
            self._entities.add(key, "CreativeWork", name=name, version=version)
            for key, (name, version) in _PROFILES.items()
            if has_steps or key != _PROVENANCE
        ]

    def _run(self) -> Reference:
        """Add the run of the whole."""
        crate, job, main = self._crate, self._crate.job, self._package.main
        key = f"#job/{job.id}"
        return self._action(
            key,
            f"Run of {crate.title or job.process_id}",
            main,
            job.started or job.created,
            job.finished,
            error="" if job.status is JobStatus.SUCCESSFUL else job.message or job.status.value,
            description=job.message,
            object=self._package.values(main, "inputs", key, crate.inputs),
            result=self._package.values(main, "outputs", key, crate.outputs),
        )

    def _runs(self, run: Reference) -> list[Reference]:
        """Add the runs of steps and of nested workflows, each under the step that it is of."""
        runs: dict[str, list[Reference]] = {}
        for key, steps in self._groups.items():
            runs.setdefault(self._package.step_of(key), []).append(self._nested_run(key, steps))
        for step in self._steps:
            found = self._step_run(step)
            runs.setdefault(self._package.step_of(step.key), []).append(found)
        controls = [
            self._entities.add(
                f"#control/{number}",
                "ControlAction",
                name="Orchestrate a step",
                instrument={"@id": how},
                object=actions,
            )
            for number, (how, actions) in enumerate(runs.items())
            if how
        ]
        if controls:
            self._organized(controls, run)
        return [one for actions in runs.values() for one in actions]

    def _organized(self, controls: Sequence[Reference], run: Reference) -> None:
        """Add what the engine did: it had the steps done, and so the whole."""
        job = self._crate.job
        self._entities.add(
            f"#engine/{job.id}",
            "OrganizeAction",
            name="Run of localproc",
            agent={"@id": _USER} if job.run_as else None,
            instrument={"@id": _ENGINE},
            object=controls,
            result=run,
            startTime=_time(job.started or job.created),
            endTime=_time(job.finished),
        )

    def _nested_run(self, key: str, steps: Sequence[Step]) -> Reference:
        """Add the run of a nested workflow, which is from the first of its steps to the last."""
        failed = [one.name for one in steps if one.status not in _ENDED_WELL]
        return self._action(
            f"#run/{quoted(key)}/",
            f"Run of {key}",
            tool_of(self._crate.resolved, key),
            min((one.start for one in steps if one.start), default=None),
            max((one.end for one in steps if one.end), default=None),
            error=f"failed: {', '.join(failed)}" if failed else "",
        )

    def _step_run(self, step: Step) -> Reference:
        tool, key = tool_of(self._crate.resolved, step.key), f"#run/{quoted(step.name)}"
        well = step.status in _ENDED_WELL
        made = self._crate.made.get(step.name, {})
        return self._action(
            key,
            f"Run of {step.name}",
            tool,
            step.start,
            step.end,
            error="" if well else step.message or step.status.value,
            description=" ".join(step.command),
            result=self._package.values(tool, "outputs", key, made),
            containerImage=self._image(step),
            resourceUsage=self._usage(step, key),
        )

    def _action(
        self,
        key: str,
        name: str,
        process: str,
        start: datetime | None,
        end: datetime | None,
        error: str,
        **more: Any,
    ) -> Reference:
        status = "Failed" if error else "Completed"
        return self._entities.add(
            key,
            "CreateAction",
            name=name,
            instrument={"@id": self._package.process_key(process)},
            agent={"@id": _USER} if self._crate.job.run_as else None,
            startTime=_time(start),
            endTime=_time(end),
            actionStatus=f"http://schema.org/{status}ActionStatus",
            error=error,
            **more,
        )

    def _image(self, step: Step) -> Reference | None:
        if not step.image:
            return None
        digest = step.digest.removeprefix("sha256:")
        return self._entities.add(
            f"#image/{quoted(step.image)}", "ContainerImage", name=step.image, sha256=digest
        )

    def _usage(self, step: Step, key: str) -> list[Reference]:
        took = (("peakMemory", step.rss, "KiB"), ("processorTime", step.cpu, "s"))
        return [
            self._entities.add(
                f"{key}/{name}",
                "PropertyValue",
                name=name,
                propertyID=f"urn:localproc:{name}",
                value=str(value),
                unitText=unit,
                unitCode=_UNITS[unit],
            )
            for name, value, unit in took
            if value is not None
        ]


def _nested(steps: Sequence[Step]) -> Iterator[tuple[str, list[Step]]]:
    """Yield the instances of nested workflows that steps are in, each with its steps."""
    found: dict[str, list[Step]] = {}
    for step in steps:
        parts = step.key.split("/")
        for depth in range(1, len(parts)):
            found.setdefault("/".join(parts[:depth]), []).append(step)
    yield from found.items()


def _time(at: datetime | None) -> str:
    """Write a time as the profile has it: ISO 8601 with milliseconds and an offset."""
    return "" if at is None else at.astimezone(UTC).isoformat(timespec="milliseconds")
