"""The conversation with a keeper of one's own.

Owns starting it, and the two pipes to and from it. Must not know what the lines mean.
"""

import json
import os
import sys
from collections.abc import Iterable, Mapping
from typing import Any, Final

from localproc import forks
from localproc.plugins.executor import ExecutorSettings

_PLACE: Final = os.path.dirname(__file__)
_PROGRAM: Final = (
    "import sys; sys.path.append(sys.argv[1]); from keeper.keeper import main; main(*sys.argv[2:])"
)
_MOST: Final = 1 << 16


class Conversation:
    """Begins with the keeper's start, and ends when either side goes."""

    def __init__(self, folder: str, settings: ExecutorSettings) -> None:
        stdin, self._talk = os.pipe()
        self._hear, stdout = os.pipe()
        self._rest = b""
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
        forks.watch(self)

    def fileno(self) -> int:
        """Give what is readable when the keeper has said something."""
        return self._hear

    def say(self, messages: Iterable[Mapping[str, Any]]) -> None:
        """Say something; raises ``OSError`` if the keeper has gone."""
        data = "".join(json.dumps(message) + "\n" for message in messages).encode()
        while data:
            data = data[os.write(self._talk, data) :]

    def listen(self) -> list[dict[str, Any]] | None:
        """Give what the keeper has said since; ``None`` once it has gone."""
        try:
            data = os.read(self._hear, _MOST)
        except BlockingIOError:
            return []
        if not data:
            return None
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [json.loads(line) for line in lines]

    def hang_up(self) -> None:
        """End it; the keeper sees its tasks to their ends, and goes."""
        forks.forget(self)
        os.close(self._talk)
        os.close(self._hear)

    def left_behind(self) -> None:
        """In a forked child: nobody but the parent keeps the keeper."""
        forks.close(self._talk, self._hear)

    def wait(self) -> None:
        """Wait until the keeper has gone."""
        os.waitpid(self.pid, 0)


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
