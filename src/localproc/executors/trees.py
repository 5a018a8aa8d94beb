"""Finding and ending everything that a task has started.

Owns the processes of a task as the system shows them. Must not know keepers or executors.

A task leads a session of its own, and its ``HOME`` is its output directory. So whatever belongs to
it descends from its leader, shares its session or group, or carries that ``HOME`` from birth; what
has left all three ways has been made by hand to get away.
"""

import os
import signal
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import psutil

_POLL: Final = 0.01
_AFTER_KILL: Final = 5.0
_REAPING: Final = 0.25  #: seconds that parents have to take note of their children's ends


def end(tasks: Mapping[str, int | None], grace: float) -> bool:
    """End the tasks' processes: TERM, ``grace`` seconds, KILL.

    ``tasks`` maps output directories to the pids of leaders that are known to live. Returns whether
    nothing is left.
    """
    met = alive = members(tasks)
    _signal(alive, signal.SIGTERM)
    _signal(alive, signal.SIGCONT)
    if not _gone(lambda: members(tasks), grace):
        deadline = time.monotonic() + _AFTER_KILL
        while alive := members(tasks):
            met |= alive
            _signal(alive, signal.SIGKILL)
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL)
    _gone(lambda: {pid for pid in met if psutil.pid_exists(pid)}, _REAPING)
    return True


def members(tasks: Mapping[str, int | None]) -> set[int]:
    """Give the pids of all living processes that belong to the tasks."""
    homes = _Homes(tasks)
    parents: dict[int, int] = {}
    found = {pid for pid in tasks.values() if pid is not None and _lives(pid)}
    sessions = set(found)
    groups = set(found)
    for process in psutil.process_iter():
        try:
            with process.oneshot():
                if process.status() == psutil.STATUS_ZOMBIE:
                    continue
                parents[process.pid] = process.ppid()
                if homes.has(_home(process)):
                    found.add(process.pid)
        except psutil.Error:
            continue
    for pid in found:
        _join(pid, sessions, groups)
    _spread(found, parents, sessions, groups)
    return {pid for pid in found if pid in parents} - {os.getpid()}


class _Homes:
    """Output directories, by whatever name: the home may have been opened by another one since."""

    def __init__(self, folders: Iterable[str]) -> None:
        self._names = {os.path.basename(folder) for folder in folders}
        self._real = {os.path.realpath(folder) for folder in folders}

    def has(self, home: str | None) -> bool:
        """Whether a process's ``HOME`` is one of them."""
        return (
            home is not None
            and os.path.basename(home) in self._names  # others may hang: a server that is away
            and os.path.realpath(home) in self._real
        )


def _spread(
    found: set[int], parents: Mapping[int, int], sessions: set[int], groups: set[int]
) -> None:
    """Add whoever descends from, or shares a session or group with, what was found."""
    own = {os.getpid(), os.getsid(0), os.getpgid(0), 0, 1}
    sessions -= own
    groups -= own
    growing = True
    while growing:
        growing = False
        for pid, parent in parents.items():
            if pid not in found and (parent in found or _shares(pid, sessions, groups)):
                found.add(pid)
                growing = True


def _join(pid: int, sessions: set[int], groups: set[int]) -> None:
    try:
        sessions.add(os.getsid(pid))
        groups.add(os.getpgid(pid))
    except (ProcessLookupError, PermissionError):
        pass


def _shares(pid: int, sessions: set[int], groups: set[int]) -> bool:
    try:
        return os.getsid(pid) in sessions or os.getpgid(pid) in groups
    except (ProcessLookupError, PermissionError):
        return False


def _home(process: psutil.Process) -> str | None:
    try:
        home: str | None = process.environ().get("HOME")
    except (psutil.Error, OSError):
        return None
    return home


def _lives(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _gone(alive: Callable[[], set[int]], within: float) -> bool:
    deadline = time.monotonic() + within
    while alive():
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL)
    return True


def _signal(pids: Iterable[int], number: int) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except (ProcessLookupError, PermissionError):
            continue
