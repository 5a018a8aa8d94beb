"""What tests of the executor are written with: it is opened on a real cluster."""

import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

import localproc_slurm
import pytest
from slurm_cluster import Cluster, missing
from tests.conftest import absent

from localproc.executors.batch import commands, queue, telling
from localproc.model import Task
from localproc.plugins.executor import Executor, ExecutorSettings
from localproc.testing.executor_tests import ExecutorTests, OpenExecutor, opened

PATIENCE: Final = 200.0  #: seconds until something never comes; far more than it takes


@pytest.fixture(scope="session")
def running_cluster() -> Iterator[Cluster | None]:
    """Start a cluster, once."""
    if missing():
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="localproc-slurm-"))
    cluster = Cluster(folder)
    yield cluster
    cluster.end()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def own_cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """Give a cluster to break: a controller that was killed may give ids out twice."""
    yield from _started(monkeypatch)


@pytest.fixture
def hasty_cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """Give a cluster to break that misses what its nodes have lost within seconds.

    On a busy machine it misses nodes that are there, too: those of computing centres have minutes.
    """
    yield from _started(monkeypatch, slurmd_timeout=5)


def _started(monkeypatch: pytest.MonkeyPatch, **options: Any) -> Iterator[Cluster]:
    if missing():
        absent(missing())
    folder = Path(tempfile.mkdtemp(prefix="localproc-slurm-"))
    cluster = Cluster(folder, **options)
    monkeypatch.setenv("SLURM_CONF", str(cluster.conf))
    yield cluster
    cluster.end()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def cluster(running_cluster: Cluster | None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """Give the cluster; see that a test leaves no job there."""
    if running_cluster is None:
        absent(missing())
        raise AssertionError
    monkeypatch.setenv("SLURM_CONF", str(running_cluster.conf))
    yield running_cluster
    left = running_cluster.call("squeue", "--noheader", "--format=%i").split()
    if left:
        running_cluster.tried("scancel", *left)
        until(lambda: not running_cluster.call("squeue", "--noheader", "--format=%i"))


class SlurmTests(ExecutorTests):
    """Opens executors of one folder."""

    patience = PATIENCE
    options: ClassVar[Mapping[str, Any]] = {}
    cluster: Cluster
    home: Path

    @pytest.fixture
    def open_executor(
        self, tmp_path: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[OpenExecutor]:
        for module in (commands, queue, telling):  # nobody else is there who is kept waiting
            monkeypatch.setattr(module, "QUERY", 0.2)
        self.cluster, self.home = cluster, tmp_path / "home"
        executors: list[Executor] = []

        def open_one(engine: str) -> Executor:
            executors.append(open_slurm(tmp_path / "home", engine, self.options))
            return executors[-1]

        yield open_one
        for one in executors:
            one.close()

    def job_of(self, task: Task) -> str:
        """Wait until a task was handed in; return the id of its job."""
        [about] = until(
            lambda: [
                one
                for one in self.home.glob("batches/lp-*/about.json")
                if task.key in json.loads(one.read_text())["keys"]
            ]
        )
        job: str = until(lambda: _read(about.with_name("id")))
        known = json.loads(about.read_text())
        return f"{job}_{known['keys'].index(task.key)}" if known["mode"] == "array" else job


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def open_slurm(folder: Path, engine: str, options: Mapping[str, Any]) -> Executor:
    """Open an executor as an engine does."""
    plugin, _ = localproc_slurm.localproc_executors()
    folder.mkdir(exist_ok=True)
    settings = ExecutorSettings(str(folder), engine, cores=0, ram=0, slots=0, options=options)
    return opened(plugin, settings)


def until(condition: Callable[[], Any]) -> Any:
    """Wait until a condition holds; return what it gave."""
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.05)
    return found
