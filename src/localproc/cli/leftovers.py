"""What is left on this machine of homes that are gone.

Owns asking all executors for it, and removing containers after asking. Must not know how they look.
"""

import sys

import click

from localproc.cli.printing import print_json
from localproc.cli.told import told
from localproc.errors import LocalprocError
from localproc.plugins.executor import Leftover
from localproc.plugins.manager import PluginManager


def found() -> tuple[list[Leftover], list[tuple[str, str]]]:
    """Return all that is left, and why that is not known of some executors, with hints."""
    there: list[Leftover] = []
    unknown = []
    for each in PluginManager().executors():
        try:
            there += each.leftovers()
        except LocalprocError as error:
            unknown.append((f"what {each.name} has is not known: {error.message}", error.hint))
    return there, unknown


def remove_containers(*, dry_run: bool, yes: bool, as_json: bool) -> bool:
    """Tell which containers are left, then remove them if that is wanted.

    Return whether all that may have some have been asked.
    """
    everything, unknown = found()
    there = [one for one in everything if one.containers]
    if not as_json:
        for one in there:
            click.echo(one.said)
        if not (there or unknown):
            click.echo("no containers of homes that are gone")
    for said, hint in unknown:
        click.echo(f"{said}\n  hint: {told(hint)}", err=True)
    goes = bool(there) and not dry_run and is_sure(yes)
    for one in there if goes else ():
        one.end()
    if as_json:
        print_json({"removed": goes, "containers": [one.said for one in there]})
    elif goes:
        click.echo("removed")
    elif there and not dry_run:
        click.echo("nothing was removed; --yes does so without asking", err=True)
    return not unknown


def is_sure(yes: bool) -> bool:
    """Ask on a terminal; elsewhere only ``--yes`` will do."""
    if yes or sys.stdin is None or not sys.stdin.isatty():
        return yes
    return click.confirm("remove them?", err=True)
