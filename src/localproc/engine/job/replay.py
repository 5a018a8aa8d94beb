"""What a job's events say about where it stands.

Owns reading a history so that a job can go on: its request, and for every place in the workflow the
step that ran there. Must not know how it goes on.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from localproc.model import Event, InputPolicy, JobRequest, Kind, StepStatus, Trigger


@dataclass(slots=True)
class Known:
    """A step instance that an earlier engine had begun."""

    name: str
    attempt: int
    log: str
    tmpdir: str
    ended: bool = False
    outputs: Mapping[str, Any] | None = None


@dataclass(slots=True)
class History:
    """A job's past."""

    request: JobRequest
    events: int = 0
    started: bool = False
    problem: Mapping[str, Any] | None = None
    steps: dict[str, Known] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)


def read(events: Sequence[Event]) -> History:
    """Read a history; its first event is the acceptance."""
    history = History(request_from(events[0].data), events=len(events))
    by_name: dict[str, Known] = {}
    for event in events[1:]:
        data = event.data
        if event.kind is Kind.STARTED:
            history.started = True
        elif event.kind is Kind.STEP_SUBMITTED:
            known = Known(data["name"], data["attempt"], data["log"], data.get("tmpdir", ""))
            history.steps[data["key"]] = by_name[known.name] = known
            _count(history.names, known.name)
        elif event.kind is Kind.STEP_FINISHED:
            known = by_name.get(data["name"]) or Known(data["name"], 1, data.get("log", ""), "")
            if data["name"] not in by_name:
                history.steps[data["key"]] = by_name[known.name] = known
                _count(history.names, known.name)
            known.ended = True
            known.outputs = data.get("outputs")
            if data["status"] == StepStatus.FAILED and history.problem is None:
                history.problem = data.get("problem")
    return history


def _count(names: dict[str, int], name: str) -> None:
    """Remember the highest number that a step's name has reached."""
    base, _, number = name.rpartition("_")
    if base and number.isdigit() and base in names:
        names[base] = max(names[base], int(number))
    names.setdefault(name, 1)


def request_data(request: JobRequest) -> dict[str, Any]:
    """Give a request as the data of an event."""
    return {
        "inputs": request.inputs,
        "outputs": request.outputs,
        "executor": request.executor,
        "results": request.results,
        "trigger": request.trigger.value,
        "reason": request.reason,
        "run_as": request.run_as,
        "environment": request.environment,
        "service": request.service,
        "title": request.title,
        "tags": list(request.tags),
        "derived_from": request.derived_from,
        "reuse": request.reuse,
        "policy": dataclasses.asdict(request.policy),
        "subscriber": request.subscriber,
        "options": request.options,
    }


def request_from(data: Mapping[str, Any]) -> JobRequest:
    """Give the request that an event's data holds."""
    known = dict(data)
    known["trigger"] = Trigger(known["trigger"])
    known["tags"] = tuple(known["tags"])
    policy = dict(known["policy"])
    policy["roots"] = None if policy["roots"] is None else tuple(policy["roots"])
    known["policy"] = InputPolicy(**policy)
    return JobRequest(**known)
