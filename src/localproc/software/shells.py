"""What a piece of shell changes in the environment.

Owns running it in bash, and applying the whole difference to another environment. Must not know
what the shell does.
"""

import os
import subprocess
import tempfile
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from localproc.errors import EnvironmentProblem

_PATIENCE: Final = 120  #: seconds
_OF_THE_SHELL: Final = frozenset({"_", "SHLVL", "PWD", "OLDPWD"})
_KEPT: Final = ("HOME", "USER", "LOGNAME", "LANG")


def changed(env: Mapping[str, str], commands: str, *, login: bool = False) -> dict[str, str]:
    """Return an environment with what commands change in it; lists of paths are added to.

    The commands find that environment. ``login``: bash reads the user's and the system's profile
    before. Raises ``EnvironmentProblem``
    with what the commands say if they fail.
    """
    before, after = _environments(commands, tuple(sorted(env.items())), login)
    result = dict(env)
    for name in before.keys() - after.keys():
        result.pop(name, None)
    for name, value in after.items():
        if before.get(name) != value:
            result[name] = _applied(value, before.get(name, ""), result.get(name, ""))
    return result


def _applied(value: str, before: str, ours: str) -> str:
    """Return a variable that was set anew, or had something put around what it was before."""
    if not (before and ours):
        return value
    return f":{value}:".replace(f":{before}:", f":{ours}:", 1)[1:-1]


@lru_cache(maxsize=1000)
def _environments(
    commands: str, env: tuple[tuple[str, str], ...], login: bool
) -> tuple[dict[str, str], dict[str, str]]:
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    with tempfile.TemporaryDirectory(prefix="localproc-") as folder:
        files = [os.path.join(folder, name) for name in ("before", "after")]
        script = f'env -0 > "$1" || exit 1\n{commands}\nenv -0 > "$2"'
        try:
            done = subprocess.run(
                ["bash", "-lc" if login else "-c", script, "localproc", *files],
                env={"PATH": os.defpath, **kept, **dict(env)},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
                timeout=_PATIENCE,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise EnvironmentProblem(f"the environment cannot be worked out: {error}") from error
        if done.returncode != 0 or not os.path.exists(files[1]):
            said = " ".join((done.stderr or done.stdout).split()[-40:])
            raise EnvironmentProblem(f"the environment cannot be set up: {said or 'it failed'}")
        before, after = map(_read, files)
        return before, after


def _read(path: str) -> dict[str, str]:
    with open(path, "rb") as file:
        pairs = [os.fsdecode(one).partition("=") for one in file.read().split(b"\0") if one]
    return {name: value for name, _, value in pairs if name not in _OF_THE_SHELL}
