"""From what a user asks for to a job that is recorded as accepted.

Owns checking inputs, outputs, options and the executor, and the job's first event. Must not know
who runs it.
"""

import getpass
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from localproc.cwl.base.files import walk
from localproc.cwl.expr.javascript import evaluating_with
from localproc.cwl.run.process import own_files
from localproc.engine.admission.asked_options import read_options
from localproc.engine.admission.ids import new_id
from localproc.engine.admission.input_policy import RootedDisk, check_policy
from localproc.engine.admission.inputs import ReadUri, read_inputs
from localproc.engine.admission.named_files import assets_beside
from localproc.engine.admission.secret_inputs import check_form, hide, secret_inputs
from localproc.engine.admission.suitability import (
    asks_by_inputs,
    check_executors,
    check_patterns,
)
from localproc.engine.container_runtimes import Choice
from localproc.engine.home.cwd import current_folder
from localproc.engine.home.variables import read_variables, to_data
from localproc.engine.job.executor_choice import ExecutorChoice
from localproc.engine.job.reusable import Surroundings
from localproc.engine.runtime import Runtime
from localproc.errors import (
    Conflict,
    EnvironmentProblem,
    InvalidInputs,
    NoSuchJob,
    NoSuchObject,
    StorageUnavailable,
)
from localproc.frozen import frozen
from localproc.machine import new_job
from localproc.model import InputPolicy, JobRecord, JobRequest, ProcessRecord
from localproc.model.events import Accepted
from localproc.model.policy import TRUSTING
from localproc.model.trigger import Accepting
from localproc.ogc.request import ExecuteRequest
from localproc.storage.addresses import redacted
from localproc.storage.disk import Disk
from localproc.storage.results_place import fixed_part, results_uri
from localproc.uris import is_absolute, uri_path


@frozen
class Revision:
    """What is the same for all jobs of a revision: its inputs, which are secrets, its own files."""

    request: ExecuteRequest
    secrets: frozenset[str]
    files: tuple[str, ...]


class Acceptance:
    """Takes jobs on, for one namespace."""

    def __init__(self, runtime: Runtime, namespace: str) -> None:
        self.results = runtime.settings.results or runtime.home.results(namespace)
        self._runtime = runtime
        self._namespace = namespace
        self._user = _user()
        self._parts = os.path.dirname(runtime.home.jobs)  # where those of the home lie in truth
        self._revisions: dict[str, Revision] = {}
        self._fit: dict[str, str] = {}  # places where results can be published, as they are given
        #: The container runtimes of revisions, each with executor and runtime as asked for.
        self._runnable: dict[tuple[str, str, str], Choice] = {}

    def request(
        self,
        record: ProcessRecord,
        inputs: Any,
        options: Mapping[str, Any],
        *,
        kept: bool = False,
    ) -> JobRequest:
        """Return what is asked for; ``kept``: this engine will run it, and remembers secrets.

        Raises ``InvalidInputs`` with every problem, or ``UnsupportedPackage`` if the executor lacks
        what the package requires.
        """
        rest = dict(options)
        job_object = self.job_object(record, inputs, rest, kept=kept)
        rest["results"] = self._results_uri(os.fspath(rest.get("results") or self.results), record)
        if options or self._runtime.settings.retries:  # most jobs have none that were to be read
            read_options(record, rest, self._runtime.settings.retries)
        rest.setdefault("executor", self._runtime.settings.executor)
        rest["run_as"] = rest.get("run_as") or self._user
        asked = (rest["executor"], rest.get("containers") or "")
        choice = self._runtime_for(record, *asked, job_object)
        rest |= {"containers": choice.runtime, "passed_over": dict(choice.passed_over)}
        return JobRequest(inputs=job_object, **rest)

    def job_object(
        self, record: ProcessRecord, inputs: Any, rest: dict[str, Any], *, kept: bool = False
    ) -> dict[str, Any]:
        """Return the checked inputs, and take from the options what says how to read them.

        Secrets in them have become marks. Raises ``InvalidInputs`` with every problem.
        """
        policy = rest.setdefault("policy", TRUSTING)
        values, base = read_inputs(inputs, rest.pop("base", None), self.documents(policy))
        bases = rest.pop("bases", None)
        references = bool(rest.pop("references", True)) and policy.roots is None
        files = Disk() if policy.roots is None else RootedDisk(policy)
        known = self._revision(record)
        if known.secrets:
            check_form(values, known.secrets)
        named: list[str] = []
        job_object = known.request.job_object(
            values, base, files, references=references, bases=bases, named=named
        )
        if named:
            before = rest.get("named") or {}  # of a job that is retried
            rest["named"] = {**before, **{path: assets_beside(path) for path in named}}
        check_policy(job_object, policy)
        rest["secrets"] = ()
        if known.secrets:
            job_object, rest["secrets"] = hide(
                job_object, known.secrets, self._runtime.secrets, local=policy.trusting, kept=kept
            )
        if "variables" in rest:
            rest["variables"] = tuple(to_data(read_variables(rest["variables"])))
        self._runtime.plugins.check_inputs(record, job_object)
        return job_object

    def documents(self, policy: InputPolicy) -> ReadUri:
        """Return what reads documents by their URIs, as inputs files are that lie elsewhere."""
        return lambda uri: self._runtime.storages.access(policy, self._namespace).read(uri)

    def accept(
        self, record: ProcessRecord, request: JobRequest, *, owner: str | None
    ) -> tuple[JobRecord, bool]:
        """Record a job that ``owner`` is to run, or whoever finds it; return it, and if it is new.

        It is not if it was to be done once, and another job is doing that or has done it. Raises
        ``Conflict`` if that one is of another process.
        """
        made = self.prepare(record, request, owner=owner)
        there = self._runtime.store.add_job(made.job, made.event)
        if there != made.job.id:
            return self._done_once(made.job, there), False
        self._runtime.observers.tell(made.job, [made.event])
        return made.job, True

    def prepare(
        self, record: ProcessRecord, request: JobRequest, *, owner: str | None
    ) -> Accepting:
        """Return a job that is to be recorded, and its first event."""
        at = datetime.now(UTC)
        beside = self._beside(record, request) or None
        event = Accepted(at, request=request, engine=owner or "", beside=beside, message="accepted")
        job = new_job(
            new_id(at), record.namespace, record.id, record.revision, request, event, owner=owner
        )
        return Accepting(job, event)

    def _done_once(self, job: JobRecord, there: str) -> JobRecord:
        found = self._runtime.store.job(there)
        if found is None:
            raise NoSuchJob(there)
        if found.process_id != job.process_id:
            raise Conflict(
                f"the key {job.once!r} is that of job {found.id}, of the process "
                f"{found.process_id!r}",
                hint="give each thing that is to be done once a key of its own",
            )
        return found

    def _beside(self, record: ProcessRecord, request: JobRequest) -> dict[str, str]:
        """Return what the job's scripts may use as it is now: a retry sees if that has changed."""
        files = self._revision(record).files
        if not files and not walk(request.inputs):
            return {}
        return Surroundings(files, request.inputs, self._parts, uri_path(request.results)).digests()

    def _runtime_for(
        self, record: ProcessRecord, executor: str, containers: str, inputs: Mapping[str, Any]
    ) -> Choice:
        """Return the container runtime of a job; raises where its steps can never run.

        Images that are passed over may be here the next time.
        """
        asked = (record.revision, executor, containers)
        if (known := self._runnable.get(asked)) is not None:
            return known
        process = self._runtime.processes.of(record)
        choice = ExecutorChoice.read(executor)
        if executor != self._runtime.settings.executor:  # that one is for all packages
            check_patterns(process, choice)
        with evaluating_with(self._runtime.scripts.evaluate):
            found = check_executors(process, choice, containers, self._runtime, inputs)
        if not found.passed_over and not asks_by_inputs(process):
            self._runnable[asked] = found
        return found

    def _results_uri(self, root: str, record: ProcessRecord) -> str:
        """Return where results go; raises before anything is run for it in vain."""
        if root in self._fit:
            return self._fit[root]
        try:
            today = f"{datetime.now(UTC):%Y-%m-%d}"
            named = {"process": record.id, "namespace": record.namespace, "date": today}
            uri = results_uri(root, current_folder(), named)
        except UnicodeEncodeError as error:
            raise InvalidInputs(f"results cannot go to {root!r}: {error}") from None
        if uri in self._fit:
            return uri
        self._check_place(root, uri)
        self._fit[uri] = uri
        if (os.path.isabs(root) or is_absolute(root)) and "{" not in root:
            self._fit[root] = uri  # it depends neither on the current folder nor on the day
        return uri

    def _check_place(self, root: str, uri: str) -> None:
        """Raise if nothing can be published in a place; a folder is made."""
        scheme = urlsplit(uri).scheme
        if not self._runtime.plugins.storage(scheme).writable:
            raise InvalidInputs(
                f"results cannot go to {redacted(uri)}: it can only be read",
                hint="give a folder, or a URI of a storage that can be written to",
            )
        if scheme == "file":
            path = uri_path(fixed_part(uri))
            try:
                os.makedirs(path, exist_ok=True)
            except OSError as error:
                raise EnvironmentProblem(
                    f"results cannot be published in {path}: {error.strerror}",
                    hint="choose another folder with --results (results=...)",
                ) from None
            except ValueError as error:
                raise InvalidInputs(f"results cannot go to {root!r}: {error}") from None
        else:
            self._look(uri)

    def _look(self, uri: str) -> None:
        """See that there is a place for results, such as a bucket; one that is away is waited for.

        Raises ``StagingError``.
        """
        storage = self._runtime.storages.open(uri, namespace=self._namespace)
        try:
            storage.check(f"{fixed_part(uri)}/")
        except NoSuchObject as error:
            raise NoSuchObject(
                f"results cannot go to {redacted(uri)}: {error.message}",
                uri=error.uri,
                hint="make that first, or choose another place with --results (results=...)",
            ) from None
        except StorageUnavailable:
            self._runtime.remains.broken_off(fixed_part(uri), self._namespace)

    def _revision(self, record: ProcessRecord) -> Revision:
        found = self._revisions.get(record.revision)
        if found is None:
            main = record.resolved["processes"][record.resolved["main"]]
            spaces = record.resolved.get("namespaces")
            found = self._revisions[record.revision] = Revision(
                ExecuteRequest(
                    main["inputs"],
                    spaces,
                    record.description["inputs"],
                    main["cwlVersion"],
                    record.resolved.get("ontology"),
                ),
                secret_inputs(record.resolved),
                own_files(self._runtime.processes.of(record)),
            )
        return found


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
