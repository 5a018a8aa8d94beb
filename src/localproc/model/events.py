"""What can happen to a job: one class for each kind of event.

Owns the members of each kind, with their meaning in one line, and reading any event from a row.
Whoever writes history makes these, and whoever reads it is given them; docs/engine.md is tested
against them. Must not know where rows are kept, nor what follows from an event.
"""

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime
from typing import Any, ClassVar, Final

from localproc.errors import JobPutAside
from localproc.frozen import frozen
from localproc.model.event import (
    Event,
    Kind,
    integer,
    mapping,
    number,
    says,
    says_when,
    text,
    texts,
)
from localproc.model.job import JobRequest
from localproc.model.status import StepStatus

#: The places of the engine's own steps. No step of a workflow has one: their ids are never empty.
STAGE_IN: Final = "/stage_in"
STAGE_OUT: Final = "/stage_out"


@frozen(kw_only=True)
class Accepted(Event):
    """The request was recorded."""

    kind: ClassVar[Kind] = Kind.ACCEPTED
    version: ClassVar[int] = 2

    request: JobRequest = field(
        metadata=says(
            "what was asked for: inputs, executor, results, ...",
            JobRequest.from_data,
            JobRequest.to_data,
        )
    )
    engine: str = field(
        default="", metadata=says("the engine that is to run it, if it is known", text)
    )
    beside: Mapping[str, Any] | None = field(
        default=None,
        metadata=says(
            "digests of what lay around the package's own files, and around scripts among the "
            "inputs, by their paths",
            mapping,
        ),
    )

    @classmethod
    def upgraded(cls, data: Mapping[str, Any], version: int) -> Mapping[str, Any]:
        """Version 1 had the members of the request beside each other."""
        del version
        return {"request": data}


@frozen(kw_only=True)
class Started(Event):
    """An engine has begun it."""

    kind: ClassVar[Kind] = Kind.STARTED

    engine: str = field(default="", metadata=says("that engine", text))


@frozen(kw_only=True)
class TakenOver(Event):
    """Another engine goes on with it."""

    kind: ClassVar[Kind] = Kind.TAKEN_OVER

    engine: str = field(metadata=says("the engine that goes on", text))


@frozen(kw_only=True)
class StepSubmitted(Event):
    """A step was handed to its executor."""

    kind: ClassVar[Kind] = Kind.STEP_SUBMITTED
    version: ClassVar[int] = 2

    name: str = field(metadata=says("the step's name, unique in the job", text))
    key: str = field(metadata=says("its place in the workflow", text))
    attempt: int = field(
        default=1, metadata=says("1, or more if it was lost or failed, and runs again", integer)
    )
    lost: int = field(
        default=0, metadata=says("the attempts before it that were lost while they ran", integer)
    )
    log: str = field(default="", metadata=says("the name of its log file", text))
    command: tuple[str, ...] = field(default=(), metadata=says("the command line", texts, list))
    tmpdir: str = field(default="", metadata=says("its temporary folder", text))
    executor: str = field(default="", metadata=says("the executor, by name", text))
    image: str = field(default="", metadata=says("the image of its container, by name", text))
    digest: str = field(default="", metadata=says("the digest of that image", text))
    containers: str = field(default="", metadata=says("the container runtime, by name", text))
    software: tuple[str, ...] = field(
        default=(), metadata=says("the software that was made available, and by whom", texts, list)
    )
    without: tuple[str, ...] = field(
        default=(), metadata=says("the hints that it is done without, and why", texts, list)
    )
    given: str = field(default="", metadata=says("a digest of how its input files were", text))
    because: str = field(
        default="", metadata=says("why nothing of the job that is retried was taken over", text)
    )

    @classmethod
    def upgraded(cls, data: Mapping[str, Any], version: int) -> Mapping[str, Any]:
        """Version 1 had the engine's own steps at places that a workflow's step may have too."""
        del version
        key = data.get("key", data.get("name"))
        is_own = key in ("stage_in", "stage_out") and not data.get("command")
        return {**data, "key": f"/{key}" if is_own else key}


@frozen(kw_only=True)
class StepQueued(Event):
    """A step waits at its executor, for a reason that is told or has changed."""

    kind: ClassVar[Kind] = Kind.STEP_QUEUED

    name: str = field(metadata=says("the step's name", text))
    reason: str = field(metadata=says("why it waits, in the executor's words", text))
    native_id: str = field(default="", metadata=says("what the executor itself calls it", text))


@frozen(kw_only=True)
class StepRunning(Event):
    """A step runs, and has done so for a while."""

    kind: ClassVar[Kind] = Kind.STEP_RUNNING

    name: str = field(metadata=says("the step's name", text))
    started: datetime | None = field(
        default=None, metadata=says_when("when it began, if that is known better than by `at`")
    )
    host: str = field(default="", metadata=says("the machine it runs on", text))
    native_id: str = field(default="", metadata=says("what the executor itself calls it", text))
    queued: float | None = field(
        default=None, metadata=says("seconds that it waited at the executor", number)
    )


@frozen(kw_only=True)
class StepProgress(Event):
    """Files are being staged in or published, and that takes a while; or a tool tells of itself."""

    kind: ClassVar[Kind] = Kind.STEP_PROGRESS

    name: str = field(metadata=says("the step's name", text))
    done: int | None = field(default=None, metadata=says("bytes so far", integer))
    total: int | None = field(
        default=None, metadata=says("bytes in all, where that is known", integer)
    )
    share: float | None = field(
        default=None, metadata=says("what a tool says that it has done, from 0 to 1", number)
    )
    said: str = field(default="", metadata=says("what it says besides", text))


@frozen(kw_only=True)
class StepRetrying(Event):
    """An attempt of a step has ended badly, and another one is to come."""

    kind: ClassVar[Kind] = Kind.STEP_RETRYING

    name: str = field(metadata=says("the step's name", text))
    attempt: int = field(metadata=says("the attempt that has ended", integer))
    due: datetime = field(metadata=says_when("when the next one may begin"))
    said: str = field(default="", metadata=says("how it ended, in a line", text))
    exit_code: int | None = field(
        default=None, metadata=says("how its program ended, negative for a signal", integer)
    )
    cause: str = field(default="", metadata=says("the kind of its ending", text))


@frozen(kw_only=True)
class StepFinished(Event):
    """A step has ended."""

    kind: ClassVar[Kind] = Kind.STEP_FINISHED

    name: str = field(metadata=says("the step's name", text))
    status: StepStatus = field(metadata=says("how it ended", StepStatus, str))
    key: str | None = field(
        default=None,
        metadata=says("its place in the workflow, of a step that was never submitted", text),
    )
    log: str = field(default="", metadata=says("the name of its log file, likewise", text))
    started: datetime | None = field(default=None, metadata=says_when("when it began"))
    ended: datetime | None = field(default=None, metadata=says_when("when it ended"))
    exit_code: int | None = field(
        default=None, metadata=says("how its program ended, negative for a signal", integer)
    )
    outputs: Mapping[str, Any] | None = field(
        default=None, metadata=says("its outputs in CWL's terms, of one that ended well", mapping)
    )
    problem: Mapping[str, Any] | None = field(
        default=None, metadata=says("why it failed, as a problem document (RFC 9457)", mapping)
    )
    said: str = field(default="", metadata=says("the same in a line", text))
    reused_from: str | None = field(default=None, metadata=says("the job that they are of", text))
    reused_step: str = field(default="", metadata=says("the name that the step has there", text))
    given: str = field(
        default="",
        metadata=says("a digest of how its input files were, if it was never submitted", text),
    )
    made: str = field(default="", metadata=says("a digest of how its output files are", text))
    because: str = field(
        default="", metadata=says("why nothing was taken over, if it was never submitted", text)
    )
    ran_in: str = field(
        default="", metadata=says("what its image and software were, if it was reused", text)
    )
    image: str = field(default="", metadata=says("its container's image, likewise", text))
    digest: str = field(default="", metadata=says("the digest of that image", text))
    containers: str = field(default="", metadata=says("the container runtime, likewise", text))
    software: tuple[str, ...] = field(
        default=(), metadata=says("the software that it would have had, likewise", texts, list)
    )
    cpu: float | None = field(default=None, metadata=says("seconds of processor time", number))
    rss: int | None = field(default=None, metadata=says("peak of its memory in KiB", integer))
    host: str = field(default="", metadata=says("the machine it ran on", text))
    native_id: str = field(default="", metadata=says("what the executor itself calls it", text))
    queued: float | None = field(
        default=None, metadata=says("seconds that it waited at the executor", number)
    )
    reason: str = field(default="", metadata=says("what the executor says of its end", text))
    without: tuple[str, ...] = field(
        default=(),
        metadata=says("more hints that it was done without, and why", texts, list),
    )


@frozen(kw_only=True)
class DismissRequested(Event):
    """Somebody asked for the job to stop."""

    kind: ClassVar[Kind] = Kind.DISMISS_REQUESTED


@frozen(kw_only=True)
class Succeeded(Event):
    """Every output is published."""

    kind: ClassVar[Kind] = Kind.SUCCEEDED

    outputs: Mapping[str, Any] = field(metadata=says("the outputs in CWL's terms", mapping))
    features: Mapping[str, Any] = field(
        metadata=says("the FeatureCollection of each that is a STAC catalog", mapping)
    )
    tidy: bool = field(
        default=False, metadata=says("whether the folders of its steps are removed then", bool)
    )


@frozen(kw_only=True)
class Failed(Event):
    """It has failed, and nothing of it runs any more."""

    kind: ClassVar[Kind] = Kind.FAILED

    problem: Mapping[str, Any] = field(
        metadata=says("why, as a problem document (RFC 9457)", mapping)
    )


@frozen(kw_only=True)
class Dismissed(Event):
    """It was stopped, and nothing of it runs any more."""

    kind: ClassVar[Kind] = Kind.DISMISSED


@frozen(kw_only=True)
class Unreadable(Event):
    """This localproc cannot read what is recorded here; it is never written."""

    kind: ClassVar[Kind] = Kind.UNREADABLE

    problem: str = field(metadata=says("what is wrong with it", text))


CLASSES: Final[Mapping[Kind, type[Event]]] = {
    one.kind: one
    for one in (
        Accepted,
        Started,
        TakenOver,
        StepSubmitted,
        StepQueued,
        StepRunning,
        StepProgress,
        StepRetrying,
        StepFinished,
        DismissRequested,
        Succeeded,
        Failed,
        Dismissed,
        Unreadable,
    )
}


def read_event(
    kind: str,
    data: Mapping[str, Any],
    at: datetime,
    *,
    version: int = 1,
    progress: int | None = None,
    message: str | None = None,
) -> Event:
    """Return an event from what was kept of it; ``Unreadable`` if it cannot be read."""
    try:
        found = CLASSES[Kind(kind)]
        return found.from_data(
            mapping(data), at, version=version, progress=progress, message=message
        )
    except (TypeError, ValueError) as error:
        return Unreadable(at, problem=f"the event {kind!r} cannot be read: {error}")


def request_of(job_id: str, events: Sequence[Event]) -> JobRequest:
    """Return what a job was accepted for; raises ``JobPutAside``."""
    if not events:
        raise JobPutAside(job_id, "there are no events of it")
    first = events[0]
    if isinstance(first, Accepted):
        return first.request
    said = first.problem if isinstance(first, Unreadable) else f"it begins with '{first.kind}'"
    raise JobPutAside(job_id, said)
