"""Commands that start jobs and go on with them.

Owns starting jobs that run on in the background, and resuming. Must not know how they are run.
"""

import json
import os
import subprocess
import sys
from typing import Any

import click

from localproc.cli import completion as complete
from localproc.cli import remote
from localproc.cli.app import FAILED
from localproc.cli.dismiss import owner_of, say_stopped
from localproc.cli.operands import check_named, find_process, gather_inputs
from localproc.cli.package_command import PackageCommand
from localproc.cli.printing import print_json
from localproc.cli.remote import also_there
from localproc.cli.run import exit_code, watch, watch_patiently
from localproc.cli.shared_options import engine_options, json_option, request_options
from localproc.cli.show import (
    final_document,
    show_end,
)
from localproc.cli.signals import Terminated, terminable
from localproc.cli.site import Site
from localproc.cli.told import told
from localproc.engine.detached import announced, serve_detached
from localproc.engine.handles import Job
from localproc.errors import JobPutAside
from localproc.model import JobStatus


@click.command(cls=PackageCommand)
@click.argument("process", metavar="PACKAGE|PROCESS", shell_complete=complete.processes)
@click.argument(
    "inputs", nargs=-1, metavar="[INPUTS.yml] [NAME=VALUE]...", shell_complete=complete.inputs
)
@engine_options
@request_options
@click.option("--wait", is_flag=True, help="Wait for the job's end.")
@json_option
@also_there(remote.execute, "process", "inputs", "wait", *remote.REQUEST)
@click.pass_obj
def execute(
    site: Site,
    process: str,
    inputs: tuple[str, ...],
    given: list[tuple[str, str]],
    settings: dict[str, Any],
    request: dict[str, Any],
    wait: bool,
    as_json: bool,
) -> int:
    """Start a job and print its id; it runs on in the background."""
    check_named(site, process)
    request["executor"] = settings.pop("executor")
    with site.prepare(**settings) as engine:
        found = find_process(engine, process)
        results, reuse = settings["results"], settings["reuse"]
        values = gather_inputs(found, inputs, given)
        job = found.execute(**values, results=results, reuse=reuse, **request)
        _start_runner(str(engine.home), settings)
        if not wait:
            print_json(job.status_info()) if as_json else click.echo(job.id)
            return 0
        watch_patiently(job, quiet=as_json)
        print_json(final_document(job)) if as_json else show_end(job)
        return exit_code(job)


def _start_runner(home: str, settings: dict[str, Any]) -> None:
    """Have a process in the background run what nobody runs; it goes when nothing is left."""
    command = [sys.executable, "-m", "localproc", "--home", home, "resume"]
    for name in ("slots", "cores", "ram", "offline", "validate_results"):
        command += [f"--{name.replace('_', '-')}", str(settings[name])]
    if settings["work"]:
        command += ["--work", os.path.abspath(settings["work"])]
    for name in ("images", "pull"):
        if settings[name]:
            command += [f"--{name}", settings[name]]
    for image, target in settings["container_map"].items():
        command += ["--container-map", f"{image}={target}"]
    for executor, options in settings["executor_options"].items():
        for key, value in options.items():
            command += ["--executor-option", f"{executor}.{key}={json.dumps(value)}"]
    command += [f"--{name}" for name in ("keep", "build") if settings[name]]
    with open(os.devnull, "r+b") as nothing, announced(home) as arrival:
        subprocess.Popen(
            [*command, "--arrival", str(arrival)],
            stdin=nothing,
            stdout=nothing,
            stderr=nothing,
            start_new_session=True,
            pass_fds=(arrival,),
        )


@click.command()
@engine_options
@click.option("--arrival", type=int, hidden=True)
@json_option
@click.pass_obj
def resume(site: Site, settings: dict[str, Any], arrival: int | None, as_json: bool) -> int:
    """Go on with the jobs that nobody runs, and wait for their end.

    Steps that had ended are not run again; tasks that still run are taken over. Ctrl-C leaves the
    jobs to the next one who resumes them.
    """
    if arrival is not None:
        serve_detached(site.home, settings, arrival)
        return 0
    site.check()
    with terminable(), site.open(**settings) as engine:
        found = engine.resume()
        try:
            for job in found:
                if (pid := owner_of(job, engine)) is not None:
                    say_stopped(job, pid)
                _go_on(job, quiet=as_json)
        except KeyboardInterrupt:
            click.echo(told("left: go on with 'localproc resume'"), err=True)
            raise SystemExit(130) from None
        except Terminated:
            click.echo(told("left: go on with 'localproc resume'"), err=True)
            raise
        if as_json:
            print_json({"jobs": [final_document(job) for job in found]})
        elif not found:
            click.echo("there is nothing to resume")
        ended_badly = (job.status is JobStatus.FAILED or job.record.aside for job in found)
        return FAILED if any(ended_badly) else 0


def _go_on(job: Job, *, quiet: bool) -> None:
    """Watch a job to its end, or until it turns out that nobody can go on with it."""
    try:
        watch(job, quiet=quiet)
    except JobPutAside as error:
        click.echo(str(error), err=True)
        return
    if not quiet:
        click.echo(f"{job.id}: {job.status}")
