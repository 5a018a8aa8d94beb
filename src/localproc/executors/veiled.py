"""Tasks with secrets, as a keeper is told of them.

Owns putting what hides the secrets between a task and its logs. Must not know where the secrets
come from.
"""

import json
import os
import sys
from typing import Final

from localproc.executors.keeper.veil import VARIABLE
from localproc.model import Task

_PROGRAM: Final = (
    "import sys; sys.path.append(sys.argv.pop(1)); from keeper.veil import main; main()"
)
_PLACE: Final = os.path.dirname(__file__)


def veiled(task: Task) -> tuple[list[str], dict[str, str]]:
    """Return the command line and the environment that a task with secrets is started with."""
    secrets = task.secrets
    told = {"marks": secrets.marks(), "files": secrets.files}
    argv = [secrets.revealed(text) for text in task.argv]
    env = secrets.environment(task.env) | {VARIABLE: json.dumps(told)}
    return [sys.executable, "-I", "-S", "-c", _PROGRAM, _PLACE, *argv], env
