"""``localproc executions``: jobs as the execution log tells of them.

Owns the list and the single entry on a terminal. Must not know how entries are made.
"""

from collections.abc import Mapping
from typing import Any

import click

from localproc.cli import completion as complete
from localproc.cli.printing import print_json, print_table
from localproc.cli.shared_options import json_option
from localproc.cli.site import Site
from localproc.engine.options import LAST
from localproc.views.parameters import bounds


@click.group(invoke_without_command=True)
@click.option("--process", "processes", multiple=True, help="Of this process; repeatable.")
@click.option("--since", help="Accepted then or later: a date, or a time in UTC.")
@click.option("--until", help="Accepted then or earlier.")
@click.option("--failed", is_flag=True, help="Only those that failed or were dismissed.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True)
@click.option("--before", help="Go on after this execution (the last one of a page).")
@json_option
@click.pass_context
def executions(
    context: click.Context,
    processes: tuple[str, ...],
    since: str | None,
    until: str | None,
    failed: bool,
    limit: int,
    before: str | None,
    as_json: bool,
) -> None:
    """List jobs as executions with their phases, newest first."""
    if context.invoked_subcommand is not None:
        if processes or since or until or failed or before or as_json:
            raise click.UsageError("options of the list go without a further command")
        return
    first, last = bounds(since, until, ("--since", "--until"))
    with context.obj.look() as engine:
        before = before and engine.find_job(before).id
        found = engine.executions(
            process=processes, since=first, until=last, failed=failed, limit=limit, before=before
        )
    if as_json:
        print_json(found)
        return
    print_table(
        ["execution", "name", "status", "trigger", "start", "end", "message"], map(_row, found)
    )
    if len(found) == limit:
        click.echo(f"more: localproc executions --before {found[-1]['_id']}", err=True)


def _row(one: Mapping[str, Any]) -> tuple[str, ...]:
    members = ("_id", "name", "status", "trigger", "start", "end", "message")
    return tuple(one.get(member, "") for member in members)


@executions.command()
@click.argument("execution", default=LAST, shell_complete=complete.jobs)
@json_option
@click.pass_obj
def show(site: Site, execution: str, as_json: bool) -> None:
    """Show EXECUTION and its phases; without an id the last one."""
    with site.look() as engine:
        found = engine.find_job(execution).execution()
    if as_json:
        print_json(found)
        return
    click.echo(f"{found['_id']}  {found['name']}  {found['status']}  {found['trigger']}")
    click.echo(found["message"])
    if found["loaderMessage"]:
        click.echo(found["loaderMessage"])
    print_table(
        ["phase", "status", "start", "end", "message"],
        [
            tuple(phase.get(member, "") for member in ("name", "status", "start", "end", "message"))
            for phase in found["phases"]
        ],
    )
