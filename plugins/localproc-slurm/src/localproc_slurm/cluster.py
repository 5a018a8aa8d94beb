"""A Slurm cluster as a scheduler.

Owns calling its commands, and which of their failures mean that nobody answers. Must not know
tasks. The accounting is asked only for what the controller has forgotten, and need not be there.
"""

import shutil
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Final, TypeVar

from localproc.errors import ExecutorUnavailable
from localproc.executors.batch import (
    Allocation,
    Call,
    Failed,
    Paced,
    Request,
    Seen,
    TooMany,
    called,
)
from localproc.model import TaskState
from localproc.plugins.backend import Refused
from localproc_slurm import calls, command_answers
from localproc_slurm.command_answers import Partition
from localproc_slurm.limits import Limits

_KEPT: Final = ("SLURM_CONF", "MUNGE_")
_AT_A_TIME: Final = 500  #: ids on a command line

#: The accounting knows who has cancelled a job, or that it was something else.
_WHO: Final = (TaskState.CANCELLED, TaskState.NEVER_STARTED)

Read = TypeVar("Read")


class Cluster:
    """Implements ``localproc.executors.batch.Scheduler``."""

    job_variable = "SLURM_JOB_ID"
    index_variable, first_index = "SLURM_ARRAY_TASK_ID", 0
    mpirun = "srun --cpus-per-task={cores}"  #: which does not go by what its job has for each

    def __init__(self, timeout: float = 30.0, cluster: str = "", call: Call | None = None) -> None:
        self._call = call or (lambda argv: called(argv, timeout=timeout, keep=_KEPT))
        self._query = call or Paced(self._call)
        self._cluster = cluster
        self._partitions: Sequence[Partition] = ()
        self._limits = Limits(self._asked, cluster)
        self._accounts = call is not None or shutil.which("sacct") is not None

    def partitions(self) -> Sequence[Partition]:
        """Return what there is, and remember it; raises ``ExecutorUnavailable``."""
        self._partitions = command_answers.partitions(self._asked(calls.sinfo(self._cluster)))
        return self._partitions

    def unfit(self, request: Request) -> str:
        """Return what no partition has that the request names, as far as they are known."""
        named = str(dict(request.options).get("partition") or "")
        wanted = set(filter(None, named.split(",")))
        known = [one for one in self._partitions if not wanted or one.name in wanted]
        if not self._partitions:
            return ""
        where = f"the partition {named}" if named else "the cluster"
        if not known:
            return f"there is no partition {named}"
        most = {
            "cores": (request.cores * request.each, max(one.cores for one in known)),
            "MiB of memory": (request.ram, max(one.ram for one in known)),
            "GPUs": (request.gpus, max(one.gpus for one in known)),
        }
        for what, (asked, there) in most.items():
            if asked > there:
                return f"it needs {asked} {what} on a node, and {where} has {there} at most"
        if request.nodes > (nodes := sum(one.nodes for one in known)):
            return f"it needs {request.nodes} nodes, and {where} has {nodes}"
        limits = [one.minutes for one in known]
        if request.seconds and None not in limits:
            longest = max(limit for limit in limits if limit is not None)
            if request.seconds > longest * 60:
                return f"it may take {request.seconds // 60} min, and {where} allows {longest}"
        return ""

    def submit(self, allocation: Allocation) -> str | Refused:
        """Hand a job in by sbatch."""
        try:
            said = self._call(calls.sbatch(allocation))
        except Failed as error:
            too_wide = allocation.count and command_answers.is_too_wide(error.said)
            if too_wide or command_answers.is_too_many(error.said):
                raise TooMany(command_answers.refusal(error.said)) from error
            if error.is_no_answer:
                raise ExecutorUnavailable(str(error)) from error
            if command_answers.is_later(error.said):
                raise ExecutorUnavailable(command_answers.refusal(error.said)) from error
            return Refused(f"sbatch: {command_answers.refusal(error.said)}")
        except ExecutorUnavailable as error:
            if command_answers.is_too_many(error.message):
                raise TooMany(error.message) from error
            raise
        job = command_answers.job_id(said)
        if not job:
            raise ExecutorUnavailable(f"sbatch gave no id: {said.strip()!r:.80}")
        return job

    def element(self, job: str, number: int) -> str:
        """Return the id of an element of an array."""
        return f"{job}_{number}"

    def jobs(self) -> Mapping[str, Seen]:
        """Return what squeue lists; what would wait for ever for a limit of others is refused."""
        return self._limits.judged(self._read(command_answers.queue, calls.squeue(self._cluster)))

    def places(self) -> Mapping[str, int]:
        """Return what squeue lists of everybody's jobs that wait, by partition."""
        return self._read(command_answers.places, calls.squeue_places(self._cluster))

    def named(self, names: Collection[str]) -> Mapping[str, str]:
        """Return what squeue lists by name, and what the accounting knows if it forgot."""
        return command_answers.names(self._asked(calls.squeue_named(names, self._cluster)))

    def ended(self, ids: Collection[str]) -> Mapping[str, Seen]:
        """Ask the controller, then the accounting: which also knows who cancelled a job."""
        found: dict[str, Seen] = {}
        for part in _parts(ids):
            read = partial(command_answers.ended, ids=part)
            found.update(self._read(read, calls.squeue_ended(part, self._cluster)))
        unknown = {one for one in ids if one not in found or found[one].state in _WHO}
        if unknown and self._accounts:
            found.update(self._accounted(unknown, found))
        return found

    def poke(self, ids: Collection[str]) -> None:
        """Send USR2 to batch scripts."""
        self._scancel(ids, "USR2", "--batch")

    def kill(self, ids: Collection[str]) -> None:
        """Send KILL to everything at once: scancel alone waits for the cluster's KillWait."""
        self._scancel(ids, "KILL", "--full")

    def cancel(self, ids: Collection[str]) -> None:
        """Remove jobs."""
        self._scancel(ids)

    def _accounted(self, ids: Collection[str], found: Mapping[str, Seen]) -> Mapping[str, Seen]:
        try:
            said = "".join(self._query(calls.sacct(part, self._cluster)) for part in _parts(ids))
            return command_answers.accounted(said, ids)
        except (Failed, ExecutorUnavailable) as error:
            self._accounts = "accounting storage is disabled" not in str(error)
            if self._accounts and not found:
                raise ExecutorUnavailable(str(error)) from error
        return {}

    def _scancel(self, ids: Collection[str], signal: str = "", how: str = "") -> None:
        for part in _parts(ids):
            try:
                self._call(calls.scancel(part, signal, how, self._cluster))
            except Failed as error:  # what is not there any more is no error
                if command_answers.is_later(error.said):
                    raise ExecutorUnavailable(error.said) from error

    def _read(
        self, answer: Callable[[str], Mapping[str, Read]], argv: Sequence[str]
    ) -> Mapping[str, Read]:
        """Return what a query has found; an answer that makes no sense is none."""
        try:
            return answer(self._asked(argv))
        except ValueError as error:
            raise ExecutorUnavailable(f"{argv[0]} makes no sense: {error}") from error

    def _asked(self, argv: Sequence[str]) -> str:
        """Return an answer; a query that failed, for whatever reason, was not answered."""
        try:
            return self._query(argv)
        except Failed as error:
            if "Invalid job id" in error.said:
                return ""
            raise ExecutorUnavailable(str(error)) from error


def _parts(ids: Collection[str]) -> Sequence[Sequence[str]]:
    ordered = sorted(ids)
    return [ordered[begin : begin + _AT_A_TIME] for begin in range(0, len(ordered), _AT_A_TIME)]
