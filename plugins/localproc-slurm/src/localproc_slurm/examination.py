"""What is right and wrong with a cluster, for ``localproc doctor --executor slurm``.

Owns the questions, and a job that tries what tasks need. Must not know tasks. Whatever is hard to
see from outside is seen from within that job: a folder that nodes do not have, a node without
Python or setsid, a temporary folder that cannot be written.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from time import monotonic, sleep
from typing import Final

from localproc.errors import ExecutorUnavailable
from localproc.executors.batch import Allocation, Failed, Options, Request, called
from localproc.model import TaskState
from localproc.plugins.backend import Refused
from localproc.plugins.executor import ExecutorSettings, Finding
from localproc_slurm import OPTIONS
from localproc_slurm.cluster import Cluster

_COMMANDS: Final = ("sbatch", "squeue", "scontrol", "scancel", "sinfo")
_PATIENCE: Final = 60.0  #: seconds that the job may take to begin and end
_SEEN: Final = 10.0  #: seconds that its file may take to be seen
_PROBE: Final = """#!/bin/sh
{
  read -r host </proc/sys/kernel/hostname && echo "host $host"
  command -v setsid >/dev/null && echo "setsid yes"
  python3 -I -S -c 'import sys; print("python", "%d.%d" % sys.version_info[:2])' 2>/dev/null
  made=${TMPDIR:-/tmp}/localproc-doctor.$$
  mkdir "$made" && rmdir "$made" && echo "tmp ${TMPDIR:-/tmp}"
} >"$1.new"; mv "$1.new" "$1"
"""


def examine(settings: ExecutorSettings) -> Iterator[Finding]:
    """Look at a cluster."""
    missing = [name for name in _COMMANDS if shutil.which(name) is None]
    if missing:
        hint = "call localproc on a machine from which jobs can be submitted"
        yield Finding("failed", "slurm", f"there is no {', '.join(missing)}", hint)
        return
    options = Options("slurm", settings.options, OPTIONS)
    cluster = Cluster(float(options.get("timeout", 30)), str(options.get("cluster", "")))
    try:
        yield from _partitions(cluster)
        yield from of_configuration(_config())
        yield from _accounting()
        yield from _tried(cluster, settings.folder, options)
    except (ExecutorUnavailable, Failed) as error:
        hint = "is the controller up, and munge on this machine? 'scontrol ping' tells"
        yield Finding("failed", "slurm", str(error), hint)


def _partitions(cluster: Cluster) -> Iterator[Finding]:
    began = monotonic()
    found = cluster.partitions()
    took = (monotonic() - began) * 1000
    yield Finding("ok", "slurm", f"the controller answers within {took:.0f} ms")
    for name in dict.fromkeys(one.name for one in found):
        alike = [one for one in found if one.name == name]
        up = any(one.up for one in alike)
        limits = [one.minutes for one in alike]
        limit = "no time limit" if None in limits else f"{max(filter(None, limits))} min"
        said = (
            f"{sum(one.nodes for one in alike)} nodes, at most {max(one.cores for one in alike)} "
            f"cores, {max(one.ram for one in alike)} MiB and {max(one.gpus for one in alike)} GPUs "
            f"each, {limit}"
        )
        hint = "choose another one: --executor-option slurm.partition=NAME"
        yield Finding("ok" if up else "warning", f"partition {name}", said, hint)


def of_configuration(config: Mapping[str, str]) -> Iterator[Finding]:
    """Look at what scontrol shows of a cluster's configuration, by name."""
    tracking = config.get("ProctrackType", "")
    if "cgroup" in tracking:
        yield Finding("ok", "slurm tracks processes by", tracking)
    else:
        said = f"{tracking}: what a task leaves behind may go on after its end"
        hint = "ask the administrator for ProctrackType=proctrack/cgroup"
        yield Finding("warning", "slurm tracks processes by", said, hint)
    if "MEMORY" in config.get("SelectTypeParameters", "").upper():
        yield Finding("ok", "memory", "is given out, and jobs wait for it")
    else:
        hint = "ask the administrator for SelectTypeParameters=CR_Core_Memory"
        yield Finding("warning", "memory", "is not given out: jobs may share too little", hint)
    if "jobs" in config.get("PrivateData", ""):
        said = "are told of your own jobs alone: Slurm hides those of others"
        hint = "ask the administrator for PrivateData without jobs"
        yield Finding("warning", "places in the queue", said, hint)
    age = re.match(r"\d+", config.get("MinJobAge", ""))
    if age and int(age.group()) < 60:
        said = f"the controller forgets jobs after {age.group()} s"
        hint = "ask the administrator for MinJobAge=300, or for accounting"
        yield Finding("warning", "slurm remembers", said, hint)


def _accounting() -> Iterator[Finding]:
    try:
        called(["sacct", "--noheader", "--starttime=now"], timeout=30, keep=("SLURM_CONF",))
    except (Failed, ExecutorUnavailable):
        said = "is off or does not answer: who cancelled a job is not told"
        yield Finding("ok", "accounting", said)
    else:
        yield Finding("ok", "accounting", "answers")


def _tried(cluster: Cluster, folder: str, options: Options) -> Iterator[Finding]:
    """Have a job look at its node, and at the folder that it shares with this machine."""
    os.makedirs(folder, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="doctor-", dir=folder) as place:
        script, answer = os.path.join(place, "script"), os.path.join(place, "answer")
        with open(script, "w", encoding="utf-8") as file:
            file.write(_PROBE.replace('"$1', f'"{answer}'))
        plain = {name: options.get(name, None) for name in OPTIONS}
        own = tuple(sorted((name, value) for name, value in plain.items() if value is not None))
        needs = Request(cores=1, ram=100, options=own)
        job = cluster.submit(
            Allocation("lp-doctor", script, os.path.join(place, "log"), place, needs)
        )
        if isinstance(job, Refused):
            yield Finding("failed", "a job", job.reason, "see the options of the executor slurm")
            return
        try:
            yield from _answered(cluster, job, folder, answer)
        finally:
            cluster.cancel([job])


def _answered(cluster: Cluster, job: str, folder: str, answer: str) -> Iterator[Finding]:
    until = monotonic() + _PATIENCE
    while (seen := cluster.jobs().get(job)) is not None and monotonic() < until:
        if seen.state is TaskState.REFUSED:
            yield Finding("failed", "a job", seen.reason, "see the options of the executor slurm")
            return
        sleep(0.5)
    if seen is not None:
        yield Finding("warning", "a job", f"still waits: {seen.reason}", "try again later")
        return
    until = monotonic() + _SEEN
    while not os.path.exists(answer) and monotonic() < until:
        os.listdir(folder)  # some file systems look again only then
        sleep(0.2)
    if not os.path.exists(answer):
        said = f"has run, and left nothing in {folder}: nodes do not see that folder"
        yield Finding(
            "failed", "a job", said, "name one that they see: --work DIR, once for a home"
        )
        return
    with open(answer, encoding="utf-8") as file:
        told = dict(line.strip().split(" ", 1) for line in file if " " in line)
    yield Finding("ok", "a job", f"has run on {told.get('host', '?')}, which sees {folder}")
    yield from _node(told)


def _node(told: Mapping[str, str]) -> Iterator[Finding]:
    if "setsid" not in told:
        hint = "install util-linux on the nodes: nothing runs without it"
        yield Finding("failed", "nodes", "have no setsid", hint)
    version = tuple(int(part) for part in told.get("python", "0.0").split("."))
    if version < (3, 9):
        said = f"{told['python']} is too old" if "python" in told else "is not there"
        hint = "bundles are run by the shell; name another one: --executor-option slurm.python=PATH"
        yield Finding("warning", "python of nodes", said, hint)
    else:
        yield Finding("ok", "python of nodes", told["python"])
    if "tmp" in told:
        yield Finding("ok", "temporary folder of nodes", told["tmp"])
    else:
        hint = "name one that can: --executor-option 'slurm.tmp=/scratch/$USER'"
        yield Finding("warning", "temporary folder of nodes", "cannot be written", hint)


def _config() -> Mapping[str, str]:
    said = called(["scontrol", "show", "config"], timeout=30, keep=("SLURM_CONF", "MUNGE_"))
    pairs = (line.split("=", 1) for line in said.splitlines() if "=" in line)
    return {name.strip(): value.strip() for name, value in pairs}
