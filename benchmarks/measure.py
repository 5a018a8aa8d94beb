"""How things are measured: apart from each other, in turn, and by their medians.

Owns processes of their own for measurements, rounds, and processor time. Must not know what is
measured.
"""

import os
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from statistics import median
from typing import Any, ParamSpec, TypeVar

import psutil

_P = ParamSpec("_P")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured: medians of how many rounds, and how wide scatters are."""

    rounds: int
    widths: tuple[int, ...] = (100, 1_000, 10_000)


@dataclass(frozen=True, slots=True)
class Cost:
    """What something took: seconds, and seconds of the measuring side's own processors.

    ``cpu`` leaves out the tasks themselves. ``peak`` is the most memory held, in bytes.
    """

    wall: float
    cpu: float = 0.0
    peak: int = 0


def apart(function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Call a function in a new Python process, and give what it returns."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *args, **kwargs).result()


def extra_memory(work: Callable[[], object]) -> int:
    """Give how many bytes this process holds at the most while it works, beyond those before."""
    process, over = psutil.Process(), threading.Event()
    idle = process.memory_info().rss
    seen = [idle]

    def look() -> None:
        while not over.wait(0.02):
            seen.append(process.memory_info().rss)

    watching = threading.Thread(target=look)
    watching.start()
    work()
    over.set()
    watching.join()
    return max(seen) - idle


def in_turn(rounds: int, contestants: Mapping[str, Callable[[], Cost]]) -> dict[str, Cost]:
    """Measure each in every round, so that all see the same weather; give their medians."""
    seen: dict[str, list[Cost]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, run in contestants.items():
            os.sync()  # nobody pays for what the one before left to be written
            seen[name].append(run())
    return {name: middle(costs) for name, costs in seen.items()}


def middle(costs: Sequence[Cost]) -> Cost:
    """Give the median of each figure."""
    return Cost(
        median(one.wall for one in costs),
        median(one.cpu for one in costs),
        int(median(one.peak for one in costs)),
    )


def cost_of(work: Callable[[], object], repeats: int = 1) -> Cost:
    """Measure a call in this process: the median of the wall times, the mean of the rest.

    Children count if they live through it, as a keeper does.
    """
    helpers = psutil.Process().children()
    spent = _spent(helpers)
    walls = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        walls.append(time.perf_counter() - began)
    helpers += [one for one in psutil.Process().children() if one not in helpers]
    return Cost(median(walls), (_spent(helpers) - spent) / repeats, _peak())


def command(*argv: str, **options: Any) -> Cost:
    """Measure a command; raises ``CalledProcessError`` with what it wrote if it fails."""
    began = time.perf_counter()
    subprocess.run(argv, check=True, capture_output=True, **options)
    return Cost(time.perf_counter() - began)


def _spent(helpers: Sequence[psutil.Process]) -> float:
    return time.process_time() + sum(map(_processor_time, helpers))


def _processor_time(process: psutil.Process) -> float:
    """Give seconds of a process of one thread: exact where Linux tells, else in ticks."""
    try:
        with open(f"/proc/{process.pid}/schedstat", encoding="ascii") as file:
            return int(file.read().split()[0]) / 1e9
    except OSError:
        times = process.cpu_times()
        return float(times.user + times.system)


def _peak() -> int:
    """Give the most memory that this process has held."""
    try:
        with open("/proc/self/status", encoding="ascii") as file:
            line = next(one for one in file if one.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    except OSError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS
