"""A container for a person, who looks at what a step has left.

Owns the command line of ``docker run`` and ``podman run``: the same mounts, user and limits of what
may be done as a step has, and the streams of whoever calls it. Must not ask a daemon anything.
"""

import os
import shutil
from typing import Final

from localproc.errors import EnvironmentProblem
from localproc.model import Task
from localproc.plugins.containers import Image, mounts, plain

_AT: Final = {"docker": ("--host",), "podman": ("--remote", "--url")}


def shell(task: Task, image: Image, program: str, address: str, *, terminal: bool) -> Task:
    """Return the process that runs a task's command in a container of the daemon at an address."""
    box = task.container
    assert box is not None, "a task without a container has no place here"
    path = shutil.which(program)
    if path is None:
        raise EnvironmentProblem(
            f"there is no program {program} here, which opens a shell in a container",
            hint=f"install the command line of {program}: its daemon is not enough",
        )
    command, *arguments = task.argv
    argv = (
        *(path, *_AT[program], address, "run", "--rm", "--interactive"),
        *(("--tty",) if terminal else ()),
        *("--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges"),
        *(("--cap-add=DAC_OVERRIDE",) if os.getuid() == 0 else ()),
        *(f"--user={os.getuid()}:{os.getgid()}", f"--network={'host' if box.network else 'none'}"),
        *(f"--mount={one}" for one in _mounts(task)),
        *(f"--env={name}={value}" for name, value in task.env.items()),
        *(f"--workdir={box.outdir}", f"--entrypoint={command}", image.id, *arguments),
    )
    return plain(task, argv, os.environ)


def _mounts(task: Task) -> list[str]:
    found = {one.target: (one.source, not one.writable) for one in mounts(task)}
    found.setdefault("/tmp", (task.tmpdir, False))  # noqa: S108
    return [
        f"type=bind,{_field('source', source)},{_field('target', target)}"
        + (",readonly" if is_read_only else "")
        for target, (source, is_read_only) in found.items()
    ]


def _field(name: str, value: str) -> str:
    """Write a field of a line of CSV, as these programs read it."""
    text = f"{name}={value}"
    return '"' + text.replace('"', '""') + '"' if set(text) & set(',"') else text
