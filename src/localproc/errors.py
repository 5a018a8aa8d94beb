"""Every error that localproc raises on purpose, in one tree.

::

    LocalprocError
    ├── PackageError                 the package cannot be used
    │   ├── InvalidPackage           ... because it is wrong: every problem with its place
    │   └── UnsupportedPackage       ... because it asks for something that is not there
    ├── InvalidInputs                the inputs do not fit the process: every problem at once
    ├── UnknownOption                a call has no option of that name (a TypeError as well)
    ├── NotFound
    │   ├── NoSuchProcess
    │   ├── NoSuchJob
    │   │   └── AmbiguousJob         ... for several have that piece in their ids
    │   ├── NoSuchStep
    │   └── NoSuchOutput
    ├── Conflict
    │   ├── DuplicatedProcess
    │   ├── ImmutableProcess
    │   └── ProcessInUse
    ├── ResultsNotReady              the job is not successful yet, or never will be
    ├── JobFailed                    which step, its exit code, the end of its stderr, what to do
    ├── JobDismissed
    ├── ExpressionError              an expression of the package went wrong
    ├── StepError                    a step could not be prepared, or its outputs not be collected
    ├── StagingError                 a file could not be brought in or out
    │   ├── NoSuchObject             ... for nothing is there
    │   ├── ObjectExists             ... for something is there already
    │   └── StorageUnavailable       ... now: the storage is away, busy, or broke off
    ├── EnvironmentProblem           the machine, not the package
    │   ├── HomeUnusable
    │   ├── StoreCorrupted
    │   ├── NoSpace
    │   ├── PluginMissing
    │   └── ServerUnreachable       a server that was named with --to does not answer
    ├── ServerRefused                a server that was named with --to says no
    ├── ExecutorUnavailable          no news from the executor: never a failure of the task
    └── InvalidTransition            a bug: a job was asked to do what its state forbids

Errors carry fields, and a ``hint`` that says what to do. ``to_problem()`` gives the members of an
RFC 9457 problem document. This module must not know any other one.
"""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

#: How to install an extra: to be changed when localproc is on a package index (README, Install).
INSTALL = "in a clone of localproc: pip install '.[{extra}]'"
EXCEPTIONS_1 = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/"
EXCEPTIONS_2 = "http://www.opengis.net/def/exceptions/ogcapi-processes-2/1.0/"


class LocalprocError(Exception):
    """The root of the tree.

    ``type`` and ``status`` are the problem type URI and the HTTP status of its problem document.
    """

    type: ClassVar[str] = "about:blank"
    status: ClassVar[int] = 500

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  hint: {self.hint}" if self.hint else self.message

    def to_problem(self) -> dict[str, Any]:
        """Return the members of the RFC 9457 problem: type, title, status, detail, and our own."""
        problem: dict[str, Any] = {
            "type": self.type,
            "title": type(self).__name__,
            "status": self.status,
            "detail": self.message,
        }
        if self.hint:
            problem["hint"] = self.hint
        return problem | self._members()

    def _members(self) -> dict[str, Any]:
        return {}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, and where: a place in a document or a JSON path in the inputs."""

    message: str
    where: str = ""
    line: int | None = None
    column: int | None = None
    hint: str = ""

    def __str__(self) -> str:
        place = self.where
        if self.line is not None:
            place += f":{self.line}:{self.column}" if self.column is not None else f":{self.line}"
        text = f"{place}: {self.message}" if place else self.message
        return f"{text} ({self.hint})" if self.hint else text

    def to_json(self) -> dict[str, Any]:
        """Return the members that are set."""
        members = {
            "message": self.message,
            "where": self.where,
            "line": self.line,
            "column": self.column,
            "hint": self.hint,
        }
        return {name: value for name, value in members.items() if value not in ("", None)}


class _WithProblems(LocalprocError):
    def __init__(self, message: str, problems: Sequence[Problem] = (), *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        lines = [self.message, *(f"  {problem}" for problem in self.problems)]
        return "\n".join([*lines, f"  hint: {self.hint}"] if self.hint else lines)

    def _members(self) -> dict[str, Any]:
        return {"problems": [problem.to_json() for problem in self.problems]}


class PackageError(_WithProblems):
    """The package cannot be used."""

    status = 400


class InvalidPackage(PackageError):
    """The package is wrong; every problem with its file, line and column."""

    type = EXCEPTIONS_1 + "invalid-parameter"


class UnsupportedPackage(PackageError):
    """The package asks for something that is not there; the places in the document."""

    type = "https://localproc.dev/problems/unsupported-package"
    status = 422


class InvalidInputs(_WithProblems):
    """The inputs do not fit the process description; every problem with its JSON path."""

    type = EXCEPTIONS_1 + "invalid-parameter"
    status = 400


class UnknownOption(LocalprocError, TypeError):
    """A call was given an option by a name that it does not have."""

    status = 400


class NotFound(LocalprocError):
    """There is no such thing."""

    status = 404


class NoSuchProcess(NotFound):
    """No process of that id is deployed in the namespace."""

    type = EXCEPTIONS_1 + "no-such-process"

    def __init__(self, process_id: str, *, hint: str = "") -> None:
        super().__init__(f"no process {process_id!r} is deployed", hint=hint)
        self.process_id = process_id


class NoSuchJob(NotFound):
    """No job of that id is in the home."""

    type = EXCEPTIONS_1 + "no-such-job"

    def __init__(self, job_id: str, *, hint: str = "") -> None:
        super().__init__(f"no job {job_id!r}", hint=hint or "localproc jobs lists them")
        self.job_id = job_id


class AmbiguousJob(NoSuchJob):
    """Several jobs have that piece in their ids; ``candidates`` are lines that tell them apart."""

    def __init__(self, piece: str, candidates: Sequence[str]) -> None:
        super().__init__(piece, hint="give more of the id")
        self.message = "\n  ".join([f"{piece!r} is in the ids of several jobs:", *candidates])
        self.candidates = tuple(candidates)


class NoSuchStep(NotFound):
    """The job has no step of that name."""

    type = "https://localproc.dev/problems/no-such-step"


class NoSuchOutput(NotFound):
    """The process has no output of that name, or it was not asked for."""

    type = EXCEPTIONS_1 + "no-such-output"


class NoSuchSchedule(NotFound):
    """No schedule of that name is there."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no schedule {name!r}", hint="localproc schedule list shows all")
        self.schedule = name

    def _members(self) -> dict[str, Any]:
        return {"schedule": self.schedule}


class NoSuchSubscription(NotFound):
    """No subscription of that name is there, or it does not take what came."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"there is no subscription {name!r}", hint="localproc subscription list shows all"
        )
        self.subscription = name

    def _members(self) -> dict[str, Any]:
        return {"subscription": self.subscription}


class Conflict(LocalprocError):
    """What is asked for does not go together with what is there."""

    status = 409


class DuplicatedProcess(Conflict):
    """A process of that id is deployed already."""

    type = EXCEPTIONS_2 + "duplicated-process"

    def __init__(self, process_id: str) -> None:
        super().__init__(
            f"a process {process_id!r} is deployed already", hint="replace it, or undeploy it"
        )
        self.process_id = process_id


class ImmutableProcess(Conflict):
    """The process cannot be replaced or undeployed."""

    type = EXCEPTIONS_2 + "immutable-process"
    status = 403


class ProcessInUse(Conflict):
    """The process has jobs that have not ended."""

    type = "https://localproc.dev/problems/process-in-use"
    status = 403


class ResultsNotReady(LocalprocError):
    """The job has no results: it has not ended, or it was not successful."""

    type = EXCEPTIONS_1 + "result-not-ready"
    status = 404


class ResultsGone(LocalprocError):
    """A file among the results of a job is not where it was published; ``uri`` says which."""

    type = "https://localproc.dev/problems/results-gone"
    status = 410

    def __init__(self, uri: str, *, hint: str = "") -> None:
        super().__init__(f"{uri} was published, and is not there any more", hint=hint)
        self.uri = uri

    def _members(self) -> dict[str, Any]:
        return {} if self.uri.startswith("file:") else {"uri": self.uri}


#: Failures that are told of one job, where several are written out.
_MOST_TOLD = 20


class JobFailed(LocalprocError):
    """A job ended as failed.

    ``step`` is empty where no step is to blame; ``stderr`` holds the last lines of its log,
    ``command`` what was run, ``inputs`` the values of one instance of a scatter in short, and
    ``folder`` is where it ran: it is kept. Where a job went on after a failure, ``failures`` are
    the problem documents of all steps that failed.
    """

    type = "https://localproc.dev/problems/job-failed"

    def __init__(
        self,
        message: str,
        *,
        job_id: str = "",
        step: str = "",
        exit_code: int | None = None,
        stderr: Sequence[str] = (),
        log: str = "",
        hint: str = "",
        cause: str = "",
        command: Sequence[str] = (),
        inputs: Mapping[str, str] | None = None,
        folder: str = "",
        failures: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        super().__init__(message, hint=hint)
        self.job_id = job_id
        self.failures = tuple(failures)
        self.step = step
        self.exit_code = exit_code
        self.stderr = tuple(stderr)
        self.log = log
        self.cause = cause
        self.command = tuple(command)
        self.inputs = dict(inputs or {})
        self.folder = folder

    def __str__(self) -> str:
        lines = [self.message, *(f"  | {line}" for line in self.stderr)]
        lines += [
            f"  {one.get('detail', 'a step failed')} ({one.get('log', 'no log')})"
            for one in self.failures[:_MOST_TOLD]
        ]
        facts = {
            "inputs": ", ".join(f"{name}={value}" for name, value in self.inputs.items()),
            "command": shlex.join(self.command),
            "folder": self.folder,
            "log": self.log,
            "hint": self.hint,
        }
        lines += [f"  {name}: {_short(fact)}" for name, fact in facts.items() if fact]
        return "\n".join(lines)

    def _members(self) -> dict[str, Any]:
        members = {
            "jobID": self.job_id,
            "step": self.step,
            "exitCode": self.exit_code,
            "stderrTail": list(self.stderr),
            "log": self.log,
            "cause": self.cause,
            "command": list(self.command),
            "inputs": self.inputs,
            "folder": self.folder,
            "failures": [dict(one) for one in self.failures],
        }
        return {name: value for name, value in members.items() if value not in ("", None, [], {})}

    @classmethod
    def from_problem(cls, problem: Mapping[str, Any]) -> "JobFailed":
        """Build the error again from what a job's last event keeps."""
        return cls(
            problem.get("detail", "the job failed"),
            job_id=problem.get("jobID", ""),
            step=problem.get("step", ""),
            exit_code=problem.get("exitCode"),
            stderr=problem.get("stderrTail", ()),
            log=problem.get("log", ""),
            hint=problem.get("hint", ""),
            cause=problem.get("cause", ""),
            command=problem.get("command", ()),
            inputs=problem.get("inputs"),
            folder=problem.get("folder", ""),
            failures=problem.get("failures", ()),
        )


def _short(text: str, most: int = 400) -> str:
    return text if len(text) <= most else f"{text[:most]} ..."


class JobDismissed(LocalprocError):
    """The job was dismissed, so there is nothing to wait for."""

    type = "https://localproc.dev/problems/job-dismissed"
    status = 410


class ExpressionError(LocalprocError):
    """An expression of the package went wrong; ``expression`` is its text."""

    type = "https://localproc.dev/problems/expression"

    def __init__(self, message: str, *, expression: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.expression = expression

    def _members(self) -> dict[str, Any]:
        return {"expression": self.expression} if self.expression else {}


class StepError(LocalprocError):
    """A step could not be prepared, or its outputs are not what its tool promises."""

    type = "https://localproc.dev/problems/step"


class StagingError(LocalprocError):
    """A file could not be brought in or out; ``uri`` says which (without its secrets)."""

    type = "https://localproc.dev/problems/staging"

    def __init__(self, message: str, *, uri: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.uri = uri

    def _members(self) -> dict[str, Any]:
        return {"uri": self.uri} if self.uri else {}


class NoSuchObject(StagingError):
    """Nothing is there."""


class ObjectExists(StagingError):
    """Something is there already, and is not to be replaced."""


class StorageUnreachable(StagingError):
    """There is no way to a storage: no network, no such host, nobody who listens."""


class NotMirrored(NoSuchObject):
    """It is elsewhere and not kept here, and nothing is asked of the network."""


class StorageUnavailable(StagingError):
    """A storage is away, busy, or broke off: a moment later it may do what it is asked.

    ``retry_after``: the seconds that it asked to be left alone. ``etag`` is that of the object of
    which the first bytes have been written, if the rest can be asked for.
    """

    def __init__(
        self,
        message: str,
        *,
        uri: str = "",
        hint: str = "",
        retry_after: float = 0.0,
        etag: str = "",
    ) -> None:
        super().__init__(message, uri=uri, hint=hint)
        self.retry_after = retry_after
        self.etag = etag


class EnvironmentProblem(LocalprocError):
    """The machine is not fit for what is asked."""

    type = "https://localproc.dev/problems/environment"


class HomeUnusable(EnvironmentProblem):
    """The home folder cannot be written, or lies where a store is not safe."""


class StoreCorrupted(EnvironmentProblem):
    """The home's store cannot be read."""


class JobPutAside(EnvironmentProblem):
    """A job that this engine cannot or must not go on with; ``reason`` says why."""

    def __init__(self, job_id: str, reason: str) -> None:
        super().__init__(
            f"job {job_id} is put aside: {reason}",
            hint="'localproc resume' tries again, after an upgrade if a newer localproc wrote it; "
            "'localproc dismiss' ends it",
        )
        self.reason = reason


class ImageError(EnvironmentProblem):
    """A container image is not here, cannot be brought, or is none."""

    status = 422  # the process is known and cannot be run here, as with UnsupportedPackage


class NoSpace(EnvironmentProblem):
    """The disk is full."""

    status = 507


class SecretUnavailable(EnvironmentProblem):
    """A secret cannot be had; neither message nor hint has anything of its value."""


class PluginMissing(EnvironmentProblem):
    """An executor, a storage or an extra was asked for that is not installed."""

    @classmethod
    def for_extra(cls, name: str, what: str) -> "PluginMissing":
        """Return the error that says what needs an extra of localproc, and how to install it."""
        return cls(what, hint=INSTALL.format(extra=name))


class ServerUnreachable(EnvironmentProblem):
    """A server of OGC API - Processes elsewhere does not answer, or not now."""

    status = 502


class ServerRefused(LocalprocError):
    """A server of OGC API - Processes elsewhere does not do what it is asked.

    ``answered`` is its HTTP status, ``problem`` the RFC 9457 problem that it gave, if it did.
    """

    type = "https://localproc.dev/problems/server-refused"
    status = 502

    def __init__(
        self,
        message: str,
        *,
        answered: int = 0,
        problem: Mapping[str, Any] | None = None,
        hint: str = "",
    ) -> None:
        super().__init__(message, hint=hint)
        self.answered = answered
        self.problem = dict(problem or {})

    def _members(self) -> dict[str, Any]:
        return {"answered": self.answered}


class ExecutorUnavailable(LocalprocError):
    """No news from the executor; its tasks are as they were."""


class InvalidTransition(LocalprocError):
    """A job was asked to do what its state forbids; the message tells the story."""
