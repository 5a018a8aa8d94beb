"""Completion in shells: commands, options, jobs, steps, processes, names of inputs.

Owns what is offered. Nothing that goes wrong while a word is typed may be shown, and no home be
made.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

import click
from click.shell_completion import CompletionItem, get_completion_class

from localproc.cli.shell_scripts import SHELLS
from localproc.cli.site import Site

_MOST: Final = 50
_LAST: Final = ("last", "last:failed")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print what SHELL needs to complete commands, jobs, steps, processes and inputs.

    bash: eval "$(localproc completion bash)"; likewise for zsh; fish: localproc completion fish |
    source
    """
    from localproc.cli.app import localproc

    found = get_completion_class(shell)
    assert found is not None
    click.echo(found(localproc, {}, "localproc", "_LOCALPROC_COMPLETE").source())


def jobs(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the newest jobs, with their processes and states."""

    def found(site: Site) -> list[CompletionItem]:
        with site.look() as engine:
            newest = engine.jobs(limit=_MOST)
        listed = [(job.id, f"{job.process_id} {job.record.status}") for job in newest]
        return _items([*((name, "") for name in _LAST), *listed], incomplete)

    return _quietly(context, found)


def steps(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the steps of the job that was typed before."""

    def found(site: Site) -> list[CompletionItem]:
        with site.look() as engine:
            known = engine.find_job(str(context.params.get("job") or "last")).steps
        return _items([(step.name, step.status.value) for step in known], incomplete)

    return _quietly(context, found)


def processes(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer deployed processes, and files."""

    def found(site: Site) -> list[CompletionItem]:
        with site.look() as engine:
            return _items([(one.id, one.title) for one in engine.processes()], incomplete)

    return [*_quietly(context, found), CompletionItem(incomplete, type="file")]


def files(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer files."""
    return [CompletionItem(incomplete, type="file")]


def inputs(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer ``NAME=`` for each input of the package or job that was typed before, and files."""

    def found(site: Site) -> list[CompletionItem]:
        from localproc.cli.operands import read_process

        if job := context.params.get("job"):
            with site.look() as engine:
                ports = engine.find_job(str(job)).process.ports()
        else:
            package = context.params.get("package") or context.params.get("process")
            ports = read_process(site, str(package)).ports()
        return _items([(f"{one['id']}=", one.get("label") or "") for one in ports], incomplete)

    return [*_quietly(context, found), CompletionItem(incomplete, type="file")]


def _items(found: Iterable[tuple[str, str]], incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name, help=said) for name, said in found if name.startswith(incomplete)]


def _quietly(
    context: click.Context, find: Callable[[Site], list[CompletionItem]]
) -> list[CompletionItem]:
    """Return what is found in the home that was named; nothing if that cannot be told."""
    root: dict[str, Any] = context.find_root().params
    try:
        return find(Site(root.get("home") or ".localproc", root.get("namespace") or "default"))
    except Exception:
        return []
