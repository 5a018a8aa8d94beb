"""What is asked for is wrong, is not there, or cannot be.

Owns errors of packages, inputs, options and names.
"""

from collections.abc import Sequence
from typing import Any

from localproc.errors.root import EXCEPTIONS_1, EXCEPTIONS_2, ErrorWithProblems, LocalprocError


class PackageError(ErrorWithProblems):
    """The package cannot be used."""

    status = 400


class InvalidPackage(PackageError):
    """The package is wrong; every problem with its file, line and column."""

    type = EXCEPTIONS_1 + "invalid-parameter"


class UnsupportedPackage(PackageError):
    """The package asks for something that is not there; the places in the document."""

    type = "https://localproc.dev/problems/unsupported-package"
    status = 422


class InvalidInputs(ErrorWithProblems):
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
