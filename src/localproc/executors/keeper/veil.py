"""What stands between a task that has secrets and its logs.

Owns running its program, and writing what that says without them. Must not know the keeper.

It is started in the program's place, with the program's arguments as its own, and with what to hide
in the variable ``LOCALPROC_VEIL``: ``{"marks": {VALUE: MARK}, "files": [PATH]}``. The files had
secrets written into them for the program; they get marks in their place when it has ended. What the
program ends with, this ends with.

``veil.py FILE``, on a node, is told of all that in a file, and of the program's ``argv`` and more
of its ``env``; the file is removed at once.
"""

import contextlib
import json
import os
import resource
import select
import signal
import stat
import sys
from collections.abc import Iterable
from typing import Any

if not __package__:
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    __package__ = os.path.basename(os.path.dirname(os.path.abspath(__file__)))
    __import__(__package__)

from .redactor import Redactor
from .starter import Starter, refusal

VARIABLE = "LOCALPROC_VEIL"
_IGNORED = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP)
_RESET = [*_IGNORED, signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD]
_PIECE = 1 << 16


class Stream:
    """One of the program's streams, and the file that it is written to."""

    def __init__(self, target: int, marks: dict[str, str]) -> None:
        self.target = target
        self.source, self.end = os.pipe()
        self.redactor = Redactor(marks)
        self.failed = False

    def pass_on(self) -> bool:
        """Write what has come; whether there may be more."""
        try:
            data = os.read(self.source, _PIECE)
        except BlockingIOError:
            return False
        return self.write(self.redactor.feed(data)) if data else False

    def write(self, data: bytes) -> bool:
        """Write something; whether it could be: if not, the program cannot write any more."""
        try:
            while data:
                data = data[os.write(self.target, data) :]
        except OSError:
            self.failed = True
            os.close(self.source)
            self.source, _ = os.pipe()  # nothing will ever come from this one
            return False
        return True


def main() -> None:
    """Run a program behind a veil."""
    told = taken()
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)  # the program is told itself, and seen to its end
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # memory is not to be written to a disk
    wake, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waker)
    out, err = os.fstat(1), os.fstat(2)
    streams = [Stream(1, told["marks"])]
    if (out.st_dev, out.st_ino) != (err.st_dev, err.st_ino):
        streams.append(Stream(2, told["marks"]))
    argv = told["argv"]
    try:
        pid = start(argv, streams)
    except OSError as error:
        code, text = refusal({"argv": argv}, error)
        last = streams[-1]
        last.write(last.redactor.feed(text.encode(errors="backslashreplace"), last=True))
        unmark(told["files"], told["marks"])
        os._exit(code)
    status = watch(pid, wake, streams)
    for one in streams:
        one.write(one.redactor.feed(b"", last=True))
    unmark(told["files"], told["marks"])
    leave(status, failed=any(one.failed for one in streams))


def taken() -> dict[str, Any]:
    """Take what to run, and what to hide, from where it lies."""
    if VARIABLE in os.environ:
        return {**json.loads(os.environ.pop(VARIABLE)), "argv": sys.argv[1:]}
    try:
        with open(sys.argv[1], encoding="utf-8") as file:
            told: dict[str, Any] = json.load(file)
        os.remove(sys.argv[1])
    except OSError as error:
        sys.exit(f"localproc: the secrets of this task cannot be read: {error.strerror}")
    os.environ.update(told["env"])
    return told


def start(argv: list[str], streams: list[Stream]) -> int:
    """Start the program."""
    program = Starter(None).program(argv[0], os.environ.get("PATH", os.defpath))  # type: ignore[arg-type]
    actions: list[tuple[Any, ...]] = [(os.POSIX_SPAWN_DUP2, streams[0].end, 1)]
    actions.append((os.POSIX_SPAWN_DUP2, streams[-1].end, 2))
    options: dict[str, Any] = {"file_actions": actions, "setsigdef": _RESET, "setsigmask": ()}
    try:
        pid = os.posix_spawn(program, argv, os.environ, **options)
    except OSError as error:
        if not isinstance(error, FileNotFoundError) and os.access(program, os.X_OK):
            # as execvp does with a script without "#!"
            pid = os.posix_spawn("/bin/sh", ["/bin/sh", program, *argv[1:]], os.environ, **options)
        else:
            raise
    for one in streams:
        os.close(one.end)
    return pid


def watch(pid: int, wake: int, streams: list[Stream]) -> int:
    """Pass on what the program writes until it has ended; return its wait status.

    What it has left behind may hold the streams for ever: that is not waited for.
    """
    open_ones = list(streams)
    while True:
        ready, _, _ = select.select([wake, *(one.source for one in open_ones)], [], [])
        for one in [one for one in open_ones if one.source in ready]:
            if not one.pass_on():
                open_ones.remove(one)
        if wake in ready:
            os.read(wake, 512)
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                break
    for one in open_ones:
        os.set_blocking(one.source, False)
        while one.pass_on():
            pass
    return status


def unmark(files: Iterable[str], marks: dict[str, str]) -> None:
    """Write marks in place of the secrets in files."""
    for path in files:
        with contextlib.suppress(OSError):
            if stat.S_ISREG(os.lstat(path).st_mode):
                with open(path, "r+b") as file:
                    data = Redactor(marks).feed(file.read(), last=True)
                    file.seek(0)
                    file.write(data)
                    file.truncate()


def leave(status: int, *, failed: bool) -> None:
    """End as the program has ended; what could not be written fails it."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        with contextlib.suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    code = os.waitstatus_to_exitcode(status)
    os._exit(1 if failed and code == 0 else code)


if __name__ == "__main__":
    main()
