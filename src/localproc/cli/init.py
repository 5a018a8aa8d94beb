"""``localproc init``: a small package that works, to begin with.

Owns its files, which lie in ``skeleton``. Must not know what they do.
"""

import re
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
    there = [str(path) for path in places if path.exists()]
    if there:
        raise InvalidInputs(f"{there[0]} is there already", hint="choose another folder")
    skeleton = files("localproc.cli") / "skeleton"
    for path, text in places.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text((skeleton / f"{text}.txt").read_text("utf-8").replace("@name@", name))
        click.echo(path)
    click.echo(f"begin with: localproc run {top / name}.cwl --help", err=True)
