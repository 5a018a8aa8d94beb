"""The commands of Slurm, as they are called.

Owns their arguments. Pure.

A job inherits the environment of sbatch, which is a clean one: ``--export=NONE``, or a list, would
have the node load the user's login environment, which takes nine times longer.
"""

import math
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from localproc.executors.batch import Allocation, Request
from localproc_slurm.command_answers import ROW

_QUEUE: Final = f"{ROW}%i|%T|%r|%N|%S|%j"
_PLAIN: Final = {
    "partition": "--partition",
    "account": "--account",
    "qos": "--qos",
    "constraint": "--constraint",
    "reservation": "--reservation",
    "licenses": "--licenses",
}
#: What Slurm takes for more than a character in the name of a log, and cannot be told not to.
_PATTERN: Final = re.compile(r"[%\\]")


def sbatch(allocation: Allocation) -> list[str]:
    """Return what hands a job in, and prints its id and perhaps its cluster."""
    needs = allocation.request
    options: Mapping[str, Any] = dict(needs.options)
    words = [
        "sbatch",
        "--parsable",
        "--no-requeue",
        "--kill-on-invalid-dep=yes",
        "--export=ALL",
        f"--job-name={allocation.name}",
        f"--chdir={allocation.folder}",
        f"--output={'/dev/null' if _PATTERN.search(allocation.log) else allocation.log}",
        "--open-mode=append",
        *_resources(needs, options),
        *(f"{flag}={options[name]}" for name, flag in _PLAIN.items() if options.get(name)),
        *_cluster(options),
    ]
    if allocation.count:
        words.append(f"--array=0-{allocation.count - 1}")
    extra = options.get("extra", ())
    return [*words, *([extra] if isinstance(extra, str) else extra), allocation.script]


def _resources(needs: Request, options: Mapping[str, Any]) -> list[str]:
    words = [f"--nodes={needs.nodes}", f"--ntasks={needs.processes}"]
    words += [f"--cpus-per-task={needs.cores}", f"--mem={needs.ram}M"]
    minutes = math.ceil(needs.seconds / 60) or options.get("time")
    if minutes:
        words.append(f"--time={minutes}")
    gpu = str(options.get("gpu", "gpu:{}")).format(needs.gpus) if needs.gpus else ""
    gres = ",".join(filter(None, [gpu, str(options.get("gres") or "")]))
    return [*words, f"--gres={gres}"] if gres else words


def squeue(cluster: str = "") -> list[str]:
    """Return what lists the jobs of this user that wait or run, an element of an array a line."""
    return ["squeue", "--me", "--noheader", "--array", f"--format={_QUEUE}", *_on(cluster)]


def squeue_places(cluster: str = "") -> list[str]:
    """Return what lists everybody's jobs that wait, in the order in which they are to begin.

    A job that may go to several partitions is listed once for each.
    """
    which = ["--states=PENDING", "--array", "--priority", "--sort=-p,i"]
    return ["squeue", "--noheader", *which, f"--format={ROW}%i|%P|%r", *_on(cluster)]


def squeue_wishes(cluster: str = "") -> list[str]:
    """Return what lists what the jobs of this user ask for that wait, and whose they are."""
    which = ["--me", "--noheader", "--array", "--states=PENDING"]
    fields = ("jobarrayid", "qos", "account", "username", "partition", "timelimit")
    what = "".join(f"{name}:|," for name in fields)  # as wide as they are, with a bar
    return ["squeue", *which, f"--Format={what}tres-alloc:", *_on(cluster)]


def scontrol_limits(cluster: str = "") -> list[str]:
    """Return what shows the limits of each QOS and account, and what counts towards them."""
    return ["scontrol", "--oneliner", *_on(cluster), "show", "assoc_mgr", "flags=qos,assoc"]


def scontrol_partitions(cluster: str = "") -> list[str]:
    """Return what shows the partitions."""
    return ["scontrol", "--oneliner", *_on(cluster), "show", "partition"]


def squeue_named(names: Collection[str], cluster: str = "") -> list[str]:
    """Return what lists jobs by their names, in whatever state, with the id of an array itself."""
    which = ["--states=all", f"--name={','.join(sorted(names))}"]
    return ["squeue", "--me", "--noheader", *which, "--format=%F|%j", *_on(cluster)]


def squeue_ended(ids: Collection[str], cluster: str = "") -> list[str]:
    """Return what lists jobs in whatever state, as long as the controller remembers them.

    Of an array it lists all elements.
    """
    which = ["--states=all", "--array", f"--jobs={_jobs(ids)}"]
    return ["squeue", "--noheader", *which, f"--format={_QUEUE}", *_on(cluster)]


def sacct(ids: Collection[str], cluster: str = "") -> list[str]:
    """Return what lists jobs that the accounting knows, with who has cancelled them.

    Of an array it is asked for all: an element that has not begun is not found by its own id.
    """
    fields = "--format=JobID,State,NodeList,JobName"
    which = f"--jobs={_jobs(ids)}"
    return ["sacct", "--noheader", "--parsable2", "--allocations", which, fields, *_on(cluster)]


def scancel(ids: Sequence[str], signal: str = "", how: str = "", cluster: str = "") -> list[str]:
    """Return what removes jobs, or sends them a signal."""
    words = [f"--signal={signal}"] if signal else []
    return ["scancel", *words, *([how] if how else []), *_on(cluster), *ids]


def sinfo(cluster: str = "") -> list[str]:
    """Return what lists partitions with the largest that their nodes have."""
    return ["sinfo", "--noheader", "--exact", "--format=%R|%c|%m|%l|%D|%G|%a", *_on(cluster)]


def _jobs(ids: Collection[str]) -> str:
    """Return the ids of jobs, of arrays rather than of their elements."""
    return ",".join(sorted({one.partition("_")[0] for one in ids}))


def _cluster(options: Mapping[str, Any]) -> list[str]:
    return _on(str(options.get("cluster") or ""))


def _on(cluster: str) -> list[str]:
    return [f"--clusters={cluster}"] if cluster else []
