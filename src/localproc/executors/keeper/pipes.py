"""A veil for a program that somebody else starts, such as the daemon of containers.

Owns what is between that program and its logs: named pipes. Must not know the keeper, nor daemons.

``main`` is told on its stdin ``{"folder", "script", "marks", "files", "stdout", "stderr"}``. What
it leaves behind writes the script, by which a shell learns its secrets, into ``FOLDER/begin`` as
that is read for the first time, and what comes by ``FOLDER/stdout`` and ``FOLDER/stderr`` to the
files of these names. The pipes are removed when all has been passed on; then ``files`` get marks as
those of any veil do, and it ends. It ends as well if its folder is removed. While it lives it
holds a lock that it has inherited.
"""

import contextlib
import json
import os
import resource
import signal
import sys
import threading
import time
from typing import Any

from .redactor import Redactor
from .veil import unmark

BEGIN = "begin"
STREAMS = ("stdout", "stderr")
_IGNORED = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGPIPE)
_PIECE = 1 << 16
_LOOK = 2.0  # seconds between looks whether the folder is still there
_AGAIN = 0.25  # seconds until it is tried again to start a thread


def main() -> None:
    """Leave a process behind that passes things on."""
    told = json.load(sys.stdin)
    if os.fork():
        os._exit(0)
    os.setsid()
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # memory is not to be written to a disk
    folder = told["folder"]
    begin = os.path.join(folder, BEGIN)
    names = [one for one in STREAMS if os.path.exists(os.path.join(folder, one))]
    threads = [threading.Thread(target=hand_over, args=(begin, told["script"]), daemon=True)]
    threads += [threading.Thread(target=pass_on, args=(told, one), daemon=True) for one in names]
    for one in threads:
        begin_soon(one, folder)
    for one in threads:
        while one.is_alive():
            one.join(_LOOK)
            if not os.path.isdir(folder):
                os._exit(1)
    unmark(told["files"], told["marks"])


def begin_soon(thread: threading.Thread, folder: str) -> None:
    """Start a thread, as soon as the system has room for it; the program waits for it."""
    while os.path.isdir(folder):
        try:
            thread.start()
        except RuntimeError:
            time.sleep(_AGAIN)
        else:
            return
    os._exit(1)


def hand_over(pipe: str, script: str) -> None:
    """Give the script to whoever opens the pipe; nobody else can, as it is gone before its end."""
    with contextlib.suppress(OSError), open(pipe, "wb") as file:
        os.remove(pipe)
        file.write(script.encode(errors="surrogateescape"))


def pass_on(told: dict[str, Any], name: str) -> None:
    """Write what comes by a pipe to its file, until its end."""
    pipe, redactor = os.path.join(told["folder"], name), Redactor(told["marks"])
    with (
        contextlib.suppress(OSError),  # the program cannot write any more, and the pipe stays
        open(told[name], "ab", buffering=0) as file,
        open(pipe, "rb", buffering=0) as source,
    ):
        while data := source.read(_PIECE):
            write(file.fileno(), redactor.feed(data))
        write(file.fileno(), redactor.feed(b"", last=True))
        os.remove(pipe)


def write(file: int, data: bytes) -> None:
    """Write all of something."""
    while data:
        data = data[os.write(file, data) :]
