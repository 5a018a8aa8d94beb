"""What this machine has besides processors: GPUs, and a command that starts MPI processes.

Owns finding both, which tasks they suffice for, and how a task gets them. Must not know the keeper.
"""

import os
import re
import shlex
import shutil
import subprocess
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any, Final

from localproc.frozen import frozen
from localproc.model import Limits, Task
from localproc.plugins.backend import PROCESSES
from localproc.plugins.executor import unfit

_LAUNCHERS: Final = ("mpirun", "mpiexec")
_LIST: Final = ("--query-gpu=index,compute_cap", "--format=csv,noheader")
_PATIENCE: Final = 30  #: seconds for the driver's command
_MPI_HINT: Final = (
    "install an MPI with mpirun, or name its command: --executor-option local.mpirun='srun --mpi'"
)
_CUDA: Final = re.compile(r"CUDA Version: *([0-9.]+)")


@frozen
class Device:
    """A GPU by its number, with its compute capability where that is known."""

    number: str
    capability: str = ""


class LocalMeans:
    """The means of one executor.

    ``options``: ``gpus`` are the numbers of the devices that tasks may use (``0,1``), otherwise all
    that ``nvidia-smi`` lists; ``mpirun`` is the command that starts processes (``mpirun``).
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        given = options.get("gpus")
        listed, self._cuda = _found() if given is None else ((), "")
        named = [one.strip() for one in str(given or "").split(",") if one.strip()]
        self._devices = listed or tuple(map(Device, named))
        self._launcher = tuple(shlex.split(str(options.get("mpirun") or ""))) or _launcher()
        #: What an executor with these means can do.
        self.capabilities: Final = replace(
            PROCESSES,
            sees_all=True,
            gpus=bool(self._devices),
            devices=len(self._devices),
            mpi=bool(self._launcher),
        )
        self._used: Counter[str] = Counter()
        self._by_task: dict[str, tuple[str, ...]] = {}

    def unfit(self, task: Task) -> str:
        """Return why they never suffice for a task, empty if they do."""
        needs = task.resources
        if needs.processes > 1 and not self._launcher:
            return f"it needs {needs.processes} MPI processes, and there is no mpirun: {_MPI_HINT}"
        if why := unfit(task, self.capabilities):
            return why
        if needs.gpus > len(self._fitting(task)):
            return f"it needs GPUs of compute capability {', '.join(needs.capabilities)}"
        if needs.gpus and needs.cuda and not _is_enough(self._cuda, needs.cuda):
            return f"it needs CUDA {needs.cuda}, and there is {self._cuda or 'no known version'}"
        return ""

    def begin(self, task: Task) -> Task:
        """Return a task as it is to be started, with the devices that fewest others use."""
        needs = task.resources
        if needs.gpus:
            fitting = sorted(self._fitting(task), key=lambda one: self._used[one.number])
            taken = tuple(one.number for one in fitting[: needs.gpus])
            self._by_task[task.key] = taken
            self._used.update(taken)
            task = replace(task, env={**task.env, "CUDA_VISIBLE_DEVICES": ",".join(taken)})
        if needs.processes > 1:
            started_by = (*self._launcher, "-n", str(needs.processes))
            whole = replace(
                needs, cores=needs.cores * needs.processes, ram=needs.ram * needs.processes
            )
            held = _times(needs.processes, task.held)
            task = replace(task, argv=(*started_by, *task.argv), resources=whole, held=held)
        return task

    def end(self, key: str) -> None:
        """Take back what a task had."""
        if taken := self._by_task.pop(key, None):
            self._used.subtract(taken)

    def _fitting(self, task: Task) -> list[Device]:
        """Return the devices that a task can use: one capability is the least, several are all."""
        wanted = task.resources.capabilities
        if not wanted:
            return list(self._devices)
        if len(wanted) == 1:
            return [one for one in self._devices if _is_enough(one.capability, wanted[0])]
        return [one for one in self._devices if one.capability in wanted]


def _times(processes: int, held: Limits) -> Limits:
    """Return what so many processes are held to together, of which each has a container."""
    return Limits(held.cores * processes, held.ram * processes, held.processes * processes)


@cache
def _found() -> tuple[tuple[Device, ...], str]:
    """Return the devices of this machine, and the version of CUDA that its driver has."""
    command = shutil.which("nvidia-smi")
    if command is None:
        return (), ""
    listed, said = (_said(command, *arguments) for arguments in (_LIST, ()))
    lines = [line.split(",", 1) for line in listed.splitlines() if line.strip()]
    devices = [Device(*(part.strip() for part in line)) for line in lines]
    allowed = os.environ.get("CUDA_VISIBLE_DEVICES")
    if allowed is not None:
        devices = [one for one in devices if one.number in allowed.split(",")]
    version = _CUDA.search(said)
    return tuple(devices), version[1] if version else ""


def _said(*command: str) -> str:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=_PATIENCE
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout


def _launcher() -> tuple[str, ...]:
    return next(((found,) for one in _LAUNCHERS if (found := shutil.which(one))), ())


def _is_enough(there: str, least: str) -> bool:
    """Return whether a version (``11.4``) is no older than another; none never is."""
    try:
        return _numbers(there) >= _numbers(least)
    except ValueError:
        return False


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]
