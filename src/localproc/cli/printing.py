"""Printing for people and for programs.

Owns tables, JSON, and how sizes and durations are written. Must not know what is printed.
"""

import json
import math
import os
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

import click

from localproc.views.written import finite

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


def write_file(path: str, text: str) -> None:
    """Write a file whole, or leave what was there; a pipe or a device is written to as it is."""
    if os.path.exists(path) and not os.path.isfile(path):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return
    there = os.path.realpath(path)
    part = os.path.join(os.path.dirname(there), f".{os.getpid()}.part")
    try:
        with open(part, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(part, there)
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from error
    finally:
        with suppress(OSError):
            os.remove(part)


def print_json(document: Any) -> None:
    """Print a document on stdout."""
    click.echo(json.dumps(finite(document), indent=2, ensure_ascii=False, default=str))


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
