"""``localproc backup`` and ``localproc restore``: a whole copy of a home, and the way back.

Owns their words. Must not know what a home is made of.
"""

import click

from localproc.cli.printing import print_json
from localproc.cli.shared_options import json_option
from localproc.cli.site import Site


@click.command()
@click.argument("folder", type=click.Path())
@json_option
@click.pass_obj
def backup(site: Site, folder: str, as_json: bool) -> None:
    """Copy the home into FOLDER, a new one; jobs may be running meanwhile.

    Results that are published outside of the home are not in the copy.
    """
    with site.look() as engine:
        engine.backup(folder)
        home = str(engine.home)
    if as_json:
        print_json({"home": home, "backup": folder})
    else:
        click.echo(f"{home} is copied to {folder}")


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False))
@json_option
@click.pass_obj
def restore(site: Site, folder: str, as_json: bool) -> None:
    """Make the home out of the backup in FOLDER; there must be no home there.

    Jobs that had not ended are put aside while the home that they belong to is still there; else
    the next engine goes on with them.
    """
    from localproc.engine.home.backup import restore as restore_home
    from localproc.engine.home.cwd import absolute_home
    from localproc.engine.home.home import Home

    home = Home(absolute_home(site.home))
    restore_home(folder, home)
    if as_json:
        print_json({"home": home.path, "backup": folder})
    else:
        click.echo(f"{home.path} is restored from {folder}")
