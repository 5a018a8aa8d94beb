"""Which paths nodes see.

Owns telling of a path that they do not, where their folders are known; and which machine has what
they see on a disk of its own. Must not touch a disk, but for what links stand for.
"""

import os
from collections.abc import Iterable, Sequence

from localproc.errors import EnvironmentProblem
from localproc.file_systems import on_network
from localproc.model import Task


def own_machine(folder: str) -> str:
    """Return the boot id of this machine if a folder is on its own disk; empty if not, or unknown.

    It is the only node, or one of them, on a small cluster.
    """
    if on_network(folder):
        return ""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


class Sharing:
    """``folders`` are those that nodes see; without any, nothing is known."""

    def __init__(self, folders: Sequence[str]) -> None:
        self._folders = [os.path.realpath(one) for one in folders]
        self._said = ", ".join(folders)

    def check_home(self, folder: str) -> None:
        """Raise ``EnvironmentProblem`` for a folder of tasks that nodes do not see."""
        if self._unseen([folder]):
            raise EnvironmentProblem(
                f"the nodes do not see {folder}, where tasks work: they see {self._said}",
                hint="name a folder that they see: --work DIR, with the first job of a home",
            )

    def unseen(self, task: Task) -> str:
        """Return why a task can never run for want of what it reads; empty if it can."""
        paths = (task.outdir, task.stdin, *task.reads, *task.writes)
        missing = self._unseen(path for path in paths if path)
        return f"the nodes do not see {missing}: they see {self._said}" if missing else ""

    def _unseen(self, paths: Iterable[str]) -> str:
        if not self._folders:
            return ""
        for path in paths:
            real = os.path.realpath(path)
            if not any(
                real == one or real.startswith(f"{one.rstrip('/')}/") for one in self._folders
            ):
                return path
        return ""
