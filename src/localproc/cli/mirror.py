"""``localproc mirror``: inputs that are there without a network.

Owns the command line of it. Must not know where or how they are kept.
"""

import click

from localproc.cli.printing import count, print_json, print_table
from localproc.cli.shared_options import container_options, json_option
from localproc.cli.site import Site

_images = click.option("--no-images", is_flag=True, help="Leave images of containers out.")


@click.group()
def mirror() -> None:
    """Keep inputs for where there is no network.

    What is mirrored is used by "--offline always" and "--offline auto", and is never removed to
    make room.
    """


@mirror.command()
@click.argument("what", metavar="URL|JOB...", nargs=-1, required=True)
@click.pass_obj
def add(site: Site, what: tuple[str, ...]) -> None:
    """Bring what lies at URLs, or all that jobs have read.

    Of a STAC item its assets are brought too, of a prefix (s3://bucket/folder) all below it.
    """
    with site.prepare() as engine:
        for one in what:
            is_uri = "://" in one
            found = engine.mirror.add(one if is_uri else engine.find_job(one), click.echo)
            click.echo(f"{one}: {count(found, 'new object')}")


@mirror.command("list")
@json_option
@click.pass_obj
def list_(site: Site, *, as_json: bool) -> None:
    """List what is mirrored."""
    with site.look() as engine:
        found = list(engine.mirror)
    if as_json:
        print_json([{"uri": one.uri, "size": one.size, "sha256": one.sha256} for one in found])
    else:
        print_table(("bytes", "uri"), [(str(one.size), one.uri) for one in found])


@mirror.command()
@click.pass_context
def verify(context: click.Context) -> None:
    """Read every byte of what is mirrored; exit with 1 if any is not what it was."""
    site: Site = context.obj
    with site.look() as engine:
        wrong = engine.mirror.verify()
        number = sum(1 for _ in engine.mirror)
    for uri, said in wrong.items():
        click.echo(f"{uri}: {said}")
    click.echo(f"{count(number, 'object')}, {len(wrong)} damaged")
    if wrong:
        context.exit(1)


@mirror.command()
@click.argument("urls", metavar="URL...", nargs=-1, required=True)
@click.pass_obj
def remove(site: Site, urls: tuple[str, ...]) -> None:
    """Mirror something no longer."""
    with site.look() as engine:
        for uri in urls:
            engine.mirror.remove(uri)


@mirror.command("export")
@click.argument("file", type=click.Path(dir_okay=False))
@click.option(
    "--job", "jobs", multiple=True, metavar="JOB", help="A job to take along; repeatable."
)
@_images
@container_options
@click.pass_obj
def export_(
    site: Site,
    file: str,
    jobs: tuple[str, ...],
    no_images: bool,
    containers: str,
    folder: str | None,
) -> None:
    """Write all that is mirrored to a file, to be imported on another machine.

    With a job go its package, its inputs, and the images that it ran in.
    """
    with site.look(containers=containers, images=folder) as engine:
        engine.mirror.export(file, [engine.find_job(one) for one in jobs], images=not no_images)
        number = sum(1 for _ in engine.mirror)
    click.echo(f"{file}: {count(number, 'object')}, {count(len(jobs), 'job')}")


@mirror.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@_images
@container_options
@click.pass_obj
def import_(site: Site, file: str, no_images: bool, containers: str, folder: str | None) -> None:
    """Take in a file that "mirror export" has written; packages in it are deployed.

    Images in it are loaded.
    """
    with site.prepare(containers=containers, images=folder) as engine:
        jobs = engine.mirror.take_in(file, images=not no_images)
        number = sum(1 for _ in engine.mirror)
    click.echo(f"{file}: {count(number, 'object')} mirrored, {count(len(jobs), 'job')}")
    for job in jobs:
        click.echo(f"localproc run --offline always {job.process_id} {job.inputs}")
