"""What runs of homes that are gone is found, and can be ended."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from localproc.executors.leftovers import leftovers
from localproc.plugins.executor import Leftover
from tests.patience import patient, until


@pytest.fixture
def outdir(tmp_path: Path) -> Path:
    """Give a task's output directory in a home."""
    folder = tmp_path / "home" / "jobs" / "j1" / "work" / "slow"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def task(outdir: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Give a process that runs there."""
    env = {"HOME": str(outdir), "PATH": "/usr/bin:/bin"}
    with subprocess.Popen(["sleep", "300"], env=env) as process:
        yield process
        process.kill()


def of(home: Path) -> list[Leftover]:
    return [one for one in leftovers() if str(home) in one.said]


def test_what_runs_of_a_home_that_is_there_is_none(
    task: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    assert task.poll() is None
    assert of(tmp_path / "home") == []


def test_what_runs_of_a_home_that_is_gone_is_told_and_ended(
    task: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    shutil.rmtree(tmp_path / "home")
    (leftover,) = until(lambda: of(tmp_path / "home"))
    assert leftover.said == f"1 process of {tmp_path}/home, which is gone: {task.pid}"
    leftover.end()
    assert task.wait(patient(10)) == -9
