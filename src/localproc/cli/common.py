"""What several commands need.

Owns options that commands share, reading inputs from a command line, and printing tables and
documents. Must not know any one command.
"""

import functools
import json
import math
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from typing import Any, Final

import click

from localproc.api import Engine
from localproc.cli.site import Site
from localproc.engine.admission.inputs import read_inputs, typed_values
from localproc.engine.handles import Process
from localproc.engine.home.cwd import current_folder
from localproc.engine.home.settings import Pull
from localproc.engine.home.variables import read_words
from localproc.errors import NoSuchProcess, PackageError, Problem
from localproc.uris import path_uri
from localproc.views.written import finite

_LONGEST_LINE: Final = 160  #: characters of a document's line that are shown with a problem

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
yes_option = click.option("--yes", "-y", is_flag=True, help="Do not ask.")


executor_options = click.option(
    "--executor-option",
    "executor_options",
    metavar="NAME.KEY=VALUE",
    multiple=True,
    callback=lambda _, __, texts: _options(texts),
    help="An option of an executor; repeatable.",
)
_ENGINE_OPTIONS: Final = {
    "executor": click.option(
        "--executor",
        default="local",
        show_default=True,
        metavar="NAME[;STEP=NAME]",
        help="Who runs tasks; steps may go elsewhere.",
    ),
    "executor_options": executor_options,
    "software": click.option(
        "--software",
        metavar="FILE",
        default="",
        help="Where the software that tools need is found.",
    ),
    "containers": click.option(
        "--containers",
        default="",
        metavar="auto|none|NAME",
        envvar="LOCALPROC_CONTAINERS",
        help="Who runs containers: docker, podman, apptainer, singularity, charliecloud; auto (the "
        "default) takes what is there where a package requires them.",
    ),
    "pull": click.option(
        "--pull",
        type=click.Choice([one.value for one in Pull]),
        callback=lambda _, __, pull: pull or "",
        help="When images are brought; never, by default.",
    ),
    "build": click.option("--build", is_flag=True, help="Let images be built by a dockerFile."),
    "images": click.option(
        "--images",
        metavar="DIR",
        envvar="LOCALPROC_IMAGES",
        help="Where localproc keeps images itself.",
    ),
    "container_map": click.option(
        "--container-map",
        "container_map",
        metavar="IMAGE=local|PATH|IMAGE",
        multiple=True,
        callback=lambda _, __, texts: _mapped(texts),
        help="What an image stands for; repeatable.",
    ),
    "work": click.option("--work", metavar="DIR", help="Where tasks work, if not in the home."),
    "results": click.option("--results", metavar="DIR|URI", help="Where results are published."),
    "slots": click.option("--slots", type=int, default=0, help="How many tasks run at a time."),
    "cores": click.option("--cores", type=float, default=0, help="How many cores tasks may use."),
    "ram": click.option("--ram", type=int, default=0, help="How much memory (MiB) they may use."),
    "keep": click.option("--keep", is_flag=True, help="Keep the folders of steps."),
    "reuse": click.option(
        "--reuse/--no-reuse",
        default=None,
        help="Reuse the outputs of equal steps. Also LOCALPROC_REUSE.",
    ),
    "offline": click.option(
        "--offline",
        type=click.Choice(["never", "auto", "always"]),
        default="never",
        show_default=True,
        envvar="LOCALPROC_OFFLINE",
        help="Whether inputs are taken from what is kept here instead of the network.",
    ),
    "validate_results": click.option(
        "--validate-results",
        type=click.Choice(["off", "warn", "fail"]),
        default="warn",
        show_default=True,
        help="What is done about results that are no valid STAC.",
    ),
    "allow_remote": click.option(
        "--allow-remote", is_flag=True, help="Let packages include remote documents."
    ),
}
_REQUEST_OPTIONS: Final = {
    "title": click.option("--title", default="", help="A title for the job."),
    "tags": click.option("--tag", "tags", multiple=True, help="A tag for the job; repeatable."),
    "assets": click.option(
        "--assets",
        default="",
        metavar="WHICH",
        help="Assets of STAC items to bring: key=B0*;role=data. remote=... stay where they are.",
    ),
    "reason": click.option("--reason", default="", help="Why the job is run."),
    "keep_going": click.option(
        "--keep-going", is_flag=True, help="Go on with what does not depend on a step that failed."
    ),
    "retries": click.option(
        "--retries",
        metavar="[STEP=]N[:DELAY[:BACKOFF]]",
        multiple=True,
        help="Try steps that fail again so often; repeatable.",
    ),
    "retry_on": click.option(
        "--retry-on", metavar="KIND,...", help="Only after these: 75, timed-out, node-lost, ..."
    ),
    "time_limit": click.option(
        "--time-limit", metavar="TIME", help="The job fails after 90 (seconds), 30m or 2h."
    ),
    "priority": click.option("--priority", type=int, help="Jobs of a higher one come first."),
    "env": click.option(
        "--env",
        multiple=True,
        metavar="[STEP:]NAME[=VALUE]",
        help="A variable for tools, or a secret (VALUE secret:NAME) for a step; repeatable.",
    ),
    "preserve": click.option(
        "--preserve-environment",
        "preserve",
        multiple=True,
        metavar="GLOB",
        help="Pass variables of this environment on to tools; repeatable.",
    ),
    "once": click.option(
        "--once", metavar="KEY", help="Give the job with this key back that was successful."
    ),
}


def _options(texts: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Read options of executors; a value that is JSON (a number, true) is meant as that."""
    found: dict[str, dict[str, Any]] = {}
    for text in texts:
        name, _, value = text.partition("=")
        executor, _, key = name.partition(".")
        if not (executor and key and "=" in text):
            raise click.BadParameter(f"{text!r} is not NAME.KEY=VALUE")
        try:
            found.setdefault(executor, {})[key] = json.loads(value)
        except ValueError:
            found.setdefault(executor, {})[key] = value
    return found


def _mapped(texts: Sequence[str]) -> dict[str, str]:
    """Read what images stand for."""
    pairs = [text.partition("=") for text in texts]
    for image, _, target in pairs:
        if not (image and target):
            raise click.BadParameter(f"{image!r} is not IMAGE=local|PATH|IMAGE")
    return {image: target for image, _, target in pairs}


def container_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--containers`` and ``--images``, as ``containers`` and ``folder``."""
    whose = click.option(
        "--containers",
        default="",
        metavar="NAME",
        envvar="LOCALPROC_CONTAINERS",
        help="Whose images; those of what is there, by default.",
    )
    folder = click.option(
        "--images",
        "folder",
        metavar="DIR",
        envvar="LOCALPROC_IMAGES",
        help="Where localproc keeps images itself.",
    )
    return whose(folder(command))


def environment_settings() -> dict[str, Any]:
    """Return the settings of containers that the environment has, for commands without options."""
    return {
        "containers": os.environ.get("LOCALPROC_CONTAINERS", ""),
        "images": os.environ.get("LOCALPROC_IMAGES"),
    }


def engine_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of commands that run jobs; the command gets them as ``settings``."""
    return _gathered(command, _ENGINE_OPTIONS, "settings")


def request_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that describe a job; the command gets them as ``request``.

    Those that were not given are not among them.
    """

    @functools.wraps(command)
    def called(*args: Any, request: dict[str, Any], **values: Any) -> Any:
        rules = read_retries(request.pop("retries"), request.pop("retry_on"))
        words, preserve = request.pop("env"), request.pop("preserve")
        given = {**request, "retries": rules, "variables": read_words(words, preserve)}
        return command(*args, request={name: one for name, one in given.items() if one}, **values)

    return _gathered(called, _REQUEST_OPTIONS, "request")


def read_retries(texts: Sequence[str], kinds: str | None) -> dict[str, Any]:
    """Read rules for retries by the patterns of steps: ``3``, ``crop*=5:10:2``."""
    rules: dict[str, Any] = {}
    for text in texts or (["2"] if kinds else []):
        steps, _, rest = text.rpartition("=")
        try:
            count, *times = rest.split(":")
            named = dict(zip(("delay", "backoff"), map(float, times), strict=False))
            rules[steps or "*"] = {"attempts": int(count) + 1, **named}
        except ValueError:
            raise click.BadParameter(f"{text!r} is not [STEP=]N[:DELAY[:BACKOFF]]") from None
        if kinds:
            rules[steps or "*"]["on"] = kinds.split(",")
    return rules


def _gathered(
    command: Callable[..., Any], options: Mapping[str, Callable[[Any], Any]], name: str
) -> Callable[..., Any]:
    """Add options whose values reach the command together, as one mapping."""

    @functools.wraps(command)
    def called(*args: Any, **values: Any) -> Any:
        gathered = {option: values.pop(option) for option in options}
        return command(*args, **{name: gathered}, **values)

    for option in reversed(list(options.values())):
        option(called)
    return called


staging_option = click.option(
    "--staging",
    type=click.Choice(["own", "ours"]),
    default="own",
    show_default=True,
    help="Whose steps stage in and out for a package that came wrapped with some.",
)


def find_process(engine: Engine, name: str, staging: str = "own") -> Process:
    """Return a deployed process, or deploy the package which the name is the path or URL of."""
    if names_package(name):
        with naming(name):
            return engine.deploy(name, staging=staging)
    try:
        return engine.process(name)
    except NoSuchProcess as error:
        raise _neither(error, name) from None


def read_process(site: Site, name: str) -> Process:
    """Return the process of a package, by its path or URL, or a deployed one; nothing is changed.

    A package needs no home: it may lie where nothing can be written.
    """
    if names_package(name):
        with site.anywhere() as engine, naming(name):
            return engine.read(name)
    check_named(site, name)
    with site.look() as engine:
        return find_process(engine, name)


def check_named(site: Site, name: str) -> None:
    """Raise ``NoSuchProcess`` for what is no package where there is no home: none is made."""
    if not names_package(name) and not site.exists():
        hint = f"there is no home at {site.home} either: name another one with --home"
        raise _neither(NoSuchProcess(name, hint=hint), name)


@contextmanager
def naming(package: str) -> Iterator[None]:
    """Have errors of a package name its documents by paths as they were typed."""
    try:
        yield
    except PackageError as error:
        error.problems = tuple(as_typed(package, error.problems))
        path = package.partition("#")[0]
        name = re.escape(os.path.basename(path))
        if not _is_address(package) and name:
            error.message = re.sub(
                rf"(?<![\w/.-]){name}(?!\w)", lambda _: path, error.message, count=1
            )
        raise


def as_typed(package: str, problems: Iterable[Problem]) -> list[Problem]:
    """Return problems whose documents are named from here, not from where the package lies."""
    folder = os.path.dirname(package.partition("#")[0])
    if _is_address(package) or not folder:
        return list(problems)
    return [
        replace(one, where=os.path.join(folder, one.where))
        if one.where and os.path.exists(os.path.join(folder, one.where))
        else one
        for one in problems
    ]


def excerpt(problem: Problem) -> list[str]:
    """Return the line that a problem stands in, and a caret below its column, if it is a file's."""
    if problem.line is None:
        return []
    try:
        with open(problem.where, encoding="utf-8", errors="replace") as file:
            line = next(islice(file, problem.line - 1, None), "").rstrip("\n")
    except OSError:
        return []
    column = (problem.column or 1) - 1
    if len(line) > _LONGEST_LINE:  # a document in one line: what is around the place
        start = max(0, min(column - _LONGEST_LINE // 2, len(line) - _LONGEST_LINE))
        line, column = line[start : start + _LONGEST_LINE], column - start
    before = line[:column]
    gap = "".join("\t" if character == "\t" else " " for character in before)
    number = str(problem.line)
    return [f"  {number} | {line}", f"  {' ' * len(number)} | {gap}^"]


def _is_address(package: str) -> bool:
    return "://" in package


def _neither(error: NoSuchProcess, name: str) -> NoSuchProcess:
    error.message = f"{name!r} is neither a file nor a deployed process"
    return error


def names_package(name: str) -> bool:
    """Return whether a name is a package's path or URL, not the id of a process."""
    return os.path.exists(name) or os.path.exists(name.partition("#")[0]) or _is_address(name)


def gather_inputs(
    process: Process, words: Sequence[str], options: Sequence[tuple[str, str]] = ()
) -> dict[str, Any]:
    """Read inputs from a command line: a file, ``name=value`` and options that add to it.

    Gives arguments of ``Process.execute``. Relative paths in the file are relative to it, those of
    a ``name=value`` to the current folder.
    """
    files = [word for word in words if "=" not in word or os.path.exists(word)]
    if len(files) > 1:
        raise click.UsageError(f"one inputs file, not {len(files)}: {', '.join(files)}")
    values, base = read_inputs(files[0] if files else None)
    pairs = [(name, text) for name, _, text in (w.partition("=") for w in words if w not in files)]
    given = typed_values(process.ports(), [*pairs, *options])
    return {
        "inputs": {**values, **given},
        "base": base,
        "bases": dict.fromkeys(given, path_uri(current_folder())),
    }


def print_json(document: Any) -> None:
    """Print a document on stdout."""
    click.echo(json.dumps(finite(document), indent=2, ensure_ascii=False, default=str))


_STYLES: Final[Mapping[str, Mapping[str, Any]]] = {
    "successful": {"fg": "green"},
    "success": {"fg": "green"},
    "failed": {"fg": "red"},
    "dismissed": {"fg": "yellow"},
    "running": {"fg": "cyan"},
    "abandoned": {"fg": "yellow"},
    "stopped": {"dim": True},
    "skipped": {"dim": True},
    "reused": {"fg": "blue"},
}


def print_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print columns; on a terminal that is too narrow for them, a few lines for each row."""
    table = [tuple(headings), *(tuple(str(cell) for cell in row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    if sum(widths) + 2 * (len(widths) - 1) > _columns():
        _print_rows(headings, table[1:])
        return
    for number, row in enumerate(table):
        line = ""
        for cell, width in zip(row, widths, strict=True):
            style = _STYLES.get(cell, {}) if number else {"bold": True}
            line += click.style(cell, **style) + " " * (width - len(cell) + 2)
        click.echo(line.rstrip())


def _print_rows(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print each row by itself: its first cell, and what is in the others below it."""
    width = max(map(len, headings))
    for row in rows:
        click.echo(click.style(row[0], bold=True))
        for heading, cell in zip(headings[1:], row[1:], strict=True):
            if cell:
                styled = click.style(cell, **_STYLES.get(cell, {}))
                click.echo(f"  {heading.ljust(width)}  {styled}")


def _columns() -> float:
    """Return how wide the terminal is; a file or a pipe has room for everything."""
    if sys.stdout is None or not sys.stdout.isatty():
        return math.inf
    return shutil.get_terminal_size().columns


def count(number: int, what: str) -> str:
    """Write a number of things for people."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def human_size(size: float) -> str:
    """Write a number of bytes for people."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"


def seconds(duration: float | None) -> str:
    """Write a duration for people."""
    if duration is None:
        return ""
    if duration < 60:
        return f"{duration:.1f} s"
    minutes, rest = divmod(int(duration), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02} h" if hours else f"{minutes}:{rest:02} min"
