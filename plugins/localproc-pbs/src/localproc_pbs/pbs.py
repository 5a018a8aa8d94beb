"""PBS as a scheduler, in the forms of PBS Pro and of Torque.

Owns its commands, and what they answer. Must not know tasks.
"""

import getpass
import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Final

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

_KEPT: Final = ("PBS_CONF", "PBS_DEFAULT", "PBS_EXEC", "PBS_SERVER", "TORQUE")
_RUNS, _PAUSED, _ENDED = "REBSU", "SU", "FCX"
_NEVER: Final = "Can Never Run"  #: how the comment of a job begins that no node is enough for
_DELETED: Final = "91"  #: the substate of what was removed before it began
#: Exit statuses of jobs that were ended by way of PBS; those below zero differ in both forms.
_SIGNALLED: Final = {
    265: Seen(TaskState.CANCELLED, "somebody killed it by way of PBS"),
    271: Seen(TaskState.CANCELLED, "somebody cancelled it by way of PBS"),
}
_TORQUE: Final = _SIGNALLED | {
    -10: Seen(TaskState.OUT_OF_MEMORY, "PBS's memory limit"),
    -11: Seen(TaskState.TIMED_OUT, "PBS's time limit"),
    -12: Seen(TaskState.TIMED_OUT, "PBS's limit of processor time"),
}
_PRO: Final = _SIGNALLED | {
    -27: Seen(TaskState.OUT_OF_MEMORY, "PBS's memory limit"),
    -26: Seen(TaskState.OUT_OF_MEMORY, "PBS's memory limit"),
    -28: Seen(TaskState.TIMED_OUT, "PBS's limit of processor time"),
    -29: Seen(TaskState.TIMED_OUT, "PBS's time limit"),
}
_LATER: Final = re.compile(
    r"connect|timed out|end of file|busy|try again|protocol|communica|no space|i/o error",
    re.IGNORECASE,
)
_TOO_MANY: Final = re.compile(
    r"would exceed|maximum number of jobs|array size|queue size limit", re.IGNORECASE
)
_STATUS: Final = re.compile(r"-?[0-9]{1,9}")
_JOB: Final = re.compile(r"[0-9]+(\[[0-9]*\])?\.\S+")
_ELEMENT: Final = re.compile(r"^(lp-[0-9a-f]{12})-\d+$")
_GONE: Final = re.compile(r"unknown job|has finished|invalid state|completed", re.IGNORECASE)


def qsub(allocation: Allocation, *, torque: bool) -> list[str]:
    """Return what hands a job in, and prints its id. The job inherits a clean environment."""
    needs, options = allocation.request, dict(allocation.request.options)
    words = ["qsub", "-N", allocation.name, "-S", "/bin/sh", "-V", "-r", "n", "-j", "oe"]
    words += ["-o", allocation.log, *_resources(needs, torque=torque)]
    if needs.seconds:
        hours, rest = divmod(needs.seconds, 3600)
        words += ["-l", f"walltime={hours:02}:{rest // 60:02}:{rest % 60:02}"]
    words += ["-q", str(options["queue"])] if options.get("queue") else []
    words += ["-A", str(options["account"])] if options.get("account") else []
    if allocation.count:
        words += ["-t" if torque else "-J", f"0-{allocation.count - 1}"]
    extra = options.get("extra", ())
    return [*words, *([extra] if isinstance(extra, str) else extra), allocation.script]


def _resources(needs: Request, *, torque: bool) -> list[str]:
    each = needs.each
    if torque:
        gpus = f":gpus={needs.gpus}" if needs.gpus else ""
        node = f"nodes={needs.nodes}:ppn={needs.cores * each}{gpus}"
        return ["-l", node, "-l", f"mem={needs.ram * needs.nodes}mb"]
    gpus = f":ngpus={needs.gpus}" if needs.gpus else ""
    mpi = f":mpiprocs={each}" if needs.processes > 1 else ""
    part = f"ncpus={needs.cores * each}{mpi}:mem={needs.ram}mb{gpus}"
    return ["-l", f"select={needs.nodes}:{part}"]


def jobs_of(said: str) -> Mapping[str, Mapping[str, str]]:
    """Read what ``qstat -f`` lists: attributes by job; long ones go on after a tab.

    Both forms have always listed that. The JSON of newer ones is none where a variable of a job has
    odd characters. Of several that seem to be one attribute, others are lines of such variables.
    """
    found: dict[str, dict[str, str]] = {}
    attributes: dict[str, str] = {}
    for line in said.replace("\n\t", "").splitlines():
        if line.startswith("Job Id:"):
            attributes = found.setdefault(line.partition(":")[2].strip(), {})
        elif " = " in line:
            name, _, value = line.strip().partition(" = ")
            attributes.setdefault(name, value)
    if said.strip() and not found:
        raise ValueError(f"jobs were expected, not {said!r:.80}")
    return found


def name_of(attributes: Mapping[str, str]) -> str:
    """Return a job's name; Torque adds the number of an element to that of its array."""
    return _ELEMENT.sub(r"\1", attributes.get("Job_Name", ""))


def seen(attributes: Mapping[str, str], *, torque: bool = False) -> Seen:
    """Return what a job's attributes mean."""
    state = attributes.get("job_state", "Q")[:1]
    host = attributes.get("exec_host", "").partition("/")[0]
    name = name_of(attributes)
    comment = attributes.get("comment", "")
    if state in _RUNS:
        return Seen(TaskState.RUNNING, host=host, name=name, paused=state in _PAUSED)
    if state not in _ENDED:  # a state that is not known is no end
        found = TaskState.REFUSED if comment.startswith(_NEVER) else TaskState.QUEUED
        return Seen(found, comment, host, name)
    status = attributes.get("exit_status" if torque else "Exit_status", "")
    code = int(status) if _STATUS.fullmatch(status) else 0
    killed = (_TORQUE if torque else _PRO).get(code)
    if not status and attributes.get("substate") == _DELETED:
        killed = _SIGNALLED[271]
    if code in _SIGNALLED and _took_its_time(attributes):
        killed = Seen(TaskState.TIMED_OUT, "PBS's time limit")
    told = killed or Seen(TaskState.ENDED, comment)
    return replace(told, host=host, name=name)


def _took_its_time(attributes: Mapping[str, str]) -> bool:
    """Whether a job ran for as long as it might: some versions tell no more than a signal."""
    used = _seconds(attributes.get("resources_used.walltime", ""))
    limit = _seconds(attributes.get("Resource_List.walltime", ""))
    return bool(limit) and used >= limit


def _seconds(text: str) -> int:
    """Read ``hours:minutes:seconds``; 0 for anything else."""
    found = re.fullmatch(r"(\d{1,6}):(\d\d):(\d\d)", text)
    return int(found[1]) * 3600 + int(found[2]) * 60 + int(found[3]) if found else 0


class Pbs:
    """Implements ``localproc.executors.batch.Scheduler``."""

    job_variable, first_index = "PBS_JOBID", 0
    mpirun = "mpirun"

    def __init__(self, timeout: float = 30.0, form: str = "", call: Call | None = None) -> None:
        self._call = call or (lambda argv: called(argv, timeout=timeout, keep=_KEPT))
        self._query = call or Paced(self._call)
        self._torque = (form or self._form()) == "torque"
        self.index_variable = "PBS_ARRAYID" if self._torque else "PBS_ARRAY_INDEX"

    def unfit(self, request: Request) -> str:
        """Return nothing: qsub says what can never run."""
        return ""

    def submit(self, allocation: Allocation) -> str | Refused:
        """Hand a job in by qsub."""
        try:
            said = self._call(qsub(allocation, torque=self._torque)).split()
        except Failed as error:
            if _TOO_MANY.search(error.said):
                raise TooMany(error.said) from error
            if error.is_no_answer:
                raise ExecutorUnavailable(str(error)) from error
            if _LATER.search(error.said):
                raise ExecutorUnavailable(error.said) from error
            return Refused(f"qsub: {error.said.removeprefix('qsub: ')}")
        if not said or not _JOB.fullmatch(said[-1]):
            raise ExecutorUnavailable(f"qsub gave no id: {' '.join(said)!r:.80}")
        return said[-1]

    def element(self, job: str, number: int) -> str:
        """Return the id of an element of an array, which is ``12[3].server`` of ``12[].server``."""
        return job.replace("[]", f"[{number}]")

    def jobs(self) -> Mapping[str, Seen]:
        """Return those of this user that have not ended."""
        mine = f"{getpass.getuser()}@"
        return {
            job: found
            for job, one in self._stat().items()
            if one.get("Job_Owner", mine).startswith(mine) and _open(found := self._seen(one))
        }

    def places(self) -> Mapping[str, int]:
        """Return none: PBS lists jobs, but not the order in which it is going to run them."""
        return {}

    def named(self, names: Collection[str]) -> Mapping[str, str]:
        """Return jobs by name, those that have ended included."""
        found = {name_of(one): job for job, one in self._stat(ended=True).items()}
        return {name: re.sub(r"\[\d+\]", "[]", found[name]) for name in names if name in found}

    def ended(self, ids: Collection[str]) -> Mapping[str, Seen]:
        """Return what the server remembers of jobs that have ended."""
        listed = self._stat(*sorted(ids), ended=True)
        states = {job: self._seen(one) for job, one in listed.items()}
        return {job: one for job, one in states.items() if not _open(one)}

    def poke(self, ids: Collection[str]) -> None:
        """Send USR2."""
        self._act("qsig", "-s", "SIGUSR2", *sorted(ids))

    def kill(self, ids: Collection[str]) -> None:
        """Send KILL."""
        self._act("qsig", "-s", "SIGKILL", *sorted(ids))

    def cancel(self, ids: Collection[str]) -> None:
        """Remove jobs."""
        self._act("qdel", *sorted(ids))

    def _stat(self, *ids: str, ended: bool = False) -> Mapping[str, Mapping[str, str]]:
        words = ["qstat", *(["-x"] if ended and not self._torque else []), "-f", "-t", *ids]
        try:
            said = self._query(words)
        except Failed as error:
            if not _GONE.search(error.said):
                raise ExecutorUnavailable(str(error)) from error
            said = error.out  # of those that it does know
        try:
            return jobs_of(said)
        except ValueError as error:
            raise ExecutorUnavailable(f"qstat makes no sense: {error}") from error

    def _act(self, *argv: str) -> None:
        try:
            self._call(argv)
        except Failed as error:  # what is not there any more is no error
            if _LATER.search(error.said) and not _GONE.search(error.said):
                raise ExecutorUnavailable(error.said) from error

    def _seen(self, attributes: Mapping[str, str]) -> Seen:
        return seen(attributes, torque=self._torque)

    def _form(self) -> str:
        try:
            version = self._call(["qstat", "--version"])
        except Failed as error:
            version = error.said
        return "pro" if "pbs" in version.lower() else "torque"


def _open(one: Seen) -> bool:
    return one.state in (TaskState.QUEUED, TaskState.RUNNING, TaskState.REFUSED)
