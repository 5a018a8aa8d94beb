"""Completion in shells: commands, options, jobs, steps, processes, names of inputs.

Owns what is offered. Nothing that goes wrong while a word is typed may be shown, and no home be
made. Every command imports it, so what answers a shell is imported when one asks.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

import click

from localproc.cli.site import Site

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_MOST: Final = 50
_LAST: Final = ("last", "last:failed")


def jobs(context: click.Context, _: click.Parameter, incomplete: str) -> list["CompletionItem"]:
    """Offer the newest jobs, with their processes and states."""

    def found(site: Site) -> list["CompletionItem"]:
        with site.look() as engine:
            newest = engine.jobs(limit=_MOST)
        listed = [(job.id, f"{job.process_id} {job.record.status}") for job in newest]
        return _items([*((name, "") for name in _LAST), *listed], incomplete)

    return _quietly(context, found)


def steps(context: click.Context, _: click.Parameter, incomplete: str) -> list["CompletionItem"]:
    """Offer the steps of the job that was typed before."""

    def found(site: Site) -> list["CompletionItem"]:
        with site.look() as engine:
            known = engine.find_job(str(context.params.get("job") or "last")).steps
        return _items([(step.name, step.status.value) for step in known], incomplete)

    return _quietly(context, found)


def processes(
    context: click.Context, _: click.Parameter, incomplete: str
) -> list["CompletionItem"]:
    """Offer deployed processes, and files."""

    def found(site: Site) -> list["CompletionItem"]:
        with site.look() as engine:
            return _items([(one.id, one.title) for one in engine.processes()], incomplete)

    return [*_quietly(context, found), _a_file(incomplete)]


def files(_: click.Context, __: click.Parameter, incomplete: str) -> list["CompletionItem"]:
    """Offer files."""
    return [_a_file(incomplete)]


def inputs(context: click.Context, _: click.Parameter, incomplete: str) -> list["CompletionItem"]:
    """Offer ``NAME=`` for each input of the package or job that was typed before, and files."""

    def found(site: Site) -> list["CompletionItem"]:
        from localproc.cli.operands import read_process

        if job := context.params.get("job"):
            with site.look() as engine:
                ports = engine.find_job(str(job)).process.ports()
        else:
            package = context.params.get("package") or context.params.get("process")
            ports = read_process(site, str(package)).ports()
        return _items([(f"{one['id']}=", one.get("label") or "") for one in ports], incomplete)

    return [*_quietly(context, found), _a_file(incomplete)]


def _a_file(incomplete: str) -> "CompletionItem":
    from click.shell_completion import CompletionItem

    return CompletionItem(incomplete, type="file")


def _items(found: Iterable[tuple[str, str]], incomplete: str) -> list["CompletionItem"]:
    from click.shell_completion import CompletionItem

    return [CompletionItem(name, help=said) for name, said in found if name.startswith(incomplete)]


def _quietly(
    context: click.Context, find: Callable[[Site], list["CompletionItem"]]
) -> list["CompletionItem"]:
    """Return what is found in the home that was named; nothing if that cannot be told."""
    root: dict[str, Any] = context.find_root().params
    try:
        return find(Site(root.get("home") or ".localproc", root.get("namespace") or "default"))
    except Exception:
        return []
