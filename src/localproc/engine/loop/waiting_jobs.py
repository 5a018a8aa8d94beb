"""The jobs that an engine has, and has not taken up yet.

Owns their order: by priority, then as they came. Must not know what keeps them waiting.
"""

from collections import OrderedDict
from collections.abc import Iterable

from localproc.model import JobRecord


class WaitingJobs:
    """Jobs in the order in which they begin; each is found, and taken out, without a search."""

    def __init__(self) -> None:
        self._ranks: dict[int, OrderedDict[str, JobRecord]] = {}  #: by priority, then id
        self._priorities: dict[str, int] = {}  #: of each job

    def __len__(self) -> int:
        return len(self._priorities)

    def add(self, jobs: Iterable[JobRecord]) -> None:
        """Let jobs wait behind those of their priority."""
        for job in jobs:
            self._ranks.setdefault(job.priority, OrderedDict())[job.id] = job
            self._priorities[job.id] = job.priority

    def add_first(self, jobs: Iterable[JobRecord]) -> None:
        """Let jobs wait, in their order, before those of their priority."""
        for job in reversed(list(jobs)):
            self.add([job])
            self._ranks[job.priority].move_to_end(job.id, last=False)

    def take(self, job_id: str = "") -> JobRecord | None:
        """Return the next job, or a certain one, which waits no more; ``None`` if there is none."""
        if not self._priorities:
            return None
        priority = self._priorities.get(job_id) if job_id else max(self._ranks)
        if priority is None:
            return None
        rank = self._ranks[priority]
        job = rank.pop(job_id) if job_id else rank.popitem(last=False)[1]
        del self._priorities[job.id]
        if not rank:
            del self._ranks[priority]
        return job
