"""``localproc cwl``: what cwltest drives.

Owns the form of cwltool's command line that others rely on: the output object on stdout, exit 33
for what is not supported. Must not run anything itself: it goes through the engine as every job.
"""

import json
import os
import tempfile
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import click

from localproc import errors
from localproc.cli import completion as complete
from localproc.cli.operands import gather_inputs, naming
from localproc.cli.package_command import PackageCommand
from localproc.cli.signals import Terminated, terminable
from localproc.cwl.base.files import is_local, local_path, map_files
from localproc.engine.admission.inputs import TOOL, known_inputs, read_inputs
from localproc.engine.home.settings import Pull
from localproc.uris import uri_path
from localproc.views.written import finite

if TYPE_CHECKING:
    from localproc.api import Engine
    from localproc.engine.handles import Process

LOCAL: Final = "local"
UNSUPPORTED: Final = 33


@click.command(cls=PackageCommand)
@click.option(
    "--outdir",
    type=click.Path(file_okay=False),
    default=".",
    help="Where the output files go.",
)
@click.option("--quiet", is_flag=True, help="Say nothing on stderr but errors.")
@click.option("--executor", default=LOCAL, show_default=True, help="What runs the tools.")
@click.option(
    "--no-container",
    is_flag=True,
    help="Run tools on this machine, whatever --executor and --containers say; one that requires a "
    "container is not supported then.",
)
@click.option(
    "--containers",
    default="",
    envvar="LOCALPROC_CONTAINERS",
    metavar="auto|none|NAME",
    help="Who runs containers.",
)
@click.option(
    "--images", metavar="DIR", envvar="LOCALPROC_IMAGES", help="Where localproc keeps images."
)
@click.option(
    "--pull",
    type=click.Choice([one.value for one in Pull]),
    default="never",
    show_default=True,
    help="When images are brought.",
)
@click.option(
    "--software",
    "--beta-dependency-resolvers-configuration",
    metavar="FILE",
    default="",
    help="Where the software that tools need is found.",
)
@click.argument("tool", shell_complete=complete.files)
@click.argument("job", required=False, shell_complete=complete.files)
def cwl(
    outdir: str,
    quiet: bool,
    executor: str,
    no_container: bool,
    containers: str,
    images: str | None,
    pull: str,
    software: str,
    tool: str,
    job: str | None,
    given: list[tuple[str, str]],
) -> int:
    """Run TOOL with the inputs in JOB and print its outputs as JSON.

    JOB may be given alone, if its cwl:tool names the tool. Inputs may also be options, which
    localproc cwl TOOL --help tells. Ctrl-C and SIGTERM stop the tool.
    """
    if job is not None and job.startswith("file:"):
        job = uri_path(job)
    elif job is None and (named := _named_tool(tool)):
        tool, job = named, tool
    from localproc.api import Engine

    try:
        with (
            terminable(),
            tempfile.TemporaryDirectory(prefix="localproc-") as home,
            Engine(
                home,
                executor=LOCAL if no_container else executor,
                containers="none" if no_container else containers,
                images=images,
                pull=pull,
                software=software,
            ) as engine,
        ):
            process, inputs = _read(engine, tool, job, given)
            outputs = _run(process, inputs, os.path.abspath(outdir), quiet=quiet)
    except errors.LocalprocError as error:
        return _say_why(error)
    click.echo(json.dumps(finite(outputs), indent=4))
    return 0


def _say_why(error: errors.LocalprocError) -> int:
    """Print why there are no outputs; return the exit code, as cwltest knows it."""
    if isinstance(error, errors.UnsupportedPackage):
        click.echo(f"not supported: {error}", err=True)
        return UNSUPPORTED
    click.echo(str(error), err=True)
    cause = error.cause if isinstance(error, errors.JobFailed) else ""
    return UNSUPPORTED if cause == "UnsupportedPackage" else 1


def _read(
    engine: "Engine", tool: str, job: str | None, given: list[tuple[str, str]]
) -> tuple["Process", dict[str, Any]]:
    """Return the tool as a process, and arguments of ``execute``."""
    inputs, base = read_inputs(job)
    engine.warm_up()
    with naming(tool):
        process = engine.deploy(tool)
    known = known_inputs(process.inputs, inputs)
    values = gather_inputs(process, (), given)
    return process, {**values, "inputs": known | values["inputs"], "base": base}


def _run(process: "Process", inputs: dict[str, Any], outdir: str, *, quiet: bool) -> dict[str, Any]:
    running = process.execute(
        **inputs, references=False, results=outdir, options={"layout": "flat"}
    )
    try:
        for step in running.watch():
            if not quiet and step.status.final:
                click.echo(f"[{step.name}] {step.status}", err=True)
    except (KeyboardInterrupt, Terminated):
        running.dismiss()  # nobody could go on with it: its home goes with this process
        raise
    return dict(map_files(dict(running.outcome().outputs), _printed))


def _named_tool(path: str) -> str | None:
    """Return the tool that an inputs file names, if that is what lies at the path."""
    try:
        with open(path, "rb") as file:
            if TOOL.encode() not in file.read():
                return None
        inputs, _ = read_inputs(path)
    except (OSError, errors.InvalidInputs):
        return None
    named = inputs.get(TOOL)
    if not isinstance(named, str):
        return None
    return named if "://" in named else os.path.join(os.path.dirname(path), named)


def _printed(one: Mapping[str, Any]) -> dict[str, Any]:
    """Return a file as cwltool prints it: with its path as well."""
    printed = dict(one)
    if is_local(one):
        printed["path"] = local_path(one)
    for part in ("secondaryFiles", "listing"):
        if part in printed:
            printed[part] = [_printed(inner) for inner in printed[part]]
    return printed
