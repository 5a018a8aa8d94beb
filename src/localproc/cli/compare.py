"""``localproc compare``: the same job here and at a server.

Owns what is printed and the exit code. Must not know what counts as the same.
"""

import click

from localproc.cli import completion as complete
from localproc.cli.app import FAILED
from localproc.cli.printing import count, print_json
from localproc.cli.remote import token_option
from localproc.cli.shared_options import json_option
from localproc.cli.site import Site


@click.command()
@click.argument("job", shell_complete=complete.jobs)
@click.argument("url")
@token_option
@click.option("--tolerance", type=float, default=0, help="How far numbers and pixels may differ.")
@json_option
@click.pass_obj
def compare(site: Site, job: str, url: str, token: str, tolerance: float, as_json: bool) -> int:
    """Run the inputs of JOB at the server URL too, and compare the results.

    A process that is not there is deployed. Rasters are compared by their pixels, STAC items field
    by field, other files by their bytes. The exit code is 1 if anything differs.
    """
    from localproc.remote import Server
    from localproc.remote.comparing import differences, run_there

    with site.look() as engine, Server(url, token) as server:
        found = engine.find_job(job)
        found.results()  # raises why there are none, before anything is run
        there = run_there(found, server)
        wrong = differences(found, server, there, tolerance)
        names = list(found.results())
    if as_json:
        said = {"job": found.id, "there": there.get("jobID", ""), "differences": wrong}
        print_json({**said, "same": not wrong})
    else:
        for one in wrong:
            click.echo(one)
        click.echo(
            f"{count(len(wrong), 'difference')} in {count(len(names), 'output')} "
            f"of {found.id} and {there.get('jobID', 'its run')} at {server.url}"
        )
    return FAILED if wrong else 0
