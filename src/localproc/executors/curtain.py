"""What is between a task with secrets and the daemon that starts it.

Owns a folder of named pipes, and the process at their other ends, which outlives the engine as the
task does. Must not know daemons. All of it may block.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from shlex import quote
from time import monotonic, sleep
from typing import Final

from localproc import locks
from localproc.executors.journals import may_be_held
from localproc.executors.keeper.pipes import BEGIN, STREAMS
from localproc.executors.veiled import hidden_by, keeper_command, secret_variables
from localproc.model import Task

_LOCK: Final = "lock"
_PATIENCE: Final = 10.0  #: seconds that what a task has written last may take to be on the disk
_PACE: Final = 0.005


class Curtain:
    """The pipes of one task, in a folder that it sees. Its streams are ``stdout`` and ``stderr``.

    The task sources ``begin`` with a shell: that sets its arguments and its environment.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.begin = os.path.join(folder, BEGIN)

    @property
    def exists(self) -> bool:
        """Whether the task has one."""
        return os.path.isdir(self.folder)

    def streams(self, task: Task) -> tuple[str, str]:
        """Return the pipes that a task writes to; one, if its streams go to the same file."""
        out, err = (os.path.join(self.folder, one) for one in STREAMS)
        return out, out if task.stdout == task.stderr else err

    def make(self, task: Task) -> None:
        """Make the folder, before there is anything that sees it."""
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        for path in {self.begin, *self.streams(task)}:
            with suppress(FileExistsError):
                os.mkfifo(path, 0o600)

    def draw(self, task: Task, argv: Sequence[str]) -> None:
        """Have somebody at the other ends, unless there is; ``argv`` is what is run, with marks."""
        lock = locks.take(os.path.join(self.folder, _LOCK))
        if lock is None:
            return
        told = {
            **hidden_by(task.secrets),
            "folder": self.folder,
            "script": _script(task, argv),
            "stdout": task.stdout,
            "stderr": task.stderr,
        }
        try:
            subprocess.run(
                keeper_command("pipes"),
                input=json.dumps(told).encode(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(lock,),
                cwd="/",
                check=True,
            )
        finally:
            os.close(lock)

    def is_torn(self) -> bool:
        """Whether a task waits for what it will never be given, as nobody is there."""
        return os.path.exists(self.begin) and not self._is_held()

    def falls(self) -> bool:
        """Wait until all that a task which has ended has written is in its files.

        Whether it is: not if somebody has killed the process that was to do that, or the disk is
        full.
        """
        until = monotonic() + _PATIENCE
        while self._is_held() and monotonic() < until:
            sleep(_PACE)
        return not any(os.path.exists(os.path.join(self.folder, one)) for one in STREAMS)

    def remove(self) -> None:
        """Remove the folder; whoever is at the other ends goes."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _is_held(self) -> bool:
        return may_be_held(os.path.join(self.folder, _LOCK))


def _script(task: Task, argv: Sequence[str]) -> str:
    """Return what sets a shell's environment and arguments."""
    words = [quote(task.secrets.revealed(text)) for text in argv]
    exports = [f"export {name}={quote(value)}" for name, value in secret_variables(task).items()]
    return "\n".join([*exports, f"set -- {' '.join(words)}", ""])
