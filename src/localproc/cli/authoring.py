"""Commands for those who write packages.

Owns printing what is made. Must not know how packages are put together.
"""

import click

from localproc.cli import completion as complete
from localproc.cli.operands import naming
from localproc.cli.printing import write_file
from localproc.cli.site import Site


@click.command()
@click.argument("package", shell_complete=complete.files)
@click.option("--allow-remote", is_flag=True, help="Let it include remote documents.")
@click.option("--output", "-o", metavar="FILE", help="Where it goes, if not to stdout.")
@click.pass_obj
def pack(site: Site, package: str, allow_remote: bool, output: str | None) -> None:
    """Write PACKAGE as one document that can be sent: any CWL runner takes it.

    What it runs, imports and includes is put in, and the files that it names become literals;
    comments stay. What lies on the web is left there.
    """
    from localproc.engine.packages.packing import pack as packed

    with naming(package):
        text = packed(package, allow_remote=allow_remote, storage_options=site.storage_options())
    if output is None:
        click.echo(text, nl=False)
        return
    write_file(output, text)
