"""Tasks with secrets, as whoever starts them is told of them.

Owns putting what hides the secrets between a task and its logs. Must not know where the secrets
come from.
"""

import json
import os
import sys
from typing import Any, Final

from localproc.executors.keeper.veil import VARIABLE
from localproc.model import Secrets, Task

_PROGRAM: Final = "import sys; sys.path.append(sys.argv.pop(1)); from keeper.{} import main; main()"
_PLACE: Final = os.path.dirname(__file__)


def veiled(task: Task) -> tuple[list[str], dict[str, str]]:
    """Return the command line and the environment that a task with secrets is started with."""
    env = task.secrets.environment(task.env) | {VARIABLE: json.dumps(hidden_by(task.secrets))}
    return [*keeper_command("veil"), *_revealed(task)], env


def behind_a_file(task: Task) -> str:
    """Return what a veil on another machine reads, and removes: all that it needs."""
    told = {"argv": _revealed(task), "env": secret_variables(task)}
    return json.dumps({**hidden_by(task.secrets), **told})


def secret_variables(task: Task) -> dict[str, str]:
    """Return the variables of a task that are secret, or have something secret in them."""
    shown = task.secrets.environment(task.env)
    return {name: value for name, value in shown.items() if value != task.env.get(name)}


def hidden_by(secrets: Secrets) -> dict[str, Any]:
    """Return what a veil is told to hide, and where."""
    return {"marks": secrets.marks(), "files": secrets.files}


def keeper_command(name: str) -> list[str]:
    """Return the command line of one of the keeper's modules: nothing of a user's is imported."""
    return [sys.executable, "-I", "-S", "-c", _PROGRAM.format(name), _PLACE]


def _revealed(task: Task) -> list[str]:
    return [task.secrets.revealed(text) for text in task.argv]
