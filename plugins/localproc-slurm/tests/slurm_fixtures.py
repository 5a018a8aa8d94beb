"""What tests of the executor are written with: it is opened on a real cluster."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

import localproc_slurm
import pytest
from tests.conftest import absent

from localproc.plugins.executor import Executor, ExecutorSettings
from localproc.testing.executor_tests import ExecutorTests, OpenExecutor, opened

PATIENCE: Final = 200.0  #: seconds until something never comes; far more than it takes


@pytest.fixture
def cluster() -> None:
    """See that there is one."""
    if shutil.which("sinfo") is None or not os.environ.get("SLURM_CONF"):
        absent("there is no Slurm cluster: SLURM_CONF names none")
    if slurm("scontrol", "ping", check=False).returncode:
        absent("the controller of the Slurm cluster does not answer")


class SlurmTests(ExecutorTests):
    """Opens executors of one folder."""

    patience = PATIENCE
    options: ClassVar[Mapping[str, Any]] = {}

    @pytest.fixture
    def open_executor(self, tmp_path: Path, cluster: None) -> Iterator[OpenExecutor]:
        executors: list[Executor] = []

        def open_one(engine: str) -> Executor:
            executors.append(open_slurm(tmp_path / "home", engine, self.options))
            return executors[-1]

        yield open_one
        for one in executors:
            one.close()
        batches = tmp_path / "home" / "batches"
        if left := [job for job, name in jobs().items() if (batches / name).exists()]:
            slurm("scancel", *left)


def open_slurm(folder: Path, engine: str, options: Mapping[str, Any]) -> Executor:
    """Open an executor as an engine does."""
    [plugin] = localproc_slurm.localproc_executors()
    folder.mkdir(exist_ok=True)
    settings = ExecutorSettings(str(folder), engine, cores=0, ram=0, slots=0, options=options)
    return opened(plugin, settings)


def slurm(*argv: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Call a command of Slurm."""
    return subprocess.run(argv, check=check, capture_output=True, text=True, timeout=60)


def jobs() -> Mapping[str, str]:
    """Return the names of jobs in the queue, by id."""
    said = slurm("squeue", "--me", "--noheader", "--format=%i|%j").stdout
    return dict(line.split("|", 1) for line in said.splitlines())


def until(condition: Callable[[], Any]) -> Any:
    """Wait until a condition holds; return what it gave."""
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.05)
    return found
