"""``localproc plan``: what a job would do.

Owns how that is told. Must not know how it is found out.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from localproc.cli import completion as complete
from localproc.cli.app import USAGE
from localproc.cli.operands import check_named, gather_inputs, names_package, naming
from localproc.cli.package_command import PackageCommand
from localproc.cli.printing import print_json, print_table
from localproc.cli.shared_options import engine_options, json_option
from localproc.cli.site import Site
from localproc.cli.told import told

if TYPE_CHECKING:
    from localproc.api import Engine
    from localproc.engine.admission.foresight import JobPlan, PlannedStep
    from localproc.engine.handles import Process


@click.command(cls=PackageCommand)
@click.argument("package", metavar="PACKAGE|PROCESS", shell_complete=complete.processes)
@click.argument(
    "inputs", nargs=-1, metavar="[INPUTS.yml] [NAME=VALUE]...", shell_complete=complete.inputs
)
@engine_options
@json_option
@click.pass_obj
def plan(
    site: Site,
    package: str,
    inputs: tuple[str, ...],
    given: list[tuple[str, str]],
    settings: dict[str, Any],
    as_json: bool,
) -> int:
    """Tell what a job would do, without running it: steps, where they go, what is missing.

    With --reuse, steps whose outputs are kept are followed; others would run, and those that need
    what they make.
    """
    check_named(site, package)
    return show_plan(site, package, inputs, given, settings, as_json=as_json)


def show_plan(
    site: Site,
    package: str,
    inputs: Sequence[str],
    given: Sequence[tuple[str, str]],
    settings: dict[str, Any],
    *,
    as_json: bool,
) -> int:
    """Print what a job would do; return the exit code."""
    executor = settings.pop("executor")
    with _engine(site, settings) as engine:
        process = _process(engine, package)
        values = gather_inputs(process, inputs, given)
        found = process.plan(**values, results=settings["results"], executor=executor)
    if as_json:
        print_json(found.to_json())
    else:
        _tell(found)
    return 0 if found.feasible else USAGE


@contextmanager
def _engine(site: Site, settings: dict[str, Any]) -> "Iterator[Engine]":
    """Give an engine of the home if there is one; none is made."""
    if site.exists():
        with site.look(**settings) as engine:
            yield engine
    else:
        known = {name: value for name, value in settings.items() if name != "work"}
        with site.anywhere(**known) as engine:
            yield engine


def _process(engine: "Engine", package: str) -> "Process":
    if not names_package(package):
        return engine.process(package)
    with naming(package):
        return engine.read(package)


def _tell(found: "JobPlan") -> None:
    rows = [(one.place, _actions(one), one.executor, _said(one)) for one in found.steps]
    print_table(["step", "would", "on", ""], rows)
    for problem in found.problems:
        click.echo(f"error: {problem}", err=True)
    for path in found.missing:
        click.echo(f"error: {path} is not there", err=True)
    for said in found.images:
        click.echo(told(f"error: {said}"), err=True)
    for uri in found.fetched:
        click.echo(f"to be brought in: {uri}")
    for one in found.steps:
        if one.unfit:
            click.echo(
                f"error: {one.place}: {one.executor!r} can never run it: {one.unfit}", err=True
            )


def _actions(step: "PlannedStep") -> str:
    """Write what becomes of a step's instances: ``run``, ``reuse 117, run 3``."""
    if not step.actions:
        return "run"
    if list(step.actions.values()) == [1]:
        return next(iter(step.actions))
    return ", ".join(f"{action} {number}" for action, number in sorted(step.actions.items()))


def _said(step: "PlannedStep") -> str:
    of_jobs = f"of {', '.join(step.reused_from[:2])}" if step.reused_from else ""
    more = " and others" if len(step.reused_from) > 2 else ""
    return "; ".join(filter(None, (of_jobs + more, step.why, step.image, step.note)))
