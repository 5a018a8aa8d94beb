"""``localproc report``: a job to keep and to send.

Owns where it is written. Must not know what is in it.
"""

import click

from localproc.cli import completion as complete
from localproc.cli.printing import write_file
from localproc.cli.site import Site
from localproc.engine.options import LAST


@click.command()
@click.argument("job", default=LAST, shell_complete=complete.jobs)
@click.option("--output", "-o", metavar="FILE", help="Where it goes; - is stdout.")
@click.option("--crate", metavar="FILE.zip|DIR", help="Write an RO-Crate instead.")
@click.option("--resources", is_flag=True, help="Print what its tools took, to ask for, instead.")
@click.pass_obj
def report(site: Site, job: str, output: str | None, crate: str | None, resources: bool) -> None:
    """Write JOB (by default the last one) as one HTML page, which needs nothing else.

    It is written to JOB.html here. --crate writes an RO-Crate: the package, the results, the
    report and where all comes from. --resources prints the measured peaks of each tool as a
    ResourceRequirement.
    """
    if sum(map(bool, (output, crate, resources))) > 1:
        raise click.UsageError("--output, --crate and --resources do not go together")
    with site.look() as engine:
        found = engine.find_job(job)
        if resources:
            from localproc.views.measured import as_yaml

            click.echo(as_yaml(found.measured()), nl=False)
            return
        if crate:
            click.echo(found.crate(crate))
            return
        text = found.report()
    if output == "-":
        click.echo(text, nl=False)
        return
    path = output or f"{found.id}.html"
    write_file(path, text)
    click.echo(path)
