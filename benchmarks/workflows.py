"""Scatters, a chain and a diamond: time per task against the bare floor and against cwltool.

Owns which cases are run where, and their targets.
"""

from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from shutil import which
from typing import Final

from benchmarks import contestants
from benchmarks.cases import Case, chain, diamond, scatter
from benchmarks.measure import Cost, Effort, apart, in_turn
from benchmarks.places import lasting, places
from benchmarks.table import Line, Note, Row

_FLOOR, _OURS, _THEIRS = "floor", "localproc", "cwltool in process"
_COMMAND: Final = "cwltool command"
_CWLTOOL_UP_TO: Final = 1_000
#: Wall time over the floor's, at most: by case, then place.
_TARGETS: Final = {
    "scatter 1,000": {"tmpfs": 1.5, "disk": 2.0},
    "scatter 10,000": {"tmpfs": 1.6, "disk": 2.2},
    "chain of 5": {"tmpfs": 1.5, "disk": 1.5},
}
_AGAINST_CWLTOOL: Final = {"scatter 1,000": 0.25}


def scatters(effort: Effort) -> Iterator[Line]:
    """Measure scatters of echo."""
    for width in effort.widths:
        yield from _everywhere(scatter(width), effort)


def graphs(effort: Effort) -> Iterator[Line]:
    """Measure a chain, and a diamond with JavaScript in every step."""
    for case in (chain(), diamond()):
        yield from _everywhere(case, effort)


def _everywhere(case: Case, effort: Effort) -> Iterator[Line]:
    if why := _without_cwltool(case):
        yield Note(case.name, f"without cwltool: {why}")
    for place, folder in places().items():
        yield from _rows(case, place, folder, effort)


def _rows(case: Case, place: str, folder: str, effort: Effort) -> Iterator[Row]:
    costs = in_turn(
        effort.rounds, {name: partial(_run, run, case, folder) for name, run in _who(case)}
    )
    name = f"{case.name}, {place}"

    def row(who: str, against: str = "", target: float | None = None) -> Row:
        ratio = costs[who].wall / costs[against].wall if against else None
        return Row(name, who, _per_task(costs[who].wall, case), "ms/task", against, ratio, target)

    yield row(_FLOOR)
    yield row(_OURS, _FLOOR, _TARGETS.get(case.name, {}).get(place))
    for who, cost in costs.items():
        if cost.cpu:
            yield Row(name, f"{who}: own processor time", _per_task(cost.cpu, case), "ms/task")
    if _THEIRS in costs:
        yield row(_THEIRS, _FLOOR)
        yield row(_COMMAND, _FLOOR)
        yield row(_OURS, _THEIRS, _AGAINST_CWLTOOL.get(case.name))


def _who(case: Case) -> Iterator[tuple[str, Callable[[Case, str], Cost]]]:
    yield _FLOOR, contestants.floor
    yield _OURS, contestants.localproc
    if not _without_cwltool(case):
        yield _THEIRS, contestants.cwltool
        yield _COMMAND, contestants.cwltool_command


def _without_cwltool(case: Case) -> str:
    """Say why cwltool does not take part, if it does not."""
    if find_spec("cwltool") is None:
        return "it is not installed (pip install localproc[dev])"
    if case.tasks > _CWLTOOL_UP_TO:
        return "its cost per task grows with the width, so it would take minutes"
    if case.javascript and which("node") is None:
        return "it needs node for JavaScript, and there is none"
    return ""


def _run(run: Callable[[Case, str], Cost], case: Case, place: str) -> Cost:
    return apart(run, case, lasting(place))


def _per_task(seconds: float, case: Case) -> float:
    return seconds / case.tasks * 1e3
