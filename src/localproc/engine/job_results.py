"""What a job has produced.

Owns results as values, as documents and as files. Must not know how they were published.
"""

import os
from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from localproc.cwl.base.files import walk
from localproc.engine.job_steps import JobSteps
from localproc.engine.results import catalog_folder, typed_results, witness
from localproc.errors import (
    JobPutAside,
    NoSuchOutput,
    ResultsNotReady,
)
from localproc.frozen import frozen
from localproc.model.events import Succeeded
from localproc.spelling import public
from localproc.storage.published import Published
from localproc.uris import is_below
from localproc.views import ogc


@frozen
class Outcome:
    """What a job produced.

    ``outputs`` are CWL's, with their published locations; ``features`` has the FeatureCollection
    of each that is a STAC catalog.
    """

    outputs: Mapping[str, Any]
    features: Mapping[str, Any]


@public
class JobResults(JobSteps):
    """A job with its steps and its results."""

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
        return typed_results(outcome.outputs, outcome.features, self.published)

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

    def check_there(self, *outputs: str) -> None:
        """Raise ``ResultsGone`` if somebody has removed its results, or some outputs of it.

        Raises as ``download`` besides.
        """
        outcome = self.outcome()
        names = outputs or tuple(outcome.outputs)
        found = {name: self._one(outcome.outputs, name) for name in names}
        seen = (witness(one, is_catalog=name in outcome.features) for name, one in found.items())
        self.published.check(filter(None, seen))

    def download(self, folder: str | os.PathLike[str], *outputs: str) -> list[Path]:
        """Bring the files of its results, or of some outputs, into a folder; return their paths.

        They lie there as they do where they were published, as do folders with nothing in them.
        Raises ``NoSuchOutput``, ``ResultsGone``, and what ``outcome`` raises.
        """
        outcome = self.outcome()
        for name in outputs:
            self._one(outcome.outputs, name)
        chosen = {name: outcome.outputs[name] for name in outputs or outcome.outputs}
        folders = [
            str(one["location"])
            for name, value in chosen.items()
            if name not in outcome.features
            for one in walk(value)
            if one["class"] == "Directory"
        ]
        uris = self._uris(outcome, outputs)
        found = self.published.download(uris, os.fspath(folder), folders)
        return [Path(path) for path in found]

    def presigned(self, seconds: int, *outputs: str) -> list[str]:
        """Return URLs that anybody can read the files of its results at for so many ``seconds``.

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
        return named.union(*(_catalog_hrefs(outcome, name) for name in outcome.features))

    def _uris(self, outcome: "Outcome", outputs: Collection[str]) -> list[str]:
        """Return the URIs of the files of outputs, of all if none are named."""
        wanted = outputs or outcome.outputs
        single = {
            name: [str(one["location"]) for one in walk({name: value}) if one["class"] == "File"]
            for name, value in outcome.outputs.items()
            if name not in outcome.features
        }
        uris = [uri for name in wanted for uri in single.get(name, ())]
        if catalogs := [name for name in wanted if name in outcome.features]:
            others = {uri for found in single.values() for uri in found}
            there = self.published.below()
            uris += [uri for uri in there if uri not in others]
            named = set().union(*(_catalog_hrefs(outcome, name) for name in catalogs))
            own = {uri for uri in named if is_below(uri, self.location)}
            self.published.check(sorted(own.difference(there)))
        return uris


def _catalog_hrefs(outcome: Outcome, name: str) -> set[str]:
    """Return the URIs of all files that an output names which is a catalog."""
    items = outcome.features[name]["features"]
    named = {one["href"] for item in items for one in (*item["assets"].values(), *item["links"])}
    return {f"{catalog_folder(outcome.outputs[name])}/catalog.json", *named}
