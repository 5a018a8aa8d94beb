"""``localproc shell``: in the place of a step.

Owns what is told before it opens, and that Ctrl-C is the shell's. Must not know how it is opened.
"""

import click

from localproc.cli import completion as complete
from localproc.cli.shared_options import images_option
from localproc.cli.signals import ignoring_interrupts
from localproc.cli.site import Site


@click.command()
@click.argument("job", shell_complete=complete.jobs)
@click.argument("step", shell_complete=complete.steps)
@click.argument("command", nargs=-1, metavar="[-- COMMAND...]", type=click.UNPROCESSED)
@images_option()
@click.pass_obj
def shell(site: Site, job: str, step: str, command: tuple[str, ...], images: str | None) -> int:
    """Open a shell in the folder of STEP of JOB, with its environment, and in its container.

    With -- COMMAND it runs that and returns its exit code. Steps of a job that failed have their
    folders until it is pruned, those of one that succeeded only if it was run with --keep.

    The environment is worked out as the step's was; secrets are given if they can be had now, and
    are written nowhere.
    """
    with site.look(images=images) as engine, engine.find_job(job).shell(step, command) as opened:
        for note in opened.notes:
            click.echo(note, err=True)
        if not command:
            click.echo(f"a shell in {opened.folder}; leave it with exit", err=True)
        with ignoring_interrupts():
            return opened.run()
