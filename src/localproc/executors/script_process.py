"""One process that runs JavaScript, seen from the engine's side.

Owns starting it, asking it, and ending it at once if nobody wants its answer any more. Must not
know whose script it runs.
"""

import marshal
import os
import select
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from signal import SIGPROF
from time import monotonic
from typing import Final

from localproc import forks
from localproc.executors.script_main import HEAD
from localproc.priorities import lower_session

_PROGRAM: Final = (
    "import sys; sys.path += sys.argv[1:]; from localproc.executors.script_main import main; main()"
)
_LOOK: Final = 40  #: milliseconds between looks at whether the answer is still wanted
_PIECE: Final = 1 << 16
_SPENT: Final = "InternalError: interrupted"

#: Waits for an event of a pipe; raises what ends the waiting.
_Wait = Callable[[int, int], None]


class Unwanted(Exception):
    """The answer is not wanted any more; the process has been ended."""


class TakesLong(Exception):
    """There was no answer in time."""


class ScriptProcess:
    """A process. It may be used by one thread at a time; raises ``OSError`` if it cannot start."""

    def __init__(self, nice: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _PROGRAM, *_places()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            start_new_session=True,
        )
        if nice:
            lower_session(self._process.pid, nice)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._talk, self._hear_at = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._talk, False)
        self._heard = bytearray()
        self.owes = False  #: whether it still works out what nobody waits for
        self.lives = True
        forks.watch(self)

    def ask(
        self,
        source: str,
        arguments: tuple[str, str, str],
        limit: float,
        unwanted: Callable[[], bool],
    ) -> tuple[bool, str]:
        """Run a script; return whether it gave a value, and this as JSON or else the error.

        ``unwanted`` is asked all the time. Raises ``Unwanted``.
        """
        wait = _while_wanted(unwanted)
        try:
            if self.owes:
                self._answer(wait)
            self._say(marshal.dumps((source, arguments, limit)), wait)
            return self._answer(wait)
        except OSError:
            self.end()
            if self._process.returncode == -SIGPROF:
                return False, _SPENT
            return False, "InternalError: the process that evaluated it has died"
        except Unwanted:
            self.end()
            raise

    def ask_briefly(
        self, source: str, arguments: tuple[str, str, str], limit: float, seconds: float
    ) -> tuple[bool, str]:
        """Do as ``ask`` does, and wait for no longer; raises ``TakesLong``.

        What comes too late is dropped before the next answer. It must not owe one.
        """
        wait = _until(monotonic() + seconds)
        data = marshal.dumps((source, arguments, limit))
        try:
            if os.write(self._talk, data) < len(data):
                raise BrokenPipeError  # half a question: nothing else can be asked any more
            return self._answer(wait)
        except OSError:
            self.end()
            raise TakesLong from None

    def end(self) -> None:
        """End it, whatever it does."""
        if not self.lives:
            return
        self.lives = False
        forks.forget(self)
        with suppress(OSError):
            self._process.kill()
        self._process.wait()
        self._close()

    def left_behind(self) -> None:
        """In a forked child: the process is the parent's."""
        self.lives = False
        self._close()
        self._process.returncode = 0

    def _close(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with suppress(OSError):
                pipe.close()

    def _say(self, data: bytes, wait: _Wait) -> None:
        rest = memoryview(data)
        while rest:
            with suppress(BlockingIOError):
                rest = rest[os.write(self._talk, rest) :]
            if rest:
                wait(self._talk, select.POLLOUT)

    def _answer(self, wait: _Wait) -> tuple[bool, str]:
        """Take the next answer; what has come of it when the waiting ends is kept."""
        self.owes = True
        self._hear(HEAD, wait)
        size = HEAD + int.from_bytes(self._heard[:HEAD], "big")
        self._hear(size, wait)
        answer: tuple[bool, str] = marshal.loads(self._heard[HEAD:])  # noqa: S302
        self._heard.clear()
        self.owes = False
        return answer

    def _hear(self, size: int, wait: _Wait) -> None:
        while len(self._heard) < size:
            wait(self._hear_at, select.POLLIN)
            piece = os.read(self._hear_at, min(_PIECE, size - len(self._heard)))
            if not piece:
                raise BrokenPipeError
            self._heard += piece


def _while_wanted(unwanted: Callable[[], bool]) -> _Wait:
    def wait(file: int, event: int) -> None:
        while not _is_ready(file, event, _LOOK):
            if unwanted():
                raise Unwanted

    return wait


def _until(end: float) -> _Wait:
    def wait(file: int, event: int) -> None:
        if not _is_ready(file, event, max(0.0, end - monotonic()) * 1e3):
            raise TakesLong

    return wait


def _is_ready(file: int, event: int, patience: float) -> bool:
    """Wait so many milliseconds; ``select`` would not take every descriptor of a busy server."""
    poll = select.poll()
    poll.register(file, event)
    return bool(poll.poll(patience))


def _places() -> list[str]:
    """Return where the process finds localproc and QuickJS."""
    found = [find_spec("localproc"), find_spec("_quickjs")]
    origins = [one.origin for one in found if one is not None and one.origin is not None]
    ours, *others = (os.path.dirname(origin) for origin in origins)
    return [os.path.dirname(ours), *others]
