"""The folder of a task.

Owns making it, what is staged into it, and that its streams become new files. Must not know jobs.
"""

import os
import shutil
from collections.abc import Callable, Iterator

from localproc.errors import JobDismissed
from localproc.model import StageAction, Task
from localproc.storage.disk import stage


def fill_folder(task: Task, stopped: Callable[[], bool] = lambda: False) -> None:
    """Make a task's folder and put its files into it; raises ``OSError``.

    Raises ``JobDismissed`` between two of them if they are not wanted any more.
    """
    _make_anew(task.outdir)
    if task.stage:
        stage(_while_wanted(task, stopped))
    for stream in {task.stdout, task.stderr}:
        _make_way(stream, task)


def _while_wanted(task: Task, stopped: Callable[[], bool]) -> Iterator[StageAction]:
    for action in task.stage:
        if stopped():
            raise JobDismissed(f"{task.key} was stopped")
        yield action


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
    folder = os.path.dirname(stream)
    if folder != task.outdir:
        os.makedirs(folder, exist_ok=True)
    if task.stage and os.path.lexists(stream):
        os.remove(stream)
