"""The conversation with a keeper of one's own.

Owns starting it, and the two pipes to and from it, of which neither ever blocks. Must not know what
the lines mean.
"""

import json
import os
import sys
from collections import deque
from collections.abc import Collection, Iterable, Mapping
from time import monotonic, sleep
from typing import Any, Final

from localproc import forks
from localproc.plugins.executor import ExecutorSettings

_PLACE: Final = os.path.dirname(__file__)
_PROGRAM: Final = (
    "import sys; sys.path.append(sys.argv[1]); from keeper.keeper import main; main(*sys.argv[2:])"
)
_MOST: Final = 1 << 16
_written: Final = json.JSONEncoder().encode
_read: Final = json.JSONDecoder().raw_decode
_GOING: Final = 1.0  #: seconds that it has to go when it has nothing to do


class Conversation:
    """Begins with the keeper's start, and ends when either side goes."""

    def __init__(self, folder: str, settings: ExecutorSettings) -> None:
        stdin, self._talk = os.pipe()
        self._hear, stdout = os.pipe()
        self._heard = b""
        self._unsaid: deque[tuple[str, bytes]] = deque()  #: messages, by the key of their task
        self._begun = b""  #: the rest of one of which a part is said
        capacity = [str(settings.cores), str(settings.ram), str(settings.slots)]
        try:
            self.pid = _spawn([_PROGRAM, _PLACE, folder, *capacity], stdin, stdout)
        except BaseException:
            self.hang_up()
            raise
        finally:
            os.close(stdin)
            os.close(stdout)
        os.set_blocking(self._hear, False)
        os.set_blocking(self._talk, False)
        forks.watch(self)

    def fileno(self) -> int:
        """Return what is readable when the keeper has said something."""
        return self._hear

    @property
    def talk(self) -> int:
        """What is writable when the keeper takes more of what is to be said."""
        return self._talk

    def say(self, messages: Iterable[tuple[str, Mapping[str, Any]]]) -> bool:
        """Say something, each part with the key of its task; whether all of it is said.

        What the keeper does not take now waits for ``go_on``. That it has gone is heard, not said.
        """
        self._unsaid += ((key, f"{_written(one)}\n".encode()) for key, one in messages)
        return self.go_on()

    def go_on(self) -> bool:
        """Say more of what is to be said; whether all of it is."""
        while self._begun or self._unsaid:
            try:
                said = os.write(self._talk, self._begun or self._next())
            except BlockingIOError:
                return False
            except OSError:
                return True
            self._take_off(said)
        return True

    def unsay(self, keys: Collection[str]) -> set[str]:
        """Drop what has not been said of tasks; return whose that was."""
        dropped = {key for key, _ in self._unsaid if key in keys}
        self._unsaid = deque(one for one in self._unsaid if one[0] not in dropped)
        return dropped

    def listen(self) -> list[dict[str, Any]] | None:
        """Return what the keeper has said since; ``None`` once it has gone."""
        try:
            data = os.read(self._hear, _MOST)
        except BlockingIOError:
            return []
        if not data:
            return None
        *lines, self._heard = (self._heard + data).split(b"\n")
        return [_read(line.decode())[0] for line in lines]

    def hang_up(self) -> None:
        """End it; the keeper sees its tasks to their ends, and goes."""
        forks.forget(self)
        os.close(self._talk)
        os.close(self._hear)

    def left_behind(self) -> None:
        """In a forked child: nobody but the parent keeps the keeper."""
        forks.close(self._talk, self._hear)

    def wait(self) -> bool:
        """Wait until the keeper has gone, but not for one that is stopped; whether it has.

        Somebody else in this process may have been told of its end: then it has gone as well.
        """
        until = monotonic() + _GOING
        while True:
            try:
                if os.waitpid(self.pid, os.WNOHANG)[0]:
                    return True
            except ChildProcessError:
                return True
            if monotonic() > until:
                return False
            sleep(0.0005)

    def _next(self) -> bytes:
        """Return as many of the messages as are worth a call together."""
        data, size = [], 0
        for _, message in self._unsaid:
            data.append(message)
            size += len(message)
            if size > _MOST:
                break
        return b"".join(data)

    def _take_off(self, said: int) -> None:
        if self._begun:
            self._begun = self._begun[said:]
            return
        while said:
            _, data = self._unsaid.popleft()
            self._begun = data[said:]
            said = max(0, said - len(data))


def _spawn(arguments: list[str], stdin: int, stdout: int) -> int:
    """Start a keeper in a session of its own, so that it outlives this process."""
    argv = [sys.executable, "-I", "-S", "-c", *arguments]
    files: list[tuple[Any, ...]] = [
        (os.POSIX_SPAWN_DUP2, stdin, 0),
        (os.POSIX_SPAWN_DUP2, stdout, 1),
        (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
    ]
    options: dict[str, Any] = {"file_actions": files, "setsigmask": ()}  # it lives on SIGCHLD
    try:
        return os.posix_spawn(argv[0], argv, os.environ, setsid=True, **options)
    except NotImplementedError:  # an older macOS
        return os.posix_spawn(argv[0], argv, os.environ, setpgroup=0, **options)
