"""Handing a job's script in again, as the job itself was.

Owns which options of sbatch a job had: its script need not say all of them, so they are read from
what scontrol shows of the job. Must not know tasks.

What scontrol does not show, such as ``--signal``, is as the script says.
"""

import os
import re
from collections.abc import Iterator, Mapping
from typing import Final

from localproc.errors import LocalprocError
from localproc.executors.batch import Failed, called

#: A successor has it: the id of the job before it.
SUCCESSOR: Final = "LOCALPROC_SUCCESSOR"
_TIMEOUT: Final = 30.0
_UNSET: Final = ("", "(null)", "N/A", "None", "*", "Unknown")
#: What may have spaces stands at the end of its line.
_FIELD: Final = re.compile(
    r"\b(JobName|Command|WorkDir|Comment|StdErr|StdIn|StdOut)=(.*)|(\S+?)=(\S*)"
)
_PLAIN: Final[Mapping[str, str]] = {
    "JobName": "--job-name",
    "Partition": "--partition",
    "Account": "--account",
    "QOS": "--qos",
    "WCKey": "--wckey",
    "Reservation": "--reservation",
    "TimeLimit": "--time",
    "TimeMin": "--time-min",
    "Deadline": "--deadline",
    "NumNodes": "--nodes",
    "ReqNodeList": "--nodelist",
    "ExcNodeList": "--exclude",
    "MinCPUsNode": "--mincpus",
    "MinTmpDiskNode": "--tmp",
    "CoreSpec": "--core-spec",
    "Features": "--constraint",
    "Licenses": "--licenses",
    "Network": "--network",
    "Switches": "--switches",
    "Container": "--container",
    "Comment": "--comment",
    "MailUser": "--mail-user",
    "MailType": "--mail-type",
    "ArrayTaskId": "--array",
    "WorkDir": "--chdir",
    "StdIn": "--input",
}
_SHARING: Final[Mapping[str, str]] = {
    "NO": "--exclusive",
    "USER": "--exclusive=user",
    "MCS": "--exclusive=mcs",
    "YES": "--oversubscribe",
}
_OF_GPUS: Final[Mapping[str, str]] = {
    "TresPerJob": "--gpus",
    "TresPerSocket": "--gpus-per-socket",
    "TresPerTask": "--gpus-per-task",
    "CpusPerTres": "--cpus-per-gpu",
    "MemPerTres": "--mem-per-gpu",
}
_GRES: Final = re.compile(r"gres[:/]")


def facts(shown: str) -> dict[str, str]:
    """Read what ``scontrol show job`` shows; what is not set is left out."""
    found: dict[str, str] = {}
    for line in shown.partition("\n\n")[0].splitlines():
        for match in _FIELD.finditer(line):
            name, value = match[1] or match[3], match[2] if match[1] else match[4]
            if value.strip() not in _UNSET:
                found.setdefault(name, value.strip())
    return found


def asked_for(known: Mapping[str, str]) -> list[str]:
    """Return the options of sbatch that a job had, of the facts of it."""
    words = [f"{flag}={known[name]}" for name, flag in _PLAIN.items() if name in known]
    return [*words, *_tasks(known), *_gpus(known), *_memory(known), *_rest(known), *_logs(known)]


def script(known: Mapping[str, str]) -> list[str]:
    """Return the path of a job's script, and its arguments; nothing where it is not there."""
    words = known.get("Command", "").split(" ")
    for count in range(len(words), 0, -1):  # its name may have spaces
        if os.path.isfile(path := " ".join(words[:count])):
            return [path, *words[count:]]
    return []


def succeed(job: str, shown: str) -> None:
    """Hand the script of a job in again, to begin when the job has ended.

    It is done where the job was handed in, which the script may want to know. A script that is
    gone, or never was a file, is the one that Slurm has kept.
    """
    known = facts(shown)
    words = [f"--dependency=afterany:{job}", "--kill-on-invalid-dep=yes"]
    words += [f"--export=ALL,{SUCCESSOR}={job}", *asked_for(known)]
    path = script(known)
    text = "" if path else _called("scontrol", "write", "batch_script", job, "-")
    there = os.environ.get("SLURM_SUBMIT_DIR") or "."
    sbatch = ("sh", "-c", 'cd -- "$0" 2>/dev/null; exec sbatch "$@"', there)
    _called(*sbatch, *words, *path, stdin=text)


def shown(job: str) -> str:
    """Return what scontrol shows of a job; raises ``LocalprocError``."""
    return _called("scontrol", "show", "job", job)


def _tasks(known: Mapping[str, str]) -> Iterator[str]:
    """Tell tasks and cores; fewer tasks than nodes were none that were asked for."""
    nodes, tasks = known.get("NumNodes", "1"), known.get("NumTasks", "")
    if tasks.isdecimal() and nodes.isdecimal() and int(tasks) >= int(nodes):
        yield f"--ntasks={tasks}"
    spread = known.get("NtasksPerN:B:S:C", "").split(":")
    for number, what in zip(spread[0:1] + spread[2:4], ("node", "socket", "core"), strict=False):
        if number.isdecimal() and int(number):
            yield f"--ntasks-per-{what}={number}"
    if "CpusPerTres" not in known and "CPUs/Task" in known:
        yield f"--cpus-per-task={known['CPUs/Task']}"


def _gpus(known: Mapping[str, str]) -> Iterator[str]:
    if "TresPerNode" in known:
        yield f"--gres={_GRES.sub('', known['TresPerNode'])}"
    for name, flag in _OF_GPUS.items():
        if found := re.search(r"gres[:/]gpu[:=]([^,]+)", known.get(name, "")):
            yield f"{flag}={found[1]}"


def _memory(known: Mapping[str, str]) -> Iterator[str]:
    if "MemPerTres" in known:
        return
    if "MinMemoryCPU" in known:
        yield f"--mem-per-cpu={known['MinMemoryCPU']}"
    elif "MinMemoryNode" in known:
        yield f"--mem={known['MinMemoryNode']}"


def _rest(known: Mapping[str, str]) -> Iterator[str]:
    if known.get("OverSubscribe") in _SHARING:
        yield _SHARING[known["OverSubscribe"]]
    if known.get("Contiguous") == "1":
        yield "--contiguous"
    if known.get("Nice", "").isdecimal():
        yield f"--nice={known['Nice']}"
    if "Requeue" in known:
        yield "--no-requeue" if known["Requeue"] == "0" else "--requeue"


def _logs(known: Mapping[str, str]) -> Iterator[str]:
    """Tell logs, which have the id of the successor where they had that of the job."""
    said = {name: _unnumbered(known[name], known) for name in ("StdOut", "StdErr") if name in known}
    if "StdOut" in said:
        yield f"--output={said['StdOut']}"
    if "StdErr" in said and said["StdErr"] != said.get("StdOut"):
        yield f"--error={said['StdErr']}"
    yield "--open-mode=append"


def _unnumbered(path: str, known: Mapping[str, str]) -> str:
    folder, slash, name = path.rpartition("/")
    element = f"{known.get('ArrayJobId', '')}_{known.get('ArrayTaskId', '')}"
    for number, pattern in ((element, "%A_%a"), (known.get("JobId", ""), "%j")):
        if number.strip("_"):
            name = re.sub(rf"(?<!\d){number}(?!\d)", pattern, name)
    return f"{folder}{slash}{name}"


def _called(*argv: str, stdin: str = "") -> str:
    try:
        return called(argv, timeout=_TIMEOUT, keep=("",), stdin=stdin)
    except Failed as error:
        raise LocalprocError(str(error)) from error
