"""Commands about jobs.

Owns listing and showing them, their logs and their results. Must not know how they are run.
"""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from localproc.cli import completion as complete
from localproc.cli import remote
from localproc.cli.attending import telling_of_abandoned
from localproc.cli.log_search import search_logs
from localproc.cli.printing import print_json, print_table, seconds
from localproc.cli.remote import also_there
from localproc.cli.shared_options import json_option
from localproc.cli.show import (
    detail_lines,
    final_document,
    job_state,
    result_lines,
    row_cells,
    say_abandoned,
    show_steps,
)
from localproc.cli.site import Site
from localproc.engine.options import LAST
from localproc.errors import JobFailed
from localproc.model import JobRecord, JobStatus
from localproc.views import ogc
from localproc.views.parameters import interval

if TYPE_CHECKING:
    from localproc.engine.handles import Job
    from localproc.engine.job.steplog import StepLog


@click.command()
@click.option("--process", "processes", multiple=True, help="Of this process; repeatable.")
@click.option(
    "--status",
    "statuses",
    multiple=True,
    type=click.Choice([one.value for one in JobStatus]),
    help="In this state; repeatable.",
)
@click.option("--datetime", "when", help="Accepted then: an instant, or FROM/TO with .. for open.")
@click.option("--min-duration", type=float, help="At least so many seconds.")
@click.option("--max-duration", type=float, help="At most so many seconds.")
@click.option("--tag", help="With this tag.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True)
@click.option("--before", help="Go on after this job (the last one of a page).")
@json_option
@click.pass_obj
def jobs(
    site: Site,
    processes: tuple[str, ...],
    statuses: tuple[str, ...],
    when: str | None,
    min_duration: float | None,
    max_duration: float | None,
    tag: str | None,
    limit: int,
    before: str | None,
    as_json: bool,
) -> None:
    """List jobs, newest first."""
    since, until = interval(when)
    with site.look() as engine:
        before = before and engine.find_job(before).id
        found = engine.jobs(
            process=processes,
            status=statuses,
            since=since,
            until=until,
            min_duration=min_duration,
            max_duration=max_duration,
            tag=tag,
            limit=limit,
            before=before,
        )
    if as_json:
        print_json({"jobs": [_listed(one) for one in found], "links": []})
        return
    alone = [one for one in found if one.abandoned]
    ids = {one.id for one in alone}
    rows = [_row(one, abandoned=one.id in ids) for one in found]
    print_table(["job", "process", "status", "", "created", "took", "message"], rows)
    say_abandoned(alone)
    if len(found) == limit:
        click.echo(f"more: localproc jobs --before {found[-1].id}", err=True)


def _listed(job: "Job") -> dict[str, Any]:
    return {**ogc.status_info(job.snapshot), **({"abandoned": True} if job.abandoned else {})}


def _row(job: "Job", *, abandoned: bool) -> tuple[str, ...]:
    record = job.snapshot
    created = record.created.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    return (
        record.id,
        record.process_id,
        job_state(record, abandoned=abandoned),
        f"{record.progress} %",
        created,
        seconds(record.duration),
        _said(record),
    )


def _said(record: JobRecord) -> str:
    """Return a job's title; why it failed or was put aside is worth more than that."""
    if record.aside:
        return record.message
    if record.status is JobStatus.FAILED:
        return ": ".join(filter(None, (record.title, record.message)))
    return record.title or record.message


@click.command()
@click.argument("job", default=LAST, shell_complete=complete.jobs)
@click.option("--steps", is_flag=True, help="All of each step: command line, folder, log, memory.")
@click.option("--watch", is_flag=True, help="Show it as it goes on, until its end.")
@json_option
@also_there(remote.status, "job", "steps", "watch")
@click.pass_obj
def status(site: Site, job: str, steps: bool, watch: bool, as_json: bool) -> None:
    """Show JOB and its steps; without an id the last one.

    The instances of a scatter are one row; --steps tells all of each.
    """
    with site.look() as engine:
        found = engine.find_job(job)
        if watch:
            with telling_of_abandoned([found]):
                show_steps(found, sys.stderr)
        if as_json:
            document = final_document(found)
            print_json({**document, "steps": found.step_details()} if steps else document)
            return
        abandoned = found.abandoned
        _head(found, abandoned=abandoned)
        if steps:
            for one in found.step_details():
                click.echo("\n".join(detail_lines(one)))
        else:
            print_table(
                ["step", "status", "took", "cpu", "memory", "exit", "log"],
                map(row_cells, found.rows()),
            )
        say_abandoned([found] if abandoned else [])


def _head(job: "Job", *, abandoned: bool) -> None:
    record, expected = job.record, job.expected_end()
    state = job_state(record, abandoned=abandoned)
    click.echo(f"{record.id}  {record.process_id}  {state}  {record.progress} %")
    if record.title:
        click.echo(record.title)
    failed = record.status is JobStatus.FAILED
    click.echo(JobFailed.from_problem(job.problem) if failed else record.message)
    if expected is not None and not abandoned:
        click.echo(f"expected to end at {expected.astimezone():%H:%M:%S}, as earlier jobs did")


@click.command()
@click.argument("job", default=LAST, shell_complete=complete.jobs)
@click.argument("step", default="", shell_complete=complete.steps)
@click.option("--follow", "-f", is_flag=True, help="Go on until the step, or the job, has ended.")
@click.option(
    "--stream", type=click.Choice(["stdout", "stderr"]), help="Only what was written to this one."
)
@click.option("--search", metavar="TEXT", help="Show which logs of all jobs have these words.")
@json_option
@also_there(remote.logs, "job", "step")
@click.pass_context
def logs(
    context: click.Context,
    job: str,
    step: str,
    follow: bool,
    stream: str | None,
    search: str | None,
    as_json: bool,
) -> None:
    """Show the log of STEP of JOB; without a step, of every step.

    A step is named by its name (node_crop_2) or by that of its log file. With --follow and without
    a step, all are followed at once, each line with its step's name. --search looks through the
    logs of all jobs, newest first, for the words of TEXT: all of them, or the beginnings of words;
    what stands in double quotes is a phrase.
    """
    site: Site = context.obj
    if search is not None:
        given = context.get_parameter_source("job") is ParameterSource.COMMANDLINE
        if given or follow or stream:
            raise click.UsageError("--search looks through all jobs: it goes without JOB, --follow")
        search_logs(site, search, as_json=as_json)
        return
    with site.look() as engine:
        found = engine.find_job(job)
        if follow:
            if as_json:
                raise click.UsageError("--follow writes lines as they come: it goes without --json")
            with telling_of_abandoned([found]):
                _follow(found, step, stream)
            return
        names = [step] if step else [one.name for one in found.steps]
        if as_json:
            texts = {name: found.logs(name) for name in names}
            print_json(
                {name: {"stdout": log.stdout, "stderr": log.stderr} for name, log in texts.items()}
            )
            return
        _print_logs(found, names, stream)


def _print_logs(job: "Job", names: Sequence[str], stream: str | None) -> None:
    reused = {one.name: one.reused_from for one in job.steps if one.reused_from}
    for name in names:
        if len(names) > 1:
            click.echo(click.style(f"--- {name} ---", bold=True))
        if name in reused:
            source = f"localproc logs {reused[name]} {name}"
            click.echo(f"its outputs are those of job {reused[name]}: {source}", err=True)
        _print_log(job.logs(name), stream)


def _print_log(log: "StepLog", stream: str | None) -> None:
    """Write a log a piece at a time: it may be larger than memory."""
    last = ""
    for piece in log.pieces() if stream is None else log.pieces_of(stream):
        click.echo(piece, nl=False)
        last = piece[-1:] or last
    if last not in ("", "\n"):
        click.echo()


def _follow(job: "Job", step: str, stream: str | None) -> None:
    """Write what a step writes; without a step, what all do, each line with its step's name."""
    if step:
        before, last = "", "\n"
        for name, text in job.follow(step):
            if text and stream in (None, name):
                if last != "\n" and name != before:
                    click.echo()  # the line of the other stream has not ended
                click.echo(text, nl=False)
                before, last = name, text[-1]
        if last != "\n":
            click.echo()
        return
    for one, name, text in job.follow_all():
        if stream in (None, name):
            for line in text.splitlines():
                click.echo(f"[{one}] {line}")


@click.command()
@click.argument("job", default=LAST, shell_complete=complete.jobs)
@click.argument("output", default="")
@click.option("--download", metavar="DIR", help="Bring the files into a folder.")
@click.option("--outputs", multiple=True, metavar="NAME", help="Those of it alone; repeatable.")
@click.option(
    "--presign",
    type=click.IntRange(1, 604_800),
    metavar="SECONDS",
    help="Print URLs that anybody can read the files at for so long.",
)
@json_option
@also_there(remote.results, "job", "output", "outputs", "download")
@click.pass_obj
def results(
    site: Site,
    job: str,
    output: str,
    download: str | None,
    outputs: tuple[str, ...],
    presign: int | None,
    as_json: bool,
) -> None:
    """Print the results of JOB, or one OUTPUT of it."""
    with site.look() as engine:
        found = engine.find_job(job)
        wanted = (*outputs, *([output] if output else []))
        if download is not None or presign is not None:
            lines = [str(path) for path in found.download(download, *wanted)] if download else []
            lines += found.presigned(presign, *wanted) if presign else []
            print_json(lines) if as_json else click.echo("\n".join(lines))
            return
        if as_json:
            document = found.results_document()
            chosen = {name: found.result_document(name) for name in outputs} or document
            print_json(found.result_document(output) if output else chosen)
            return
        found.check_there(*wanted)
        values = {name: found.result(name) for name in wanted} if wanted else found.results()
        for name, value in values.items():
            for line in result_lines(name, value):
                click.echo(line)
