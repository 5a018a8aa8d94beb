"""Doing what jobs have ordered.

Owns speaking to executors for jobs, and handing everything slow to the background. Must not decide
anything, and does nothing that is not recorded.
"""

from collections.abc import Callable, Iterable
from functools import partial

from localproc.engine.home.settings import Settings
from localproc.engine.job.effects import (
    Close,
    Effect,
    FillFolder,
    Launch,
    Reattach,
    Release,
    Remember,
    Stop,
)
from localproc.engine.job.facts import News, NotLaunched
from localproc.engine.job.failure_text import as_ours
from localproc.engine.job.job_run import JobRun
from localproc.engine.loop.active import Active
from localproc.engine.loop.background import Background
from localproc.engine.loop.task_folder import fill_folder
from localproc.engine.loop.told_progress import ToldProgress
from localproc.model import Task


class EffectRunner:
    """What one loop does its work with. ``closed`` is told of each job that has ended."""

    def __init__(
        self,
        background: Background,
        settings: Settings,
        closed: Callable[[Active], None],
        progress: ToldProgress,
    ) -> None:
        self._background = background
        self._progress = progress
        self._settings = settings
        self._closed = closed

    def act(self, jobs: Iterable[Active], *, more: bool = False) -> None:
        """Do all that the jobs have ordered; tasks of one job reach its executor together.

        They do so first of all: what is launched and stopped in one turn has to be there by then.
        ``more``: jobs have more to launch than one turn takes.
        """
        others: list[tuple[Active, Effect]] = []
        for active in jobs:
            tasks, over = [], []
            for effect in active.run.effects():
                if isinstance(effect, Release):
                    over.append(effect.key)
                elif not isinstance(effect, Launch):
                    others.append((active, effect))
                else:
                    _note_revealed(active, effect.task)
                    if effect.placed or _fill_folder(active, effect.task):
                        tasks.append(effect.task)
            wanted = [task for task in tasks if active.run.is_running(task.key)]
            if wanted:
                active.executors.submit(wanted, more=more)
                self._progress.follow(wanted, anew=True)
            if over:
                active.executors.release(over)
                self._progress.forget(over)
        for active, effect in others:
            self._do(active, effect)

    def _do(self, active: Active, effect: Effect) -> None:
        match effect:
            case Reattach(tasks):
                _note_revealed(active, *tasks)
                active.executors.reattach(tasks)
                self._progress.follow(tasks, anew=False)
            case Stop(keys):
                self._background.stop(active.context)
                if keys:
                    active.executors.cancel(keys, self._settings.grace)
            case Close(keep):
                self._closed(active)
                _forget_secrets(active)
                if not (keep or self._settings.keep):
                    self._background.removal.add(active.context)
                elif active.revealed:
                    self._background.conceal(active.context, tuple(active.revealed))
            case Remember():
                self._background.remember(effect, active.context)
            case Launch() | Release():
                raise AssertionError("tasks are launched and released together")
            case _:
                if isinstance(effect, FillFolder):
                    _note_revealed(active, effect.task)
                self._background.do(effect, active.context)


def _forget_secrets(active: Active) -> None:
    """Have values forgotten that were given with a job that has ended."""
    secrets = active.context.tasks.setup.secrets
    if secrets is not None and secrets.named:
        secrets.keeper.forget(secrets.named)


def _note_revealed(active: Active, *tasks: Task) -> None:
    active.revealed += [one.secrets for one in tasks if one.secrets.files]


def _fill_folder(active: Active, task: Task) -> bool:
    """Put a task's files in place; whether that could be done."""
    try:
        fill_folder(task)
    except Exception as error:  # whatever a package asks for, the other jobs go on
        _tell(active, NotLaunched(task.key, as_ours(error)))
        return False
    return True


def _tell(active: Active, news: News) -> None:
    active.let(partial(JobRun.take, news=news))
