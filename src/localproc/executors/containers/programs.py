"""The programs of container runtimes.

Owns finding and calling them, and what it means when one fails. Must not know what they do.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from typing import Final

from localproc.errors import EnvironmentProblem, ImageError

_SAID: Final = 5  #: last lines of what a program that failed has said


def program(name: str, comes_with: str = "") -> str:
    """Return the path of a program; raises ``EnvironmentProblem`` if it is not there."""
    found = shutil.which(name)
    if found is None:
        hint = f"{comes_with} brings it" if comes_with else "install it"
        raise EnvironmentProblem(f"{name} is not on this machine", hint=hint)
    return found


def run_program(
    argv: Sequence[str], *, env: Mapping[str, str] | None = None, text: str | None = None
) -> str:
    """Return what a program says; raises ``ImageError`` with its words if it fails."""
    done = subprocess.run(
        argv,
        env={**os.environ, **(env or {})},
        input=text,
        stdin=subprocess.DEVNULL if text is None else None,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()[-_SAID:]
        name = os.path.basename(argv[0])
        raise ImageError(f"{name} {argv[1]} failed: {' '.join(said) or f'exit {done.returncode}'}")
    return done.stdout or done.stderr
