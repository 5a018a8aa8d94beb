"""Containers of Docker beside the docker command.

Owns a daemon of its own, where one can be started, and what is measured on it. Must not know how
the executor works.
"""

import importlib
import os
import shutil
import signal
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from benchmarks.cases import ECHO
from benchmarks.measure import Cost, Effort, command, cost_of, in_turn
from benchmarks.places import fresh, quickest
from benchmarks.table import Line, Note, Row
from localproc import Engine
from localproc.executors.opening import open_executor
from localproc.model import Container, Task, TaskState
from localproc.plugins.executor import Executor, ExecutorSettings

_PLUGIN: Final = Path(__file__).parents[1] / "plugins" / "localproc-docker"
_MANY: Final = 100
_RUN: Final = "docker run --rm"


def containers(effort: Effort) -> Iterator[Line]:
    """Compare one task, many short ones, and ending many; and local work while a daemon hangs."""
    if os.getuid() != 0 or shutil.which("dockerd") is None:
        yield Note("containers", "a Docker daemon cannot be started here")
        return
    sys.path += [str(_PLUGIN / "src"), str(_PLUGIN / "tests"), str(_PLUGIN.parents[1])]
    with importlib.import_module("own_daemon").own_daemon() as daemon, fresh(quickest()) as folder:
        bench = _Bench(daemon, Path(folder))
        yield from bench.one_task(effort.rounds)
        yield from bench.short_tasks(effort.rounds)
        yield from bench.dismissal()
        yield from bench.hanging(effort.rounds)


class _Bench:
    def __init__(self, daemon: Any, folder: Path) -> None:
        self._daemon = daemon
        self._folder = folder
        self._plugin = importlib.import_module("localproc_docker")
        self._image: str = importlib.import_module("docker_daemon").IMAGE

    def one_task(self, rounds: int) -> Iterator[Line]:
        """Measure one task, from submitting it to the report of its end."""
        executor = self._open()
        costs = in_turn(
            rounds,
            {
                _RUN: self._run,
                "localproc": lambda: cost_of(lambda: self._tasks(executor, 1)),
            },
        )
        executor.close()
        yield _row("a task in a container", _RUN, costs, 1)
        yield _row("a task in a container", "localproc", costs, 1, target=1.0)

    def short_tasks(self, rounds: int) -> Iterator[Line]:
        """Measure many short tasks of one step: two commands at a time, and warm containers."""

        def commands() -> Cost:
            with ThreadPoolExecutor(2) as pool:
                return cost_of(lambda: list(pool.map(lambda _: self._run(), range(_MANY))))

        def warm() -> Cost:
            executor = self._open(warm="step")
            cost = cost_of(lambda: self._tasks(executor, _MANY))
            executor.close()
            return cost

        costs = in_turn(rounds, {_RUN: commands, "localproc, warm": warm})
        case = f"{_MANY} short tasks of one image"
        yield _row(case, _RUN, costs, 1)
        yield _row(case, "localproc, warm", costs, 1, target=0.05)

    def dismissal(self) -> Iterator[Line]:
        """Measure ending many containers that run, until none is left."""
        step = {
            "run": {
                "class": "CommandLineTool",
                "requirements": [{"class": "DockerRequirement", "dockerImageId": self._image}],
                "baseCommand": ["sleep", "600"],
                "inputs": {"n": "int"},
                "outputs": [],
            },
            "scatter": "n",
            "in": {"n": "all"},
            "out": [],
        }
        package = {
            "cwlVersion": "v1.2",
            "class": "Workflow",
            "id": "many",
            "requirements": [{"class": "ScatterFeatureRequirement"}],
            "inputs": {"all": "int[]"},
            "outputs": {},
            "steps": {"sleeps": step},
        }
        with self._engine("docker", slots=_MANY, cores=_MANY * 2, ram=_MANY * 1024) as engine:
            job = engine.execute(engine.deploy(package).id, {"all": list(range(_MANY))})
            while len(self._running()) < _MANY:
                time.sleep(0.05)
            began = time.perf_counter()
            job.dismiss()
            job.wait()
            while self._daemon.api.get("/containers/json", all=True):
                time.sleep(0.01)
            took = time.perf_counter() - began
        yield Row(f"{_MANY} running containers", "localproc, dismissed", took, "s", target=5)

    def hanging(self, rounds: int) -> Iterator[Line]:
        """Measure an echo on this machine, while another job waits for a daemon that hangs."""
        tool = {
            **ECHO,
            "id": "boxed",
            "cwlVersion": "v1.2",
            "requirements": [{"class": "DockerRequirement", "dockerImageId": self._image}],
        }
        with self._engine("docker;no-container=local") as engine:
            echo = engine.deploy({"cwlVersion": "v1.2", **ECHO}).id
            boxed = engine.deploy(tool).id

            def alone() -> Cost:
                return cost_of(lambda: engine.execute(echo, {"message": "a"}).wait(), 20)

            def beside() -> Cost:
                self._daemon.signal(signal.SIGSTOP)
                job = engine.execute(boxed, {"message": "b"})
                try:
                    return alone()
                finally:
                    self._daemon.signal(signal.SIGCONT)
                    job.wait()

            alone()
            costs = in_turn(rounds, {"alone": alone, "while dockerd hangs": beside})
        case = "an echo on local"
        yield _row(case, "alone", costs, 1000)
        yield _row(case, "while dockerd hangs", costs, 1000, target=1.2)

    def _run(self) -> Cost:
        argv = ["docker", "--host", self._daemon.host, "run", "--rm", "--network", "none"]
        return command(*argv, self._image, "true")

    def _open(self, **options: str) -> Executor:
        [plugin] = [one for one in self._plugin.localproc_executors() if one.name == "docker"]
        home = self._folder / uuid.uuid4().hex
        home.mkdir()
        settings = ExecutorSettings(
            str(home), "bench", 64, 64_000, 2, options={"host": self._daemon.host, **options}
        )
        return open_executor(plugin, settings)

    def _engine(self, executor: str, **capacity: Any) -> Engine:
        return Engine(
            self._folder / uuid.uuid4().hex,
            plugins=[self._plugin],
            executor=executor,
            executor_options={"docker": {"host": self._daemon.host}},
            **capacity,
        )

    def _running(self) -> Sequence[object]:
        found: Sequence[object] = self._daemon.api.get("/containers/json")
        return found

    def _tasks(self, executor: Executor, count: int) -> None:
        """Run tasks, and wait until the ends of all are told."""
        tasks = [self._task() for _ in range(count)]
        executor.submit(tasks)
        left = {one.key for one in tasks}
        while left:
            ended = (TaskState.QUEUED, TaskState.RUNNING)
            left -= {one.key for one in executor.poll() if one.state not in ended}
            time.sleep(0.001)
        executor.release([one.key for one in tasks])

    def _task(self) -> Task:
        outdir = self._folder / "work" / uuid.uuid4().hex
        outdir.mkdir(parents=True)
        place = str(outdir)
        return Task(
            key=f"bench:{outdir.name}:1",
            argv=("true",),
            env={"HOME": place},
            outdir=place,
            tmpdir=place,
            stdin=None,
            stdout=f"{place}/out.txt",
            stderr=f"{place}/err.txt",
            container=Container(self._image, place),
            group="bench:short",
        )


def _row(
    case: str, who: str, costs: dict[str, Cost], scale: float, target: float | None = None
) -> Row:
    """Compare one with the first."""
    first = next(iter(costs))
    value = costs[who].wall * scale
    unit = "s" if scale == 1 else "ms"
    if who == first:
        return Row(case, who, value, unit)
    ratio = costs[who].wall / costs[first].wall
    return Row(case, who, value, unit, against=first, ratio=ratio, target=target)
