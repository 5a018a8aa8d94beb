"""Tasks with secrets as nodes are given them: without.

Owns the files by which they come to a node, each for nobody but its user, and gone once the task
has begun. Must not know any scheduler.
"""

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace

from localproc.executors.batch.node_scripts import NodeSetup, has_node_tmpdir
from localproc.executors.veiled import behind_a_file
from localproc.model import Task
from localproc.model.secret import NO_SECRETS


def hidden(tasks: Iterable[Task], folder: str, runner: str, node: NodeSetup) -> tuple[Task, ...]:
    """Return the tasks of a batch, of which those with secrets take them from files there."""
    start = ("/bin/sh", f"{runner}/veil.sh", node.own, node.python)
    return tuple(
        replace(
            task,
            argv=(*start, _file(folder, number)),
            tmpdir=task.tmpdir if has_node_tmpdir(task) else task.outdir,  # its command is not seen
            secrets=NO_SECRETS,
        )
        if task.secrets
        else task
        for number, task in enumerate(tasks)
    )


def write_secrets(tasks: Iterable[Task], folder: str) -> None:
    """Write the files; raises ``OSError``."""
    for number, task in enumerate(tasks):
        if task.secrets:
            file = os.open(_file(folder, number), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with open(file, "w", encoding="utf-8") as new:
                new.write(behind_a_file(task))


def forget_secrets(folder: str, number: int) -> None:
    """Remove the file of a task that never came to read it."""
    with suppress(OSError):
        os.remove(_file(folder, number))


def _file(folder: str, number: int) -> str:
    return os.path.join(folder, f"secrets.{number}")
