"""The steps of a job, read from its events.

Owns how step events add up to what people see. Must not know how steps are run.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from localproc.model import Event, Kind, Step, StepStatus

_STEP_KINDS = frozenset({Kind.STEP_SUBMITTED, Kind.STEP_RUNNING, Kind.STEP_FINISHED})
_CLOSING = frozenset({Kind.FAILED, Kind.DISMISSED})


class StepBook:
    """The steps of one job, kept up to date event by event, in the order they were submitted."""

    def __init__(self) -> None:
        self._steps: dict[str, Step] = {}

    def steps(self) -> list[Step]:
        """Give the steps so far."""
        return list(self._steps.values())

    def has_ended(self, name: str) -> bool:
        """Whether a step is known, and has ended."""
        step = self._steps.get(name)
        return step is not None and step.status.final

    def take(self, event: Event) -> list[Step]:
        """Take one event in; give the steps that it changed."""
        if event.kind in _CLOSING:
            return self._close(event.at)
        if event.kind not in _STEP_KINDS:
            return []
        data = event.data
        name = data["name"]
        known = self._steps.get(name)
        if event.kind is Kind.STEP_SUBMITTED or known is None:
            known = Step(
                name=name,
                key=data.get("key", name),
                status=StepStatus.ACCEPTED,
                log=data.get("log", ""),
                attempt=data.get("attempt", 1),
                command=tuple(data.get("command", ())),
            )
        changed = _change(known, event)
        self._steps[name] = changed
        return [changed]

    def _close(self, at: datetime) -> list[Step]:
        """Steps that had not ended when their job did were stopped with it."""
        open_steps = [step for step in self._steps.values() if not step.status.final]
        closed = [replace(step, status=StepStatus.DISMISSED, end=at) for step in open_steps]
        self._steps.update((step.name, step) for step in closed)
        return closed


def _change(step: Step, event: Event) -> Step:
    data = event.data
    if event.kind is Kind.STEP_SUBMITTED:
        return step
    if event.kind is Kind.STEP_RUNNING:
        return replace(step, status=StepStatus.RUNNING, start=_time(data.get("started"), event.at))
    start = step.start or _time(data.get("started"), event.at)
    return replace(
        step,
        status=StepStatus(data["status"]),
        start=start,
        end=max(start, _time(data.get("ended"), event.at)),
        exit_code=data.get("exit_code"),
        message=data.get("said", ""),
        reused_from=data.get("reused_from"),
    )


def _time(value: Any, otherwise: datetime) -> datetime:
    return datetime.fromisoformat(value) if value else otherwise


def steps(events: Iterable[Event]) -> list[Step]:
    """Give the steps that the events add up to."""
    book = StepBook()
    for event in events:
        book.take(event)
    return book.steps()
