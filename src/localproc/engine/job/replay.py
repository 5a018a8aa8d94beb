"""What a job's events say about where it stands.

Owns reading a history so that a job can go on: its request, and for every place in the workflow the
step that ran there. Must not know how it goes on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from localproc.errors import JobPutAside
from localproc.model import Event, JobRequest, StepStatus
from localproc.model.events import (
    Accepted,
    Started,
    StepFinished,
    StepSubmitted,
    TakenOver,
    Unreadable,
    request_of,
)


@dataclass(slots=True)
class Known:
    """A step instance that an earlier engine had begun."""

    name: str
    attempt: int
    log: str
    tmpdir: str
    executor: str = ""
    image: str = ""
    containers: str = ""
    ended: bool = False
    outputs: Mapping[str, Any] | None = None


@dataclass(slots=True)
class History:
    """A job's past. ``engine`` is the last one that is known to have had it."""

    request: JobRequest
    events: int = 0
    started: bool = False
    engine: str = ""
    problem: Mapping[str, Any] | None = None
    stopping: bool = False  #: whether steps of it have been stopped
    steps: dict[str, Known] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)
    logs: dict[str, str] = field(default_factory=dict)


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
            case Started():
                history.started = True
                history.engine = event.engine
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
                history.steps[event.key] = by_name[known.name] = known
                _name(history, known)
            case StepFinished():
                _take_end(history, by_name, event)
    return history


def _take_end(history: History, by_name: dict[str, Known], event: StepFinished) -> None:
    known = by_name.get(event.name)
    if known is None:
        known = Known(event.name, 1, event.log, "")
        history.steps[event.key or event.name] = by_name[known.name] = known
        _name(history, known)
    known.ended = True
    known.outputs = event.outputs
    history.stopping |= event.status is StepStatus.DISMISSED
    if event.status is StepStatus.FAILED and history.problem is None:
        history.problem = event.problem


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
