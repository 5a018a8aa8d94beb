"""Commands about container images: what is here, and moving them to machines without a network.

Owns listing, pulling, loading and saving them. Must not know how any runtime keeps images.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

import click

from localproc.cli import completion as complete
from localproc.cli.operands import is_document, read_process
from localproc.cli.printing import print_json, print_table
from localproc.cli.shared_options import container_options, json_option, offline_option
from localproc.cli.site import Site
from localproc.cli.told import told
from localproc.engine.container_runtimes import NONE, Containers
from localproc.engine.image_sources import bring, local_file
from localproc.engine.packages.images import Named, looked_for, named_images
from localproc.errors import EnvironmentProblem, ImageError
from localproc.executors.containers.image_folder import image_file_name
from localproc.model import Container
from localproc.plugins.containers import ContainerRuntime, Image
from localproc.plugins.manager import PluginManager

_MIB: Final = 1 << 20
_DOCUMENTS: Final = (".cwl", ".yml", ".yaml", ".json")


class _Images(click.Group):
    """A group whose first word may be a package."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command; what is none is a package, which ``list`` is for."""
        return super().get_command(ctx, cmd_name) or self.commands["list"]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command; what is none is the package that ``list`` is asked for."""
        if args and args[0] not in self.commands:
            args = ["list", *args]
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take options without a command as those of ``list``."""
        if not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names):
            args = ["list", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_Images)
def images() -> None:
    """List the images that a package names, with what is here; pull, load and save them.

    localproc images PACKAGE lists those of a package, without one all that are here.
    """


@images.command("list")
@click.argument(
    "package", metavar="[PACKAGE|PROCESS]", required=False, shell_complete=complete.processes
)
@container_options
@json_option
@click.pass_obj
def listed(
    site: Site, package: str | None, containers: str, folder: str | None, as_json: bool
) -> None:
    """List the images of a package, or all that are here."""
    if package is None:
        _, _, runtime = _opened(site, containers, folder)
        _print_all(runtime.images(), as_json=as_json)
        return
    known, name = _containers(site, containers, folder)
    found = list(looked_for(_named(site, package), known, name))
    if as_json:
        print_json([_document(one) for one in found])
        return
    print_table(
        ["image", "here", "brought by"],
        [(one.box.image, state(one), told(brought_by(one))) for one in found],
    )


@images.command()
@click.argument("names", metavar="IMAGE|PACKAGE...", nargs=-1, required=True)
@container_options
@offline_option
@click.pass_obj
def pull(
    site: Site, names: tuple[str, ...], containers: str, folder: str | None, offline: str
) -> None:
    """Pull images, or all that a package names."""
    known, _, runtime = _opened(site, containers, folder)
    for box in (box for one in names for box in _boxes(site, known, one)):
        brought = bring(runtime, box, offline)
        click.echo(f"{brought.name} {brought.digest}")


@images.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--name", default="", help="What to call it, if not as the file does.")
@click.option(
    "--root", is_flag=True, help="Take it as the files of an image alone, without its name."
)
@container_options
@click.pass_obj
def load(
    site: Site, files: tuple[str, ...], name: str, root: bool, containers: str, folder: str | None
) -> None:
    """Load images from files that docker save, or images save, has written.

    With --root it is a tar of a root file system, what a dockerImport names and docker export
    writes.
    """
    if name and len(files) > 1:
        raise click.UsageError("--name is for one file")
    if root and not name:
        raise click.UsageError("--root needs a --name")
    _, _, runtime = _opened(site, containers, folder)
    for file in (os.path.abspath(local_file(one)) for one in files):
        loaded = runtime.imported(file, name) if root else runtime.load(file, name)
        click.echo(f"{loaded.name} {loaded.digest}")


@images.command()
@click.argument("names", metavar="IMAGE|PACKAGE...", nargs=-1, required=True)
@click.option(
    "--to", metavar="DIR", default=".", help="The folder that the files go to.", show_default=True
)
@container_options
@click.pass_obj
def save(site: Site, names: tuple[str, ...], to: str, containers: str, folder: str | None) -> None:
    """Write images to files, one each, for a machine without a network to load."""
    known, name, runtime = _opened(site, containers, folder)
    os.makedirs(to, exist_ok=True)
    for box in (box for one in names for box in _boxes(site, known, one)):
        image = known.image(replace(box, runtime=name))
        file = os.path.join(to, _file_name(image, name))
        _write(runtime, image, file)
        click.echo(file)


def state(one: Named) -> str:
    """Say whether an image is here."""
    if one.local:
        return "this machine"
    if one.image is None:
        return "not known" if one.silent else "missing"
    return one.image.digest[:19] or "here"


def brought_by(one: Named) -> str:
    """Say what brings an image that is missing."""
    return "" if one.image or one.local else one.hint.removesuffix(" brings it")


def _containers(site: Site, wanted: str, folder: str | None) -> tuple[Containers, str]:
    """Return the runtimes, and the one that is wanted or there; raises ``EnvironmentProblem``."""
    known = Containers(PluginManager(), site.settings(containers=wanted, images=folder))
    name = known.chosen(wanted, [Container("any", "")]).runtime
    if not name and known.wanted(wanted) == NONE:
        raise EnvironmentProblem(
            "images are those of a container runtime, and none is to be used",
            hint="name one with --containers",
        )
    if not name:
        raise EnvironmentProblem(
            "there is no container runtime on this machine",
            hint="install docker, podman, apptainer or charliecloud: see docs/containers.md",
        )
    return known, name


def _opened(
    site: Site, wanted: str, folder: str | None
) -> tuple[Containers, str, ContainerRuntime]:
    """Return the same with the runtime itself, which answers: a daemon might hang."""
    known, name = _containers(site, wanted, folder)
    known.version(name)
    return known, name, known.runtime(name)


def _named(site: Site, package: str) -> list[Named]:
    return named_images(read_process(site, package).record.resolved)


def _boxes(site: Site, known: Containers, name: str) -> Iterator[Container]:
    """Yield what a word of the command line stands for: an image, or those of a package.

    What an image stands for here counts; this machine and paths are no images to be moved.
    """
    if is_document(name):
        boxes = (one.box for one in _named(site, name) if not known.is_local(one.box.image))
        yield from (one for one in map(known.mapped, boxes) if not one.image.startswith(os.sep))
    elif _is_path(name):
        raise ImageError(
            f"there is no file {name}", hint="name a package that is there, or an image"
        )
    else:
        yield Container(name, "", pull=name)


def _is_path(name: str) -> bool:
    """Whether a word can be no image of a registry, but the path of a package."""
    path = name.partition("#")[0]
    return path.endswith(_DOCUMENTS) or path.startswith(("/", "./", "../", "~"))


def _write(runtime: ContainerRuntime, image: Image, file: str) -> None:
    """Write an image to a file, which is there as a whole or as it was before."""
    part = f"{file}.{secrets.token_hex(4)}.part"
    try:
        runtime.save(image, part)
        os.replace(part, file)
    except OSError as error:
        said = error.strerror or error
        hint = "choose a folder with room for it: --to DIR"
        raise ImageError(f"{image.name} cannot be written to {file}: {said}", hint=hint) from error
    finally:
        with suppress(OSError):
            os.remove(part)


def _file_name(image: Image, runtime: str) -> str:
    plain = image_file_name(image.name)
    return f"{plain}.sif" if runtime in ("apptainer", "singularity") else f"{plain}.tar"


def _print_all(found: Any, *, as_json: bool) -> None:
    if as_json:
        print_json([{"name": one.name, "digest": one.digest, "size": one.size} for one in found])
        return
    rows = [(one.name, one.digest[:19], f"{one.size / _MIB:.0f} MiB") for one in found]
    print_table(["image", "digest", "size"], rows)


def _document(one: Named) -> dict[str, Any]:
    return {
        "name": one.box.image,
        "required": one.required,
        "here": one.image is not None,
        "local": one.local,
        "digest": "" if one.image is None else one.image.digest,
        "hint": one.hint,
    }
