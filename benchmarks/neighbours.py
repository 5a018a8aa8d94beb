"""A small job in a warm engine while other jobs of the same engine do what takes long.

Owns what the others do, and the comparison with the same job alone in the same run.
"""

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from statistics import median
from time import perf_counter, sleep
from typing import Any, Final

from benchmarks.cases import echo
from benchmarks.measure import Cost, Effort, apart, in_turn
from benchmarks.places import fresh, places
from benchmarks.table import Line, Row
from localproc import Engine, Job, hookimpl
from localproc.executors.local import LocalExecutor
from localproc.plugins.executor import Executor, ExecutorPlugin, ExecutorSettings

_ALONE: Final = "alone"
_SIZE: Final = 1 << 30
_JOBS: Final = 20
#: Time over that of the same job alone, at most.
_TARGETS: Final = {
    "while a job copies 1 GiB": 1.3,
    "while an executor does not open": 1.3,
    "while three jobs evaluate for ever": 3.0,
}

_Others = Callable[[Engine, str], AbstractContextManager[None]]

_COPY: Mapping[str, Any] = {
    "cwlVersion": "v1.2",
    "class": "CommandLineTool",
    "id": "copy",
    "baseCommand": "true",
    "requirements": {
        "InitialWorkDirRequirement": {"listing": [{"entry": "$(inputs.file)", "writable": True}]}
    },
    "inputs": {"file": "File"},
    "outputs": {},
}


def neighbours(effort: Effort) -> Iterator[Line]:
    """Measure a warm echo beside each kind of neighbour, and alone."""
    place, folder = next(iter(places().items()))  # a disk has but one writer at a time
    doing = {_ALONE: _nothing, **dict(zip(_TARGETS, (_copying, _silent, _endless), strict=True))}
    costs = in_turn(
        effort.rounds, {name: partial(_run, others, folder) for name, others in doing.items()}
    )
    alone = costs[_ALONE].wall
    for name, cost in costs.items():
        target = _TARGETS.get(name)
        against = "" if target is None else _ALONE
        ratio = None if target is None else cost.wall / alone
        case = f"echo beside others, {place}"
        yield Row(case, name, cost.wall * 1e3, "ms", against, ratio, target)


def _run(others: _Others, place: str) -> Cost:
    with fresh(place) as folder:
        return apart(_beside, others, folder)


def _beside(others: _Others, folder: str) -> Cost:
    case, walls = echo(), []
    silent = _Silent()
    engine = Engine(f"{folder}/home", slots=2, plugins=[silent])
    process = engine.within("other").deploy(case.package)
    for _ in range(5):
        process.execute(case.inputs).wait().raise_for_status()
    with others(engine, folder):
        for _ in range(_JOBS):
            began = perf_counter()
            process.execute(case.inputs).wait().raise_for_status()
            walls.append(perf_counter() - began)
    silent.answers.set()
    engine.close()
    return Cost(median(walls))


@contextmanager
def _nothing(_: Engine, _folder: str) -> Iterator[None]:
    yield


@contextmanager
def _copying(engine: Engine, folder: str) -> Iterator[None]:
    path = os.path.join(folder, "large.bin")
    with open(path, "wb") as file:
        file.truncate(_SIZE)
    job = engine.deploy(_COPY).execute({"file": path})
    with _beginning(job):
        yield


@contextmanager
def _silent(engine: Engine, _: str) -> Iterator[None]:
    package = {"cwlVersion": "v1.2", **echo().package}
    job = engine.deploy(package).execute({"message": "hello"}, executor="silent")
    yield
    job.dismiss(wait=False)


@contextmanager
def _endless(engine: Engine, _: str) -> Iterator[None]:
    with ExitStack() as stack:
        for number in range(3):
            package = {
                "cwlVersion": "v1.2",
                "class": "CommandLineTool",
                "id": f"endless{number}",
                "requirements": {"InlineJavascriptRequirement": {}},
                "baseCommand": "true",
                "arguments": ["${ while (true) {} }"],
                "inputs": {},
                "outputs": {},
            }
            job = engine.deploy(package).execute({})
            stack.enter_context(_beginning(job))
        yield


@contextmanager
def _beginning(job: Job) -> Iterator[None]:
    """Go on when a job runs; dismiss it in the end."""
    while job.status == "accepted":
        sleep(0.001)
    yield
    job.dismiss(wait=False)


class _Silent:
    """A plugin with an executor that does not open until it is let."""

    def __init__(self) -> None:
        self.answers = threading.Event()

    @hookimpl
    def localproc_executors(self) -> Iterable[ExecutorPlugin]:
        return [ExecutorPlugin("silent", self._open)]

    def _open(self, settings: ExecutorSettings) -> Executor:
        self.answers.wait()
        return LocalExecutor(settings)
