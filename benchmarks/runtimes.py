"""A task in a container that is a plain process, against the same task without.

Owns the image, of busybox alone, and the comparison. Needs Charliecloud's ch-run and busybox.
"""

import os
import shutil
import time
from collections.abc import Iterator
from functools import partial
from statistics import median
from time import perf_counter
from typing import Final

from benchmarks.measure import Cost, Effort, apart, in_turn
from benchmarks.places import fresh, places
from benchmarks.table import Line, Note, Row
from localproc.executors.composed import Composed
from localproc.executors.containers.charliecloud import Charliecloud
from localproc.executors.local import LocalExecutor
from localproc.model import Container, Task, TaskState
from localproc.plugins.containers import ContainerSettings
from localproc.plugins.executor import Executor, ExecutorSettings

_CASE: Final = "a task, submitted to reported"
_TASKS: Final = 30
_MORE: Final = 10.0  #: ms that a container may cost
_OPEN: Final = (TaskState.QUEUED, TaskState.RUNNING)


def runtimes(effort: Effort) -> Iterator[Line]:
    """Measure single tasks one after the other, in turn with and without a container."""
    if shutil.which("ch-run") is None or shutil.which("busybox") is None:
        yield Note(_CASE, "needs ch-run and busybox")
        return
    folder = next(iter(places().values()))
    costs = in_turn(
        effort.rounds,
        {name: partial(_run, folder, name == "ch-run") for name in ("bare", "ch-run")},
    )
    bare, boxed = (costs[name].wall * 1e3 for name in ("bare", "ch-run"))
    yield Row(_CASE, "bare", bare, "ms")
    yield Row(_CASE, "Charliecloud, more than bare", boxed - bare, "ms", target=_MORE)


def _run(place: str, boxed: bool) -> Cost:
    with fresh(place) as folder:
        return apart(_tasks, folder, boxed)


def _tasks(folder: str, boxed: bool) -> Cost:
    image = _image(os.path.join(folder, "image"))
    runtime = Charliecloud(ContainerSettings(folder))
    settings = ExecutorSettings(os.path.join(folder, "keepers"), "one", 1, 1024, 1)
    executor = Composed(LocalExecutor(settings), lambda _: runtime)
    walls = []
    for number in range(_TASKS):
        outdir = os.path.join(folder, f"task{number}")
        os.mkdir(outdir)
        box = Container(image, outdir, runtime="charliecloud") if boxed else None
        out, err = (os.path.join(outdir, name) for name in ("out", "err"))
        env = {"PATH": "/bin:/usr/bin"}
        task = Task(outdir, ("true",), env, outdir, outdir, None, out, err, container=box)
        began = perf_counter()
        executor.submit([task])
        _wait(executor)
        walls.append(perf_counter() - began)
    executor.close()
    return Cost(median(walls))


def _wait(executor: Executor) -> None:
    while not any(one.state not in _OPEN for one in executor.poll()):
        time.sleep(0.0002)


def _image(root: str) -> str:
    busybox = shutil.which("busybox")
    assert busybox is not None
    os.makedirs(os.path.join(root, "bin"))
    shutil.copy2(busybox, os.path.join(root, "bin", "busybox"))
    os.symlink("busybox", os.path.join(root, "bin", "true"))
    return root
