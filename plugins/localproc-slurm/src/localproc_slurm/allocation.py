"""The job that localproc itself runs in, as an executor.

Owns what there is of that job (processors, memory, nodes, time), running tasks as steps of it, and
not beginning what would not end in time. Must not know jobs of localproc.

Tasks are processes of the local executor; with ``by: srun`` each of them is an srun, which runs the
command on any node of the allocation.
"""

import math
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from time import time
from typing import Final

from localproc.errors import EnvironmentProblem
from localproc.executors.local import LocalExecutor
from localproc.model import Report, Task, TaskState
from localproc.plugins.backend import Capabilities
from localproc.plugins.executor import ExecutorSettings
from localproc_slurm import ALLOCATION, INSIDE, command_answers, succession

_NODE: Final = re.compile(r"(\d+)(?:\(x(\d+)\))?")


@dataclass(frozen=True, slots=True)
class Allocation:
    """What a job has: ``ram`` in MiB, ``end`` in seconds since 1970, ``None`` without a limit."""

    job: str
    nodes: int
    cores: int
    ram: int
    end: float | None
    shown: str = ""  #: what scontrol shows of it

    @classmethod
    def of(cls, env: Mapping[str, str], shown: str, now: float) -> "Allocation":
        """Read it from a job's environment, and from what scontrol shows of the job."""
        cores = _sum(env.get("SLURM_JOB_CPUS_PER_NODE", "1"))
        nodes = int(env.get("SLURM_JOB_NUM_NODES") or env.get("SLURM_NNODES") or 1)
        ram = int(env.get("SLURM_MEM_PER_NODE", "0")) * nodes
        ram = ram or int(env.get("SLURM_MEM_PER_CPU", "0")) * cores
        known = succession.facts(shown)
        limit = command_answers.seconds(known.get("TimeLimit", ""))
        elapsed = command_answers.seconds(known.get("RunTime", "")) or 0
        end = None if limit is None else now + limit - elapsed
        return cls(env["SLURM_JOB_ID"], nodes, cores, ram, end, shown)


class AllocationExecutor:
    """Implements ``localproc.plugins.executor.Executor``."""

    def __init__(self, settings: ExecutorSettings, allocation: Allocation) -> None:
        options = settings.options
        self._allocation = allocation
        self._margin = float(options.get("margin", 60))
        self._by_srun = options.get("by", "srun") == "srun"
        self._requeues = bool(options.get("requeue_self", False))
        ram = settings.ram or allocation.ram or 1 << 20
        cores = settings.cores or allocation.cores
        slots = settings.slots or max(1, int(cores))
        self._inner = LocalExecutor(replace(settings, cores=cores, ram=ram, slots=slots))
        self._held: dict[str, Task] = {}
        self._open: set[str] = set()
        self._news: list[Report] = []

    @property
    def capabilities(self) -> Capabilities:
        """What an allocation can do."""
        mpi = self._by_srun or self._inner.capabilities.mpi
        return replace(INSIDE, remote=self._by_srun, mpi=mpi)

    def fileno(self) -> int | None:
        """Return what is readable when there is news of a task."""
        return self._inner.fileno()

    def interval(self) -> float | None:
        """Return when to ask for what is told of tasks that are held back."""
        return 0.0 if self._news else self._inner.interval()

    def room(self) -> int:
        """Return how many more tasks it would begin; none once its end is near."""
        return 0 if self._is_late(0) else self._inner.room()

    def check(self, tasks: Sequence[Task]) -> Mapping[str, str]:
        """Return which ask for more than the allocation has."""
        most = self._allocation
        alone = [self._step(one) for one in tasks if one.resources.nodes == 1]
        found = dict(self._inner.check(alone))
        for task in tasks:
            needs = task.resources
            if needs.nodes > most.nodes or needs.cores * needs.processes > most.cores:
                found[task.key] = (
                    f"it needs {needs.cores * needs.processes:g} cores on {needs.nodes} nodes, and "
                    f"the allocation has {most.cores} on {most.nodes}"
                )
        return found

    def submit(self, tasks: Sequence[Task], *, more: bool = False) -> None:
        """Begin tasks, but for those that would not end in time: the next allocation does."""
        able = [one for one in tasks if not self._is_late(one.resources.time)]
        for task in tasks:
            if task not in able and task.key not in self._held:
                self._held[task.key] = task
                said = "the allocation ends before it would: it is left to the next one"
                self._news.append(Report(task.key, TaskState.QUEUED, reason=said))
        self._open.update(one.key for one in able)
        if able:
            self._inner.submit([self._step(one) for one in able], more=more)

    def poll(self) -> Sequence[Report]:
        """Return the news."""
        own, self._news = self._news, []
        news = [*own, *self._inner.poll()]
        self._open -= {
            one.key for one in news if one.state not in (TaskState.QUEUED, TaskState.RUNNING)
        }
        return news

    def cancel(self, keys: Iterable[str], grace: float) -> None:
        """Have tasks stopped; those that are held back never begin."""
        keys = list(keys)
        held = [key for key in keys if self._held.pop(key, None) is not None]
        self._news += [Report(key, TaskState.CANCELLED) for key in held]
        self._inner.cancel([key for key in keys if key not in held], grace)

    def reattach(self, tasks: Sequence[Task]) -> None:
        """Have tasks found."""
        self._open.update(one.key for one in tasks)
        self._inner.reattach(tasks)

    def release(self, keys: Iterable[str]) -> None:
        """Let go of tasks."""
        self._inner.release(keys)

    def tidy(self) -> None:
        """Remove what is left of earlier tasks."""
        self._inner.tidy()

    def close(self) -> None:
        """Let go; if anything is left to do, hand in a successor where that is asked for."""
        left = bool(self._held or self._open)
        self._inner.close()
        if left and self._requeues:
            succession.succeed(self._allocation.job, self._allocation.shown)

    def _is_late(self, seconds: float) -> bool:
        end = self._allocation.end
        return end is not None and time() + seconds > end - self._margin

    def _step(self, task: Task) -> Task:
        """Return a task as a step of the allocation: of processes any node may have some."""
        if not self._by_srun:
            return task
        needs = task.resources
        cores, ram = max(1, math.ceil(needs.cores)), math.ceil(needs.ram_max or needs.ram)
        most = self._allocation.nodes if needs.processes > 1 else needs.nodes
        nodes = f"{needs.nodes}-{most}" if most > needs.nodes else f"{needs.nodes}"
        words = ["srun", "--exact", f"--nodes={nodes}", f"--ntasks={needs.processes}"]
        words += [f"--cpus-per-task={cores}", "--quiet"]
        if self._allocation.ram and needs.processes > 1:
            words.append(f"--mem-per-cpu={max(1, math.ceil(ram / cores))}M")
        elif self._allocation.ram:
            words.append(f"--mem={max(1, ram)}M")
        if needs.gpus:
            words.append(f"--gres=gpu:{needs.gpus}")
        whole = replace(
            needs, processes=1, cores=needs.cores * needs.processes, ram=needs.ram * needs.processes
        )
        env = {**step_environment(), **task.env}
        return replace(task, argv=(*words, *task.argv), env=env, resources=whole)


def opened(settings: ExecutorSettings) -> AllocationExecutor:
    """Return the executor of the job that this process runs in.

    Raises ``EnvironmentProblem`` if there is none.
    """
    for name in settings.options:
        if name not in ALLOCATION:
            raise EnvironmentProblem(
                f"the executor slurm-allocation has no option {name!r}",
                hint=f"it has {', '.join(sorted(ALLOCATION))}",
            )
    job = os.environ.get("SLURM_JOB_ID", "")
    if not job:
        raise EnvironmentProblem(
            "this is no job of Slurm: SLURM_JOB_ID is not set",
            hint="call localproc in a script that sbatch runs, or use --executor slurm",
        )
    allocation = Allocation.of(os.environ, succession.shown(job), time())
    return AllocationExecutor(settings, allocation)


def step_environment() -> dict[str, str]:
    """Return what srun needs of a job's environment; how much memory a step gets is said to it."""
    return {
        name: value
        for name, value in os.environ.items()
        if name.startswith(("SLURM_", "SLURMD_", "MUNGE_"))
        and not name.startswith("SLURM_MEM_PER_")
    }


def _sum(text: str) -> int:
    """Read ``4(x2),8``: processors of nodes."""
    return sum(int(each) * int(times or 1) for each, times in _NODE.findall(text))
