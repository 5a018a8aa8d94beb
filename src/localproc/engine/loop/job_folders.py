"""The folders of jobs, made ahead.

Owns the folder of a job, and those of its logs and its steps in it. On a disk making folders takes
longer than starting a process, so those of the next job are made when the work of the last one is
removed: whoever takes up a job gives them its name. Must not know jobs.
"""

import os
import stat
from collections import deque
from contextlib import suppress
from itertools import count
from typing import Any, Final

LOGS: Final = "logs"
WORK: Final = "work"
_AHEAD: Final = 4  #: folders that are kept
_ACCESS: Final = "system.posix_acl_default"  #: what new folders inherit, where there is such a list


class JobFolders:
    """Makes the folders of jobs in ``jobs``.

    ``aside`` is a folder of the engine's own, which others remove when the engine is dead. Any
    thread may make folders ahead.
    """

    def __init__(self, jobs: str, aside: str) -> None:
        self._jobs = jobs
        self._aside = aside
        self._ready: deque[str] = deque()
        self._numbers = count(1)

    def take(self, folder: str) -> bool:
        """Make the folder of a job; whether none of it was there."""
        with suppress(IndexError, OSError):  # none is ready, or the job has one
            ready = self._ready.popleft()
            try:
                os.rename(ready, folder)
            except OSError:
                self._ready.append(ready)
                raise
            return True
        is_new = _make(folder)
        for name in (LOGS, WORK):
            _make(f"{folder}/{name}")
        return is_new

    def make_ahead(self) -> None:
        """Make the folders of one more job, unless there are some or that cannot be done here."""
        if len(self._ready) >= _AHEAD:
            return
        made = f"{self._aside}/next-{next(self._numbers)}"
        with suppress(OSError):  # the job's are made when it is taken up, or it is told why not
            if _inherited(self._aside) == _inherited(self._jobs):
                for folder in (made, f"{made}/{LOGS}", f"{made}/{WORK}"):
                    os.mkdir(folder)
                self._ready.append(made)


def _inherited(folder: str) -> tuple[Any, ...]:
    """Return what a new folder has of the one that it is made in, and where that is."""
    found, access = os.stat(folder), b""
    if hasattr(os, "getxattr"):
        with suppress(OSError):
            access = os.getxattr(folder, _ACCESS)
    return found.st_dev, found.st_gid, found.st_mode & stat.S_ISGID, access


def _make(folder: str) -> bool:
    """Make a folder; whether it was not there."""
    try:
        os.mkdir(folder)
    except FileExistsError:
        return False
    except FileNotFoundError:  # somebody has removed the folder of all jobs
        os.makedirs(folder)
    return True
