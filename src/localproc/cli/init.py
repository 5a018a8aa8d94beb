"""``localproc init``: a small package that works, to begin with.

Owns its files, which lie in ``skeleton``. Must not know what they do.
"""

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import Final

import click

from localproc.errors import InvalidInputs

_NAME: Final = re.compile(r"[a-z][a-z0-9-]*")
#: What goes where.
_FILES: Final = {
    "@name@.cwl": "package.cwl",
    "tools/mark.py": "mark.py",
    "tests/test_package.py": "test_package.py",
    "tests/scene/catalog.json": "catalog.json",
    "tests/scene/scene-1.json": "item.json",
    "tests/scene/scene-1.pgm": "scene.pgm",
    "README.md": "README.md",
}


@click.command()
@click.argument("folder", default=".")
@click.option("--name", default="", help="The id of the process, if not the folder's name.")
def init(folder: str, name: str) -> None:
    """Make a small package that works in FOLDER: a STAC catalog in, another one out, with a test.

    It overwrites nothing.
    """
    top = Path(folder)
    name = name or top.resolve().name
    if not _NAME.fullmatch(name):
        raise InvalidInputs(
            f"{name!r} cannot be the id of a process here",
            hint="small letters, digits and dashes: localproc init FOLDER --name water-bodies",
        )
    places = {top / place.replace("@name@", name): text for place, text in _FILES.items()}
    there = [str(path) for path in places if os.path.lexists(path)]
    if there:
        raise InvalidInputs(f"{there[0]} is there already", hint="choose another folder")
    if os.path.lexists(top) and not top.is_dir():
        raise InvalidInputs(f"{top} is not a folder", hint="choose another name")
    skeleton = files("localproc.cli") / "skeleton"
    _write(
        {
            path: (skeleton / f"{text}.txt").read_text("utf-8").replace("@name@", name)
            for path, text in places.items()
        }
    )
    for path in places:
        click.echo(path)
    click.echo(f"begin with: localproc run {top / name}.cwl --help", err=True)


def _write(texts: Mapping[Path, str]) -> None:
    """Write new files, or none: the disk may be full, a name taken, or somebody press Ctrl-C."""
    made: list[Path] = []
    try:
        for path, text in texts.items():
            for folder in reversed([one for one in path.parents if not one.exists()]):
                folder.mkdir()
                made.append(folder)
            with path.open("x", encoding="utf-8") as file:
                made.append(path)
                file.write(text)
    except BaseException:
        for path in reversed(made):
            with suppress(OSError):
                path.rmdir() if path.is_dir() else path.unlink()
        raise
