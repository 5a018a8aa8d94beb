"""From a tool and its inputs to the task that runs it.

Owns defaults, resources, environment and streams (CWL v1.2 CommandLineTool, section 4 "Running a
command"). Must not know who runs the task, nor touch a disk but through ``Files``.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from localproc.cwl.base.files import Files, shown, unwritable
from localproc.cwl.base.literals import check_length
from localproc.cwl.expr.expressions import Context, evaluate_field
from localproc.cwl.run.binding import command_line
from localproc.cwl.run.container import container, is_required, seen_inside, wants_container
from localproc.cwl.run.process import Tool
from localproc.cwl.run.process_inputs import complete, fill
from localproc.cwl.run.resources import resources
from localproc.cwl.run.task_layout import Folders, Layout, identified
from localproc.cwl.run.untouched import Given, seen
from localproc.cwl.run.workdir import set_up
from localproc.errors import StepError
from localproc.frozen import frozen
from localproc.model import Container, Resources, StageAction


@frozen
class Prepared:
    """All that a task needs, and all that collecting its outputs needs.

    ``stdin``, ``stdout`` and ``stderr`` are absolute paths; a stream the tool says nothing of is
    ``None``. ``given`` is how the files are that it may only read, ``shared`` are the paths of
    those that it may update in place.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str]
    stdin: str | None
    stdout: str | None
    stderr: str | None
    resources: Resources
    container: Container | None
    stage: tuple[StageAction, ...]
    context: Context
    folders: Folders
    tool: Tool
    given: Given
    shared: tuple[str, ...]


def prepare(
    tool: Tool,
    inputs: Mapping[str, Any],
    folders: Folders,
    files: Files,
    base_env: Mapping[str, str],
    *,
    containers: bool = False,
    variables: Mapping[str, str] | None = None,
) -> Prepared:
    """Work out the task for one invocation of a CommandLineTool.

    ``base_env`` is the environment of every tool (PATH) but of one in a container, whose image has
    its own; ``variables`` are those of every tool. ``containers`` says whether the executor can run
    them. Raises ``StepError``, ``ExpressionError`` or, for a container that there cannot be,
    ``UnsupportedPackage``.
    """
    boxed = wants_container(tool, containers=containers)
    folders = seen_inside(tool, folders) if boxed else folders
    values, needs, runtime = begin(tool, inputs, folders, files)
    box = container(tool, shown(values), runtime, folders) if boxed else None
    layout = Layout(folders, files, anywhere=boxed and is_required(tool))
    if tool.requirements.has("InitialWorkDirRequirement"):
        values = identified(values)
        provisional = Layout(folders, files).localize(values)
        set_up(tool, Context(provisional, runtime), layout)
    context = Context(layout.localize(values), runtime)
    argv = tuple(command_line(tool, context))
    _check_command(tool, argv, may_be_empty=boxed)
    stdout, stderr = _streams(tool, context, folders, layout)
    return Prepared(
        argv=argv,
        env=_environment(tool, context, folders, {} if boxed else base_env, variables or {}),
        stdin=_stdin(tool, context, folders),
        stdout=stdout,
        stderr=stderr,
        resources=needs,
        container=None if box is None else replace(box, mounts=tuple(layout.mounts)),
        stage=tuple(layout.actions),
        context=context,
        folders=folders,
        tool=tool,
        given=seen(context.inputs, layout.actions, layout.shared, files, folders.outdir),
        shared=tuple(layout.shared),
    )


def begin(
    tool: Tool, inputs: Mapping[str, Any], folders: Folders, files: Files
) -> tuple[dict[str, Any], Resources, dict[str, Any]]:
    """Return a tool's inputs with all it wants to know of them, its resources and its runtime."""
    values = complete(tool, fill(tool, inputs), files)
    needs = resources(tool, values)
    return values, needs, _runtime(needs, folders)


def _runtime(needs: Resources, folders: Folders) -> dict[str, Any]:
    """Return what expressions are told; amounts are never zero (CWL v1.2 ResourceRequirement)."""
    return {
        "outdir": folders.seen(folders.outdir),
        "tmpdir": folders.tmpdir,
        "cores": max(1, math.ceil(needs.cores)),
        "ram": max(1, needs.ram),
        "outdirSize": max(1, needs.outdir),
        "tmpdirSize": max(1, needs.tmpdir),
    }


def _environment(
    tool: Tool, context: Context, folders: Folders, *around: Mapping[str, str]
) -> dict[str, str]:
    env = {name: value for one in around for name, value in one.items()}
    env |= {"HOME": folders.seen(folders.outdir), "TMPDIR": folders.tmpdir}
    requirement = tool.requirements.get("EnvVarRequirement")
    for one in requirement["envDef"] if requirement is not None else ():
        value = evaluate_field(one["envValue"], tool.dialect, context)
        if not isinstance(value, str):
            raise StepError(f"{tool.id}: the variable {one['envName']} is {value!r}, not a string")
        if not one["envName"] or "=" in one["envName"]:
            raise StepError(f"{tool.id}: {one['envName']!r} cannot be the name of a variable")
        if (wrong := unwritable(one["envName"] + value)) is not None:
            raise StepError(f"{tool.id}: the variable {one['envName']!r} has {wrong}")
        env[one["envName"]] = value
    return env


def _check_command(tool: Tool, argv: Sequence[str], *, may_be_empty: bool) -> None:
    """Raise ``StepError`` for what no system could start; an image may have a command itself."""
    if not argv and not may_be_empty:
        raise StepError(
            f"{tool.id} has no command", hint="give it a baseCommand, or arguments to begin with"
        )
    for text in argv:
        if (wrong := unwritable(text)) is not None:
            raise StepError(f"{tool.id}: the argument {describe_short(text)!r} has {wrong}")


def _stdin(tool: Tool, context: Context, folders: Folders) -> str | None:
    value = evaluate_field(tool.stdin, tool.dialect, context)
    if value is None:
        return None
    if not isinstance(value, str) or unwritable(value) is not None:
        raise StepError(f"{tool.id}: stdin is {describe_short(value)}, not a path")
    return folders.real(value) if value.startswith("/") else f"{folders.outdir}/{value}"


def _streams(
    tool: Tool, context: Context, folders: Folders, layout: Layout
) -> tuple[str | None, str | None]:
    """Return where stdout and stderr go, in folders of the task's own."""
    stdout = _stream(tool, context, folders, "stdout", tool.stdout)
    stderr = _stream(tool, context, folders, "stderr", tool.stderr)
    for stream in filter(None, (stdout, stderr)):
        layout.own_folder_of(stream)
    return stdout, stderr


def _stream(
    tool: Tool, context: Context, folders: Folders, stream: str, field: str | None
) -> str | None:
    name = evaluate_field(field, tool.dialect, context)
    if name is None:
        return None
    if (
        not isinstance(name, str)
        or not name
        or name.startswith("/")
        or ".." in name.split("/")
        or unwritable(name) is not None
    ):
        raise StepError(f"{tool.id}: {stream} is {name!r}, not a name in the output directory")
    check_length(name)
    return f"{folders.outdir}/{name}"


def describe_short(value: Any) -> str:
    """Show a value in an error message."""
    text = str(value)
    return text if len(text) <= 60 else text[:59] + "…"
