"""The executor keeps the contract, on a real daemon."""

from collections.abc import Callable

import pytest
from docker_fixtures import DockerTests, PodmanApi, api, road
from localproc_docker.containers import KEY

from localproc.model import Task
from localproc.plugins.executor import Executor
from localproc.testing.executors import ExecutorContract

__all__ = ["api", "road"]  # fixtures

pytestmark = pytest.mark.service


class TestDocker(DockerTests, ExecutorContract):
    enforces_memory = True

    def cancel_elsewhere(self, executor: Executor, task: Task) -> bool:
        wanted = {"label": [f"{KEY}={task.key}"]}
        [found] = self.daemon.get("/containers/json", all=True, filters=wanted)
        self.daemon.delete(f"/containers/{found['Id']}", force=True)
        return True

    def unreachable(self, executor: Executor) -> Callable[[], None]:
        self.way.hang()
        return self.way.mend


class TestPodman(PodmanApi, TestDocker):
    pass
