"""What Slurm's commands answer.

Owns reading it, and what its states and reasons mean. Pure.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from localproc.executors.batch import Seen
from localproc.model import TaskState

ROW: Final = "job "  #: what each row of squeue is to begin with
_ID: Final = re.compile(r"\d+(_\d+)?(\+\d+)?")
_ELEMENTS: Final = re.compile(r"(\d+)_\[(\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*)(?:%\d+)?\]")
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
_OPEN: Final = (TaskState.QUEUED, TaskState.RUNNING)
_STATES: Final[Mapping[str, TaskState]] = {
    "PENDING": TaskState.QUEUED,
    "CONFIGURING": TaskState.QUEUED,
    "REQUEUED": TaskState.QUEUED,
    "REQUEUE_HOLD": TaskState.QUEUED,
    "REQUEUE_FED": TaskState.QUEUED,
    "RESV_DEL_HOLD": TaskState.QUEUED,
    "SPECIAL_EXIT": TaskState.QUEUED,
    "RUNNING": TaskState.RUNNING,
    "COMPLETING": TaskState.RUNNING,
    "SUSPENDED": TaskState.RUNNING,
    "STOPPED": TaskState.RUNNING,
    "SIGNALING": TaskState.RUNNING,
    "RESIZING": TaskState.RUNNING,
    "STAGE_OUT": TaskState.RUNNING,
    "COMPLETED": TaskState.ENDED,
    "FAILED": TaskState.ENDED,
    "TIMEOUT": TaskState.TIMED_OUT,
    "DEADLINE": TaskState.TIMED_OUT,
    "OUT_OF_MEMORY": TaskState.OUT_OF_MEMORY,
    "CANCELLED": TaskState.CANCELLED,
    "REVOKED": TaskState.CANCELLED,
    "NODE_FAIL": TaskState.NODE_LOST,
    "BOOT_FAIL": TaskState.NODE_LOST,
    "PREEMPTED": TaskState.LOST,
}
_PAUSED: Final = ("SUSPENDED", "STOPPED")
#: Reasons for which a job waits and nothing but another request would help.
_NEVER: Final = re.compile(
    r"AccountNotAllowed|BadConstraints|DependencyNeverSatisfied|InvalidAccount|InvalidQOS"
    r"|PartitionConfig|PartitionNodeLimit|PartitionTimeLimit|QOSNotAllowed"
    r"|(Assoc|QOS)Max\w+Per(Job|Node)(Limit)?|QOSMin\w+"
)
#: What Slurm says for some seconds, until its scheduler has looked closer.
_MEANING: Final = {"PartitionConfig": " (its partition has no such time, nodes or memory)"}
#: Reasons for which a job waits, but not for its turn.
_NO_TURN: Final = ("BeginTime", "Dependency", "JobArrayTaskLimit", "JobHeldAdmin", "JobHeldUser")
#: What sbatch says where a moment later it may do what it is asked.
_LATER: Final = re.compile(
    r"unable to contact|timed out|temporarily|connection refused|try again|connect failure"
    r"|communication|authentication|zero bytes|slurmctld|I/O error|no space left"
    r"|resource temporarily unavailable|not responding",
    re.IGNORECASE,
)
_LIMIT: Final = re.compile(r"^(?:sbatch: )?error: ((?:QOS|Assoc)\w+)\s*$", re.MULTILINE)
_CANCELLED: Final = "somebody cancelled it by way of Slurm"
_PREFIX: Final = re.compile(r"^(sbatch: )?(error: )?(Batch job submission failed: )?")


def job_id(said: str) -> str:
    """Return the id of a job that was handed in; empty if there is none."""
    first = said.strip().splitlines()[-1].split(";")[0] if said.strip() else ""
    return first if first.isdecimal() else ""


def is_later(said: str) -> bool:
    """Whether a refusal of sbatch is none: it may be taken later."""
    return _LATER.search(said) is not None


def is_too_many(said: str) -> bool:
    """Whether sbatch takes no more jobs for now: its words are those of all limits of a user.

    Where Slurm names the limit, only those on what is in the queue pass. Where the controller has
    as many as it can (``MaxJobCount``), sbatch says so and tries again for minutes, also with an
    array that is more than that alone.
    """
    if "unable to accept job" in said:
        return True
    if "job submit limit" not in said:
        return False
    named = _LIMIT.findall(said)
    return not named or any("Submit" in one for one in named)


def is_too_wide(said: str) -> bool:
    """Whether sbatch takes no array that is so wide: ``MaxArraySize`` is a site's own."""
    return "Invalid job array specification" in said


def refusal(said: str) -> str:
    """Return what sbatch says in a line, without what it says of itself."""
    lines = [_PREFIX.sub("", line.strip()) for line in said.splitlines() if line.strip()]
    return "; ".join(dict.fromkeys(lines))


def queue(said: str) -> Mapping[str, Seen]:
    """Read what squeue lists: id, state, reason, nodes, when it begins, name.

    Raises ``ValueError`` for anything else: jobs that are not listed have ended. A name, which need
    not be of a job of ours, may have any character, a line break too.
    """
    return dict(_rows(said))


def places(said: str) -> Mapping[str, int]:
    """Read what squeue lists of those that wait, in the order in which they are to begin.

    A row is an id, a partition and a reason; a job that may go to several partitions has several
    rows, and the best of its places. Those that wait for something else than their turn have none.
    """
    found: dict[str, int] = {}
    lengths: dict[str, int] = {}
    for line in said.splitlines():
        job, *rest = line.removeprefix(ROW).split("|", 2)
        if not line.startswith(ROW) or len(rest) != 2 or not _ID.fullmatch(job):
            raise ValueError(f"a job was expected, not {line!r:.80}")
        partition, reason = rest
        if reason not in _NO_TURN and _NEVER.fullmatch(reason) is None:
            before = lengths.get(partition, 0)
            lengths[partition] = before + 1
            found[job] = min(before, found.get(job, before))
    return found


def ended(said: str, ids: Collection[str]) -> Mapping[str, Seen]:
    """Read what squeue lists of whole arrays and single jobs, but for those that wait or run.

    An element that is cancelled before it begins is forgotten at once, while others of its array
    are still known.
    """
    listed = queue(said)
    arrays = {job.partition("_")[0]: one.name for job, one in listed.items() if "_" in job}
    found = {job: listed[job] for job in ids if job in listed}
    for job in ids:
        array, is_element, _ = job.partition("_")
        if is_element and job not in listed and array in arrays:
            found[job] = Seen(TaskState.NEVER_STARTED, _CANCELLED, name=arrays[array])
    closed = (*_OPEN, TaskState.REFUSED)
    return {job: one for job, one in found.items() if one.state not in closed}


def accounted(said: str, ids: Collection[str]) -> Mapping[str, Seen]:
    """Read what sacct lists of some jobs that have ended: id, state, nodes, name.

    Later rows are of later attempts. It is behind the controller: what is open there may have ended
    since, and for a job that it has lost sight of it stays open.
    """
    found: dict[str, Seen] = {}
    for line in said.splitlines():
        row, *rest = line.split("|", 3)
        if len(rest) == 3:
            seen = _seen(rest[0], "", rest[1], rest[2])
            found.update((job, seen) for job in ids if _is_of(row, job))
    return {job: one for job, one in found.items() if one.state not in _OPEN}


def _is_of(row: str, job: str) -> bool:
    """Whether a row is of a job: elements of an array that have not begun share one."""
    if (several := _ELEMENTS.fullmatch(row)) is None:
        return row == job
    array, _, number = job.partition("_")
    spans = (part.partition("-") for part in several[2].split(","))
    return array == several[1] and any(
        int(first) <= int(number or -1) <= int(last or first) for first, _, last in spans
    )


def names(said: str) -> Mapping[str, str]:
    """Read what squeue lists: id and name. Of several ids the first one is the job."""
    found: dict[str, str] = {}
    for line in said.splitlines():
        job, _, name = line.partition("|")
        if job.isdecimal() and (name not in found or int(job) < int(found[name])):
            found[name] = job
    return found


@dataclass(frozen=True, slots=True)
class Partition:
    """Nodes of a partition that are alike: ``minutes`` is ``None`` where there is no limit."""

    name: str
    cores: int
    ram: int
    minutes: int | None
    nodes: int
    gpus: int
    up: bool


def partitions(said: str) -> list[Partition]:
    """Read what sinfo lists."""
    found = []
    for line in said.splitlines():
        parts = line.split("|")
        if len(parts) != 7 or not parts[4].isdecimal():
            continue
        name, cores, ram, limit, nodes, gres, state = parts
        found.append(
            Partition(
                name,
                _number(cores),
                _number(ram),
                minutes(limit),
                int(nodes),
                sum(map(int, re.findall(r"gpu(?::[^:,()]+)?:(\d+)", gres))),
                state == "up",
            )
        )
    return found


def minutes(text: str) -> int | None:
    """Read a time limit; ``None`` for none."""
    found = seconds(text)
    return None if found is None else found // 60


def seconds(text: str) -> int | None:
    """Read ``[days-]hours:minutes:seconds``, ``minutes:seconds`` or ``minutes``; else ``None``."""
    days, dash, rest = text.rpartition("-")
    numbers = rest.split(":")
    if not all(one.isdecimal() for one in numbers) or (dash and not days.isdecimal()):
        return None
    values = [int(one) for one in numbers]
    if dash:  # after days come hours
        values += [0] * (3 - len(values))
    elif len(values) == 1:
        values = [0, *values, 0]
    hours, mins, secs = [*[0] * (3 - len(values)), *values]
    return (int(days) if dash else 0) * 86_400 + hours * 3600 + mins * 60 + secs


def _rows(said: str) -> Iterable[tuple[str, Seen]]:
    for number, line in enumerate(said.splitlines()):
        if number and not line.startswith(ROW):
            continue  # a name goes on
        job, *rest = line.removeprefix(ROW).split("|", 5)
        if not line.startswith(ROW) or len(rest) != 5 or not _ID.fullmatch(job):
            raise ValueError(f"a job was expected, not {line!r:.80}")
        state, reason, nodes, begins, name = rest
        seen = _seen(state, reason, nodes, name)
        if seen.state is TaskState.QUEUED and _MOMENT.fullmatch(begins):
            about = f"{begins[:15]}0".replace("T", " ")  # in steps of ten minutes: each is an event
            seen = replace(seen, reason=f"{seen.reason}; Slurm expects it to begin about {about}")
        yield job, seen


def _seen(state: str, reason: str, nodes: str, name: str) -> Seen:
    """Return what a state means. A job in one that is not known has not ended."""
    word, _, by = state.partition(" ")
    found = _STATES.get(word.rstrip("+"), TaskState.QUEUED)
    said = "" if reason in ("None", "(null)") else reason
    if found is TaskState.QUEUED and _NEVER.fullmatch(said):
        why = f"{said}{_MEANING.get(said, '')}"
        return Seen(TaskState.REFUSED, f"Slurm would never start it: {why}", name=name)
    if found is TaskState.CANCELLED:
        who = f", {by.removeprefix('by ')} by its user id" if by else ""
        said = f"{_CANCELLED}{who}"
    elif found is TaskState.NODE_LOST:
        said = f"Slurm has lost the node {nodes}".rstrip()
    elif found is TaskState.LOST:
        said = "Slurm took it away for a job of higher priority"
    elif word in _PAUSED:
        said = "it is suspended"
    elif found is TaskState.TIMED_OUT:
        said = "it had not ended by its deadline" if word == "DEADLINE" else "Slurm's time limit"
    host = "" if nodes in ("(null)", "None assigned") else nodes
    # A node that was given an id twice, by a controller that forgot, has its job cancelled as root.
    again = found is TaskState.CANCELLED and host != "" and by in ("", "by 0")
    return Seen(found, said, host, name, paused=word in _PAUSED, again=again)


def _number(text: str) -> int:
    digits = re.match(r"\d+", text)
    return int(digits.group()) if digits else 0
