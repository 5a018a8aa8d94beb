"""Commands that keep a home in order: ``prune``, ``rm``, ``du``.

Owns what is told before anything goes, and asking. Must not know how it is removed.
"""

from collections.abc import Iterable
from typing import Any

import click

from localproc.cli import completion as complete
from localproc.cli import leftovers
from localproc.cli.app import ENVIRONMENT, FAILED
from localproc.cli.printing import count, human_size, print_json, print_table
from localproc.cli.shared_options import json_option, yes_option
from localproc.cli.site import Site
from localproc.engine.upkeep.prune import Pruned
from localproc.model import JobStatus

_ENDED = [one.value for one in JobStatus if one.final]
_SHOWN = 20


@click.command()
@click.option("--older-than", metavar="AGE", default="0s", help="Ended so long ago: 30d, 12h, 2w.")
@click.option("--larger-than", metavar="SIZE", default="0", help="With a larger folder: 500M, 1G.")
@click.option("--status", multiple=True, type=click.Choice(_ENDED), help="Ended so; repeatable.")
@click.option("--process", multiple=True, help="Of this process; repeatable.")
@click.option(
    "--keep-last",
    type=click.IntRange(0),
    default=0,
    metavar="N",
    help="But not the newest N of each process.",
)
@click.option("--results", is_flag=True, help="With what they have published.")
@click.option(
    "--cache", metavar="SIZE", help="Outputs kept for reuse down to this size, least used first."
)
@click.option(
    "--containers", is_flag=True, help="Not jobs, but the containers of homes that are gone."
)
@click.option("--dry-run", is_flag=True, help="Only tell what would go.")
@yes_option
@json_option
@click.pass_obj
def prune(
    site: Site, /, containers: bool, dry_run: bool, yes: bool, as_json: bool, **options: Any
) -> int:
    """Forget jobs that have ended, with their logs and folders; results stay unless --results.

    First it tells which ones, and what the disk has back. Then it asks; where nobody can be asked,
    nothing goes without --yes. Jobs that a job which has not ended needs stay.
    """
    if containers:
        _refuse_typed(options)
        all_known = leftovers.remove_containers(dry_run=dry_run, yes=yes, as_json=as_json)
        return 0 if all_known else ENVIRONMENT
    chosen = {name: value for name, value in options.items() if value is not None}
    with site.look() as engine:
        found = engine.prune(dry_run=True, **chosen)
        if not as_json:
            _tell(found)
        any_goes = bool(found.jobs or found.remains or "cache" in chosen)
        goes = any_goes and not dry_run and leftovers.is_sure(yes)
        if goes:
            found = engine.prune(among={one.job.id for one in found.jobs}, **chosen)
    if as_json:
        print_json(_document(found, removed=goes))
    elif goes:
        for job_id, reason in found.failed.items():
            click.echo(f"{job_id} stays: {reason}", err=True)
        click.echo(f"{count(len(found.jobs), 'job')} removed")
    elif any_goes and not dry_run:
        click.echo("nothing was removed; --yes does so without asking", err=True)
    return FAILED if found.failed else 0


def _tell(found: Pruned) -> None:
    """Tell what goes."""
    rows = [
        (
            one.job.id,
            one.job.process_id,
            one.job.status.value,
            (one.job.finished or one.job.updated).astimezone().strftime("%Y-%m-%d %H:%M:%S"),
            human_size(one.size),
        )
        for one in found.jobs[:_SHOWN]
    ]
    if rows:
        print_table(["job", "process", "status", "ended", "size"], rows)
    if len(found.jobs) > _SHOWN:
        click.echo(f"... and {len(found.jobs) - _SHOWN} more")
    if found.needed:
        click.echo(f"{count(len(found.needed), 'job')} needed by jobs that have not ended: kept")
    if found.remains:
        click.echo(f"results of {count(len(found.remains), 'job')} that were left when they ended")
    click.echo(f"{count(len(found.jobs), 'job')}, {human_size(found.size)} to be freed")


def _document(found: Pruned, *, removed: bool) -> dict[str, Any]:
    jobs = [
        {"jobID": one.job.id, "processID": one.job.process_id, "size": one.size}
        for one in found.jobs
    ]
    return {
        "removed": removed,
        "jobs": jobs,
        "size": found.size,
        "needed": found.needed,
        "remains": found.remains,
        "failed": found.failed,
    }


def _refuse_typed(options: Iterable[str]) -> None:
    """Raise ``UsageError`` for what was typed and chooses among jobs."""
    context = click.get_current_context()
    for name in options:
        if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            raise click.UsageError(
                f"--{name.replace('_', '-')} chooses jobs: --containers has none"
            )


@click.command()
@click.argument("job_ids", nargs=-1, required=True, metavar="JOB...", shell_complete=complete.jobs)
@click.option("--results", is_flag=True, help="With what they have published.")
@json_option
@click.pass_obj
def rm(site: Site, job_ids: tuple[str, ...], results: bool, as_json: bool) -> int:
    """Forget jobs that have ended, with their logs and folders; results stay unless --results."""
    with site.look() as engine:
        found = dict.fromkeys(engine.find_job(job_id).id for job_id in job_ids)
        gone = {job_id: engine.delete(job_id, results=results) for job_id in found}
    if as_json:
        print_json({"removed": [job_id for job_id, is_gone in gone.items() if is_gone]})
        return 0 if all(gone.values()) else FAILED
    for job_id, is_gone in gone.items():
        said = "removed" if is_gone else f"has not ended: localproc dismiss {job_id} stops it"
        click.echo(f"{job_id}: {said}", err=not is_gone)
    return 0 if all(gone.values()) else FAILED


@click.command()
@click.argument("job_ids", nargs=-1, metavar="[JOB]...", shell_complete=complete.jobs)
@json_option
@click.pass_obj
def du(site: Site, job_ids: tuple[str, ...], as_json: bool) -> None:
    """Tell what the home takes on the disk, part by part; of JOBs, what each one does."""
    with site.look() as engine:
        jobs = [engine.find_job(job_id) for job_id in job_ids]
        found = {job.id: job.usage() for job in jobs} or engine.usage()
    if as_json:
        print_json(found)
        return
    if jobs:
        rows = [
            (name, *(human_size(value) for value in sizes.values()))
            for name, sizes in found.items()
            if isinstance(sizes, dict)
        ]
        print_table(["job", "folder", "results"], rows)
        return
    parts = {name: size for name, size in found.items() if isinstance(size, int)}
    rows = [(name, human_size(size)) for name, size in (*parts.items(), ("", sum(parts.values())))]
    print_table(["part", "size"], rows)
