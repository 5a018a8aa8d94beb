"""What runs on this machine of homes that are gone.

Owns finding keepers whose folder was removed, and processes whose output directory was. Must not
know homes that are still there.
"""

import os
import re
import signal
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Final

import psutil

from localproc.executors.keeper.signals import signal_all
from localproc.executors.trees import OsProcess, processes
from localproc.plugins.executor import Leftover

#: The output directory of a task, which is its ``HOME``.
_WORK: Final = re.compile(r"(?P<home>.+)/jobs/[^/]+/work/[^/]+$")
_KEEPER: Final = "from keeper.keeper import main"


def leftovers() -> Iterator[Leftover]:
    """Return what is left, by the home that it belonged to."""
    living = processes()
    for home, pids in sorted(_by_home(living).items()):
        said = f"{len(pids)} process{'es' if len(pids) > 1 else ''} of {home}, which is gone: "
        yield Leftover(said + ", ".join(map(str, sorted(pids))), partial(_end, pids))


def _by_home(living: Mapping[int, OsProcess]) -> dict[str, set[int]]:
    found: dict[str, set[int]] = {}
    for pid, process in living.items():
        home = _gone_home(process.home) or _gone_keeper(pid)
        if home:
            found.setdefault(home, set()).add(pid)
    return found


def _gone_home(folder: str | None) -> str:
    """Return the home of a task's folder, if both are gone."""
    parts = _WORK.fullmatch(folder or "")
    home = parts["home"] if parts else ""
    return home if home and not os.path.exists(home) else ""


def _gone_keeper(pid: int) -> str:
    """Return the home of a keeper's folder, if it is gone."""
    try:
        command = psutil.Process(pid).cmdline()
    except psutil.Error:
        return ""
    if len(command) < 7 or _KEEPER not in command[4]:
        return ""
    home = os.path.dirname(os.path.dirname(command[6]))
    return home if not os.path.exists(command[6]) else ""


def _end(pids: Iterable[int]) -> None:
    signal_all(pids, signal.SIGKILL)
