"""Commands that people are told of.

Owns naming the home in them that was named before the command, where it is not the one that they
would have by themselves. Must not know what is told.
"""

import os
import re
import shlex
from functools import cache

import click

from localproc.cli.command_list import COMMANDS
from localproc.cli.site import Site


def told(text: str) -> str:
    """Return a text whose commands of localproc have the home of the command that tells it."""
    context = click.get_current_context(silent=True)
    site = context.find_root().obj if context is not None else None
    if not isinstance(site, Site) or not site.is_named or "localproc " not in text:
        return text
    named = f"localproc --home {shlex.quote(os.path.abspath(site.home))} "
    return _commands().sub(lambda _: named, text)


@cache
def _commands() -> re.Pattern[str]:
    return re.compile(rf"(?<![\w./-])localproc (?=(?:{'|'.join(COMMANDS)})\b)")
