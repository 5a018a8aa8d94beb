"""Processes and jobs as programs hold them.

Owns the public handles. A handle keeps no state of its own: what it tells is what the home knows
at that moment. Must not know how jobs are run.
"""

import asyncio
import os
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Unpack

from localproc.cwl.base.files import walk
from localproc.engine import crating, reporting
from localproc.engine.admission.foresight import JobPlan
from localproc.engine.admission.retrying import check_retry, retried
from localproc.engine.job.step_names import folder_name
from localproc.engine.job.steplog import StepLog, tail
from localproc.engine.namespace import Namespace
from localproc.engine.notify.histories import JobHistory
from localproc.engine.notify.interleave import interleaved
from localproc.engine.notify.watch import Changes, Watch
from localproc.engine.options import ExecuteOptions, Inputs, check_options
from localproc.engine.packages.archive import ZIP, is_several, package_files, write_archive
from localproc.engine.results import catalog_folder, read_updated, typed_results
from localproc.engine.step_shell import StepShell, step_shell
from localproc.errors import (
    JobDismissed,
    JobFailed,
    JobPutAside,
    NoSuchOutput,
    NoSuchProcess,
    NoSuchStep,
    ResultsNotReady,
)
from localproc.machine import steps
from localproc.model import Event, JobRecord, JobRequest, JobStatus, ProcessRecord, Step
from localproc.model.events import Failed, StepFinished, Succeeded
from localproc.storage.published import Published
from localproc.storage.results_place import results_root
from localproc.views import crate, execution_log, notebook, ogc, provenance
from localproc.views.inputs_template import inputs_template
from localproc.views.measured import Measured, as_yaml, measured
from localproc.views.report import Report, report_html, told
from localproc.views.step_rows import StepRow, scatter_totals, step_rows
from localproc.views.written import written

_TURN: Final = 0.5  #: seconds that a thread waits at a time for whoever awaits a job


class Process:
    """A deployed package.

    ``record`` is what the home keeps of it (``localproc.model.ProcessRecord``).
    """

    def __init__(self, namespace: Namespace, record: ProcessRecord) -> None:
        self._namespace = namespace
        self.record = record

    def __repr__(self) -> str:
        return f"<Process {self.id} {self.version} ({self.revision[:12]})>"

    def _repr_html_(self) -> str:
        name = f"{self.id} {self.version}: {self.title}".removesuffix(": ")
        return notebook.process_html(name, self.ports(), self.outputs)

    @property
    def id(self) -> str:
        """The id that it is deployed under, unique in its namespace."""
        return self.record.id

    @property
    def version(self) -> str:
        """The version that the package states, else one made of its digest."""
        return self.record.version

    @property
    def revision(self) -> str:
        """The digest of the package's texts."""
        return self.record.revision

    @property
    def title(self) -> str:
        """The package's label."""
        return self.record.title

    @property
    def inputs(self) -> Mapping[str, Any]:
        """The input descriptions (OGC API - Processes Part 1, "inputDescription.yaml"), by name.

        Each has ``title``, ``schema`` (JSON Schema), ``minOccurs`` and ``maxOccurs``.
        """
        found: Mapping[str, Any] = self.record.description["inputs"]
        return found

    @property
    def outputs(self) -> Mapping[str, Any]:
        """The output descriptions (OGC API - Processes Part 1, "outputDescription.yaml"), by name.

        Each has ``title`` and ``schema`` (JSON Schema).
        """
        found: Mapping[str, Any] = self.record.description["outputs"]
        return found

    def ports(self) -> list[Mapping[str, Any]]:
        """Return its inputs as CWL has them, in the order of the package.

        Each has ``id`` and ``type``, and ``default`` if there is one (CWL v1.2, "Workflow input
        parameter").
        """
        main = self.record.resolved["processes"][self.record.resolved["main"]]
        found: list[Mapping[str, Any]] = main["inputs"]
        return found

    def inputs_template(self) -> str:
        """Return an inputs file (YAML) to fill in, which tells type, doc and default of each."""
        name = f"{self.id}: {self.title}" if self.title else self.id
        return inputs_template(name, self.ports())

    @property
    def package(self) -> bytes:
        """The document that was deployed, byte for byte."""
        return next(iter(self.record.texts.values()))

    def archive(self) -> bytes:
        """Return the files that it was made of as a ZIP archive, which ``deploy`` takes."""
        return write_archive(package_files(self.record))

    def exported(self) -> tuple[bytes, str]:
        """Return what ``deploy`` takes to make it again, with its media type.

        That is the package, or a ZIP archive if it has several files.
        """
        kind = self.record.media_type
        several = kind.startswith("multipart/") or is_several(package_files(self.record))
        return (self.archive(), ZIP) if several and kind != ZIP else (self.package, kind)

    def execute(self, inputs: Inputs = None, **options: Unpack[ExecuteOptions]) -> "Job":
        """Accept a job of this process and return it; see ``Engine.execute``."""
        check_options(self.execute, options, ExecuteOptions)
        asked: dict[str, Any] = {**options}
        detached = asked.pop("detached", False)
        job_id = self._namespace.accept(self.record, inputs, asked, detached=detached)
        return Job(self._namespace, job_id)

    def plan(self, inputs: Inputs = None, **options: Unpack[ExecuteOptions]) -> JobPlan:
        """Return what a job of this process would do, without running or changing anything.

        ``inputs`` and ``options`` are those of ``execute``. Inputs that do not fit are among its
        ``problems``. Raises ``PluginMissing`` for an executor that is not there.
        """
        check_options(self.plan, options, ExecuteOptions)
        return self._namespace.plan(self.record, inputs, {**options})


class Job:
    """One execution of a process.

    ``record`` is read anew whenever something is asked for, until the job has ended.
    """

    def __init__(self, namespace: Namespace, job_id: str, record: JobRecord | None = None) -> None:
        self._namespace = namespace
        self.id = job_id
        self._record = record

    def __repr__(self) -> str:
        record = self.record
        said = f": {record.message}" if record.status is JobStatus.FAILED else ""
        return f"<Job {self.id} of {record.process_id}, {record.status}{said}>"

    @property
    def record(self) -> JobRecord:
        """All that its row in the home says now (``localproc.model.JobRecord``)."""
        if self._record is None or not self._record.status.final:
            self._record = self._namespace.record(self.id)
        return self._record

    @property
    def status(self) -> JobStatus:
        """``accepted``, ``running``, ``successful``, ``failed`` or ``dismissed``, as it is now."""
        return self.record.status

    @property
    def abandoned(self) -> bool:
        """Whether it has not ended and nobody runs it: its engine is gone, or there never was one.

        ``Engine.resume`` goes on with it.
        """
        return not self.status.final and not self._namespace.is_attended(self.record)

    @property
    def message(self) -> str:
        """What it is doing, or how it ended, in a line."""
        return self.record.message

    @property
    def progress(self) -> int:
        """Percent, weighted over the steps known so far."""
        return self.record.progress

    @property
    def process_id(self) -> str:
        """The id of the process that it runs."""
        return self.record.process_id

    @property
    def process(self) -> Process:
        """The process as it was when the job was accepted, even if it was replaced since.

        Raises ``NoSuchProcess`` if it was undeployed and its revision is gone.
        """
        return Process(self._namespace, self._namespace.revision(self.record))

    @property
    def created(self) -> datetime:
        """When it was accepted, in UTC."""
        return self.record.created

    @property
    def duration(self) -> float | None:
        """Seconds from its start to its end, ``None`` until then."""
        record = self.record
        if record.started is None or record.finished is None:
            return None
        return (record.finished - record.started).total_seconds()

    @property
    def folder(self) -> str:
        """Where its logs are, and the folders of its steps while there is a use for them."""
        return self._namespace.job_folder(self.id)

    @property
    def logs_folder(self) -> str:
        """Where the logs of its steps are."""
        return self._namespace.logs_folder(self.id)

    @property
    def inputs(self) -> Mapping[str, Any]:
        """Its inputs by name, as CWL values.

        A File or Directory is a mapping with ``class`` and an absolute ``location``.
        """
        return self.request.inputs

    def wait(self, timeout: float | None = None) -> "Job":
        """Wait for its end and return it; raise ``TimeoutError`` after ``timeout`` seconds.

        Raises ``EnvironmentProblem`` if the engine that runs it in this process has stopped.
        """
        self._record = self._namespace.wait_for(self.id, timeout)
        if not self._record.status.final:
            raise TimeoutError(f"job {self.id} is {self._record.status} after {timeout:g} s")
        return self

    def raise_for_status(self) -> "Job":
        """Return the job, unless it ended as ``JobFailed`` or ``JobDismissed``: raise that."""
        if self.status is JobStatus.FAILED:
            raise JobFailed.from_problem(self.problem)
        if self.status is JobStatus.DISMISSED:
            raise JobDismissed(f"job {self.id} was dismissed")
        return self

    @property
    def problem(self) -> Mapping[str, Any]:
        """The problem document (RFC 9457) of a job that failed, else empty.

        Its members: ``type``, ``title``, ``status``, ``detail``, and where there are any ``hint``,
        ``step``, ``exitCode``, ``stderrTail``, ``log``, ``cause``.
        """
        last = self.history.last
        return last.problem if isinstance(last, Failed) else {}

    def events(self, after: int = 0) -> list[Event]:
        """Return its history, without the first ``after`` events."""
        return self._namespace.events(self.id, after)

    @property
    def history(self) -> JobHistory:
        """What has been read of its events; asking again reads only what is new."""
        return self._namespace.history(self.id)

    @property
    def steps(self) -> list[Step]:
        """Its steps so far, in the order they were started."""
        return self.history.steps()[1]

    def watch(self) -> Changes:
        """Yield each step as it changes, from the first one on, until the job has ended.

        For ``for`` and ``async for``: where there is an event loop, it is never blocked.
        """
        return Changes(Watch(self._checked, self.events), self._namespace.end_of(self.id))

    def __await__(self) -> Generator[Any, None, "Job"]:
        """Wait for its end without blocking the event loop: ``await job``. See ``wait``."""
        return self._waited().__await__()

    async def _waited(self) -> "Job":
        while True:
            with suppress(TimeoutError):
                return await asyncio.to_thread(self.wait, _TURN)

    def _repr_html_(self) -> str:
        return notebook.job_html(self.record, self.rows())

    def logs(self, step: str = "") -> StepLog:
        """Return the log of a step, of the last one if none is named; raises ``NoSuchStep``.

        A step is named by its name (``crop_2``) or by that of its log file. The history is only
        read where the name is not that of a file.
        """
        folder = self._namespace.logs_folder(self.id)
        if _is_log(step) and os.path.isfile(os.path.join(folder, step)):
            return StepLog(os.path.join(folder, step), lambda: self._has_ended(step))
        log = self._step(step).log
        return StepLog(os.path.join(folder, log), lambda: self._has_ended(log))

    def _step(self, name: str) -> Step:
        """Return a step by its name or by that of its log file, the last one if none is named."""
        found = self.steps
        chosen = [one for one in found if name in ("", one.log)]
        chosen = chosen or [one for one in found if one.name == name]
        if not chosen:
            names = ", ".join(one.name for one in found) or "none yet"
            raise NoSuchStep(f"job {self.id} has no step {name!r}", hint=f"it has: {names}")
        return chosen[-1]

    @contextmanager
    def shell(self, step: str, command: Sequence[str] = ()) -> Iterator[StepShell]:
        """Yield what runs a command as a step was run: a shell, if there is no command.

        That is in the folder of the step, with its environment, and in a new container of its
        image if it ran in one. Secrets are given if they can be had now; ``notes`` tell. Raises
        ``NoSuchStep`` for a step, or a folder, that is not there, and ``ImageError``.
        """
        found = self._step(step)
        with TemporaryDirectory(prefix="localproc-") as tmpdir:
            yield step_shell(self._namespace.runtime, self.record, found, command, tmpdir)

    def _has_ended(self, log: str) -> bool:
        """Whether the step that writes a log has ended."""
        final = self._checked().status.final  # before its events: they are all there then
        return final or self.history.has_ended(log)

    def _checked(self) -> JobRecord:
        found = self.record
        if not found.status.final:
            self._namespace.see_to(found)
        return found

    def follow(self, step: str) -> Iterator[tuple[str, str]]:
        """Yield ``("stdout" | "stderr", text)`` of a step as it writes, until it has ended."""
        return self.logs(step).follow()

    def follow_all(self) -> Iterator[tuple[str, str, str]]:
        """Yield ``(step, "stdout" | "stderr", text)`` of all steps as they write, until its end."""

        def look() -> tuple[bool, list[Step]]:
            return self._checked().status.final, self.steps  # in this order: none is missed

        return interleaved(look, lambda step: self.logs(step.log))

    def rows(self) -> list[StepRow]:
        """Return its steps so far with the instances of each scatter as one row."""
        return step_rows(self.steps, self.scatter_totals())

    def scatter_totals(self) -> dict[str, int]:
        """Return how many instances its scatters will have, by place, where that is known."""
        try:
            resolved = self.process.record.resolved
        except NoSuchProcess:
            return {}
        return scatter_totals(resolved, self.inputs)

    def step_details(self) -> list[dict[str, Any]]:
        """Return all that is known of each step: the members of ``steps`` in its status, and more.

        That is ``command`` (its words), ``folder`` if it is kept, the path of its ``log``, and of
        one that failed the ``inputs`` that tell it from its siblings in a scatter.
        """
        problems = {
            event.name: event.problem or {}
            for event in self.events()
            if isinstance(event, StepFinished)
        }
        return [self._details(step, problems.get(step.name, {})) for step in self.steps]

    def _details(self, step: Step, problem: Mapping[str, Any]) -> dict[str, Any]:
        folder = os.path.join(self.folder, "work", folder_name(step.name, step.attempt))
        more = {
            "key": step.key,
            "command": list(step.command),
            "folder": folder if os.path.isdir(folder) else "",
            "log": os.path.join(self.logs_folder, step.log),
            "inputs": problem.get("inputs") or {},
        }
        return ogc.step_info(step) | {name: value for name, value in more.items() if value}

    def expected_end(self) -> datetime | None:
        """Return when it may end, going by what its process took before; ``None`` if unknown."""
        started, typical = self.record.started, self._namespace.typical_duration(self.record)
        if started is None or typical is None or self.status.final:
            return None
        return started + timedelta(seconds=typical)

    def outcome(self) -> "Outcome":
        """Return what the job produced, in CWL's terms.

        Raises ``JobFailed``, ``JobDismissed`` or ``ResultsNotReady``.
        """
        self.raise_for_status()
        if not self.status.final:
            raise ResultsNotReady(
                f"job {self.id} is {self.status}", hint="wait for it, then ask again"
            )
        last = self.history.last
        if not isinstance(last, Succeeded):
            raise JobPutAside(self.id, "its last event is not that it succeeded")
        return Outcome(last.outputs, last.features)

    def results(self) -> dict[str, Any]:
        """Return its results as Python values, by output.

        A STAC catalog gives a ``StacResults`` with its pystac ``items``; a File or Directory a
        ``pathlib.Path`` if it lies on this machine, else its URI; the rest is what it is. Waits
        for the job's end. Raises ``JobFailed`` or ``JobDismissed``.
        """
        outcome = self.wait().outcome()
        return typed_results(outcome.outputs, outcome.features, self.published.read)

    def result(self, output: str) -> Any:
        """Return one of its ``results()``; raises ``NoSuchOutput`` as well."""
        return self._one(self.results(), output)

    def results_document(self) -> dict[str, Any]:
        """Return its results by output (OGC API - Processes Part 1, "results.yaml").

        A File is a link (``href``, ``type``), a STAC catalog a FeatureCollection, the rest a value.
        Raises ``JobFailed``, ``JobDismissed`` or ``ResultsNotReady``: it does not wait.
        """
        outcome = self.outcome()
        return ogc.results_document(outcome.outputs, outcome.features)

    def result_document(self, output: str) -> Any:
        """Return one member of ``results_document()``; raises ``NoSuchOutput`` as well."""
        return self._one(self.results_document(), output)

    def _one(self, results: Mapping[str, Any], output: str) -> Any:
        if output not in results:
            known = ", ".join(results) or "none"
            raise NoSuchOutput(f"job {self.id} has no output {output!r}", hint=f"it has: {known}")
        return results[output]

    @property
    def published(self) -> Published:
        """Its results where they lie."""
        storages = self._namespace.runtime.storages
        return Published(partial(storages.open, namespace=self._namespace.name), self.location)

    def download(self, folder: str | os.PathLike[str], *outputs: str) -> list[Path]:
        """Bring the files of its results, or of some outputs, into a folder; return their paths.

        They lie there as they do where they were published. Raises ``NoSuchOutput``,
        ``ResultsGone``, and what ``outcome`` raises.
        """
        outcome = self.outcome()
        for name in outputs:
            self._one(outcome.outputs, name)
        found = self.published.download(self._uris(outcome, outputs), os.fspath(folder))
        return [Path(path) for path in found]

    def presigned(self, seconds: int, *outputs: str) -> list[str]:
        """Return URLs that anybody can read the files of its results at for a time.

        A file that lies where there is no such thing keeps its own URI. Raises as ``download``.
        """
        outcome = self.outcome()
        for name in outputs:
            self._one(outcome.outputs, name)
        uris = self._uris(outcome, outputs)
        return [self.published.presign(uri, seconds) or uri for uri in uris]

    def hrefs(self) -> set[str]:
        """Return the URIs of all files that its results name."""
        outcome = self.outcome()
        files = (one for one in walk(dict(outcome.outputs)) if one["class"] == "File")
        named = {str(one["location"]) for one in files}
        for name, collection in outcome.features.items():
            folder = outcome.outputs[name]
            named.add(f"{catalog_folder(folder)}/catalog.json")
            for item in collection["features"]:
                named |= {one["href"] for one in (*item["assets"].values(), *item["links"])}
        return named

    def _uris(self, outcome: "Outcome", outputs: Collection[str]) -> list[str]:
        """Give the URIs of the files of outputs, of all if none are named."""
        wanted = outputs or outcome.outputs
        single = {
            name: [str(one["location"]) for one in walk({name: value}) if one["class"] == "File"]
            for name, value in outcome.outputs.items()
            if name not in outcome.features
        }
        uris = [uri for name in wanted for uri in single.get(name, ())]
        if any(name in outcome.features for name in wanted):
            others = {uri for found in single.values() for uri in found}
            uris += [uri for uri in self.published.below() if uri not in others]
        return uris

    def status_info(self, base: str = "") -> dict[str, Any]:
        """Return its status (OGC API - Processes Part 1, "statusInfo.yaml"), with ``steps``.

        ``base`` is the URL that its links begin with.
        """
        return ogc.status_info(self.record, self.steps, base)

    @property
    def request(self) -> JobRequest:
        """What was asked for: inputs, outputs, executor, results, title, ..."""
        return self.history.request

    @property
    def location(self) -> str:
        """The URI of the folder that its results are published in."""
        return results_root(self.id, self.request)

    def usage(self) -> dict[str, int]:
        """Return what its ``folder`` and its ``results``, if they are here, take in bytes."""
        return self._namespace.usage_of(self.id, self.location)

    def execution(self, lines: int = 100) -> dict[str, Any]:
        """Return it as an entry of the execution log, as docs/http.md describes them.

        Each of its ``phases`` has the last ``lines`` of its step's log.
        """
        record, found, last = self.record, self.steps, self.history.last
        folder = self._namespace.logs_folder(self.id)
        logs = {one.name: tail(os.path.join(folder, one.log), lines) for one in found}
        features = last.features if isinstance(last, Succeeded) else {}
        updated = read_updated(last.outputs) if isinstance(last, Succeeded) else {}
        firing = self._namespace.firing_of(self.id)
        return execution_log.execution(record, found, logs, features, firing, updated)

    def provenance(self) -> dict[str, Any]:
        """Return where its results come from, as a PROV-JSON document (W3C member submission)."""
        from importlib.metadata import version

        events = self.events()
        return provenance.provenance(self.record, events, steps(events), version("localproc"))

    def report(self) -> str:
        """Return it as one HTML document that depends on nothing else, whatever its state.

        It has a summary, inputs, a timeline, results with quicklooks and a map, steps with their
        commands and the ends of their logs, provenance and versions of software.
        """
        record, found = self.record, self.steps
        document = self.results_document() if isinstance(self.history.last, Succeeded) else {}
        outputs = reporting.shown_results(document, self.published, self.location)
        described = self._described()
        return report_html(
            Report(
                job=record,
                title=record.title or str(described.get("title", "")),
                description=str(described.get("description", "")),
                inputs=self.inputs,
                steps=found,
                rows=self.rows(),
                logs=reporting.log_ends(self.logs_folder, told(found)),
                outputs=outputs,
                pictures=reporting.pictures(outputs, self.published),
                provenance=self.provenance(),
                software=reporting.software_versions(),
                resources=as_yaml(self.measured()),
                problem=self.problem,
            )
        )

    def crate(self, path: str | os.PathLike[str]) -> Path:
        """Write it as an RO-Crate (Provenance Run Crate 0.5) and return where that is.

        ``path`` is a new ``.zip`` file or a new folder. It holds the package, the results, the
        report and PROV-JSON; inputs are referred to. Raises ``ResultsNotReady`` for a job that has
        not ended, ``Conflict`` for a path that exists, ``NoSuchProcess`` if its process is gone,
        and what ``download`` raises.
        """
        if not self.status.final:
            raise ResultsNotReady(f"job {self.id} is {self.status}", hint="wait for it")
        package = crating.places(package_files(self.process.record))
        target = os.fspath(path)
        crating.write_crate(
            target,
            lambda folder: self._fill(folder, package),
            lambda sizes: self._metadata(next(iter(package)), sizes),
        )
        return Path(target)

    def _fill(self, folder: str, package: Mapping[str, bytes]) -> None:
        crating.keep(folder, package)
        told = {
            "report.html": self.report().encode(),
            "provenance.json": written(self.provenance()),
        }
        crating.keep(folder, told)
        if isinstance(self.history.last, Succeeded):
            uris, start = dict.fromkeys(self._uris(self.outcome(), ())), f"{self.location}/"
            own = [uri for uri in uris if uri.startswith(start)]
            self.published.download(own, os.path.join(folder, crating.OUTPUTS))

    def _metadata(self, document: str, sizes: Mapping[str, int]) -> dict[str, Any]:
        from importlib.metadata import version

        last, process = self.history.last, self.process.record
        outputs = crating.placed(last.outputs, self.location) if isinstance(last, Succeeded) else {}
        ended = (one for one in self.events() if isinstance(one, StepFinished))
        return crate.metadata(
            crate.Crate(
                job=self.record,
                title=process.title,
                description=str(process.description.get("description", "")),
                resolved=process.resolved,
                document=document,
                files={name: size for name, size in sizes.items() if name != document},
                inputs=self.inputs,
                outputs=crating.with_contents(outputs, sizes),
                steps=self.steps,
                made={one.name: one.outputs or {} for one in ended},
                version=version("localproc"),
            )
        )

    def _described(self) -> Mapping[str, Any]:
        try:
            return self.process.record.description
        except NoSuchProcess:
            return {}

    def measured(self) -> list[Measured]:
        """Return what each of its tools took at the most, and would have to ask for.

        Nothing if its process is gone.
        """
        try:
            resolved = self.process.record.resolved
        except NoSuchProcess:
            return []
        return measured(resolved, self.steps)

    def retry(
        self,
        inputs: Inputs = None,
        package: object = None,
        **options: Unpack[ExecuteOptions],
    ) -> "Job":
        """Accept a job that goes on where this one, which has ended, has failed, and return it.

        It takes over every step whose definition and inputs are unchanged; each of its ``steps``
        tells what was taken over (``reused_from``) or why it was run again (``because``).

        ``inputs`` are those that change, ``None`` for one takes it away. ``package`` is what the
        process is now, as ``Engine.deploy`` takes it; without it the package is read again if it
        was deployed from a file of this machine, else the process is the one deployed now.
        ``options`` are those of ``Engine.execute``: what they do not say is as it was.

        Raises ``Conflict`` for a job that has not ended, and what ``deploy`` and ``execute`` raise.
        """
        check_options(self.retry, options, ExecuteOptions)
        check_retry(self.record)
        package = package.record if isinstance(package, Process) else package
        record = self._namespace.process_for_retry(self.record, package)
        values, asked = retried(self.id, self.request, inputs, options)
        detached = asked.pop("detached", False)
        return Job(
            self._namespace, self._namespace.accept(record, values, asked, detached=detached)
        )

    def dismiss(self, *, wait: bool = True) -> "Job":
        """Stop it, whoever runs it, and return it; one that has ended stays as it is.

        With ``wait`` it returns when nothing of the job runs any more.
        """
        self._namespace.dismiss(self.id)
        return self.wait() if wait else self


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a job produced.

    ``outputs`` are CWL's, with their published locations; ``features`` has the FeatureCollection
    of each that is a STAC catalog.
    """

    outputs: Mapping[str, Any]
    features: Mapping[str, Any]


def _is_log(name: str) -> bool:
    """Whether a name can only be that of a step's log; beside it there may be one for stdout."""
    plain = os.path.basename(name) == name
    return plain and name.endswith(".log") and not name.endswith(".out.log")
