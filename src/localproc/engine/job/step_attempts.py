"""Steps of a job that are tried again.

Owns which of them wait for their next attempt, until when, and whether there is one. Must not know
how an attempt is begun.
"""

from collections import deque
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from localproc.cwl.run.plan import Invocation
from localproc.engine.job.effects import (
    Effects,
    Release,
)
from localproc.engine.job.event_writer import EventWriter
from localproc.engine.job.replay import Known
from localproc.engine.job.step_ends import StepRun
from localproc.engine.job.task_factory import TaskFactory
from localproc.errors import JobFailed
from localproc.frozen import frozen
from localproc.model import Report

_CODES: Final = ("temporary", "permanent")


@frozen
class Again:
    """A step that waits for its next attempt: which one, and when that may begin."""

    name: str
    invocation: Invocation
    attempt: int
    due: datetime
    identity: str = ""
    lost: int = 0
    failures: int = 0


class StepAttempts:
    """The steps of one job that wait to be tried again."""

    def __init__(self, writer: EventWriter, effects: Effects, tasks: TaskFactory) -> None:
        self._waiting: list[Again] = []
        self._due: deque[Again] = deque()
        self._writer = writer
        self._effects = effects
        self._tasks = tasks

    @property
    def due(self) -> datetime | None:
        """When the next step may be tried again, if one waits for that."""
        return min([one.due for one in self._waiting]) if self._waiting else None

    @property
    def waits(self) -> bool:
        """Whether a step is to be tried again."""
        return bool(self._waiting or self._due)

    def later(self, at: datetime) -> None:
        """Take note of what time it is."""
        self._due += [one for one in self._waiting if one.due <= at]
        self._waiting = [one for one in self._waiting if one.due > at]

    def try_again(self, running: StepRun, report: Report, problem: JobFailed) -> bool:
        """Have a step that ended badly wait for another attempt, if its rule has one."""
        if running.made is None:
            return False
        effect, prepared = running.made
        rule = self._tasks.rule(effect.invocation)
        failures = effect.failures + 1
        codes = {name: prepared.tool.spec.get(f"{name}FailCodes") or () for name in _CODES}
        if failures >= rule.attempts or not rule.covers(report, **codes):
            return False
        due = self._writer.now() + timedelta(seconds=rule.wait(failures))
        self._writer.retrying(running.name, effect.attempt, due, report, problem)
        self._waiting.append(
            Again(
                running.name,
                effect.invocation,
                effect.attempt + 1,
                due,
                effect.identity,
                effect.lost,
                failures,
            )
        )
        self._effects.give(Release(running.task.key))
        return True

    def go_on(self, known: Known, due: datetime, invocation: Invocation) -> None:
        """Let a step wait that an earlier engine has left waiting."""
        self._waiting.append(
            Again(
                known.name,
                invocation,
                known.attempt + 1,
                due,
                lost=known.lost,
                failures=known.failures,
            )
        )

    def next(self, full: Collection[str]) -> Again | None:
        """Return a step that is due, and runs at none of the executors in ``full``, if there is."""
        for one in self._due:
            if self._tasks.setup.where(one.invocation).executor not in full:
                self._due.remove(one)
                return one
        return None

    def drop(self) -> list[str]:
        """Let no step wait any more; return the names of those that did."""
        names = [one.name for one in (*self._waiting, *self._due)]
        self._waiting, self._due = [], deque()
        return names
