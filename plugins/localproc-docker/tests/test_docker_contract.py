"""The executor keeps the contract, on a real daemon."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest
from docker_daemon import containers
from docker_fixtures import DockerTests, PodmanApi, api, road
from localproc_docker.task_containers import KEY

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

    def told(self, executor: Executor, task: Task) -> str:
        found = containers(self.daemon, Path(task.outdir).parent / "home")
        shown = [self.daemon.get(f"/containers/{one['Id']}/json") for one in found]
        return json.dumps([found, shown], ensure_ascii=False)

    def unreachable(self, executor: Executor) -> Callable[[], None]:
        self.way.hang()
        return self.way.mend


class TestPodman(PodmanApi, TestDocker):
    pass


class TestWarm(TestDocker):
    """Tasks share containers."""

    options: ClassVar = {"warm": "step"}

    def command(self, tmp_path: Path, name: str, argv: Sequence[str], **fields: object) -> Task:
        return replace(super().command(tmp_path, name, argv, **fields), group="job:step")

    def cancel_elsewhere(self, executor: Executor, task: Task) -> bool:
        [found] = containers(self.daemon, Path(task.outdir).parent / "home")
        self.daemon.delete(f"/containers/{found['Id']}", force=True)
        return True
