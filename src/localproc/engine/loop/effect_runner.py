"""Doing what jobs have ordered.

Owns handing tasks to executors with their files in place, and everything else to the background.
Must not decide anything, and does nothing that is not recorded.
"""

import os
from collections.abc import Callable, Iterable

from localproc.engine.home.settings import Settings
from localproc.engine.job.effects import Close, Effect, Launch, Release, Remember, Stop
from localproc.engine.job.failure_text import as_ours
from localproc.engine.loop.active import Active
from localproc.engine.loop.background import Background
from localproc.errors import LocalprocError
from localproc.model import Task
from localproc.storage.disk import stage


class EffectRunner:
    """What one loop does its work with. ``closed`` is told of each job that has ended."""

    def __init__(
        self, background: Background, settings: Settings, closed: Callable[[Active], None]
    ) -> None:
        self._background = background
        self._settings = settings
        self._closed = closed

    def act(self, jobs: Iterable[Active]) -> None:
        """Do all that the jobs have ordered; tasks of one job reach its executor together.

        They do so first of all: what is launched and stopped in one turn has to be there by then.
        """
        others: list[tuple[Active, Effect]] = []
        for active in jobs:
            tasks, over = [], []
            for effect in active.run.effects():
                if isinstance(effect, Release):
                    over.append(effect.key)
                elif not isinstance(effect, Launch):
                    others.append((active, effect))
                elif _put_in_place(active, effect.task):
                    tasks.append(effect.task)
            self._launch(active, tasks)
            if over:
                active.executors.release(over)
        for active, effect in others:
            self._do(active, effect)

    def _launch(self, active: Active, tasks: list[Task]) -> None:
        wanted = [task for task in tasks if active.run.is_running(task.key)]
        if wanted:
            active.executors.submit(wanted)

    def _do(self, active: Active, effect: Effect) -> None:
        match effect:
            case Stop(keys):
                active.context.stopped.set()
                if keys:
                    active.executors.cancel(keys, self._settings.grace)
            case Close(keep):
                self._closed(active)
                if not (keep or self._settings.keep):
                    self._background.clean_up(active.context)
            case Remember():
                self._background.remember(effect, active.context)
            case Launch() | Release():
                raise AssertionError("tasks are launched and released together")
            case _:
                self._background.do(effect, active.context)


def _put_in_place(active: Active, task: Task) -> bool:
    """Make a task's folder and put its files into it; whether that could be done."""
    try:
        os.mkdir(task.outdir)
        if task.stage:
            stage(task.stage)
        for stream in {task.stdout, task.stderr}:
            _make_way(stream, task)
    except Exception as error:  # whatever a package asks for, the other jobs go on
        _not_launched(active, task, as_ours(error))
        return False
    return True


def _make_way(stream: str, task: Task) -> None:
    """See that a stream can become a new file in the task's folder.

    What lies there already may be a link to a file of the user's.
    """
    if not stream.startswith(task.outdir + "/"):
        return
    folder = os.path.dirname(stream)
    if folder != task.outdir:
        os.makedirs(folder, exist_ok=True)
    if task.stage and os.path.lexists(stream):
        os.remove(stream)


def _not_launched(active: Active, task: Task, error: LocalprocError) -> None:
    if active.run.is_running(task.key):
        active.let(lambda run: run.not_launched(task.key, error))
