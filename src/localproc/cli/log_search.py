"""``localproc logs --search``.

Owns how what was found is shown on a terminal. Must not know how it is found.
"""

import click

from localproc.cli.printing import print_json
from localproc.cli.site import Site
from localproc.views.found_lines import found_document


def search_logs(site: Site, text: str, *, as_json: bool) -> None:
    """Show which logs of all jobs have the words of a text."""
    with site.look() as engine:
        found = engine.search_logs(text)
    if as_json:
        print_json(found_document(found))
        return
    for one in found.logs:
        job = one.job
        head = f"{job.id} {one.step}"
        click.echo(f"{click.style(head, bold=True)}  {job.process_id}, {job.status.value}")
        for line in one.lines:
            click.echo(f"  {line}")
    if not found.logs:
        click.echo("no log has that", err=True)
    if found.unread:
        click.echo(f"the logs of {found.unread} older jobs are read by further searches", err=True)
