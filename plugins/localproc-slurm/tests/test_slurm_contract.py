"""The executor keeps the contract, on a real cluster, however tasks are handed in."""

import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import pytest
from slurm_cluster import Cluster
from slurm_fixtures import SlurmTests, cluster, running_cluster

from localproc.model import Task
from localproc.plugins.executor import Executor
from localproc.testing.executors import ExecutorContract

__all__ = ["cluster", "running_cluster"]  # fixtures

pytestmark = pytest.mark.service


class SlurmContract(SlurmTests, ExecutorContract):
    fillers = 4

    @pytest.fixture(autouse=True)
    def _limits(self, cluster: Cluster) -> None:
        self.enforces_memory = cluster.limits

    def cancel_elsewhere(self, executor: Executor, task: Task) -> bool:
        self.cluster.call("scancel", self.job_of(task))
        return True

    def told(self, executor: Executor, task: Task) -> str:
        shown = self.cluster.call("scontrol", "--details", "show", "jobs")
        jobs = set(re.findall(r"JobId=(\d+)", shown))
        scripts = [
            self.cluster.tried("scontrol", "write", "batch_script", one, "-") for one in jobs
        ]
        return "\n".join([shown, *(one.stdout for one in scripts)])

    def unreachable(self, executor: Executor) -> Callable[[], None]:
        self.cluster.stop("slurmctld")
        return lambda: self.cluster.go_on("slurmctld")


class TestSingles(SlurmContract):
    options: ClassVar[Mapping[str, Any]] = {"mode": "single"}


class TestArrays(SlurmContract):
    options: ClassVar[Mapping[str, Any]] = {"mode": "array"}


class TestBundles(SlurmContract):
    options: ClassVar[Mapping[str, Any]] = {"mode": "bundle"}
