"""What ``localproc schedule`` and ``localproc subscription`` have in common.

Owns the commands that take a name and nothing else. Must not know what triggers are.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import click

from localproc.cli.site import Site
from localproc.engine.triggers.kept import KeptTriggers


def add_commands(group: click.Group, kind: str, kept_by: Callable[[Any], KeptTriggers]) -> None:
    """Add ``enable``, ``disable`` and ``remove``; ``kept_by`` gives what an engine has of it."""

    def command(name: str, summary: str, do: Callable[[KeptTriggers, str], object]) -> None:
        @group.command(name, help=summary)
        @click.argument("name")
        @click.pass_obj
        def run(site: Site, name: str) -> None:
            with site.look() as engine:
                do(kept_by(engine), name)

    command("enable", f"Have a {kind} set something off from now on.", lambda one, n: one.enable(n))
    command("disable", f"Have a {kind} set nothing off any more.", lambda one, n: one.disable(n))
    command("remove", f"Forget a {kind}; its jobs stay.", lambda one, n: one.remove(n))


def shown_time(moment: datetime) -> str:
    """Return a time as people here read it, with its zone: schedules have zones of their own."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")
