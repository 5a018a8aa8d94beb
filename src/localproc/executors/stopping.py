"""Tasks that are being stopped.

Owns the threads that end process trees, and holding back the ends of tasks until nothing of them is
left. Must not know keepers.
"""

import contextlib
import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from localproc.model import Report, TaskState

_BARRIER: Final = 1.0  #: seconds that a keeper has to answer that it starts nothing any more
_GRACE: Final = 0.5  #: seconds between TERM and KILL for what a task has left behind


class Stops:
    """All stops under way. A byte is written to ``ring`` when one is done."""

    def __init__(self, ring: int) -> None:
        self._ring = ring
        self._of_task: dict[str, _Stop] = {}
        self._by_number: dict[int, _Stop] = {}
        self._count = 0

    def begin(
        self,
        keys: Iterable[str],
        folders: Mapping[str, str],
        pids: Mapping[str, int],
        grace: float,
    ) -> int:
        """Stop tasks once ``go`` is called with the number that this gives.

        ``folders`` are the output folders of those that are known; the others count as stopped.
        ``pids`` may still be filled in until then.
        """
        keys = list(keys)
        known = {key: folders[key] for key in keys if key in folders}
        stop = _Stop(known, pids, grace, self._ring)
        stop.ended |= {key: Report(key, TaskState.CANCELLED) for key in keys if key not in known}
        for key in keys:
            self._of_task.setdefault(key, stop)
        self._count += 1
        self._by_number[self._count] = stop
        stop.start()
        return self._count

    def sweep(self, report: Report, folder: str) -> None:
        """Hold back the end of a task that took too long until nothing of it is left."""
        stop = _Stop({report.key: folder}, {}, _GRACE, self._ring, cancels=False)
        stop.ended[report.key] = report
        stop.barrier.set()
        if self._of_task.setdefault(report.key, stop) is stop:
            stop.start()

    def idle(self) -> bool:
        """Whether no end of a task is held back."""
        return not self._of_task

    def go(self, number: int) -> None:
        """Nothing starts any of the tasks any more."""
        self._by_number.pop(number).barrier.set()

    def go_all(self) -> None:
        """Nothing starts any task any more."""
        for number in list(self._by_number):
            self.go(number)

    def hold_back(self, reports: Sequence[Report]) -> list[Report]:
        """Give what may be told now: keep the ends of tasks of which something may still live."""
        if not self._of_task:
            return list(reports)
        passed = []
        for report in reports:
            stop = self._of_task.get(report.key)
            if stop is None or report.state is TaskState.RUNNING:
                passed.append(report)
            else:
                stop.ended[report.key] = stop.end_as(report)
        ready = [key for key, stop in self._of_task.items() if stop.done and key in stop.ended]
        return [*passed, *(self._of_task.pop(key).ended[key] for key in ready)]


class _Stop:
    """One call of ``begin`` or ``sweep``: a thread that ends processes while the loop goes on."""

    def __init__(
        self,
        folders: Mapping[str, str],
        pids: Mapping[str, int],
        grace: float,
        ring: int,
        *,
        cancels: bool = True,
    ) -> None:
        self.barrier = threading.Event()
        self.done = False
        self.ended: dict[str, Report] = {}
        self._folders = folders
        self._pids = pids
        self._grace = grace
        self._ring = ring
        self._cancels = cancels

    def end_as(self, report: Report) -> Report:
        """Give the end of a task as it is to be told."""
        return replace(report, state=TaskState.CANCELLED) if self._cancels else report

    def start(self) -> None:
        """Begin once the barrier is gone."""
        threading.Thread(target=self._run, name="localproc-stop", daemon=True).start()

    def _run(self) -> None:
        from localproc.executors import trees

        self.barrier.wait(_BARRIER)
        trees.end(
            {folder: self._pids.get(key) for key, folder in self._folders.items()}, self._grace
        )
        self.done = True
        with contextlib.suppress(OSError):  # the executor may have been closed meanwhile
            os.write(self._ring, b"x")
