"""GPUs and MPI on this machine: found, enough or not, and how a task gets them."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from localproc.executors import local_means
from localproc.executors.local_means import LocalMeans
from localproc.model import Resources, Task

SMI = """#!/bin/sh
case "$1" in
--query-gpu*) printf '0, 7.5\\n1, 8.6\\n2, 8.6\\n' ;;
*) echo '| NVIDIA-SMI 535.1   Driver Version: 535.1   CUDA Version: 12.2 |' ;;
esac
"""


def task(key: str = "a", **needs: Any) -> Task:
    return Task(
        key, ("solve", "x"), {}, "/o", "/t", None, "/o.log", "/e.log", resources=Resources(**needs)
    )


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose driver lists three devices."""
    command = tmp_path / "nvidia-smi"
    command.write_text(SMI)
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    local_means._found.cache_clear()
    yield
    local_means._found.cache_clear()


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine that has neither GPUs nor MPI."""
    monkeypatch.setenv("PATH", str(tmp_path))
    local_means._found.cache_clear()
    yield
    local_means._found.cache_clear()


@pytest.mark.usefixtures("bare")
def test_what_is_not_there_is_said() -> None:
    means = LocalMeans({})
    assert not means.capabilities.gpus
    assert not means.capabilities.mpi
    assert means.unfit(task()) == ""
    assert means.unfit(task(gpus=1)) == "it needs 1 GPU, and there are none"
    assert "local.mpirun=" in means.unfit(task(processes=4))


@pytest.mark.usefixtures("driver")
@pytest.mark.parametrize(
    ("needs", "why"),
    [
        ({"gpus": 3}, ""),
        ({"gpus": 4}, "it needs 4 GPUs, and there are 3"),
        ({"gpus": 2, "capabilities": ("8.0",)}, ""),
        ({"gpus": 1, "capabilities": ("7.5", "6.0")}, ""),
        ({"gpus": 1, "capabilities": ("9.0",)}, "it needs GPUs of compute capability 9.0"),
        ({"gpus": 1, "cuda": "11.8"}, ""),
        ({"gpus": 1, "cuda": "12.10"}, "it needs CUDA 12.10, and there is 12.2"),
        ({"gpus": 1, "cuda": "new"}, "it needs CUDA new, and there is 12.2"),
    ],
)
def test_devices_are_those_that_the_driver_lists(needs: dict[str, Any], why: str) -> None:
    assert LocalMeans({}).unfit(task(**needs)) == why


@pytest.mark.usefixtures("driver")
def test_devices_that_are_hidden_from_the_engine_are_hidden_from_tasks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2")
    means = LocalMeans({})
    assert means.capabilities.devices == 1
    assert means.begin(task(gpus=1)).env == {"CUDA_VISIBLE_DEVICES": "2"}


@pytest.mark.usefixtures("bare")
def test_tasks_get_the_devices_that_fewest_others_use() -> None:
    means = LocalMeans({"gpus": "0, 1,2"})
    assert means.begin(task("a", gpus=1)).env == {"CUDA_VISIBLE_DEVICES": "0"}
    assert means.begin(task("b", gpus=2)).env == {"CUDA_VISIBLE_DEVICES": "1,2"}
    means.end("b")
    assert means.begin(task("c", gpus=2)).env == {"CUDA_VISIBLE_DEVICES": "1,2"}
    assert means.begin(task("d")).env == {}


@pytest.mark.usefixtures("bare")
def test_mpi_processes_are_started_by_the_command_of_the_platform() -> None:
    means = LocalMeans({"mpirun": "mpirun --oversubscribe"})
    begun = means.begin(task(processes=4, cores=2, ram=100))
    assert begun.argv == ("mpirun", "--oversubscribe", "-n", "4", "solve", "x")
    assert (begun.resources.cores, begun.resources.ram) == (8, 400)
    assert means.begin(task()).argv == ("solve", "x")
