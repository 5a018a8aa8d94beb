"""The process, and the inputs, that a command line names.

Owns telling packages from deployed processes, reading inputs, and naming documents as they were
typed. Must not know any one command.
"""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import click

from localproc.cli.loading import loading
from localproc.cli.site import Site
from localproc.engine.admission.inputs import typed_values
from localproc.engine.home.cwd import current_folder
from localproc.errors import NoSuchProcess, PackageError, Problem
from localproc.uris import is_absolute, path_uri

if TYPE_CHECKING:
    from localproc.api import Engine
    from localproc.engine.handles import Process

_LONGEST_LINE: Final = 160  #: characters of a document's line that are shown with a problem


def find_process(engine: "Engine", name: str, staging: str = "own") -> "Process":
    """Return a deployed process, or deploy the package which the name is the path or URL of."""
    if names_package(name):
        # The first time in a process what reads packages is loaded.
        with naming(name), loading(leaves_garbage=True):
            return engine.deploy(name, staging=staging)
    try:
        return engine.process(name)
    except NoSuchProcess as error:
        raise _neither(error, name) from None


def read_process(site: Site, name: str) -> "Process":
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


def names_package(name: str) -> bool:
    """Return whether a name is a package's path or URL, not the id of a process."""
    return _is_address(name) or is_document(name)


def is_document(name: str) -> bool:
    """Return whether a name is a path, perhaps with ``#fragment``, of what can be read.

    A folder may be called like the process, or the image, that came from it.
    """
    return any(
        os.path.exists(path) and not os.path.isdir(path) for path in (name, name.partition("#")[0])
    )


def gather_inputs(
    process: "Process", words: Sequence[str], options: Sequence[tuple[str, str]] = ()
) -> dict[str, Any]:
    """Read inputs from a command line: a file, ``name=value`` and options that add to it.

    Gives arguments of ``Process.execute``. Relative paths in the file are relative to it, those of
    a ``name=value`` to the current folder.
    """
    files = [one for one in words if "=" not in one or is_absolute(one) or os.path.exists(one)]
    if len(files) > 1:
        raise click.UsageError(f"one inputs file, not {len(files)}: {', '.join(files)}")
    here = path_uri(current_folder())
    values, base = process.read_inputs(files[0]) if files else ({}, here)
    pairs = [(name, text) for name, _, text in (w.partition("=") for w in words if w not in files)]
    given = typed_values(process.ports(), [*pairs, *options])
    return {
        "inputs": {**values, **given},
        "base": base,
        "bases": dict.fromkeys(given, here),
    }


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
    if os.path.isdir(name):
        error.message = f"{name!r} is a folder, and no process is deployed under that name"
        error.hint = f"name a document in it: {os.path.join(name, 'package.cwl')}, say"
    else:
        error.message = f"{name!r} is neither a file nor a deployed process"
    return error
