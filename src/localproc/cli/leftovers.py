"""What is left on this machine of homes that are gone.

Owns asking all executors for it, and removing containers after asking. Must not know how they look.
"""

import sys

import click

from localproc.cli.printing import print_json
from localproc.plugins.executor import Leftover
from localproc.plugins.manager import PluginManager


def found() -> list[Leftover]:
    """Return all that is left."""
    return [one for each in PluginManager().executors() for one in each.leftovers()]


def remove_containers(*, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Tell which containers are left, then remove them if that is wanted."""
    there = [one for one in found() if one.containers]
    if not as_json:
        for one in there:
            click.echo(one.said)
        if not there:
            click.echo("no containers of homes that are gone")
    goes = bool(there) and not dry_run and is_sure(yes)
    for one in there if goes else ():
        one.end()
    if as_json:
        print_json({"removed": goes, "containers": [one.said for one in there]})
    elif goes:
        click.echo("removed")
    elif there and not dry_run:
        click.echo("nothing was removed; --yes does so without asking", err=True)


def is_sure(yes: bool) -> bool:
    """Ask on a terminal; elsewhere only ``--yes`` will do."""
    if yes or sys.stdin is None or not sys.stdin.isatty():
        return yes
    return click.confirm("remove them?", err=True)
