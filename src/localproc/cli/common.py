"""What several commands need.

Owns options that commands share, reading inputs from a command line, and printing tables and
documents. Must not know any one command.
"""

import functools
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import click

from localproc.engine.admission.inputs import read_inputs, typed_values
from localproc.engine.engine import Engine
from localproc.engine.handles import Job, Process
from localproc.engine.home.cwd import here
from localproc.errors import NoSuchJob, NoSuchProcess
from localproc.uris import path_uri
from localproc.views.written import finite

#: Stands for the job that was accepted last.
LAST = "last"

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


_ENGINE_OPTIONS: Final = {
    "executor": click.option(
        "--executor", default="local", show_default=True, help="Who runs tasks."
    ),
    "results": click.option("--results", metavar="DIR|URI", help="Where results are published."),
    "slots": click.option("--slots", type=int, default=0, help="How many tasks run at a time."),
    "cores": click.option("--cores", type=float, default=0, help="How many cores tasks may use."),
    "ram": click.option("--ram", type=int, default=0, help="How much memory (MiB) they may use."),
    "keep": click.option("--keep", is_flag=True, help="Keep the folders of steps."),
    "reuse": click.option("--reuse", is_flag=True, help="Reuse the outputs of equal steps."),
    "allow_remote": click.option(
        "--allow-remote", is_flag=True, help="Let packages include remote documents."
    ),
}
_REQUEST_OPTIONS: Final = {
    "title": click.option("--title", default="", help="A title for the job."),
    "tags": click.option("--tag", "tags", multiple=True, help="A tag for the job; repeatable."),
    "reason": click.option("--reason", default="", help="Why the job is run."),
}


def engine_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of commands that run jobs; the command gets them as ``settings``."""
    return _gathered(command, _ENGINE_OPTIONS, "settings")


def request_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that describe a job; the command gets them as ``request``."""
    return _gathered(command, _REQUEST_OPTIONS, "request")


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


def find_process(engine: Engine, name: str, *, deploy: bool = True) -> Process:
    """Give a deployed process, or that of the package which the name is the path or URL of.

    ``deploy``: such a package is deployed, else it is only read.
    """
    path = name.partition("#")[0]
    if os.path.exists(name) or os.path.exists(path) or "://" in name:
        return engine.deploy(name) if deploy else engine.read(name)
    try:
        return engine.process(name)
    except NoSuchProcess as error:
        error.message = f"{name!r} is neither a file nor a deployed process"
        raise


def find_job(engine: Engine, job_id: str) -> Job:
    """Give a job by its id; ``last`` is the one accepted last."""
    if job_id != LAST:
        return engine.job(job_id)
    newest = engine.jobs(limit=1)
    if not newest:
        raise NoSuchJob(LAST, hint="no job has been accepted in this home yet")
    return newest[0]


def gather_inputs(process: Process, words: Sequence[str]) -> dict[str, Any]:
    """Read inputs from a command line: a file, and ``name=value`` that add to it.

    Gives arguments of ``Process.execute``. Relative paths in the file are relative to it, those of
    a ``name=value`` to the current folder.
    """
    files = [word for word in words if "=" not in word or os.path.exists(word)]
    if len(files) > 1:
        raise click.UsageError(f"one inputs file, not {len(files)}: {', '.join(files)}")
    values, base = read_inputs(files[0] if files else None)
    pairs = [(name, text) for name, _, text in (w.partition("=") for w in words if w not in files)]
    given = typed_values(process.ports(), pairs)
    return {
        "inputs": {**values, **given},
        "base": base,
        "bases": dict.fromkeys(given, path_uri(here())),
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
    "skipped": {"dim": True},
    "reused": {"fg": "blue"},
}


def print_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print columns; what is too long for a terminal goes on in its next line, never away."""
    table = [tuple(headings), *(tuple(str(cell) for cell in row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for number, row in enumerate(table):
        line = ""
        for cell, width in zip(row, widths, strict=True):
            style = _STYLES.get(cell, {}) if number else {"bold": True}
            line += click.style(cell, **style) + " " * (width - len(cell) + 2)
        click.echo(line.rstrip())


def seconds(duration: float | None) -> str:
    """Write a duration for people."""
    if duration is None:
        return ""
    if duration < 60:
        return f"{duration:.1f} s"
    minutes, rest = divmod(int(duration), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02} h" if hours else f"{minutes}:{rest:02} min"


def problem_lines(problem: Mapping[str, Any]) -> str:
    """Write a job's problem for people."""
    from localproc.errors import JobFailed

    return str(JobFailed.from_problem(problem))
