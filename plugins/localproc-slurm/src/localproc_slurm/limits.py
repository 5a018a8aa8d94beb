"""Limits of groups, and jobs that are over one all by themselves.

Owns what a QOS or an account may have, for all its jobs together, and asking for it while jobs wait
for that: one that asks for more than there ever is would wait for ever. Must not know
what becomes of such a job.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import Final

from localproc.errors import ExecutorUnavailable
from localproc.executors.batch import Seen
from localproc.model import TaskState
from localproc_slurm import calls, command_answers

_PAUSE: Final = 30.0  #: seconds between two times that it is asked for limits
#: Reasons that name a limit of what several jobs have together, but not of how many they are.
_REASON: Final = re.compile(
    r"(QOS|Assoc)Grp(?!Jobs|Submit)(?:(Wall)|[A-Z]\w*?)(RunMinutes|Minutes)?(?:Limit)?"
    r"|QOSMax(?!Jobs|Submit)\w+Per(User)(?:Limit)?|Max(?!Jobs|Submit)\w+Per(Account)(?:Limit)?"
)
_TABLES: Final = {
    "": "GrpTRES",
    "Minutes": "GrpTRESMins",
    "RunMinutes": "GrpTRESRunMins",
    "Wall": "GrpWall",
    "User": "MaxTRESPU",
    "Account": "MaxTRESPA",
}
_SET: Final = re.compile(r"([^,=]+)=(\d+)\(")
_AMOUNT: Final = re.compile(r"(\d+(?:\.\d+)?)([KMGT]?)")
_UNITS: Final = {"K": 1 / 1024, "M": 1, "G": 1024, "T": 1024 * 1024}
_WHAT: Final = {"cpu": "cores", "mem": "MiB of memory", "node": "nodes", "wall": "its time"}
_WHOSE: Final = {"User": "one user in ", "Account": "one account in "}


@dataclass(frozen=True, slots=True)
class Wish:
    """What a job that waits asks for, by the names of trackable resources, and whose it is.

    ``minutes`` is the time that it may take; ``None`` without a limit.
    """

    qos: str
    account: str
    user: str
    partition: str
    minutes: int | None
    needs: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Group:
    """What all jobs of a QOS (``account`` is empty) or an account may have together.

    ``user`` and ``partition`` are empty where they do not matter. ``most`` has the limits by the
    names of their tables and of trackable resources.
    """

    qos: str
    account: str
    user: str
    partition: str
    parent: str
    most: Mapping[str, Mapping[str, int]]


def wishes(said: str) -> Mapping[str, Wish]:
    """Read what squeue lists of jobs that wait; rows that make no sense are left out."""
    found = {}
    for line in said.splitlines():
        parts = line.split("|")
        if len(parts) == 7 and "cpu=" in parts[6]:
            job, qos, account, user, partition, limit, needs = parts
            time = command_answers.minutes(limit)
            found[job] = Wish(qos, account, user, partition, time, _amounts(needs))
    return found


def groups(said: str) -> Sequence[Group]:
    """Read what scontrol shows of the association manager, a record a line."""
    found = []
    for line in said.splitlines():
        fields: dict[str, str] = {}
        for word in line.split():
            name, is_field, value = word.partition("=")
            if is_field:
                fields.setdefault(name, value)
        most = {one: dict(_limits(fields.get(one, ""))) for one in _TABLES.values()}
        names = ("QOS", "Account", "UserName", "Partition", "ParentAccount")
        qos, account, user, partition, parent = (_name(fields.get(one, "")) for one in names)
        if qos or account:
            found.append(Group(qos, "" if qos else account, user, partition, parent, most))
    return found


def partition_qos(said: str) -> Mapping[str, str]:
    """Read which QOS the partitions have that scontrol shows, one a line; empty for none."""
    found = re.findall(r"PartitionName=(\S+).*? QoS=(\S+)", said)
    return {name: "" if qos == "N/A" else qos for name, qos in found}


def over(wish: Wish, reason: str, known: Sequence[Group], of_partition: str) -> str:
    """Say which limit of a group a job alone is over; empty if none, or if it is not known.

    Of the QOS of a job and that of its partition either may count: both have to be too little.
    """
    if (kind := _REASON.fullmatch(reason)) is None:
        return ""
    which = next(filter(None, (kind[2], kind[3], kind[4], kind[5])), "")
    needs = _needs(wish, which)
    if kind[1] != "Assoc":
        names = (wish.qos, of_partition)
        of_qos = [one for one in known if one.qos in names and one.qos]
        for what, needed in needs.items():
            there = [
                (most, one.qos)
                for one in of_qos
                if (most := one.most[_TABLES[which]].get(what)) is not None
            ]
            if there and needed > max(there)[0]:
                who = f"{_WHOSE.get(which, '')}the QOS {max(there)[1]}"
                return _said(what, needed, max(there)[0], which, who)
        return ""
    for one in _above(wish, known):
        for what, needed in needs.items():
            most = one.most[_TABLES[which]].get(what, needed)
            if needed > most:
                return _said(what, needed, most, which, f"the account {one.account}")
    return ""


class Limits:
    """Judges jobs of a queue. ``asked`` calls a command, and may raise ``ExecutorUnavailable``."""

    def __init__(self, asked: Callable[[Sequence[str]], str], cluster: str) -> None:
        self._asked = asked
        self._cluster = cluster
        self._next = 0.0
        self._verdicts: Mapping[str, str] = {}

    def judged(self, queue: Mapping[str, Seen]) -> Mapping[str, Seen]:
        """Return a queue in which jobs that would wait for ever are refused, as far as it is known.

        What is not answered is asked again later: till then they are shown as they wait.
        """
        waiting = {job for job, one in queue.items() if _waits_for_group(one)}
        self._verdicts = {job: why for job, why in self._verdicts.items() if job in waiting}
        if waiting - self._verdicts.keys() and monotonic() >= self._next:
            self._next = monotonic() + _PAUSE
            self._verdicts = self._judge(queue, waiting)
        hopeless = {job: why for job, why in self._verdicts.items() if why}
        if not hopeless:
            return queue
        return {
            job: replace(one, state=TaskState.REFUSED, reason=hopeless[job])
            if job in hopeless
            else one
            for job, one in queue.items()
        }

    def _judge(self, queue: Mapping[str, Seen], waiting: Collection[str]) -> Mapping[str, str]:
        try:
            found = wishes(self._asked(calls.squeue_wishes(self._cluster)))
            known = groups(self._asked(calls.scontrol_limits(self._cluster)))
            of_partitions = partition_qos(self._asked(calls.scontrol_partitions(self._cluster)))
        except ExecutorUnavailable:
            return {}
        verdicts = {}
        for job in waiting & found.keys():
            wish, reason = found[job], queue[job].reason.partition(";")[0]
            of_partition = of_partitions.get(wish.partition)
            why = "" if of_partition is None else over(wish, reason, known, of_partition)
            verdicts[job] = f"Slurm would never start it: {reason}: {why}" if why else ""
        return verdicts


def _waits_for_group(one: Seen) -> bool:
    reason = one.reason.partition(";")[0]
    return one.state is TaskState.QUEUED and _REASON.fullmatch(reason) is not None


def _above(wish: Wish, known: Sequence[Group]) -> list[Group]:
    """Return the records of a job's user, of its account, and of those that this is part of."""
    accounts = {one.account: one for one in known if one.account and not one.user}
    found = [
        one
        for one in known
        if (one.account, one.user) == (wish.account, wish.user)
        and one.partition in ("", wish.partition)
    ]
    name = wish.account
    while name in accounts:
        found.append(accounts[name])
        name = accounts.pop(name).parent
    return found


def _needs(wish: Wish, which: str) -> Mapping[str, int]:
    """Return what counts towards a limit; nothing where a job may take as long as it likes."""
    if which in ("", *_WHOSE):
        return wish.needs
    if wish.minutes is None:
        return {}
    if which == "Wall":
        return {"wall": wish.minutes}
    return {what: count * wish.minutes for what, count in wish.needs.items()}


def _said(what: str, needed: int, most: int, which: str, who: str) -> str:
    minutes = "" if which in ("", *_WHOSE) else "minutes of "
    said = f"{minutes}{_WHAT.get(what, what.removeprefix('gres/'))}"
    return f"it needs {needed} {said}, and all jobs of {who} together may have {most}"


def _limits(text: str) -> Iterator[tuple[str, int]]:
    """Read ``cpu=N(4),gres/gpu=2(0)``, or ``60(0.00)`` of time."""
    if (time := re.match(r"(\d+)\(", text)) is not None:
        yield "wall", int(time[1])
    for name, value in _SET.findall(text):
        yield name, int(value)


def _amounts(text: str) -> Mapping[str, int]:
    """Read ``cpu=2,mem=1.50G,gres/gpu=2``; memory in MiB."""
    found = {}
    for one in text.split(","):
        name, _, amount = one.partition("=")
        if (read := _AMOUNT.fullmatch(amount)) is not None:
            found[name] = int(float(read[1]) * (_UNITS[read[2] or "M"] if name == "mem" else 1))
    return found


def _name(text: str) -> str:
    """Return a name without the number that is shown after it: ``eo(3)``."""
    return re.sub(r"\(\d+\)$", "", text)
