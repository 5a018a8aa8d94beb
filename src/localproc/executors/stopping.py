"""Tasks that are being stopped.

Owns the thread that ends process trees, and holding back the ends of tasks until nothing of them is
left. Must not know keepers.
"""

import contextlib
import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Final

from localproc.executors.worker import Worker
from localproc.model import Report, TaskState

if TYPE_CHECKING:
    from localproc.executors.trees import Ending

_BARRIER: Final = 1.0  #: seconds that a keeper has to answer that it starts nothing any more
_SILENT: Final = 2.0  #: seconds that it has to tell of an end when nothing of a task is left
_GRACE: Final = 0.5  #: seconds between TERM and KILL for what a task has left behind
_POLL: Final = 0.01


class Stops:
    """All stops under way, done by one thread. A byte is written to ``ring`` when one is done."""

    def __init__(self, ring: int) -> None:
        self._ring = ring
        self._of_task: dict[str, _Stop] = {}
        self._by_number: dict[int, _Stop] = {}
        self._count = 0
        self._under_way: list[_Stop] = []
        self._closed = False
        self._lock = threading.Lock()
        self._worker = Worker("localproc-stop", self._turn)

    def begin(
        self,
        keys: Iterable[str],
        folders: Mapping[str, str],
        pids: Mapping[str, int],
        grace: float,
    ) -> int:
        """Stop tasks once ``go`` is called with the number that this returns.

        ``folders`` are the output folders of those that are known; the others count as stopped.
        ``pids`` may still be filled in until then.
        """
        keys = list(keys)
        known = {key: folders[key] for key in keys if key in folders}
        stop = _Stop(known, pids, grace, cancels=True)
        stop.ended |= {key: Report(key, TaskState.CANCELLED) for key in keys if key not in known}
        self._count += 1
        self._by_number[self._count] = stop
        self._start(stop, keys)
        return self._count

    def sweep(self, reports: Sequence[Report], folders: Mapping[str, str], grace: float) -> None:
        """Hold back the ends of tasks until nothing of them is left, all in one search."""
        new = [one for one in reports if one.key not in self._of_task]
        for report in reports:
            if (earlier := self._of_task.get(report.key)) is not None:
                earlier.ended[report.key] = earlier.end_as(report)
        if new:
            stop = _Stop({one.key: folders[one.key] for one in new}, {}, grace, cancels=False)
            stop.ended |= {one.key: one for one in new}
            stop.clear = True
            self._start(stop, [one.key for one in new])

    def sweep_late(self, report: Report, folder: str) -> None:
        """Hold back the end of a task that took too long."""
        self.sweep([report], {report.key: folder}, _GRACE)

    def idle(self) -> bool:
        """Whether no end of a task is held back."""
        return not self._of_task

    def go(self, number: int) -> None:
        """Nothing starts any of the tasks any more."""
        if (stop := self._by_number.pop(number, None)) is not None:
            stop.clear = True
            self._worker.ring()

    def go_all(self) -> None:
        """Nothing starts any task any more."""
        for number in list(self._by_number):
            self.go(number)

    def hold_back(self, reports: Sequence[Report]) -> list[Report]:
        """Return what may be told now: keep the ends of tasks of which something may still live."""
        if not self._of_task:
            return list(reports)
        if not self._worker.revive():
            self._turn()  # a look takes milliseconds; nobody knows when there is a thread again
        passed = []
        for report in reports:
            stop = self._of_task.get(report.key)
            if stop is None or report.state in (TaskState.RUNNING, TaskState.QUEUED):
                passed.append(report)
            else:
                stop.ended[report.key] = stop.end_as(report)
        ready = [key for key, stop in self._of_task.items() if stop.tells(key)]
        return [*passed, *(self._of_task.pop(key).end_of(key) for key in ready)]

    def close(self) -> None:
        """Let what is being ended be ended; the thread goes then."""
        self._ring = -1
        with self._lock:
            self._closed = True
            if not self._under_way:
                self._worker.close()

    def _start(self, stop: "_Stop", keys: Iterable[str]) -> None:
        for key in keys:
            earlier = self._of_task.get(key)
            if earlier is not None and key in earlier.ended:
                stop.ended.setdefault(key, stop.end_as(earlier.ended[key]))
            self._of_task[key] = stop
        with self._lock:
            self._under_way.append(stop)
        self._worker.ring()

    def _turn(self) -> float | None:
        """In the thread: one look at all processes for all that is to end."""
        with self._lock:
            under_way = list(self._under_way)
            if self._closed and not under_way:
                self._worker.close()
        if not under_way:
            return None
        if due := [one for one in under_way if one.due()]:
            from localproc.executors import trees

            living = trees.processes()
            done = [one for one in due if one.ending().step(living)]
            with self._lock:
                self._under_way = [one for one in self._under_way if one not in done]
            for one in done:
                one.done = monotonic()
            if done:
                with contextlib.suppress(OSError):  # the executor may have been closed meanwhile
                    os.write(self._ring, b"x")
        return _POLL


class _Stop:
    """One call of ``begin`` or ``sweep``."""

    def __init__(
        self, folders: Mapping[str, str], pids: Mapping[str, int], grace: float, *, cancels: bool
    ) -> None:
        self.clear = False  #: nothing starts any of the tasks any more
        self.done: float | None = None
        self.ended: dict[str, Report] = {}
        self._folders = folders
        self._pids = pids
        self._grace = grace
        self._cancels = cancels
        self._late = monotonic() + _BARRIER
        self._ending: Ending | None = None

    def due(self) -> bool:
        """Whether its processes may be ended now."""
        return self.clear or monotonic() > self._late

    def ending(self) -> "Ending":
        """Return what ends the processes; the grace begins with the first call."""
        if self._ending is None:
            from localproc.executors.trees import Ending

            pids = {folder: self._pids.get(key) for key, folder in self._folders.items()}
            self._ending = Ending(pids, self._grace)
        return self._ending

    def end_as(self, report: Report) -> Report:
        """Return the end of a task as it is to be told."""
        return replace(report, state=TaskState.CANCELLED) if self._cancels else report

    def tells(self, key: str) -> bool:
        """Whether a task's end may be told: nobody else tells of it for a while, or has."""
        if self.done is None:
            return False
        return key in self.ended or monotonic() > self.done + _SILENT

    def end_of(self, key: str) -> Report:
        """Return how a task has ended."""
        return self.ended.get(key) or Report(key, TaskState.CANCELLED)
