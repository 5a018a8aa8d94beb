"""Documents about a job: its execution, its provenance, a report, an RO-Crate.

Owns gathering what each of them is written from. Must not know how they are written. What reports
and crates need is imported when one is asked for: no job waits for that.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from localproc.engine.job.steplog import tail
from localproc.engine.job_results import JobResults
from localproc.engine.packages.archive import package_files
from localproc.engine.results import read_updated
from localproc.errors import (
    NoSuchProcess,
    ResultsNotReady,
)
from localproc.machine import steps
from localproc.model.events import StepFinished, Succeeded
from localproc.spelling import public
from localproc.views.written import written


@public
class JobDocuments(JobResults):
    """A job with all that can be told of it in documents."""

    def execution(self, lines: int = 100) -> dict[str, Any]:
        """Return it as an entry of the execution log, as docs/http.md describes them.

        Each of its ``phases`` has the last ``lines`` of its step's log; with 0 none is read.
        """
        from localproc.views import execution_log

        record, found, last = self.record, self.steps, self.history.last
        folder = self._namespace.logs_folder(self.id)
        read = found if lines else ()
        logs = {one.name: tail(os.path.join(folder, one.log), lines) for one in read}
        features = last.features if isinstance(last, Succeeded) else {}
        updated = read_updated(last.outputs) if isinstance(last, Succeeded) else {}
        firing = self._namespace.firing_of(self.id)
        return execution_log.execution(record, found, logs, features, firing, updated)

    def provenance(self) -> dict[str, Any]:
        """Return where its results come from, as a PROV-JSON document (W3C member submission)."""
        from importlib.metadata import version

        from localproc.views import provenance

        events = self.events()
        return provenance.provenance(self.record, events, steps(events), version("localproc"))

    def report(self) -> str:
        """Return it as one HTML document that depends on nothing else, whatever its state.

        It has a summary, inputs, a timeline, results with quicklooks and a map, steps with their
        commands and the ends of their logs, provenance and versions of software.
        """
        from localproc.engine import reporting
        from localproc.views.measured import as_yaml
        from localproc.views.report import ReportContents, report_html, told_steps

        record, found = self.record, self.steps
        document = self.results_document() if isinstance(self.history.last, Succeeded) else {}
        outputs = reporting.shown_results(document, self.published, self.location)
        described = self._described()
        return report_html(
            ReportContents(
                job=record,
                title=record.title or str(described.get("title", "")),
                description=str(described.get("description", "")),
                inputs=self.inputs,
                steps=found,
                rows=self.rows(),
                logs=reporting.log_ends(self.logs_folder, told_steps(found)),
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
        from localproc.engine import crating

        package = crating.places(package_files(self._process))
        target = os.fspath(path)
        crating.write_crate(
            target,
            lambda folder: self._fill(folder, package),
            lambda sizes: self._metadata(next(iter(package)), sizes),
        )
        return Path(target)

    def _fill(self, folder: str, package: Mapping[str, bytes]) -> None:
        from localproc.engine import crating

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

        from localproc.engine import crating
        from localproc.views import crate

        last, process = self.history.last, self._process
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
            return self._process.description
        except NoSuchProcess:
            return {}
