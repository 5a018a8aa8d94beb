"""What the loop's thread does beside deciding, as Python's audit events and a few calls tell.

An audit hook stays for as long as the process does, so that there is one, which is deaf while
nobody listens.
"""

import os
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest

from localproc.cwl.expr import realm
from localproc.storage import contents
from localproc.storage.disk import Disk
from localproc.store import pieces, rows

LOOP: Final = "localproc-loop"
#: Audit events of what may take long, or asks another process, machine or disk for something.
_SLOW: Final = (
    *("subprocess.", "os.posix_spawn", "os.fork", "os.exec", "os.system", "pty."),
    *("socket.connect", "socket.getaddrinfo", "socket.gethostby", "socket.bind", "socket.sendto"),
    *("shutil.", "os.truncate", "os.link", "os.symlink", "urllib.", "ftplib.", "tempfile."),
)


class Heard:
    """What the loop did: slow things by their names, files written, bytes digested and read.

    ``encoded`` are the characters of what was written into events.
    """

    def __init__(self) -> None:
        self.slow: Counter[str] = Counter()
        self.written: list[str] = []
        self.digested: list[int] = []
        self.read: list[int] = []
        self.encoded: list[int] = []

    def take(self, event: str, args: tuple[Any, ...]) -> None:
        if event == "open" and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            self.written.append(str(args[0]))
        elif event.startswith(_SLOW):
            self.slow[event] += 1


_listening: list[Heard] = []


def _hook(event: str, args: tuple[Any, ...]) -> None:
    if _listening and threading.current_thread().name == LOOP:
        _listening[0].take(event, args)


@contextmanager
def listening(monkeypatch: pytest.MonkeyPatch) -> Iterator[Heard]:
    """Hear what loops do within; there is one at a time."""
    if _hook not in _hooks:
        sys.addaudithook(_hook)
        _hooks.append(_hook)
    heard = Heard()
    digest, read, run_script = contents.digest, Disk.read, realm._Realm.run

    def told_digest(descriptor: int, *args: Any) -> str:
        if threading.current_thread().name == LOOP:
            heard.digested.append(os.fstat(descriptor).st_size)
        return digest(descriptor, *args)

    def told_read(disk: Disk, path: str, most: int = -1) -> bytes:
        found = read(disk, path, most)
        if threading.current_thread().name == LOOP:
            heard.read.append(len(found))
        return found

    def told_script(*args: Any) -> str:
        if threading.current_thread().name == LOOP:
            heard.slow["JavaScript"] += 1
        return run_script(*args)

    def told_compact(value: Any) -> str:
        text = pieces.compact(value)
        if threading.current_thread().name == LOOP:
            heard.encoded.append(len(text))
        return text

    monkeypatch.setattr(rows, "compact", told_compact)
    monkeypatch.setattr(contents, "digest", told_digest)
    monkeypatch.setattr(Disk, "read", told_read)
    monkeypatch.setattr(realm._Realm, "run", told_script)
    _listening.append(heard)
    try:
        yield heard
    finally:
        _listening.clear()
        monkeypatch.undo()


_hooks: list[Any] = []
