"""The journals that keepers leave behind.

Owns reading what a keeper wrote, damaged or not; whether it and its engine still live; and having
it start nothing any more. Must not know what becomes of tasks.
"""

import contextlib
import fcntl
import json
import logging
import os
import shutil
from collections.abc import Callable
from time import monotonic, sleep
from typing import Any, Final

from localproc import locks

_LOG: Final = logging.getLogger("localproc")
_GOING: Final = 1.0  #: seconds that a keeper without tasks has to go
_FIELDS: Final[dict[str, tuple[str, ...]]] = {  #: what a line cannot do without
    "starting": (),
    "running": ("at", "pid"),
    "ended": ("at", "started", "code"),
}
_LATEST: Final = 253_402_300_800  #: the year 10000, in seconds since 1970
_LARGEST: Final = 1 << 31


class Journal:
    """One keeper's folder, read as it grows. ``entries`` is the last line of each task."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.entries: dict[str, dict[str, Any]] = {}
        self.detached = False  #: the keeper has noted that its engine has gone
        self.damaged = False  #: a line could not be read
        self._offset = 0
        self._rest = b""

    def read(self) -> list[dict[str, Any]]:
        """Take in the lines that are new since the last call; a half-written one waits."""
        try:
            with open(os.path.join(self.folder, "journal"), "rb") as file:
                file.seek(self._offset)
                data = file.read()
        except FileNotFoundError:
            return []
        self._offset += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        news = [entry for line in lines if line and (entry := self._entry(line)) is not None]
        self.entries.update((entry["key"], entry) for entry in news)
        return news

    def keeper_lives(self) -> bool:
        """Whether the keeper holds its lock."""
        return may_be_held(os.path.join(self.folder, "lock"))

    def engine_lives(self) -> bool:
        """Whether the engine that the keeper belongs to has it still."""
        return may_be_held(os.path.join(self.folder, "engine"))

    def has_begun(self) -> bool:
        """Whether there is a journal to read."""
        return os.path.exists(os.path.join(self.folder, "journal"))

    def wait_for_end(self) -> bool:
        """Wait for a keeper that is about to go; whether it, and its engine, have gone."""
        if self.engine_lives():
            return False
        until = monotonic() + _GOING
        while self.keeper_lives():
            if monotonic() > until:
                return False
            sleep(0.005)
        return True

    def fence(self) -> bool:
        """Have the keeper start nothing any more; whether it is not just starting something.

        What it has started stands in the journal then.
        """
        try:
            file = os.open(os.path.join(self.folder, "fence"), os.O_RDWR | os.O_CREAT, 0o600)
        except FileNotFoundError:  # the folder has been removed: the keeper has gone
            return True
        try:
            if not os.fstat(file).st_size:
                os.write(file, b"x")
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            os.close(file)
        return True

    def remove(self) -> None:
        """Forget the keeper."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def remove_if_gone(self) -> None:
        """Forget the keeper, unless its engine is only about to begin."""
        with contextlib.suppress(OSError):
            file = locks.take(os.path.join(self.folder, "engine"))
            if file is not None:
                self.remove()
                os.close(file)

    def _entry(self, line: bytes) -> dict[str, Any] | None:
        entry = None
        with contextlib.suppress(ValueError):
            entry = json.loads(line)
        if entry == {"state": "detached"}:
            self.detached = True
            return None
        if isinstance(entry, dict) and isinstance(entry.get("key"), str):
            fields = _FIELDS.get(str(entry.get("state")))
            if fields is not None and all(name in entry for name in fields) and _is_sound(entry):
                return entry
        if not self.damaged:
            _LOG.warning("%s/journal has a damaged line: %.80r", self.folder, line)
        self.damaged = True
        return None


def _is_sound(entry: dict[str, Any]) -> bool:
    """Whether all that a line says can be: nobody is signalled, and no time told, by mistake."""
    return all(is_so(entry[name]) for name, is_so in _SOUND.items() if name in entry)


def _is_seconds(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value < _LATEST


def _is_pid(value: Any) -> bool:
    return type(value) is int and 1 < value < _LARGEST


_SOUND: Final[dict[str, Callable[[Any], bool]]] = {
    "at": _is_seconds,
    "started": _is_seconds,
    "cpu": _is_seconds,
    "pid": _is_pid,
    "code": lambda value: type(value) is int and abs(value) < _LARGEST,
    "rss": lambda value: type(value) is int and value >= 0,
    "why": lambda value: isinstance(value, str),
}


def hold(folder: str) -> int:
    """Make a keeper's folder that is locked as an engine's that lives; return the file that does.

    Others may look at the lock just now, or remove what they take for a folder that was left.
    """
    path = os.path.join(folder, "engine")
    while True:
        os.makedirs(folder, exist_ok=True)
        try:
            file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except FileNotFoundError:
            continue
        _lock_soon(file)
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file), os.stat(path)):
                return file
        os.close(file)


def _lock_soon(file: int) -> None:
    """Take a lock that others only look at; where there are none, nobody is taken for gone."""
    until = monotonic() + _GOING
    with contextlib.suppress(OSError):
        while monotonic() < until:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                sleep(0.001)
            else:
                return


def journals(folder: str) -> list[Journal]:
    """Return the journals of all keepers of a home."""
    try:
        names = sorted(os.listdir(folder))
    except FileNotFoundError:
        return []
    return [Journal(os.path.join(folder, name)) for name in names]


def forget_gone(folder: str, own: str = "") -> None:
    """Remove the journals of keepers that are gone, or going; ``own`` is not looked at.

    Only when no job of the home is open any more: nobody will ask for their ends.
    """
    for journal in journals(folder):
        if journal.folder != own and journal.wait_for_end():
            journal.remove_if_gone()


def may_be_held(path: str) -> bool:
    """Return whether a living process holds a lock; one that cannot be tried counts as held."""
    try:
        return locks.is_held(path)
    except OSError:
        return True
