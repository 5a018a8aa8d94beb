"""Commands about packages and processes.

Owns deploying, listing, describing, checking and drawing them. Must not know jobs.
"""

import sys
from collections.abc import Mapping
from typing import Any

import click

from localproc import errors
from localproc.cli import completion as complete
from localproc.cli import remote
from localproc.cli.app import USAGE
from localproc.cli.operands import as_typed, excerpt, naming, read_process
from localproc.cli.printing import print_json, print_table
from localproc.cli.remote import also_there
from localproc.cli.shared_options import (
    container_options,
    environment_settings,
    json_option,
    staging_option,
)
from localproc.cli.site import Site
from localproc.cli.told import told
from localproc.engine.container_runtimes import Containers
from localproc.engine.handles import Process
from localproc.engine.packages.archive import ZIP
from localproc.engine.packages.images import looked_for, named_images
from localproc.plugins.manager import PluginManager
from localproc.views.process import process_description, process_summary
from localproc.views.written import in_yaml


@click.command()
@click.argument("package", shell_complete=complete.files)
@click.option("--id", "process_id", default="", help="Deploy it under another id.")
@click.option("--no-replace", is_flag=True, help="Fail if the process is deployed already.")
@click.option("--allow-remote", is_flag=True, help="Let it include remote documents.")
@staging_option
@json_option
@also_there(remote.deploy, "package", "no_replace", "allow_remote")
@click.pass_obj
def deploy(
    site: Site,
    package: str,
    process_id: str,
    no_replace: bool,
    allow_remote: bool,
    staging: str,
    as_json: bool,
) -> None:
    """Deploy PACKAGE, the path or URL of a CWL document, as a process.

    With --to URL it is deployed at that server, with all files that belong to it.
    """
    with site.prepare(allow_remote=allow_remote) as engine:
        with naming(package):
            process = engine.deploy(
                package, process_id=process_id, replace=not no_replace, staging=staging
            )
        if as_json:
            print_json(process_summary(process.record))
        else:
            click.echo(f"{process.id} {process.version}, revision {process.revision[:12]}")


@click.command()
@click.argument("process", shell_complete=complete.processes)
@click.option("--force", is_flag=True, help="Even if it has jobs that have not ended.")
@json_option
@click.pass_obj
def undeploy(site: Site, process: str, force: bool, as_json: bool) -> None:
    """Undeploy PROCESS. Its jobs and their history stay."""
    with site.look() as engine:
        record = engine.process(process).record
        engine.undeploy(process, force=force)
    if as_json:
        print_json(process_summary(record))
    else:
        click.echo(f"{process} is undeployed")


@click.command()
@json_option
@click.pass_obj
def processes(site: Site, as_json: bool) -> None:
    """List the deployed processes."""
    with site.look() as engine:
        found = engine.processes()
    if as_json:
        print_json({"processes": [process_summary(one.record) for one in found], "links": []})
        return
    print_table(
        ["process", "version", "revision", "title"],
        [(one.id, one.version, one.revision[:12], one.title) for one in found],
    )


@click.command()
@click.argument("package", metavar="PACKAGE|PROCESS", shell_complete=complete.processes)
@json_option
@click.pass_obj
def describe(site: Site, package: str, as_json: bool) -> None:
    """Describe the inputs and outputs of a package or a process."""
    process = read_process(site, package)
    if as_json:
        print_json(process_description(process.record))
        return
    record = process.record
    click.echo(f"{record.id} {record.version}: {record.title}")
    if record.description.get("description"):
        click.echo(record.description["description"])
    click.echo()
    print_table(["input", "type", "default", "about"], _input_rows(process))
    click.echo()
    print_table(["output", "type", "about"], _output_rows(process))
    if rows := _image_rows(process, site):
        click.echo()
        print_table(["image", "here", "brought by"], rows)


@click.command()
@click.argument("package", metavar="PACKAGE|PROCESS", shell_complete=complete.processes)
@click.pass_obj
def inputs(site: Site, package: str) -> None:
    """Write an inputs file of a package or a process: what each input is, and blanks to fill in.

    localproc inputs PACKAGE > inputs.yml; localproc run PACKAGE inputs.yml
    """
    click.echo(read_process(site, package).inputs_template(), nl=False)


def _input_rows(process: Process) -> list[tuple[str, str, str, str]]:
    from localproc.cwl.base.types import describe as describe_type

    return [
        (
            port["id"],
            describe_type(port["type"]),
            _default(port),
            _about(process.inputs[port["id"]], port["id"]),
        )
        for port in process.ports()
    ]


def _default(port: Mapping[str, Any]) -> str:
    """Return a default as a line of YAML; a text stays as it is, and of a file it is the place."""
    value = port.get("default", "")
    if isinstance(value, Mapping) and "location" in value:
        return str(value["location"])
    return value if isinstance(value, str) else in_yaml(value)


def _image_rows(process: Process, site: Site) -> list[tuple[str, str, str]]:
    """Return the images that a package names, with what is here of them."""
    from localproc.cli.images import brought_by, state

    named = named_images(process.record.resolved)
    known = Containers(PluginManager(), site.settings(**environment_settings()))
    return [(one.box.image, state(one), brought_by(one)) for one in looked_for(named, known, "")]


def _output_rows(process: Process) -> list[tuple[str, str, str]]:
    from localproc.cwl.base.types import describe as describe_type

    main = process.record.resolved["processes"][process.record.resolved["main"]]
    return [
        (port["id"], describe_type(port["type"]), _about(process.outputs[port["id"]], port["id"]))
        for port in main["outputs"]
    ]


def _about(description: Any, name: str) -> str:
    title = description["title"] if description["title"] != name else ""
    first = description.get("description", "").split("\n")[0]
    return ": ".join(filter(None, (title, first)))


@click.command()
@click.argument("process", shell_complete=complete.processes)
@click.pass_obj
def package(site: Site, process: str) -> None:
    """Print the package of PROCESS as a document, or as a ZIP archive if it has several files.

    deploy takes either.
    """
    with site.look() as engine:
        data, kind = engine.process(process).exported()
    if kind == ZIP and sys.stdout.isatty():
        raise click.UsageError("it has several files: send the archive to a file, > package.zip")
    click.echo(data, nl=False)


@click.command()
@click.argument("package", metavar="PACKAGE", shell_complete=complete.files)
@click.option("--allow-remote", is_flag=True, help="Let it include remote documents.")
@click.option("--executor", default="local", show_default=True, help="Who is to run its tools.")
@click.option(
    "--profile",
    type=click.Choice(["eoap"]),
    help="What else it is held to; eoap: the best practice for Earth observation packages.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning", "never"]),
    default="error",
    show_default=True,
    help="What makes the exit code 2.",
)
@container_options
@json_option
@click.pass_obj
def validate(
    site: Site,
    package: str,
    allow_remote: bool,
    executor: str,
    profile: str | None,
    fail_on: str,
    containers: str,
    folder: str | None,
    as_json: bool,
) -> int:
    """Check PACKAGE and print every problem, each with its file, line and column.

    What this machine or the executor lacks (a command, a container, an image) is a warning.
    """
    from localproc.engine.packages.package_source import validate as checked

    plugins = PluginManager()
    runs = plugins.executor(executor)
    boxes = Containers(plugins, site.settings(containers=containers, images=folder))
    try:
        with naming(package):
            findings = checked(
                package,
                allow_remote=allow_remote,
                executor=runs,
                containers=boxes,
                profile=profile or "",
                storage_options=site.storage_options(),
            )
        wrong, warnings = as_typed(package, findings.errors), as_typed(package, findings.warnings)
        said = ""
    except errors.PackageError as error:
        alone = errors.Problem(error.message, hint=error.hint)
        wrong, warnings, said = list(error.problems) or [alone], [], error.message
    valid = not wrong
    counted = {"error": not valid, "warning": bool(warnings) or not valid, "never": False}
    if as_json:
        both = {"errors": wrong, "warnings": warnings}
        listed = {name: [one.to_json() for one in found] for name, found in both.items()}
        print_json({"valid": valid, "message": said, **listed})
    else:
        _tell_problems(wrong, warnings)
        click.echo(f"{package} is {'valid' if valid else 'not valid'}")
    return USAGE if counted[fail_on] else 0


def _tell_problems(wrong: list[errors.Problem], warnings: list[errors.Problem]) -> None:
    """Print problems with the lines that they stand in."""
    for word, problems in (("warning", warnings), ("error", wrong)):
        for one in problems:
            click.echo("\n".join([told(f"{word}: {one}"), *excerpt(one)]), err=True)


@click.command()
@click.argument("package", metavar="PACKAGE|PROCESS", shell_complete=complete.processes)
@click.option(
    "--format",
    "form",
    type=click.Choice(["mermaid", "dot", "svg"]),
    default="mermaid",
    show_default=True,
)
@click.pass_obj
def graph(site: Site, package: str, form: str) -> None:
    """Draw the steps of a package or a process."""
    from localproc.views.graph import dot, mermaid
    from localproc.views.graph_svg import svg

    resolved = read_process(site, package).record.resolved
    draw = {"mermaid": mermaid, "dot": dot, "svg": svg}[form]
    click.echo(draw(resolved))
