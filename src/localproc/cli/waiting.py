"""``localproc wait``: for scripts that go on when jobs have ended.

Owns the exit code of several jobs. Must not know how jobs are run.
"""

import time

import click

from localproc.cli import completion as complete
from localproc.cli.app import ENVIRONMENT, code_of
from localproc.cli.attending import telling_of_abandoned
from localproc.cli.printing import print_json
from localproc.cli.run import exit_code
from localproc.cli.shared_options import json_option
from localproc.cli.show import final_document, job_state
from localproc.cli.site import Site
from localproc.engine.options import LAST
from localproc.errors import JobPutAside


@click.command()
@click.argument("job_ids", nargs=-1, metavar="[JOB]...", shell_complete=complete.jobs)
@click.option("--timeout", type=float, help="Give up after so many seconds (exit code 4).")
@json_option
@click.pass_obj
def wait(site: Site, job_ids: tuple[str, ...], timeout: float | None, as_json: bool) -> int:
    """Wait until JOBs have ended, whoever runs them; without an id for the last one.

    The exit code is that of the first one that did not end well.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    with site.look() as engine:
        jobs = [engine.find_job(job_id) for job_id in job_ids or (LAST,)]
        codes = []
        with telling_of_abandoned(jobs):
            for job in jobs:
                left = None if deadline is None else max(0.0, deadline - time.monotonic())
                try:
                    codes.append(exit_code(job.wait(left)))
                except TimeoutError:
                    codes.append(ENVIRONMENT)
                except JobPutAside as error:
                    click.echo(str(error), err=True)
                    codes.append(code_of(error))
                if not as_json:
                    click.echo(f"{job.id}: {job_state(job.record, abandoned=job.abandoned)}")
        if as_json:
            print_json({"jobs": [final_document(job) for job in jobs]})
    return next((code for code in codes if code), 0)
