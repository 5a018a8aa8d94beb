"""The folder of a task.

Owns making it, what is staged into it, that its streams become new files, and that no secret stays
in it. Must not know jobs.
"""

import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import replace

from localproc.executors.keeper.veil import unmark
from localproc.model import Secrets, StageAction, Task
from localproc.storage.disk import GoOn, on, stage


def fill_folder(task: Task, go_on: GoOn = on) -> None:
    """Make a task's folder and put its files into it.

    Raises ``OSError``, and what ``go_on`` does.
    """
    _make_anew(task.outdir)
    if task.stage:
        stage(tuple(_revealed(task)) if task.secrets.files else task.stage, go_on)
        for path in task.secrets.files:
            os.chmod(path, 0o600)
    for stream in {task.stdout, task.stderr}:
        _make_way(stream, task)


def conceal(revealed: Iterable[Secrets]) -> None:
    """Write marks in place of secrets in the files that have some, if they are there."""
    for secrets in revealed:
        unmark(secrets.files, secrets.marks())


def _revealed(task: Task) -> Iterator[StageAction]:
    """Yield what is to be put in place, with the secrets in it."""
    for one in task.stage:
        yield replace(one, contents=task.secrets.revealed(one.contents)) if one.contents else one


def _make_anew(folder: str) -> None:
    """Make a folder; one that is there is of a later time than what is recorded.

    So it is after a power cut, and in a backup.
    """
    try:
        os.mkdir(folder)
    except FileExistsError:
        shutil.rmtree(folder)
        os.mkdir(folder)


def _make_way(stream: str, task: Task) -> None:
    """See that a stream can become a new file in the task's folder.

    What lies there already may be a link to a file of the user's.
    """
    if not stream.startswith(task.outdir + "/"):
        return
    if "/" in stream[len(task.outdir) + 1 :]:
        os.makedirs(os.path.dirname(stream), exist_ok=True)
    if task.stage and os.path.lexists(stream):
        os.remove(stream)
