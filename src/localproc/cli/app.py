"""The ``localproc`` command: its groups, and what errors become.

Owns exit codes: 0 successful, 1 failed, 2 usage or invalid input, 3 dismissed, 4 environment. Must
not import a command before it is called, so that ``--help`` is instant.
"""

import errno
import gc
import io
import os
import sys
from importlib import import_module
from typing import IO, Any, Final

import click

from localproc import errors
from localproc.cli.command_list import COMMANDS
from localproc.cli.loading import loading
from localproc.cli.site import Site
from localproc.cli.told import told
from localproc.near import closest

FAILED: Final = 1
USAGE: Final = 2
DISMISSED: Final = 3
ENVIRONMENT: Final = 4

#: Options of localproc itself, which go before the command.
GOES_BEFORE: Final = ("--home", "--namespace")
_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class _Commands(click.Group):
    """A group that imports a command's module when the command is called."""

    _complete = False  # whether plugins have added theirs

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in their own order, those of plugins last."""
        return [*COMMANDS, *self._of_plugins()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command."""
        if cmd_name not in COMMANDS:
            return self._of_plugins().get(cmd_name)
        with loading():
            module = import_module(f"localproc.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def _of_plugins(self) -> dict[str, click.Command]:
        """Return the commands of plugins; one that fails is told of by ``localproc plugins``."""
        if not self._complete:
            from localproc.plugins.installed import installed_plugins

            self._complete = True
            if installed_plugins():  # what is built in has none
                from localproc.plugins.manager import PluginManager

                PluginManager().tell("localproc_commands", group=self)
        return {name: one for name, one in self.commands.items() if name not in COMMANDS}

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing any of our own."""
        added = [(name, one.get_short_help_str()) for name, one in self._of_plugins().items()]
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])
        if added:
            with formatter.section("Commands of plugins"):
                formatter.write_dl(added)

    def invoke(self, ctx: click.Context) -> Any:
        """Call a command. That its reader has seen enough (``| head``) is no error."""
        try:
            result = super().invoke(ctx)
            if sys.stdout is not None:
                sys.stdout.flush()
        except click.NoSuchOption as error:
            raise _meant(error) from None
        except BrokenPipeError:
            _write_to_nowhere(sys.stdout, sys.stderr)
            return 0
        except errors.LocalprocError as error:
            error.message, error.hint = told(error.message), told(error.hint)
            raise
        return result

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command, or suggest one."""
        name = args[0]
        known = self.get_command(ctx, name) is not None
        if not known and (close := closest(name, self.list_commands(ctx))):
            ctx.fail(f"No such command {name!r}. Did you mean {close!r}?")
        return super().resolve_command(ctx, args)


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--home",
    envvar="LOCALPROC_HOME",
    default=".localproc",
    show_default=True,
    help="The folder that holds jobs, logs and results. Also LOCALPROC_HOME.",
)
@click.option(
    "--namespace",
    envvar="LOCALPROC_NAMESPACE",
    default="default",
    show_default=True,
    help="Whose processes and jobs. Also LOCALPROC_NAMESPACE.",
)
@click.version_option(package_name="localproc")
@click.pass_context
def localproc(ctx: click.Context, home: str, namespace: str) -> None:
    """Run CWL application packages here, with the OGC API - Processes job model.

    Begin with: localproc run PACKAGE inputs.yml
    """
    named = ctx.get_parameter_source("home") is click.core.ParameterSource.COMMANDLINE
    ctx.obj = Site(home, namespace, is_named=named)


def _meant(error: click.NoSuchOption) -> click.UsageError:
    """Say what an option was meant for: one that goes before the command, or an input."""
    context, option = error.ctx, error.option_name
    command = context.info_name if context else None
    if option in GOES_BEFORE:
        meant = f"it goes before the command: localproc {option} ... {command} ..."
    elif command == "retry" and not resembles(option, context):
        meant = f"inputs are given without dashes: {option.lstrip('-')}=VALUE"
    elif command in ("run", "execute") and not resembles(option, context):
        meant = f"inputs come after the package: localproc {command} PACKAGE {option} VALUE"
    else:
        return error
    return click.UsageError(f"No such option {option!r} of {command}: {meant}", context)


def resembles(option: str, context: click.Context | None) -> bool:
    """Return whether an option is like one that the command has."""
    known = [name for one in context.command.params for name in one.opts] if context else []
    return bool(closest(option, known, 0.8))


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; never returns."""
    while (spare := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass  # a stream that was closed: no file of ours may take its place
    os.close(spare)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # names of files can be any bytes
    code = _exit_code(arguments)
    gc.freeze()  # Python would look for garbage in all that there is, and then be gone
    sys.exit(code)


def _exit_code(arguments: list[str] | None) -> int:
    if "_LOCALPROC_COMPLETE" in os.environ:
        from localproc.cli import shell_scripts  # noqa: F401 - it says how shells are answered
    try:
        result: Any = localproc.main(arguments, "localproc", standalone_mode=False)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.Abort:
        click.echo("interrupted", err=True)
        return 130
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except errors.LocalprocError as error:
        return _tell(error)
    except OSError as error:
        problem = _of_the_disk(error)
        if problem is None:
            raise
        return _tell(problem)
    return result if isinstance(result, int) else 0


def _tell(error: errors.LocalprocError) -> int:
    """Say what went wrong, where there is still room for that; return the exit code."""
    try:
        click.echo(f"{_prefix()}{error}", err=True)
    except OSError:
        _write_to_nowhere(sys.stderr)
    return code_of(error)


def _of_the_disk(error: OSError) -> errors.EnvironmentProblem | None:
    """Return what an error means that a disk gave to a command itself, if it is one of a disk."""
    if error.errno in _NO_ROOM:
        _write_to_nowhere(sys.stdout)
        return errors.NoSpace(
            f"what was to be written could not be: {error.strerror}",
            hint="make room on the disk, or write elsewhere",
        )
    if error.filename is None:
        return None
    return errors.EnvironmentProblem(f"{os.fsdecode(error.filename)}: {error.strerror}")


def code_of(error: errors.LocalprocError) -> int:
    """Return the exit code of an error."""
    match error:
        case errors.JobFailed():
            return FAILED
        case errors.JobDismissed():
            return DISMISSED
        case errors.EnvironmentProblem():
            return ENVIRONMENT
    return USAGE


def _write_to_nowhere(*streams: IO[str] | None) -> None:
    """Let go of what cannot be written, or Python complains when it flushes it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in filter(None, streams):
        os.dup2(nowhere, stream.fileno())


def _prefix() -> str:
    return click.style("error: ", fg="red", bold=True)
