"""Many short tasks on a Slurm cluster of this machine alone, beside Slurm's own means for them.

Owns what is run there, and the comparisons. The cluster is that of the tests of the plugin; without
the programs that it is made of nothing is measured.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter, process_time, sleep
from typing import Any, Final

from benchmarks.cases import echo
from benchmarks.measure import Cost, Effort, apart, in_turn
from benchmarks.places import fresh, places
from benchmarks.table import Line, Note, Row

_PLUGIN: Final = Path(__file__).parents[1] / "plugins" / "localproc-slurm"
_SOME, _MANY, _RUNNING = 200, 1_000, 100
_ALONE: Final = 50

_BUNDLES: Final[Mapping[str, Any]] = {"mode": "bundle", "bundle": 50}
_WIDE: Final[Mapping[str, Any]] = {"mode": "bundle", "bundle": 250}
_ARRAYS: Final[Mapping[str, Any]] = {"mode": "array"}


def cluster(effort: Effort) -> Iterator[Line]:
    """Measure short tasks, a dismissal, and what a controller that hangs does to others."""
    sys.path[:0] = [str(_PLUGIN / "tests"), str(_PLUGIN / "src")]
    from slurm_cluster import Cluster, missing

    if why := missing():
        yield Note("cluster", why)
        return
    folder = Path(tempfile.mkdtemp(prefix="localproc-bench-"))
    there = Cluster(folder)
    os.environ["SLURM_CONF"] = str(there.conf)
    try:
        yield from _some(effort)
        yield from _many(effort)
        yield from _dismissed(effort)
        yield from _hanging(effort, there)
    finally:
        there.end()
        shutil.rmtree(folder, ignore_errors=True)


def _some(effort: Effort) -> Iterator[Line]:
    costs = in_turn(
        effort.rounds,
        {
            "sbatch --array": partial(_array, _SOME),
            "localproc, bundles": partial(_engine, _SOME, _BUNDLES),
            "localproc, array": partial(_engine, _SOME, _ARRAYS),
        },
    )
    yield from _rows(f"{_SOME} x true", costs, {"bundles": 0.5, "array": 1.25})


def _many(effort: Effort) -> Iterator[Line]:
    costs = in_turn(
        effort.rounds,
        {"one sbatch each": partial(_singles, _MANY), "localproc, bundles": _many_bundled},
    )
    case = f"{_MANY:,} x true"
    yield from _rows(case, costs, {"bundles": 0.1})
    bundled = costs["localproc, bundles"]
    yield Row(case, "own processor time", bundled.cpu / _MANY * 1e3, "ms/task", target=3)
    yield Row(case, "queries of the scheduler", bundled.peak / bundled.wall, "/s", target=1)


def _rows(case: str, costs: Mapping[str, Cost], targets: Mapping[str, float]) -> Iterator[Line]:
    first = next(iter(costs))
    for who, cost in costs.items():
        target = targets.get(who.removeprefix("localproc, "))
        ratio = None if target is None else cost.wall / costs[first].wall
        yield Row(case, who, cost.wall, "s", "" if target is None else first, ratio, target)


def _dismissed(effort: Effort) -> Iterator[Line]:
    costs = in_turn(effort.rounds, {"localproc": lambda: _in_home(_dismissal)})
    case = f"dismissal of {_RUNNING} running"
    yield Row(case, "localproc", costs["localproc"].wall, "s", target=5)


def _hanging(effort: Effort, there: Any) -> Iterator[Line]:
    def beside() -> Cost:
        there.stop("slurmctld")
        try:
            return _in_home(_local_echoes, True)
        finally:
            there.go_on("slurmctld")

    costs = in_turn(
        effort.rounds,
        {"alone": lambda: _in_home(_local_echoes, False), "while the controller hangs": beside},
    )
    alone, hung = (one.wall for one in costs.values())
    yield Row("echo on this machine", "alone", alone * 1e3, "ms")
    yield Row(
        "echo on this machine", "while the controller hangs", hung * 1e3, "ms", "alone",
        hung / alone, 1.2,
    )  # fmt: skip


def _array(width: int) -> Cost:
    return _plain(["sbatch", "--parsable", "--output=/dev/null", f"--array=0-{width - 1}"], 1)


def _singles(width: int) -> Cost:
    return _plain(["sbatch", "--parsable", "--output=/dev/null"], width)


def _plain(words: list[str], times: int) -> Cost:
    """Hand jobs in, and wait until none is left."""
    began = perf_counter()
    for _ in range(times):
        subprocess.run([*words, "--wrap", "true"], check=True, capture_output=True)
    while subprocess.run(["squeue", "-h"], check=True, capture_output=True).stdout:
        sleep(0.05)
    return Cost(perf_counter() - began)


def _engine(width: int, options: Mapping[str, Any]) -> Cost:
    return _in_home(_true, width, options)


def _many_bundled() -> Cost:
    return _in_home(_true, _MANY, _WIDE)


def _in_home(work: Any, *args: Any) -> Cost:
    with fresh(places()["disk"]) as folder:
        cost: Cost = apart(work, folder, *args)
        return cost


def _scatter(argv: list[str]) -> Mapping[str, Any]:
    tool = {"class": "CommandLineTool", "baseCommand": argv, "inputs": {"n": "int"}, "outputs": []}
    return {
        "cwlVersion": "v1.2",
        "class": "Workflow",
        "id": "scatter",
        "requirements": [{"class": "ScatterFeatureRequirement"}],
        "inputs": {"all": "int[]"},
        "outputs": [],
        "steps": {"one": {"run": tool, "scatter": "n", "in": {"n": "all"}, "out": []}},
    }


def _opened(folder: str, **options: Any) -> Any:
    import localproc_slurm

    from localproc import Engine

    return Engine(
        f"{folder}/home",
        plugins=[localproc_slurm],
        executor="slurm",
        executor_options={"slurm": dict(options)},
    )


def _true(folder: str, width: int, options: Mapping[str, Any]) -> Cost:
    """Run as many tasks; ``peak`` is how often the queue was asked for."""
    count = _counted(folder, "squeue")
    with _opened(folder, **options) as engine:
        process = engine.deploy(_scatter(["true"]))
        process.execute({"all": [0]}).wait().raise_for_status()
        before, spent, began = count(), process_time(), perf_counter()
        process.execute({"all": list(range(width))}).wait().raise_for_status()
        return Cost(perf_counter() - began, process_time() - spent, count() - before)


def _counted(folder: str, name: str) -> Any:
    """Put a command in the place of another one that counts its calls; return the count."""
    real, log = shutil.which(name), Path(folder) / f"{name}.log"
    fake = Path(folder) / "bin" / name
    fake.parent.mkdir()
    fake.write_text(f'#!/bin/sh\necho >>"{log}"\nexec {real} "$@"\n')
    fake.chmod(0o755)
    os.environ["PATH"] = f"{fake.parent}:{os.environ['PATH']}"
    return lambda: log.stat().st_size if log.exists() else 0


def _dismissal(folder: str) -> Cost:
    """Dismiss a job with many tasks, all of which run."""
    with _opened(folder, mode="array") as engine:
        process = engine.deploy(_scatter(["sh", "-c", 'echo >>"$HOME/../../on"; exec sleep 300']))
        job = process.execute({"all": list(range(_RUNNING))})
        on = Path(folder) / "home" / "jobs" / job.id / "on"
        while not on.exists() or on.stat().st_size < _RUNNING:
            sleep(0.05)
        began = perf_counter()
        job.dismiss()
        job.wait()
        while subprocess.run(["squeue", "-h"], check=True, capture_output=True).stdout:
            sleep(0.02)
        return Cost(perf_counter() - began)


def _local_echoes(folder: str, beside: bool) -> Cost:
    """Run some echoes by the local executor; ``beside`` a job that waits for the controller."""
    case = echo()
    engine = _opened(folder)
    process = engine.deploy(case.package)
    for _ in range(5):
        process.execute(case.inputs, executor="local").wait().raise_for_status()
    if beside:
        process.execute(case.inputs)
        sleep(0.5)
    walls = []
    for _ in range(_ALONE):
        began = perf_counter()
        process.execute(case.inputs, executor="local").wait().raise_for_status()
        walls.append(perf_counter() - began)
    engine.close()
    return Cost(median(walls))  # the first few share a processor with the plugin that is opened
