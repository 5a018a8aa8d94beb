"""The demo: the water bodies package on two real scenes, in this process, without a server.

``python demo.py [HOME]``; the home is ``.localproc`` in the current folder unless one is named.
"""

import os
import sys
from pathlib import Path
from typing import Any

from quicklook import quicklook

import localproc

HERE = Path(__file__).parent
MARKS = {"running": "▸", "successful": "✓", "failed": "✗", "dismissed": "■"}


def main(home: str) -> None:
    """Run the package and show what came out."""
    with localproc.Engine(home) as engine:
        process = engine.deploy(HERE / "water-bodies.cwl")
        print(f"{process.title} {process.version}, revision {process.revision[:12]}\n")
        job = process.execute(HERE / "inputs.yml")
        for step in job.watch():
            if step.status in MARKS:
                took = f"{step.duration:6.2f} s" if step.duration is not None else ""
                print(f"  {MARKS[step.status]} {step.name:<32} {step.status:<12}{took}")
        job.raise_for_status()
        catalog: localproc.StacResults = job.result("stac_catalog")
        show_items(catalog, Path(job.folder) / "quicklooks")
        print(f"\nresults: {catalog.catalog}")
        print(f"logs:    {relative(Path(job.folder) / 'logs')}")
        show_next(home, job)


def show_items(catalog: localproc.StacResults, pictures: Path) -> None:
    """Print a table of the items, and make a picture of each mask."""
    pictures.mkdir(exist_ok=True)
    print(f"\n{'item':<16}{'threshold':>11}{'water pixels':>14}{'share':>9}  quicklook")
    for item in catalog.document["features"]:
        said: dict[str, Any] = item["properties"]
        picture = pictures / f"{item['id']}.png"
        quicklook(Path(item["assets"]["data"]["href"].removeprefix("file://")), picture)
        print(
            f"{item['id']:<16}{said['water:threshold']:>11.4f}{said['water:pixels']:>14}"
            f"{said['water:fraction']:>9.1%}  {relative(picture)}"
        )


def show_next(home: str, job: localproc.Job) -> None:
    """Print what to try next."""
    command = relative(Path(sys.executable).parent / "localproc")
    option = "" if home == ".localproc" else f" --home {home}"
    print("\nnext, try:")
    print(f"  {command}{option} status {job.id}")
    print(f"  {command}{option} logs {job.id} node_otsu")
    print(f"  {command}{option} run {relative(HERE / 'water-bodies.cwl')} \\")
    print(f"    {relative(HERE / 'inputs.yml')} bands=blue bands=nir --json")


def relative(path: Path) -> str:
    """Give a path as one would type it here."""
    short = os.path.relpath(path)
    return str(path) if short.startswith("../..") else short


if __name__ == "__main__":
    main(*sys.argv[1:2] or [".localproc"])
