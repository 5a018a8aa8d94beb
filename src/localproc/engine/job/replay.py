"""What a job's events say about where it stands.

Owns reading a history so that a job can go on: its request, and for every place in the workflow the
step that ran there. Must not know how it goes on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from localproc.errors import JobPutAside
from localproc.model import Event, JobRecord, JobRequest, StepStatus
from localproc.model.events import (
    Accepted,
    DismissRequested,
    Started,
    StepFinished,
    StepRetrying,
    StepSubmitted,
    Succeeded,
    TakenOver,
    Unreadable,
    request_of,
)


@dataclass(slots=True)
class Known:
    """A step instance that an earlier engine had begun.

    ``given`` and ``made`` are digests of how its files were (``cwl.run.fingerprint``), ``said`` is
    why it failed.
    """

    name: str
    attempt: int
    log: str
    tmpdir: str
    executor: str = ""
    image: str = ""
    containers: str = ""
    ended: bool = False
    outputs: Mapping[str, Any] | None = None
    status: StepStatus | None = None
    said: str = ""
    given: str = ""
    ran_in: str = ""
    made: str = ""
    lost: int = 0  #: attempts before it that were lost while they ran
    failures: int = 0  #: attempts after which another one was to come
    due: datetime | None = None  #: when the next attempt may begin, while it is waited for


@dataclass(slots=True)
class History:
    """A job's past. ``engine`` is the last one that is known to have had it."""

    request: JobRequest
    events: int = 0
    started: bool = False
    engine: str = ""
    problems: list[Mapping[str, Any]] = field(default_factory=list)  #: of steps that failed
    at: datetime | None = None  #: when it was started
    beside: Mapping[str, Any] = field(default_factory=dict)
    tidied: bool = False  #: whether what it has worked with is removed, as it has ended well
    stopping: bool = False  #: whether steps of it have been stopped
    dismissing: bool = False  #: whether it is written down that somebody wants it to stop
    steps: dict[str, Known] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)
    logs: dict[str, str] = field(default_factory=dict)


def accepted(job: JobRecord, request: JobRequest) -> History:
    """Return the history of a job that has only been accepted, by the engine that owns it."""
    return History(request, events=1, engine=job.owner or "")


def read(job_id: str, events: Sequence[Event]) -> History:
    """Read a history; its first event is the acceptance. Raises ``JobPutAside``."""
    history = History(request_of(job_id, events), events=len(events))
    by_name: dict[str, Known] = {}
    for event in events:
        match event:
            case Unreadable():
                raise JobPutAside(job_id, event.problem)
            case Accepted() | TakenOver():
                history.engine = event.engine
                if isinstance(event, Accepted):
                    history.beside = event.beside or {}
            case Started():
                history.started = True
                history.at = event.at
                history.engine = event.engine
            case DismissRequested():
                history.dismissing = True
            case StepSubmitted():
                known = Known(
                    event.name,
                    event.attempt,
                    event.log,
                    event.tmpdir,
                    event.executor,
                    event.image,
                    event.containers,
                )
                known.lost = event.lost
                known.given, known.ran_in = event.given, ran_in(event.digest, event.software)
                if event.name in by_name:
                    known.failures = by_name[event.name].failures
                history.steps[event.key] = by_name[known.name] = known
                _name(history, known)
            case StepRetrying():
                if (tried := by_name.get(event.name)) is not None:
                    tried.failures += 1
                    tried.due = event.due
            case StepFinished():
                _take_end(history, by_name, event)
            case Succeeded():
                history.tidied = event.tidy
    return history


def ran_in(digest: str, software: Sequence[str]) -> str:
    """Return what tells the image, and the software, that a step ran in from others."""
    return " ".join((digest, *software)) if software else digest


def _take_end(history: History, by_name: dict[str, Known], event: StepFinished) -> None:
    known = by_name.get(event.name)
    if known is None:
        known = Known(event.name, 1, event.log, "")
        history.steps[event.key or event.name] = by_name[known.name] = known
        _name(history, known)
    known.ended, known.due = True, None
    known.outputs, known.status, known.said = event.outputs, event.status, event.said
    known.given, known.made = event.given or known.given, event.made
    known.ran_in = event.ran_in or known.ran_in
    history.stopping |= event.status is StepStatus.DISMISSED
    if event.status is StepStatus.FAILED and event.problem is not None:
        history.problems.append(event.problem)


def _name(history: History, known: Known) -> None:
    """Remember the names that a step has."""
    _count(history.names, known.name)
    if known.log:
        history.logs[known.name] = known.log


def _count(names: dict[str, int], name: str) -> None:
    """Remember the highest number that a step's name has reached."""
    base, _, number = name.rpartition("_")
    if base and number.isdigit() and base in names:
        names[base] = max(names[base], int(number))
    names.setdefault(name, 1)
