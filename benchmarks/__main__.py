"""Runs the measurements: ``python -m benchmarks [--quick] [--rounds N] [--only NAME] [--json F]``.

Owns the order in which they run and the printed table.
"""

import argparse
import json
import os
import platform
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from benchmarks.cluster import cluster
from benchmarks.containers import containers
from benchmarks.demo import demo
from benchmarks.growth import growth
from benchmarks.idle import idle
from benchmarks.interpreter import interpreter
from benchmarks.jobs import jobs
from benchmarks.looking import looking
from benchmarks.measure import Effort
from benchmarks.neighbours import neighbours
from benchmarks.places import places
from benchmarks.runtimes import runtimes
from benchmarks.service_list import lists
from benchmarks.service_load import load
from benchmarks.startup import startup
from benchmarks.storage import storage
from benchmarks.table import Line, Table
from benchmarks.workflows import graphs, scatters

Concern = Callable[[Effort], Iterator[Line]]

CONCERNS: Final[Mapping[str, Concern]] = {
    "startup": startup,
    "interpreter": interpreter,
    "jobs": jobs,
    "neighbours": neighbours,
    "runtimes": runtimes,
    "graphs": graphs,
    "demo": demo,
    "cluster": cluster,
    "lists": lists,
    "looking": looking,
    "load": load,
    "growth": growth,
    "idle": idle,
    "scatters": scatters,
    "containers": containers,
    "storage": storage,
}


def main() -> None:
    """Measure and print."""
    os.environ["LOCALPROC_CACHE"] = ""  # what is measured has never been loaded before
    options = _options()
    effort = (
        Effort(options.rounds or 3, (100, 1_000)) if options.quick else Effort(options.rounds or 5)
    )
    print(f"medians of {effort.rounds}, {_machine()}\n")
    table = Table()
    for name in options.only or CONCERNS:
        table.add(CONCERNS[name](effort))
    print(f"\n{table.summary()}")
    if options.json:
        Path(options.json).write_text(json.dumps(table.document(), indent=2) + "\n")


def _machine() -> str:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    where = ", ".join(f"{kind} {folder}" for kind, folder in places().items())
    return f"{cores} processors, Python {platform.python_version()}, {where}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="3 rounds, no scatter of 10,000")
    parser.add_argument("--rounds", type=int, help="how often everything is measured (5)")
    parser.add_argument("--only", action="append", choices=CONCERNS, help="may be given again")
    parser.add_argument("--json", metavar="FILE", help="write the rows there too")
    return parser.parse_args()


if __name__ == "__main__":
    main()
