"""Whose turn it is to start a step.

Owns sharing the executors' room fairly among jobs. Must not know what steps are.
"""

from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from functools import partial

from localproc.engine.job.job_run import JobRun
from localproc.engine.loop.active import Active


class FairShare:
    """The jobs in a circle: each that can starts one step, then the next one may."""

    def __init__(self) -> None:
        self._circle: deque[Active] = deque()

    def join(self, active: Active) -> None:
        """Take a job into the circle."""
        self._circle.append(active)

    def leave(self, active: Active) -> None:
        """Take a job out of it."""
        with suppress(ValueError):
            self._circle.remove(active)

    def fill(self, room: Mapping[int, int], most: int) -> bool:
        """Start steps until there is no room or nothing to start; at most so many.

        ``room`` is that of each executor, by its ``id``. Returns whether there may be more.
        """
        left = dict(room)
        for active in self._circle:
            for name, count in active.run.to_come.items():
                left[id(active.executors.named(name))] -= count
        passes = 0
        while passes < len(self._circle):
            if most <= 0:
                return True
            active = self._circle[0]
            self._circle.rotate(-1)
            names, before = active.executors.names, active.run.under_way
            full = frozenset(name for name in names if left[id(active.executors.named(name))] <= 0)
            if len(full) < len(names) and active.let(partial(JobRun.pull, full=full)):
                taken = active.run.under_way - before
                left[id(active.executors.named(active.run.placed))] -= taken
                most -= 1
                passes = 0
            else:
                passes += 1
        return False
