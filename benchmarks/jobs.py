"""Small jobs in an engine that is warm: how long one takes, and how many can be accepted.

Owns both figures, for one process.
"""

from collections.abc import Callable, Iterator
from functools import partial
from statistics import median
from time import perf_counter

from benchmarks.cases import echo
from benchmarks.measure import Cost, Effort, apart, in_turn
from benchmarks.places import fresh, places
from benchmarks.table import Line, Row

_MANY = 1_000


def jobs(effort: Effort) -> Iterator[Line]:
    """Measure one job at a time, and many at once."""
    for place, folder in places().items():
        contestants = {
            "one": partial(_run, _one_at_a_time, folder),
            "durable": partial(_run, _one_that_lasts, folder),
            "accepted": partial(_run, _accept, folder),
            "running": partial(_run, _accept_and_run, folder),
        }
        costs = in_turn(effort.rounds, contestants)
        one = costs["one"].wall * 1e3
        yield Row(f"echo, warm engine, {place}", "execute until successful", one, "ms", target=10)
        lasting = costs["durable"].wall * 1e3
        who = "the same, durable"
        yield Row("", who, lasting, "ms", "that without", lasting / one)
        for name, who in (("accepted", "for another engine"), ("running", "while they run")):
            rate = _MANY / costs[name].wall
            case = f"accepting jobs, {place}"
            yield Row(case, who, rate, "jobs/s", target=1_000, at_least=True)


def _run(work: Callable[[str], Cost], place: str) -> Cost:
    with fresh(place) as folder:
        return apart(work, folder)


def _one_at_a_time(folder: str, *, durable: bool = False) -> Cost:
    from localproc import Engine

    case, walls = echo(), []
    with Engine(f"{folder}/home", slots=2, durable=durable) as engine:
        process = engine.deploy(case.package)
        for _ in range(30):
            began = perf_counter()
            process.execute(case.inputs).wait().raise_for_status()
            walls.append(perf_counter() - began)
    return Cost(median(walls[5:]))


def _one_that_lasts(folder: str) -> Cost:
    return _one_at_a_time(folder, durable=True)


def _accept(folder: str) -> Cost:
    return _accepting(folder, detached=True)


def _accept_and_run(folder: str) -> Cost:
    return _accepting(folder, detached=False)


def _accepting(folder: str, *, detached: bool) -> Cost:
    from localproc import Engine

    case = echo()
    engine = Engine(f"{folder}/home", slots=2)
    process = engine.deploy(case.package)
    engine.run(process, case.inputs)
    began = perf_counter()
    for _ in range(_MANY):
        process.execute(case.inputs, detached=detached)
    wall = perf_counter() - began
    engine.close()
    return Cost(wall)
