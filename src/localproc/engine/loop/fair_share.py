"""Whose turn it is to start a step.

Owns sharing the executors' room fairly among jobs, and that a job whose turn it is gives way to
those of its namespace with a higher priority. Must not know what steps are.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Collection, Mapping
from contextlib import suppress
from functools import partial

from localproc.engine.job.job_run import JobRun
from localproc.engine.loop.active import Active


class FairShare:
    """The jobs in a circle: each that can starts one step, then the next one may."""

    def __init__(self) -> None:
        self._circle: deque[Active] = deque()
        self._ranks: defaultdict[str, Counter[int]] = defaultdict(Counter)  #: by namespace

    def join(self, active: Active) -> None:
        """Take a job into the circle."""
        self._circle.append(active)
        self._ranks[active.context.namespace][active.run.job.priority] += 1

    def leave(self, active: Active) -> None:
        """Take a job out of it."""
        with suppress(ValueError):
            self._circle.remove(active)
            ranks, priority = self._ranks[active.context.namespace], active.run.job.priority
            ranks[priority] -= 1
            if not ranks[priority]:
                del ranks[priority]

    @property
    def may_start(self) -> bool:
        """Whether one of them may have a step to start, where there is room."""
        return any(map(_is_able, self._circle))

    def fill(self, room: Mapping[str, int], most: int) -> bool:
        """Start steps until there is no room or nothing to start; at most so many.

        ``room`` is that of each executor, by its name. Returns whether there may be more.
        """
        left = dict(room)
        for active in self._circle:
            for name, count in active.run.to_come.items():
                left[name] -= count
        able = set(filter(_is_able, self._circle))
        while able and any(count > 0 for count in left.values()):
            if most <= 0:
                return True
            active = self._next(able)
            names, before = active.executors.names, active.run.under_way
            full = {name for name in names if left[name] <= 0}
            if len(full) < len(names) and active.let(partial(JobRun.pull, full=full)):
                left[active.run.placed] -= active.run.under_way - before
                most -= 1
            else:
                able.discard(active)
                active.resting = not full
        return False

    def _next(self, able: Collection[Active]) -> Active:
        """Return the job whose turn it is, or to whom it gives way; it goes to the end of the line.

        One that has nothing to start, or no room, stays so: what others start takes more away.
        """
        while self._circle[0] not in able:
            self._circle.rotate(-1)
        active = self._circle[0]
        self._circle.rotate(-1)
        space, best = active.context.namespace, active.run.job.priority
        if len(self._ranks[space]) > 1:
            for other in self._circle:
                is_rival = other.context.namespace == space and other in able
                if is_rival and other.run.job.priority > best:
                    active, best = other, other.run.job.priority
        return active


def _is_able(active: Active) -> bool:
    return active.run.may_start and not active.resting
