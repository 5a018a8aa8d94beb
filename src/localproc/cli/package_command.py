"""Commands that take a package, with its inputs as options of their own.

Owns reading the package when one of its inputs is asked for (``--help``, ``--message hi``), and
what is said of an option that it does not have. Must not know what the inputs are used for: the
command gets them as ``given``, pairs of a name and a text.
"""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import click

from localproc.cli.app import GOES_BEFORE, resembles
from localproc.cli.site import Site
from localproc.cwl.base.types import CwlType, describe, kind, without_null
from localproc.errors import NoSuchProcess
from localproc.near import closest

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_PORTS: Final = "localproc.ports"
_OF_INPUT: Final = "input_of_package_"  #: the names of parameters begin so


class PackageCommand(click.Command):
    """A command whose first argument is a package or a process; its inputs are options."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments; an option that is not ours makes the package be read first."""
        name, asked = self._looked_over(ctx, list(args))
        missing, typed = None, tuple(args)
        try:
            if name and asked:
                ctx.meta[_PORTS] = _ports(ctx, name)
        except NoSuchProcess as error:
            missing = error
        try:
            rest = super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            if not name or error.option_name in GOES_BEFORE:
                raise
            if missing is None:
                raise self._no_such_input(ctx, name, error.option_name) from None
            if resembles(error.option_name, ctx):
                raise
            if self._goes_elsewhere(typed):
                said = f"give inputs of a process elsewhere as {error.option_name[2:]}=VALUE"
                raise click.UsageError(
                    f"No such option {error.option_name!r}: {said}", ctx
                ) from None
            raise missing from None
        ctx.params["given"] = [
            (port["id"], text)
            for number, port in enumerate(ctx.meta.get(_PORTS, ()))
            for text in _texts(ctx.params.pop(f"{_OF_INPUT}{number}", ()))
        ]
        return rest

    def _goes_elsewhere(self, args: Sequence[str]) -> bool:
        """Return whether a server was named: nobody here knows the inputs of its processes."""
        named = any(one.partition("=")[0] == "--to" for one in args)
        takes = any(param.name == "to" for param in self.params)
        return takes and (named or bool(os.environ.get("LOCALPROC_TO")))

    def _looked_over(self, ctx: click.Context, args: list[str]) -> tuple[str, bool]:
        """Return which package is named, and whether its inputs are asked for."""
        parser = self.make_parser(ctx)
        parser.ignore_unknown_options = True
        try:
            values, rest, _ = parser.parse_args(args)
        except click.UsageError:
            return "", False  # it is told when the arguments are read in earnest
        name = values.get(str(self._package.name))
        others = [word for value in values.values() if isinstance(value, tuple) for word in value]
        unknown = any(str(word).startswith("-") for word in (*others, *values.values(), *rest))
        if not isinstance(name, str) or name.startswith("-"):
            return "", False
        helps = self.get_help_option(ctx)
        return name, unknown or (helps is not None and bool(values.get(str(helps.name))))

    @property
    def _package(self) -> click.Parameter:
        return next(one for one in self.params if isinstance(one, click.Argument))

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the options of the command, and those of the package if it has been read."""
        own = super().get_params(ctx)
        taken = {name for param in own for name in param.opts}
        ports = ctx.meta.get(_PORTS, ())
        return own + [
            _option(number, port)
            for number, port in enumerate(ports)
            if f"--{port['id']}" not in taken
        ]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options of the package before those of the command."""
        ports = ctx.meta.get(_PORTS)
        if ports:
            taken = {name for param in super().get_params(ctx) for name in param.opts}
            with formatter.section("Inputs of the package, also as NAME=VALUE"):
                formatter.write_dl([_row(port, taken) for port in ports])
        super().format_options(ctx, formatter)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list["CompletionItem"]:
        """Offer the inputs of the package that was typed before, as options."""
        from click.shell_completion import CompletionItem

        found = super().shell_complete(ctx, incomplete)
        package = ctx.params.get(str(self._package.name))
        if incomplete.startswith("-") and isinstance(package, str):
            root = ctx.find_root().params
            ctx.obj = Site(root.get("home") or ".localproc", root.get("namespace") or "default")
            with suppress(Exception):
                ports = _ports(ctx, package)
                names = [(f"--{port['id']}", port.get("label")) for port in ports]
                found += [
                    CompletionItem(name, help=label)
                    for name, label in names
                    if name.startswith(incomplete)
                ]
        return found

    def _no_such_input(self, ctx: click.Context, package: str, option: str) -> click.UsageError:
        names = [f"--{port['id']}" for port in ctx.meta[_PORTS]]
        own = [name for param in super().get_params(ctx) for name in param.opts]
        close = closest(option, [*names, *own])
        meant = f" Did you mean {close}?" if close else ""
        has = f"has the inputs {', '.join(names)}" if names else "has no inputs"
        return click.UsageError(f"No such option {option!r}.{meant} {package} {has}.", ctx)


def _ports(ctx: click.Context, package: str) -> list[Mapping[str, Any]]:
    from localproc.cli.operands import read_process

    return read_process(ctx.obj, package).ports()


def _option(number: int, port: Mapping[str, Any]) -> click.Option:
    name, what = port["id"], without_null(port["type"])
    names = [f"{_OF_INPUT}{number}", f"--{name}"]
    if kind(what) == "boolean":
        names[1] += f"/--no-{name}"
        return click.Option(names, default=None, hidden=True)
    choice = (
        click.Choice(what["symbols"])
        if isinstance(what, Mapping) and kind(what) == "enum"
        else None
    )
    return click.Option(names, multiple=True, hidden=True, type=choice or click.STRING)


def _texts(value: Any) -> tuple[str, ...]:
    """Return what was given for an option: texts, or whether it is so."""
    if isinstance(value, bool):
        return (str(value).lower(),)
    return tuple(value or ())


def _row(port: Mapping[str, Any], taken: set[str]) -> tuple[str, str]:
    """Return the name of an input, as it is typed, and what there is to say of it."""
    from localproc.views.inputs_template import about, must_be_given

    *said, _ = about(port)
    typed = f"--{port['id']}" if f"--{port['id']}" not in taken else f"{port['id']}=..."
    if kind(without_null(port["type"])) == "boolean":
        typed += f"/--no-{port['id']}" if typed.startswith("--") else ""
    else:
        typed += f" {_metavar(port['type'])}" if typed.startswith("--") else ""
    notes = "[required]" if must_be_given(port) else _default(port)
    return typed, " ".join(filter(None, (": ".join(said[:2]), *said[2:], notes)))


def _metavar(cwl_type: CwlType) -> str:
    what = without_null(cwl_type)
    if isinstance(what, Mapping) and kind(what) == "enum":
        return f"[{'|'.join(what['symbols'])}]"
    names = {"File": "FILE", "Directory": "FOLDER", "string": "TEXT"}
    if isinstance(what, Mapping) and kind(what) == "array":
        return f"{_metavar(what['items'])} (repeatable)"
    return names.get(what, what.upper()) if isinstance(what, str) else describe(what)


def _default(port: Mapping[str, Any]) -> str:
    default = port.get("default")
    if default is None:
        return ""
    if isinstance(default, Mapping) and "location" in default:
        return f"[default: {default['location'].rpartition('/')[2]}]"
    return f"[default: {default}]"
