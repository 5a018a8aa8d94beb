"""The bytes of whole files: copied, and their checksums.

Owns who does that: the calling thread, or for a large file a process that gives way to everything
else. A thread of this process could not: what it does in the kernel for seconds keeps a processor
from whoever wants it, and while it has the interpreter's lock it must not wait for one. Must not
know what the files are for.
"""

import os
import select
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from localproc import forks
from localproc.priorities import lower_session
from localproc.storage import contents_main
from localproc.storage.contents_main import COPY, DONE, ERRNO

#: Bytes from which on the time that a process takes to start is little: to copy, and to digest.
LARGE: Final = 512 << 20
LARGE_TO_DIGEST: Final = 128 << 20
_WAY: Final = 10  #: its niceness
_LOOK: Final = 40  #: milliseconds between looks at whether the work is still wanted


class _Failed(Exception):
    """No process could be had, or it has died."""


def copy(old: int, new: int, go_on: Callable[[], object]) -> None:
    """Copy a file to a new one, both from where they begin, by their descriptors.

    ``go_on`` is called again and again; what it raises ends the work. Raises ``OSError``.
    """
    if os.fstat(old).st_size >= LARGE:
        with suppress(_Failed):
            _apart(COPY, (old, new), go_on)
            return
        os.lseek(old, 0, os.SEEK_SET)
        os.lseek(new, 0, os.SEEK_SET)
    contents_main.copy(old, new, go_on)


def digest(file: int, name: str, go_on: Callable[[], object]) -> str:
    """Return the checksum of a file in hex; ``name`` as ``contents_main`` has it.

    ``go_on`` is called again and again; what it raises ends the work. Raises ``OSError``.
    """
    if os.fstat(file).st_size >= LARGE_TO_DIGEST:
        with suppress(_Failed):
            return _apart(name, (file, file), go_on)
        os.lseek(file, 0, os.SEEK_SET)
    return contents_main.digest(file, name, go_on)


def _apart(work: str, files: tuple[int, int], go_on: Callable[[], object]) -> str:
    """Have a process do the work; return what it found."""
    process = _Process(work, files)
    try:
        said, _, text = process.answer(go_on).strip().partition(" ")
    finally:
        process.end()
    if said == ERRNO:
        raise OSError(int(text), os.strerror(int(text)))
    if said != DONE:
        raise _Failed
    return text


class _Process:
    """A process for one piece of work. Raises ``_Failed`` if it cannot start."""

    def __init__(self, work: str, files: tuple[int, int]) -> None:
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", contents_main.__file__, work, *map(str, files)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                pass_fds=files,
                start_new_session=True,
            )
        except OSError as error:
            raise _Failed from error
        lower_session(self._process.pid, _WAY)
        forks.watch(self)

    def answer(self, go_on: Callable[[], object]) -> str:
        """Wait for its end; return what it has said."""
        assert self._process.stdout is not None
        poll = select.poll()
        poll.register(self._process.stdout, select.POLLIN)
        while not poll.poll(_LOOK):
            go_on()
        return self._process.stdout.read().decode("ascii", "replace")

    def end(self) -> None:
        """End it, whatever it does."""
        forks.forget(self)
        self._process.kill()
        self._process.wait()
        self._close()

    def left_behind(self) -> None:
        """In a forked child: the process is the parent's."""
        self._close()
        self._process.returncode = 0

    def _close(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
