"""``localproc dismiss``: stopping jobs, whoever runs them.

Owns what is said when their ends are long in coming. Must not know how jobs are stopped.
"""

from typing import Final

import click

from localproc.api import Engine
from localproc.cli import completion as complete
from localproc.cli import remote
from localproc.cli.printing import print_json
from localproc.cli.remote import also_there
from localproc.cli.shared_options import json_option
from localproc.cli.site import Site
from localproc.engine.engine import namespace_of
from localproc.engine.handles import Job

_PATIENCE: Final = 2.0  #: seconds after which it is said who is waited for


@click.command()
@click.argument("job_ids", nargs=-1, required=True, metavar="JOB...", shell_complete=complete.jobs)
@json_option
@also_there(remote.dismiss, "job_ids")
@click.pass_obj
def dismiss(site: Site, job_ids: tuple[str, ...], as_json: bool) -> None:
    """Stop jobs, and all that they have started, whoever runs them."""
    site.check()
    with site.open(adopt=False) as engine:
        found = [engine.find_job(job_id) for job_id in job_ids]
        for job in found:
            job.dismiss(wait=False)
        for job in found:
            _wait(job, engine)
            if not as_json:
                click.echo(f"{job.id}: {job.status}")
        if as_json:
            print_json({"jobs": [job.status_info() for job in found]})


def _wait(job: Job, engine: Engine) -> None:
    """Wait for a job's end; say who is to bring it about if that takes long."""
    try:
        job.wait(_PATIENCE)
    except TimeoutError:
        pid = owner_of(job, engine)
        if pid is not None and not job.status.final and not say_stopped(job, pid):
            said = f"process {pid}, which runs it, has not ended it yet"
            click.echo(f"{job.id}: {said}", err=True)
        job.wait()


def owner_of(job: Job, engine: Engine) -> int | None:
    """Return the process that runs a job, if one does."""
    return dict(namespace_of(engine).alive()).get(job.record.owner or "")


def say_stopped(job: Job, pid: int) -> bool:
    """Say so if the process that runs a job is stopped, so that nothing will come of waiting."""
    import psutil

    try:
        stopped = psutil.Process(pid).status() == psutil.STATUS_STOPPED
    except psutil.Error:
        return False
    if stopped:
        said = f"process {pid}, which runs it, is stopped: go on with fg, or kill -CONT {pid}"
        click.echo(f"{job.id}: {said}", err=True)
    return stopped
