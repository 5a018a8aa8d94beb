"""``localproc run``: one job from package to results, before your eyes.

Owns what is shown while a job runs and when it has ended, and what Ctrl-C does. Must not know how
jobs are run.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import click

from localproc.cli import completion as complete
from localproc.cli.app import DISMISSED, FAILED
from localproc.cli.loading import loading
from localproc.cli.operands import check_named, find_process, gather_inputs
from localproc.cli.package_command import PackageCommand
from localproc.cli.printing import print_json
from localproc.cli.shared_options import (
    engine_options,
    json_option,
    request_options,
    staging_option,
)
from localproc.cli.show import final_document, show_end, show_steps
from localproc.cli.signals import Terminated, terminable
from localproc.cli.site import Site
from localproc.cli.told import told
from localproc.model import JobStatus

if TYPE_CHECKING:
    from localproc.api import Engine
    from localproc.engine.handles import Job

_ALL: Final = 10_000  #: open jobs of a home, one of which may be this process's


@click.command(cls=PackageCommand)
@click.argument("package", metavar="PACKAGE|PROCESS", shell_complete=complete.processes)
@click.argument(
    "inputs", nargs=-1, metavar="[INPUTS.yml] [NAME=VALUE]...", shell_complete=complete.inputs
)
@engine_options
@request_options
@json_option
@staging_option
@click.option("--dry-run", is_flag=True, help="Only tell what would be done: see localproc plan.")
@click.option("--quiet", is_flag=True, help="Show nothing while the job runs.")
@click.pass_obj
def run(
    site: Site,
    package: str,
    inputs: tuple[str, ...],
    given: list[tuple[str, str]],
    settings: dict[str, Any],
    request: dict[str, Any],
    as_json: bool,
    staging: str,
    dry_run: bool,
    quiet: bool,
) -> int:
    """Run a package, or a deployed process, and wait for its end.

    PACKAGE is the path or URL of a CWL document; PACKAGE#NAME picks one of its processes. Relative
    paths in the inputs file are relative to that file, others to the current folder. Each input is
    an option too: localproc run PACKAGE --help tells them.

    Ctrl-C dismisses the job and waits until nothing of it runs; a second one does not wait. SIGTERM
    leaves the job to localproc resume.
    """
    check_named(site, package)
    if dry_run:
        from localproc.cli.looking_ahead import show_plan

        return show_plan(site, package, inputs, given, settings, as_json=as_json)
    request["executor"] = settings.pop("executor")
    adopt = bool(request.get("once"))  # the job of that key may be one that nobody runs any more
    with terminable(), site.open(adopt=adopt, **settings) as engine, telling_how_to_go_on(engine):
        with loading():
            engine.warm_up(request["executor"])
        process = find_process(engine, package, staging)
        asked = datetime.now(UTC)
        job = process.execute(**gather_inputs(process, inputs, given), **request)
        if job.created < asked:
            click.echo(f"job {job.id} has this key: it is {job.status}", err=True)
        watch_patiently(job, quiet=quiet or as_json)
        if as_json:
            print_json(final_document(job))
        else:
            show_end(job)
        return exit_code(job)


def exit_code(job: "Job") -> int:
    """Return the exit code for a job that has ended."""
    codes = {JobStatus.SUCCESSFUL: 0, JobStatus.DISMISSED: DISMISSED}
    return codes.get(job.status, FAILED)


@contextmanager
def telling_how_to_go_on(engine: "Engine") -> Iterator[None]:
    """Say what becomes of the jobs that this process runs if it is told to end.

    That may come at any moment: as soon as a job is accepted its tasks run.
    """
    try:
        yield
    except Terminated:
        from localproc.engine.engine import namespace_of

        owns = namespace_of(engine).runtime.owns
        for job in engine.jobs(status=(JobStatus.ACCEPTED, JobStatus.RUNNING), limit=_ALL):
            if owns(job.record):
                click.echo(told(f"left: {job.id} goes on with 'localproc resume'"), err=True)
        raise


def watch_patiently(job: "Job", *, quiet: bool) -> None:
    """Watch a job to its end; Ctrl-C dismisses it, a second one does not wait for that."""
    try:
        watch(job, quiet=quiet)
    except KeyboardInterrupt:
        try:
            click.echo(f"dismissing {job.id} (Ctrl-C again to leave at once)", err=True)
            job.dismiss()
        except KeyboardInterrupt:
            click.echo(f"left: see it to its end with 'localproc dismiss {job.id}'", err=True)
            raise SystemExit(130) from None


def watch(job: "Job", *, quiet: bool) -> None:
    """Watch a job to its end."""
    if quiet or sys.stderr is None:
        job.wait()
    else:
        show_steps(job, sys.stderr)
