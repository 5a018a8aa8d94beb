"""Podman where nobody has it listen.

Owns one child of this process, ``podman system service`` on a socket of its own, which ends when
this process does, however that ends. Must not know what is asked of it. Its containers outlive it:
whoever listens next for the same user knows them.
"""

import os
import shutil
import socket
import subprocess
import tempfile
import threading
from pathlib import Path
from time import monotonic, sleep
from typing import Final

from localproc import forks
from localproc.errors import EnvironmentProblem

_PATIENCE: Final = 30.0  #: seconds until it listens
_PACE: Final = 0.02
_SAID: Final = 3  #: last lines of what one that does not come up has said

#: Podman runs until nobody holds the other end of stdin any more, or it ends by itself.
_SHELL: Final = """\
exec 3<&0
"$1" system service --time 0 "unix://$2/socket" 3<&- & podman=$!
{ read -r _ <&3; kill $podman; } & reader=$!
wait $podman; kill $reader; rm -rf "$2\""""


class Service:
    """Podman, listening for this process."""

    def __init__(self, program: str) -> None:
        self._program = program
        self.process: subprocess.Popen[bytes] | None = None
        self._folder = ""
        self._lock = threading.Lock()

    def address(self) -> str:
        """Have it listen, and return where; raises ``EnvironmentProblem`` if it does not."""
        with self._lock:
            if self.process is None or self.process.poll() is not None:
                self._start()
            return f"unix://{self._folder}/socket"

    def close(self) -> None:
        """Have it end."""
        forks.forget(self)
        with self._lock:
            self._end()

    def left_behind(self) -> None:
        """In a forked child: it is the parent's."""
        process, self.process = self.process, None
        if process is not None and process.stdin is not None:
            process.stdin.close()
            process.returncode = 0  # as far as this process is concerned
        self._lock = threading.Lock()

    def _end(self) -> None:
        process, self.process = self.process, None
        if process is not None:
            process.communicate()
            shutil.rmtree(self._folder, ignore_errors=True)  # a shell that was killed has not

    def _start(self) -> None:
        self._end()
        self._folder = tempfile.mkdtemp(prefix="localproc-podman-")
        log = Path(self._folder, "log")
        with log.open("wb") as said, log.open("rb") as heard:  # who ends at once removes its folder
            self.process = subprocess.Popen(
                ["/bin/sh", "-c", _SHELL, "sh", self._program, self._folder],
                stdin=subprocess.PIPE,
                stdout=said,
                stderr=said,
                cwd=self._folder,  # podman's monitors leave files where they are started
                start_new_session=True,
            )
            forks.watch(self)
            if not self._listens(self.process):
                lines = heard.read().decode(errors="replace").splitlines()[-_SAID:]
                raise EnvironmentProblem(
                    f"podman does not listen: {' '.join(lines) or 'it says nothing'}",
                    hint="does podman info work for this user?",
                )

    def _listens(self, process: subprocess.Popen[bytes]) -> bool:
        deadline = monotonic() + _PATIENCE
        while process.poll() is None and monotonic() < deadline:
            with socket.socket(socket.AF_UNIX) as probe:
                if probe.connect_ex(os.path.join(self._folder, "socket")) == 0:
                    return True
            sleep(_PACE)
        return False


OURS: Final = Service("podman")  #: whoever needs one in this process shares it
