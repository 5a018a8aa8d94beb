"""Finding and ending everything that tasks have started.

Owns the processes of tasks as the system shows them. Must not know keepers or executors.

A task leads a session of its own, its ``HOME`` is its output directory, and it carries a mark made
of that in a resource limit (docs/adr/0047). So whatever belongs to it descends from its leader,
shares its session or group, carries that ``HOME`` from birth, or the mark, which a daemon that has
left all the others keeps.
"""

import os
import signal
from collections.abc import Iterable, Mapping
from time import monotonic
from typing import Final

import psutil

from localproc.executors.keeper.signalling import signal_all
from localproc.executors.keeper.strays import mark_of, mark_on
from localproc.frozen import frozen

_AFTER_KILL: Final = 5.0
_REAPING: Final = 0.25  #: seconds that parents have to take note of their children's ends


@frozen
class OsProcess:
    """A living process: who it descends from, the ``HOME`` it was born with, and its mark."""

    parent: int
    session: int
    group: int
    home: str | None
    mark: int


def processes() -> dict[int, OsProcess]:
    """Return all living processes but this one, by pid. Takes some milliseconds for a hundred."""
    found: dict[int, OsProcess] = {}
    for one in psutil.process_iter():
        try:
            with one.oneshot():
                if one.status() != psutil.STATUS_ZOMBIE:
                    session, group = os.getsid(one.pid), os.getpgid(one.pid)
                    mark = mark_on(one.pid)
                    found[one.pid] = OsProcess(one.ppid(), session, group, _home(one), mark)
        except (psutil.Error, OSError):
            continue
    found.pop(os.getpid(), None)
    return found


class Ending:
    """Ends the processes of tasks, step by step: TERM, ``grace`` seconds, KILL.

    ``tasks`` maps output directories to the pids of leaders that are known to live.
    """

    def __init__(self, tasks: Mapping[str, int | None], grace: float) -> None:
        self._tasks = tasks
        self._kill_at = monotonic() + grace
        self._met: set[int] = set()
        self._asked = False
        self._empty: float | None = None  #: since when nothing of them lives

    def step(self, living: Mapping[int, OsProcess]) -> bool:
        """Do what is due, given all processes; whether nothing is left, or nothing helps."""
        now = monotonic()
        alive = members(self._tasks, living)
        self._met |= alive
        if alive and not self._asked:
            signal_all(alive, signal.SIGTERM)
            signal_all(alive, signal.SIGCONT)
        self._asked = True
        if alive:
            self._empty = None
            if now >= self._kill_at:
                signal_all(alive, signal.SIGKILL)
            return now > self._kill_at + _AFTER_KILL
        self._empty = now if self._empty is None else self._empty
        return now > self._empty + _REAPING or not any(map(psutil.pid_exists, self._met))


def members(tasks: Mapping[str, int | None], living: Mapping[int, OsProcess]) -> set[int]:
    """Return the pids of all living processes that belong to tasks.

    A leader is one that leads: whatever else has its number is not the task's.
    """
    folders = _Folders(tasks)
    found = {pid for pid in tasks.values() if pid is not None and _leads(pid, living)}
    sessions, groups = set(found), set(found)
    found |= {pid for pid, one in living.items() if folders.have(one)}
    for pid in found:
        sessions.add(living[pid].session)
        groups.add(living[pid].group)
    own = {os.getpid(), os.getsid(0), os.getpgid(0), 0, 1}
    sessions -= own
    groups -= own
    growing = True
    while growing:
        growing = False
        for pid, one in living.items():
            if pid not in found and (
                one.parent in found or one.session in sessions or one.group in groups
            ):
                found.add(pid)
                growing = True
    return found


def _leads(pid: int, living: Mapping[int, OsProcess]) -> bool:
    """Whether a process leads a session, or a group where there is no more to be had (macOS)."""
    one = living.get(pid)
    return one is not None and pid > 1 and pid in (one.session, one.group)


class _Folders:
    """Output directories, by whatever name: the home may have been opened by another one since."""

    def __init__(self, folders: Iterable[str]) -> None:
        self._names = {os.path.basename(folder) for folder in folders}
        self._real = {os.path.realpath(folder) for folder in folders}
        self._marks = {mark_of(folder) for folder in self._real}

    def have(self, process: OsProcess) -> bool:
        """Whether a process was born in one of them: by its mark, or its ``HOME``."""
        home = process.home
        return process.mark in self._marks or (
            home is not None
            and os.path.basename(home) in self._names  # others may hang: a server that is away
            and os.path.realpath(home) in self._real
        )


def _home(process: psutil.Process) -> str | None:
    try:
        home: str | None = process.environ().get("HOME")
    except (psutil.Error, OSError):
        return None
    return home
