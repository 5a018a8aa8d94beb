"""What is written for the nodes: the script of a batch, and the commands of its tasks.

Owns the text of both, for the shell and for the keeper. Pure.
"""

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from shlex import quote
from typing import Final

from localproc.executors.batch.grouping import Batch, Mode
from localproc.frozen import frozen
from localproc.model import Task

_PART: Final = 25  #: tasks of a file: each element of an array reads one


@frozen
class NodeSetup:
    """How things are on a node: which variables tell a job's id and an element's number, which is
    ``first_index`` for the first; ``tmp`` (an expression of the shell), the ``python`` that runs
    bundles where there is not its ``own``, that of the engine; variables that tasks ``keep``, the
    lines of the shell that are to be run before each, and what starts the processes of one that is
    several (``mpirun``). On ``machine``, that of the engine, the temporary folders that it has made
    are the node's own already.
    """  # noqa: D205

    job_variable: str
    index_variable: str
    first_index: int = 0
    tmp: str = "${TMPDIR:-/tmp}"
    python: str = "python3"
    own: str = ""
    machine: str = ""
    keep: tuple[str, ...] = ()
    setup: str = ""
    mpirun: str = "mpirun"

    def of(self, batch: Batch) -> "NodeSetup":
        """Return how things are for a batch, by its options."""
        options = dict(batch.node)
        setup = options.get("setup", self.setup)
        return replace(
            self,
            tmp=str(options.get("tmp", self.tmp)),
            python=str(options.get("python", self.python)),
            own="" if "python" in options else self.own,
            machine="" if "tmp" in options else self.machine,
            keep=tuple(options.get("keep", self.keep)),
            setup=setup if isinstance(setup, str) else "\n".join(setup),
            mpirun=str(options.get("mpirun", self.mpirun)),
        )

    def started(self, task: Task, batch: Batch) -> Sequence[str]:
        """Return a task's command, or what starts it as many times as it is to run."""
        needs = batch.request
        if needs.processes == 1:
            return task.argv
        command = shlex.split(self.mpirun.replace("{cores}", str(needs.cores)))
        return [*command, "-n", str(needs.processes), *task.argv]


@frozen
class BatchPaths:
    """The paths of a batch: its folder, that of exit records, and that of the runner."""

    name: str
    folder: str
    done: str
    runner: str


def script(batch: Batch, place: BatchPaths, node: NodeSetup) -> str:
    """Return the script that a scheduler runs."""
    needs, first = batch.request, node.first_index
    index = f"$(({node.index_variable} - {first}))" if first else f"${node.index_variable}"
    run = {
        Mode.SINGLE: "run_one 0",
        Mode.ARRAY: f'run_one "{index}"',
        Mode.BUNDLE: f"run_bundle {len(batch.tasks)} {batch.slots} "
        f"{needs.cores} {needs.ram} {quote(node.python)} {quote(node.own)}",
    }[batch.mode]
    return f"""#!/bin/sh
trap : TERM URG
name={quote(place.name)} folder={quote(place.folder)} done={quote(place.done)}
runner={quote(place.runner)} job=${{{node.job_variable}}} tmp="{node.tmp}"
machine={quote(node.machine)} part={_PART}
. "$runner/runner.sh"
{run}
"""


def shell_tasks(batch: Batch, node: NodeSetup) -> Mapping[str, str]:
    """Return files with what the shell knows of tasks, by their numbers in the batch."""
    numbered = list(enumerate(batch.tasks))
    parts = (numbered[begin : begin + _PART] for begin in range(0, len(numbered), _PART))
    return {f"tasks.{place}.sh": _defined(part, batch, node) for place, part in enumerate(parts)}


def _defined(tasks: Sequence[tuple[int, Task]], batch: Batch, node: NodeSetup) -> str:
    described = [_described(number, task) for number, task in tasks]
    commands = [
        f"{number}) exec setsid {_command(task, batch, node)} ;;\n" for number, task in tasks
    ]
    return (
        f"describe() {{ case $1 in\n{''.join(described)}esac; }}\n"
        f"command_of() {{ case $1 in\n{''.join(commands)}esac; }}\n"
    )


def keeper_tasks(batch: Batch, node: NodeSetup) -> str:
    """Return what the keeper knows of tasks, one on a line."""
    return "".join(
        json.dumps(
            {
                "run": task.key,
                "argv": with_setup(task.argv, node.setup),
                "env": dict(task.env),
                "keep": _kept(task, node),
                "cwd": task.outdir,
                "stdin": task.stdin,
                "stdout": task.stdout,
                "stderr": task.stderr,
                "cores": task.resources.cores,
                "ram": task.resources.ram_max or task.resources.ram,
                "held": asdict(task.held),
                "time": task.resources.time,
                "local": has_node_tmpdir(task),
            }
        )
        + "\n"
        for task in batch.tasks
    )


def with_setup(argv: Sequence[str], setup: str) -> list[str]:
    """Return a command that runs some lines of the shell first; what they say is none of its own.

    It goes to stderr: stdout may be an output of the tool.
    """
    return ["sh", "-c", f'{{\n{setup}\n}} >&2\nexec "$@"', "sh", *argv] if setup else list(argv)


def has_node_tmpdir(task: Task) -> bool:
    """Whether a task's temporary folder may be the node's: nothing but ``TMPDIR`` names it."""
    texts = (*task.argv, *(value for name, value in task.env.items() if name != "TMPDIR"))
    return (
        task.tmpdir != task.outdir
        and task.env.get("TMPDIR") == task.tmpdir
        and not any(task.tmpdir in text for text in texts)
    )


def _described(number: int, task: Task) -> str:
    limit = f"{task.resources.time:g}" if task.resources.time else ""
    return (
        f"{number}) outdir={quote(task.outdir)} tmpdir={quote(task.tmpdir)} "
        f"stdin={quote(task.stdin or '/dev/null')} stdout={quote(task.stdout)} "
        f"stderr={quote(task.stderr)} limit={limit} "
        f"wants_local={'1' if has_node_tmpdir(task) else ''} ;;\n"
    )


def _command(task: Task, batch: Batch, node: NodeSetup) -> str:
    """Return a command with its environment: that of the job too where it starts processes."""
    spread = batch.request.processes > 1 or batch.request.nodes > 1
    names = dict(task.env)
    words = ["env"] if spread else ["env", "-i"]
    words += [f'${{{name}+"{name}=${name}"}}' for name in _kept(task, node)]
    if has_node_tmpdir(task):
        del names["TMPDIR"]
        words.append('TMPDIR="${local:-$tmpdir}"')
    words += [quote(f"{name}={value}") for name, value in names.items()]
    argv = with_setup(node.started(task, batch), node.setup)
    if "=" in argv[0]:  # env would take it for a variable
        argv = ["sh", "-c", 'exec "$@"', "sh", *argv]
    return " ".join([*words, *map(quote, argv)])


def _kept(task: Task, node: NodeSetup) -> Sequence[str]:
    devices: Iterable[str] = ("CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES")
    return [*node.keep, *(devices if task.resources.gpus else ())]
