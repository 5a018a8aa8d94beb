"""A batch scheduler that answers as a test tells it to."""

from collections.abc import Collection, Mapping
from pathlib import Path

from localproc.executors.batch import Allocation, Request, Seen, TooMany
from localproc.model import Task, TaskState
from localproc.plugins.backend import Refused


class Scheduler:
    """Takes everything; nothing begins by itself. ``asked`` are the jobs it was asked for."""

    job_variable, index_variable, first_index = "JOB", "INDEX", 0
    mpirun = "start --threads={cores}"

    def __init__(self) -> None:
        self.handed: list[Allocation] = []
        self.queue: dict[str, Seen] = {}
        self.ends: dict[str, Seen] = {}
        self.asked: list[set[str]] = []
        self.order: dict[str, int] = {}
        self.asked_places = 0
        self.most = 1000  #: jobs in the queue

    def unfit(self, request: Request) -> str:
        return ""

    def submit(self, allocation: Allocation) -> str | Refused:
        if len(self.queue) + max(1, allocation.count) > self.most:
            raise TooMany("job submit limit")
        self.handed.append(allocation)
        job = str(len(self.handed))
        jobs = [f"{job}_{number}" for number in range(allocation.count)] or [job]
        self.queue.update(dict.fromkeys(jobs, Seen(TaskState.QUEUED, name=allocation.name)))
        return job

    def element(self, job: str, number: int) -> str:
        return f"{job}_{number}"

    def jobs(self) -> Mapping[str, Seen]:
        return dict(self.queue)

    def places(self) -> Mapping[str, int]:
        self.asked_places += 1
        return dict(self.order)

    def named(self, names: Collection[str]) -> Mapping[str, str]:
        return {one.name: job for job, one in self.queue.items() if one.name in names}

    def ended(self, ids: Collection[str]) -> Mapping[str, Seen]:
        self.asked.append(set(ids))
        return {job: self.ends[job] for job in ids if job in self.ends}

    def poke(self, ids: Collection[str]) -> None: ...

    def kill(self, ids: Collection[str]) -> None: ...

    def cancel(self, ids: Collection[str]) -> None:
        for job in ids:
            self.queue.pop(job, None)


def task(folder: Path, name: str, *argv: str) -> Task:
    out = str(folder / name)
    key, logs = f"j:{name}:1", (f"{out}.o", f"{out}.e")
    return Task(key, argv or ("true",), {}, out, f"{out}.tmp", None, *logs, step="s")
