"""Doing what jobs have ordered.

Owns speaking to executors for jobs, and handing everything slow to the background. Must not decide
anything, and does nothing that is not recorded.
"""

import logging
from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

from localproc.engine.home.settings import Settings
from localproc.engine.job.effects import (
    Close,
    Effect,
    Launch,
    Reattach,
    Release,
    Remember,
    Stop,
)
from localproc.engine.job.facts import News, NotLaunched, Reported
from localproc.engine.job.failure_text import as_ours
from localproc.engine.job.job_run import JobRun
from localproc.engine.loop.active import Active
from localproc.engine.loop.background import Background
from localproc.engine.loop.placing import put_in_place
from localproc.errors import ExecutorUnavailable
from localproc.model import Report, Task, TaskState

_LOG: Final = logging.getLogger("localproc")


class EffectRunner:
    """What one loop does its work with. ``closed`` is told of each job that has ended."""

    def __init__(
        self, background: Background, settings: Settings, closed: Callable[[Active], None]
    ) -> None:
        self._background = background
        self._settings = settings
        self._closed = closed
        self._put_off: list[tuple[Active, list[Task]]] = []
        self._sought: list[tuple[Active, list[Task]]] = []

    def act(self, jobs: Iterable[Active]) -> None:
        """Do all that the jobs have ordered; tasks of one job reach its executor together.

        They do so first of all: what is launched and stopped in one turn has to be there by then.
        """
        others: list[tuple[Active, Effect]] = []
        for active in jobs:
            tasks = []
            for effect in active.run.effects():
                if not isinstance(effect, Launch):
                    others.append((active, effect))
                elif effect.placed or _put_in_place(active, effect.task):
                    tasks.append(effect.task)
            self._launch(active, tasks)
        for active, effect in others:
            self._do(active, effect)

    def try_again(self) -> None:
        """Hand over what an executor could not be reached for before."""
        put_off, self._put_off = self._put_off, []
        for active, tasks in put_off:
            self._launch(active, tasks)
        sought, self._sought = self._sought, []
        for active, tasks in sought:
            self._reattach(active, tasks)

    def _launch(self, active: Active, tasks: list[Task]) -> None:
        wanted = [task for task in tasks if active.run.is_running(task.key)]
        if not wanted:
            return
        try:
            active.executor.submit(wanted)
        except ExecutorUnavailable as error:
            _LOG.info("tasks wait: %s", error)
            self._put_off.append((active, wanted))
        except Exception as error:  # an executor may be anybody's; the other jobs go on
            for task in wanted:
                _tell(active, NotLaunched(task.key, as_ours(error)))

    def _do(self, active: Active, effect: Effect) -> None:
        match effect:
            case Reattach(tasks):
                self._reattach(active, list(tasks))
            case Release():
                pass  # executors have no verb for that yet
            case Stop(keys):
                self._background.stop(active.context)
                if keys:
                    active.executor.cancel(keys, self._settings.grace)
            case Close(keep):
                self._closed(active)
                if not (keep or self._settings.keep):
                    self._background.clean_up(active.context)
            case Remember():
                self._background.remember(effect, active.context)
            case Launch():
                raise AssertionError("tasks are launched together")
            case _:
                self._background.do(effect, active.context)

    # A bridge: ``reattach`` still answers at once, and raises where nobody can be asked.

    def _reattach(self, active: Active, tasks: list[Task]) -> None:
        try:
            found = active.executor.reattach(tasks)
        except ExecutorUnavailable as error:
            _LOG.info("job %s waits: %s", active.context.job_id, error)
            self._sought.append((active, tasks))
            return
        for task in tasks:
            never = Report(task.key, TaskState.NEVER_STARTED)
            _tell(active, Reported(found.get(task.key, never)))


def _put_in_place(active: Active, task: Task) -> bool:
    """Put a task's files in place; whether that could be done."""
    try:
        put_in_place(task)
    except Exception as error:  # whatever a package asks for, the other jobs go on
        _tell(active, NotLaunched(task.key, as_ours(error)))
        return False
    return True


def _tell(active: Active, news: News) -> None:
    active.let(partial(JobRun.take, news=news))
