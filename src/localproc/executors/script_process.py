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
from typing import Final

from localproc import forks
from localproc.executors.script_main import HEAD

_PROGRAM: Final = (
    "import sys; nice, *sys.path[len(sys.path):] = sys.argv[1:]; "
    "from localproc.executors.script_main import main; main(int(nice))"
)
_LOOK: Final = 40  #: milliseconds between looks at whether the answer is still wanted
_PIECE: Final = 1 << 16
_SPENT: Final = "InternalError: interrupted"


class Unwanted(Exception):
    """The answer is not wanted any more; the process has been ended."""


class ScriptProcess:
    """A process. It may be used by one thread at a time; raises ``OSError`` if it cannot start."""

    def __init__(self, nice: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _PROGRAM, str(nice), *_places()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            start_new_session=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._talk, self._hear = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._talk, False)
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
        try:
            self._say(marshal.dumps((source, arguments, limit)), unwanted)
            size = int.from_bytes(self._listen(HEAD, unwanted), "big")
            answer: tuple[bool, str] = marshal.loads(self._listen(size, unwanted))  # noqa: S302
        except OSError:
            self.end()
            if self._process.returncode == -SIGPROF:
                return False, _SPENT
            return False, "InternalError: the process that evaluated it has died"
        except Unwanted:
            self.end()
            raise
        return answer

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

    def _say(self, data: bytes, unwanted: Callable[[], bool]) -> None:
        rest = memoryview(data)
        while rest:
            with suppress(BlockingIOError):
                rest = rest[os.write(self._talk, rest) :]
            if rest:
                _wait(self._talk, select.POLLOUT)
                _check(unwanted)

    def _listen(self, size: int, unwanted: Callable[[], bool]) -> bytes:
        data = bytearray()
        while len(data) < size:
            while not _wait(self._hear, select.POLLIN):
                _check(unwanted)
            piece = os.read(self._hear, min(_PIECE, size - len(data)))
            if not piece:
                raise BrokenPipeError
            data += piece
        return bytes(data)


def _wait(file: int, event: int) -> bool:
    """Wait a moment for a pipe; ``select`` would not take every descriptor of a busy server."""
    poll = select.poll()
    poll.register(file, event)
    return bool(poll.poll(_LOOK))


def _check(unwanted: Callable[[], bool]) -> None:
    if unwanted():
        raise Unwanted


def _places() -> list[str]:
    """Return where the process finds localproc and QuickJS."""
    found = [find_spec("localproc"), find_spec("_quickjs")]
    origins = [one.origin for one in found if one is not None and one.origin is not None]
    ours, *others = (os.path.dirname(origin) for origin in origins)
    return [os.path.dirname(ours), *others]
