"""The water bodies example against the bare sum of its tasks, run two at a time.

Owns getting at those tasks: the job's own command lines, from its history.
"""

import importlib.util
import os
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from benchmarks import contestants
from benchmarks.cases import Command
from benchmarks.measure import Cost, Effort, apart, cost_of, in_turn
from benchmarks.places import lasting, usual
from benchmarks.table import Line, Note, Row

_EXAMPLE = Path(__file__).parents[1] / "examples" / "water_bodies"
_CASE = "water bodies, 2 scenes"


def demo(effort: Effort) -> Iterator[Line]:
    """Measure the example."""
    if importlib.util.find_spec("rasterio") is None:
        yield Note(_CASE, "its tools need rasterio and numpy: pip install localproc[example]")
        return
    place = usual()
    folder = lasting(place)
    commands, path = apart(_commands, folder)
    measured = {
        "bare": partial(_bare, commands, path, place),
        "first": partial(_ours, place, ""),
        "again": partial(_ours, place, folder),
    }
    costs = in_turn(effort.rounds, measured)
    bare, first, again = (costs[name].wall for name in measured)
    yield Row(_CASE, "its tasks by a plain loop", bare, "s")
    yield Row(_CASE, "localproc, package never met before", first, "s", "the loop", first / bare)
    yield Row(_CASE, "localproc", again, "s", "the loop", again / bare, 1.15)


def _commands(folder: str) -> tuple[list[list[Command]], str]:
    """Run the example once, keep what it has made, and give its command lines and their PATH."""
    from localproc import Engine
    from localproc.engine.home.settings import base_environment
    from localproc.model.events import StepSubmitted

    os.environ["LOCALPROC_CACHE"] = folder
    with Engine(f"{folder}/home", slots=contestants.SLOTS, keep=True) as engine:
        job = engine.run(_EXAMPLE / "water-bodies.cwl", _EXAMPLE / "inputs.yml").raise_for_status()
        started = [one.command for one in job.events() if isinstance(one, StepSubmitted)]
    return [[argv for argv in started if argv]], base_environment()["PATH"]


def _bare(commands: Sequence[Sequence[Command]], path: str, place: str) -> Cost:
    return apart(_loop, commands, path, lasting(place))


def _loop(commands: Sequence[Sequence[Command]], path: str, folder: str) -> Cost:
    import subprocess

    environment = {"PATH": path, "HOME": folder, "TMPDIR": folder}
    quiet = subprocess.DEVNULL
    return cost_of(lambda: contestants.bare(commands, folder, env=environment, stderr=quiet))


def _ours(place: str, cache: str) -> Cost:
    return apart(_example, lasting(place), cache)


def _example(folder: str, cache: str) -> Cost:
    from localproc import Engine

    os.environ["LOCALPROC_CACHE"] = cache
    package, inputs = _EXAMPLE / "water-bodies.cwl", _EXAMPLE / "inputs.yml"
    with Engine(f"{folder}/home", slots=contestants.SLOTS) as engine:
        return cost_of(lambda: engine.run(package, inputs).raise_for_status())
