"""One process that runs JavaScript, seen from the engine's side.

Owns starting it, asking it, and stopping it from any thread: then it is killed, and whoever waits
for its answer is told, in that moment. Must not know whose script it runs.

One that is killed executes nothing more, but to be gone it needs a processor, and it may have to
wait long for one: it gives way to everything else. Nobody waits for that but ``end``.
"""

import marshal
import os
import select
import subprocess
import sys
import threading
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
_PIECE: Final = 1 << 16
_SPENT: Final = "InternalError: interrupted"
_DIED: Final = "InternalError: the process that evaluated it has died"

#: Waits for an event of a pipe; raises what ends the waiting.
_Wait = Callable[[int, int], None]


class TakesLong(Exception):
    """There was no answer in time."""


class ScriptProcess:
    """A process; raises ``OSError`` if it cannot start.

    It may be used by one thread at a time, and stopped by every other.
    """

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
        self.stopped = False  #: whether somebody has had it end
        self._ending = threading.Lock()
        self._told, self._tell = os.pipe()
        forks.watch(self)

    def ask(self, source: str, arguments: tuple[str, str, str], limit: float) -> tuple[bool, str]:
        """Run a script; return whether it gave a value, and this as JSON or else the error.

        What it gives is nothing if it is ``stopped`` meanwhile.
        """
        try:
            if self.owes:
                self._answer(self._wait)
            self._say(marshal.dumps((source, arguments, limit)), self._wait)
            return self._answer(self._wait)
        except OSError:
            if self.stopped:
                return False, _DIED
            self.end()
            return False, _SPENT if self._process.returncode == -SIGPROF else _DIED
        except BaseException:  # whoever waited has been interrupted
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

    def stop(self) -> None:
        """From any thread: have what it does end now, and whoever waits for it go on."""
        with self._ending:  # once it has been waited for, its number may be another's
            was, self.stopped = self.stopped, True
            if self.lives and not was:
                self._process.kill()
                os.write(self._tell, b".")

    @property
    def is_gone(self) -> bool:
        """Whether to ``end`` it takes no time."""
        return self._process.poll() is not None

    def end(self) -> None:
        """End it, whatever it does."""
        with self._ending:
            if not self.lives:
                return
            self.lives = False
            with suppress(OSError):
                self._process.kill()
        forks.forget(self)
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
        forks.close(self._told, self._tell)

    def _wait(self, file: int, event: int) -> None:
        """Wait for an event of a pipe; raises ``BrokenPipeError`` once it is stopped."""
        poll = select.poll()
        poll.register(file, event)
        poll.register(self._told, select.POLLIN)
        if any(ready == self._told for ready, _ in poll.poll()):
            raise BrokenPipeError

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


def _until(end: float) -> _Wait:
    def wait(file: int, event: int) -> None:
        poll = select.poll()  # ``select`` would not take every descriptor of a busy server
        poll.register(file, event)
        if not poll.poll(max(0.0, end - monotonic()) * 1e3):
            raise TakesLong

    return wait


def _places() -> list[str]:
    """Return where the process finds localproc and QuickJS."""
    found = [find_spec("localproc"), find_spec("_quickjs")]
    origins = [one.origin for one in found if one is not None and one.origin is not None]
    ours, *others = (os.path.dirname(origin) for origin in origins)
    return [os.path.dirname(ours), *others]
