"""A container for a person, who looks at what a step has left.

Owns the command line of ``docker run`` and ``podman run``: what a step's container sees, may do and
may use, and the streams of whoever calls it. Must not ask a daemon anything.
"""

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from localproc.errors import EnvironmentProblem
from localproc.model import Task
from localproc.plugins.containers import Image, plain
from localproc_docker import private_tmp, task_containers
from localproc_docker.task_containers import Owner

_AT: Final = {"docker": ("--host",), "podman": ("--remote", "--url")}
_NANO: Final = 1_000_000_000
_PRIVATE: Final = "tmp"  #: its /tmp, in the temporary folder that goes with the shell


def shell(
    task: Task, image: Image, program: str, address: str, owner: Owner, *, terminal: bool
) -> Task:
    """Return the process that runs a task's command in a container of the daemon at an address."""
    box = task.container
    assert box is not None, "a task without a container has no place here"
    path = shutil.which(program)
    if path is None:
        raise EnvironmentProblem(
            f"there is no program {program} here, which opens a shell in a container",
            hint=f"install the command line of {program}: its daemon is not enough",
        )
    private = os.path.join(task.tmpdir, _PRIVATE)
    host = task_containers.host_config(task, owner, keep_streams=True, private=private)
    command, *arguments = task.argv
    hidden = _hidden(task)
    argv = (
        *(path, *_AT[program], address, "run", "--rm", "--interactive"),
        *(("--tty",) if terminal else ()),
        *_options(host),
        *(("--gpus", str(task.resources.gpus)) if task.resources.gpus else ()),
        *(f"--user={owner.user}", *_mounts(host["Mounts"])),
        *(f"--env={name}={value}" for name, value in task.env.items() if name not in hidden),
        *(f"--env={name}" for name in hidden),  # as this process has it: others see its command
        *(f"--workdir={box.outdir}", f"--entrypoint={command}", image.id, *arguments),
    )
    return plain(task, argv, {**os.environ, **hidden}, private_tmp.stage(host["Mounts"]))


def _options(host: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a container may do and use, as the command line has it."""
    yield "--read-only"
    yield f"--network={host['NetworkMode']}"
    yield from (f"--cap-drop={one}" for one in host["CapDrop"])
    yield from (f"--cap-add={one}" for one in host["CapAdd"])
    yield from (f"--security-opt={one}" for one in host["SecurityOpt"])
    yield f"--pids-limit={host['PidsLimit']}"
    if host["UsernsMode"]:
        yield f"--userns={host['UsernsMode']}"
    if host["Memory"]:
        yield f"--memory={host['Memory']}b"
        yield f"--memory-swap={host['MemorySwap']}b"
    if host["NanoCpus"]:
        yield f"--cpus={host['NanoCpus'] / _NANO}"
    if host["ShmSize"]:
        yield f"--shm-size={host['ShmSize']}b"


def _hidden(task: Task) -> dict[str, str]:
    """Return the variables that have secrets."""
    values = [one for one in task.secrets.values.values() if one]
    return {
        name: value
        for name, value in task.env.items()
        if name in task.secrets.variables or any(one in value for one in values)
    }


def _mounts(mounts: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for one in mounts:
        paths = f"{_field('source', one['Source'])},{_field('target', one['Target'])}"
        yield f"--mount=type=bind,{paths}" + (",readonly" if one["ReadOnly"] else "")


def _field(name: str, value: str) -> str:
    """Write a field of a line of CSV, as these programs read it."""
    text = f"{name}={value}"
    return '"' + text.replace('"', '""') + '"' if set(text) & set(',"') else text
