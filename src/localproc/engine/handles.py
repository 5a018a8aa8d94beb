"""Processes and jobs as programs hold them.

Owns the public handles. A handle keeps no state of its own: what it tells is what the home knows
at that moment. Must not know how jobs are run.
"""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Unpack

from localproc.engine.job_documents import JobDocuments
from localproc.engine.namespace import Namespace
from localproc.engine.options import ExecuteOptions, Inputs
from localproc.engine.packages.archive import ZIP, is_several, package_files, write_archive
from localproc.model import ProcessRecord
from localproc.spelling import public

if TYPE_CHECKING:  # few jobs need it, and it takes a while to be imported
    from localproc.engine.admission.foresight import JobPlan


@public
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
        from localproc.views import notebook

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
        from localproc.views.inputs_template import inputs_template

        name = f"{self.id}: {self.title}" if self.title else self.id
        return inputs_template(name, self.ports())

    def read_inputs(self, file: str | os.PathLike[str]) -> tuple[dict[str, Any], str]:
        """Return what an inputs file holds, and the URI of the folder that it lies in.

        ``file`` is a path or a URI. ``execute`` takes these as ``inputs`` and ``base``. Raises
        ``InvalidInputs``, or a ``StagingError`` for what cannot be brought.
        """
        return self._namespace.read_inputs(file)

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
        asked: dict[str, Any] = {**options}
        detached = asked.pop("detached", False)
        job_id = self._namespace.accept(self.record, inputs, asked, detached=detached)
        return Job(self._namespace, job_id)

    def plan(self, inputs: Inputs = None, **options: Unpack[ExecuteOptions]) -> "JobPlan":
        """Return what a job of this process would do, without running or changing anything.

        ``inputs`` and ``options`` are those of ``execute``. Inputs that do not fit are among its
        ``problems``. Raises ``PluginMissing`` for an executor that is not there.
        """
        return self._namespace.plan(self.record, inputs, {**options})


@public
class Job(JobDocuments):
    """One execution of a process.

    What it knows and tells is in the classes that it is made of: ``JobAccount`` (its row, its
    history), ``JobSteps``, ``JobResults`` and ``JobDocuments``.
    """

    @property
    def process(self) -> Process:
        """The process as it was when the job was accepted, even if it was replaced since.

        Raises ``NoSuchProcess`` if it was undeployed and its revision is gone.
        """
        return Process(self._namespace, self._process)

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
        from localproc.engine.admission.retrying import check_retry, retried

        check_retry(self.record)
        package = package.record if isinstance(package, Process) else package
        record = self._namespace.process_for_retry(self.record, package)
        changed = self._namespace.read_inputs(inputs, options.get("base"))
        values, asked = retried(self.id, self.request, changed, options)
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
