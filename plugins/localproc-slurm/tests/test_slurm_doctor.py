"""What ``localproc doctor --executor slurm`` says of a cluster."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import localproc_slurm
import pytest
from localproc_slurm import examination
from slurm_cluster import Cluster
from slurm_fixtures import cluster, running_cluster

from localproc.plugins.executor import ExecutorSettings, Finding

__all__ = ["cluster", "running_cluster"]  # fixtures

pytestmark = pytest.mark.service


def found(folder: Path, **options: Any) -> Mapping[str, Finding]:
    settings = ExecutorSettings(str(folder), "doctor", 0, 0, 0, options)
    return {one.what: one for one in localproc_slurm.examine(settings)}


def test_a_cluster_that_is_well(tmp_path: Path, cluster: Cluster) -> None:
    said = found(tmp_path)
    assert {one.state for one in said.values() if one.what != "slurm tracks processes by"} == {"ok"}
    assert said["partition main"].said == (
        "3 nodes, at most 40 cores, 20000 MiB and 0 GPUs each, no time limit"
    )
    assert said["partition short"].said.endswith("10 min")
    assert said["a job"].said.endswith(f"which sees {tmp_path}")
    assert list(tmp_path.iterdir()) == []


def test_a_cluster_that_hides_the_jobs_of_others() -> None:
    [hidden] = (
        one
        for one in examination.of_configuration({"PrivateData": "jobs,usage"})
        if one.what == "places in the queue"
    )
    assert hidden.state == "warning"
    said = [one.what for one in examination.of_configuration({"PrivateData": "none"})]
    assert "places in the queue" not in said


def test_a_partition_that_is_not_there(tmp_path: Path, cluster: Cluster) -> None:
    said = found(tmp_path, partition="nowhere")["a job"]
    assert said.state == "failed"
    assert said.said.startswith("sbatch: invalid partition specified: nowhere")


def test_a_controller_that_is_not_there(
    tmp_path: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLURM_CONF", str(tmp_path / "nothing.conf"))
    said = found(tmp_path, timeout=2)["slurm"]
    assert said.state == "failed"
    assert "scontrol ping" in said.hint
