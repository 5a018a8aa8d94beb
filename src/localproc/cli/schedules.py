"""``localproc schedule``: processes that are run at certain times.

Owns the words of that command. Must not know when anything is due.
"""

import time
from typing import Any, Final

import click

from localproc.cli import completion as complete
from localproc.cli.operands import check_named, find_process, gather_inputs
from localproc.cli.printing import print_json, print_table
from localproc.cli.shared_options import engine_options, json_option, request_options
from localproc.cli.signals import Terminated, terminable
from localproc.cli.site import Site
from localproc.cli.trigger_commands import add_commands, shown_time
from localproc.engine.engine import namespace_of
from localproc.engine.triggers.schedule import MISSED, OVERLAP
from localproc.engine.triggers.schedules import Scheduled

#: Seconds between looks whether jobs are still run. A signal that comes just before a sleep is seen
#: after it, so that one must not be long.
_LOOK: Final = 1.0


@click.group()
def schedule() -> None:
    """Run processes at certain times.

    A server (localproc serve) or localproc schedule run sees to them.
    """


@schedule.command()
@click.argument("process", metavar="PACKAGE|PROCESS", shell_complete=complete.processes)
@click.argument("cron")
@click.argument(
    "inputs", nargs=-1, metavar="[INPUTS.yml] [NAME=VALUE]...", shell_complete=complete.inputs
)
@click.option("--name", default="", help="What it is called; as its process unless given.")
@click.option("--timezone", default="UTC", show_default=True, help="Whose clock CRON reads.")
@click.option(
    "--day-off",
    "days_off",
    multiple=True,
    metavar="DAY|FILE",
    help="2026-12-25, 12-25, SUN, or a file with such lines or an iCalendar; repeatable.",
)
@click.option(
    "--missed",
    type=click.Choice(MISSED),
    default="once",
    show_default=True,
    help="What to do about times when nobody was there.",
)
@click.option("--tolerance", type=float, default=30, help="Seconds after which one is missed.")
@click.option(
    "--overlap",
    type=click.Choice(OVERLAP),
    default="allow",
    show_default=True,
    help="What to do while the job before has not ended.",
)
@click.option("--job-retries", type=int, default=0, help="How often a job that fails is run again.")
@click.option("--delay", type=float, default=60, help="Seconds between these.")
@click.option("--reschedule", type=float, default=0, help="Once more so many seconds after them.")
@click.option("--results", default="", metavar="DIR|URI", help="Where results are published.")
@click.option("--executor", default="", help="Who runs its tasks.")
@click.option("--disabled", is_flag=True, help="Set nothing off until it is enabled.")
@click.option("--replace", is_flag=True, help="Replace the one of the same name.")
@request_options
@json_option
@click.pass_obj
def add(
    site: Site,
    /,
    process: str,
    cron: str,
    inputs: tuple[str, ...],
    name: str,
    results: str,
    executor: str,
    disabled: bool,
    replace: bool,
    request: dict[str, Any],
    as_json: bool,
    job_retries: int,
    **members: Any,
) -> None:
    """Run PROCESS whenever CRON says so.

    CRON has five fields ("30 16 * * MON-FRI"), or six or seven as in Quartz, seconds first
    ("0 30 16 ? * MON-FRI"). L, W and # are understood.
    """
    check_named(site, process)
    request.pop("reason", None)
    kept = {**request, "results": results, "executor": executor}
    with site.prepare() as engine:
        found = find_process(engine, process)
        given = gather_inputs(found, inputs)
        values = given.pop("inputs")
        options = {**given, **{key: value for key, value in kept.items() if value}}
        added = engine.schedules.add(
            found.id,
            cron,
            values,
            name=name,
            replace_it=replace,
            enabled=not disabled,
            options=options,
            retries=job_retries,
            **members,
        )
        _show(added, as_json=as_json)


@schedule.command("list")
@json_option
@click.pass_obj
def list_schedules(site: Site, as_json: bool) -> None:
    """List schedules."""
    with site.look() as engine:
        found = engine.schedules.all()
        if as_json:
            print_json({"schedules": [one.to_data() for one in found]})
            return
        print_table(["schedule", "process", "cron", "time zone", "next"], map(_row, found))


@schedule.command()
@click.argument("name")
@json_option
@click.pass_obj
def show(site: Site, name: str, as_json: bool) -> None:
    """Show a schedule, its next times, and what became of the last ones."""
    with site.look() as engine:
        found = engine.schedules.get(name)
        _show(found, as_json=as_json)
        if as_json:
            return
        fired = engine.schedules.history(name)
        if fired:
            rows = [(shown_time(one.due), str(one.attempt), one.job_id, one.said) for one in fired]
            print_table(["due", "attempt", "job", ""], rows)


add_commands(schedule, "schedule", lambda engine: engine.schedules)


@schedule.command()
@engine_options
@click.pass_obj
def run(site: Site, settings: dict[str, Any]) -> None:
    """See to all schedules of the home until Ctrl-C; jobs that run then go on.

    Any number of these, and of servers, may run: one sees to schedules, the others stand by.
    """
    with terminable(), site.open(**settings) as engine:
        namespace_of(engine).stand_by()
        engine.run_triggers()
        click.echo(f"schedules of {engine.home} are seen to; Ctrl-C ends it")
        try:
            while True:
                time.sleep(_LOOK)
                namespace_of(engine).check()
        except (KeyboardInterrupt, Terminated):
            engine.close()


def _show(found: Scheduled, *, as_json: bool) -> None:
    if as_json:
        print_json(found.to_data())
        return
    one = found.schedule
    state = "" if one.enabled else "  (disabled)"
    click.echo(f"{one.name}: {one.process} at {one.cron}, {one.timezone}{state}")
    for due in found.next_runs():
        click.echo(f"  {due:%a %Y-%m-%d %H:%M:%S %Z}")


def _row(found: Scheduled) -> tuple[str, ...]:
    one = found.schedule
    due = "disabled" if not one.enabled else shown_time(found.due) if found.due else "never"
    return one.name, one.process, one.cron, one.timezone, due
