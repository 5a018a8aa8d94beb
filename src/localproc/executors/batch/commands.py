"""Calling a scheduler's commands.

Owns the environment that they get, the time that they may take, and how often a scheduler is asked.
Must not know any of them.
"""

import os
import subprocess
import threading
from collections.abc import Callable, Collection, Sequence
from time import monotonic, sleep
from typing import Final

from localproc.errors import ExecutorUnavailable

#: What a command needs of the caller's environment. A job that is handed in gets it all.
_KEPT: Final = frozenset({"PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "KRB5CCNAME"})

#: Calls a command: what it writes, or ``Failed``, or ``ExecutorUnavailable``.
Call = Callable[[Sequence[str]], str]

QUERY: Final = 1.0  #: seconds between two queries of a scheduler, at least
_NOT_RUN: Final = (126, 127)  #: exit codes of a shell that cannot run a command


class Failed(Exception):
    """A command has failed; ``said`` is what it wrote to stderr, ``out`` what it answered."""

    def __init__(self, argv: Sequence[str], code: int, said: str, out: str = "") -> None:
        super().__init__(f"{argv[0]}: {said or f'exit code {code}'}")
        self.code = code
        self.said = said
        self.out = out

    @property
    def is_no_answer(self) -> bool:
        """Whether it was killed, could not run or said nothing: it may have done what it was to."""
        return self.code < 0 or self.code in _NOT_RUN or not self.said


def called(
    argv: Sequence[str],
    *,
    timeout: float,
    keep: Collection[str] = (),
    stdin: str = "",
) -> str:
    """Return what a command writes to stdout.

    Of the environment it gets the few variables that it needs, and those that begin with one of
    ``keep``. Raises ``Failed``, and ``ExecutorUnavailable`` if it does not answer, with what it has
    said till then, or is not there.
    """
    try:
        done = subprocess.run(
            argv,
            input=stdin,
            capture_output=True,
            timeout=timeout,
            env=environment(keep),
            text=True,
            errors="replace",
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        said = (error.stderr or b"").decode(errors="replace").strip()
        after = f"{argv[0]} does not answer within {timeout:g} s"
        raise ExecutorUnavailable(f"{after}: {said}" if said else after) from error
    except OSError as error:
        raise ExecutorUnavailable(f"{argv[0]} cannot be run: {error.strerror}") from error
    if done.returncode:
        raise Failed(argv, done.returncode, done.stderr.strip() or done.stdout.strip(), done.stdout)
    return done.stdout


class Paced:
    """Calls queries, for all threads: each a second after the one before it has ended, or later."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._one = threading.Lock()
        self._next = 0.0

    def __call__(self, argv: Sequence[str]) -> str:
        """Wait for the turn of a query, and return its answer."""
        with self._one:
            sleep(max(0.0, self._next - monotonic()))
            try:
                return self._call(argv)
            finally:
                self._next = monotonic() + QUERY


def environment(keep: Collection[str]) -> dict[str, str]:
    """Return the clean environment of a command."""
    prefixes = tuple(keep)
    return {
        name: value
        for name, value in os.environ.items()
        if name in _KEPT or (prefixes and name.startswith(prefixes))
    }
