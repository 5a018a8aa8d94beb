"""What others do to the containers of tasks: the step ends, and is told who and why."""

import logging
from pathlib import Path

import pytest
from docker_daemon import containers
from docker_fixtures import DockerTests, PodmanApi, api, road
from localproc_docker.engine_api import EngineApi

from localproc.model import TaskState
from localproc.plugins.executor import Executor

__all__ = ["api", "road"]  # fixtures

pytestmark = pytest.mark.service


class OutsideTests(DockerTests):
    def test_a_kill_from_outside_is_told_with_who_and_why(
        self, executor: Executor, api: EngineApi, tmp_path: Path
    ) -> None:
        task = self.task(tmp_path, "s", "touch on; sleep 300")
        executor.submit([task])
        self.running(executor, Path(task.outdir) / "on")
        [one] = containers(api, tmp_path / "home")
        api.post(f"/containers/{one['Id']}/kill", signal="KILL")
        report = self.reports(executor, [task.key])[task.key]
        assert report.state is TaskState.CANCELLED
        assert report.reason == f"somebody sent it signal 9 by way of {self.name}"

    def test_a_removal_from_outside_is_told(
        self,
        executor: Executor,
        api: EngineApi,
        tmp_path: Path,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        task = self.task(tmp_path, "s", "touch on; sleep 300")
        executor.submit([task])
        self.running(executor, Path(task.outdir) / "on")
        [one] = containers(api, tmp_path / "home")
        api.delete(f"/containers/{one['Id']}", force=True)
        report = self.reports(executor, [task.key])[task.key]
        assert report.state is TaskState.CANCELLED
        assert report.reason == "its container was removed"
        assert not [one.message for one in caplog.records if one.levelno >= logging.ERROR]

    def test_a_tool_that_kills_itself_was_not_killed_by_somebody(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        task = self.task(tmp_path, "s", "kill -KILL $$")
        executor.submit([task])
        report = self.reports(executor, [task.key])[task.key]
        assert (report.state, report.exit_code) == (TaskState.ENDED, 137)


class TestDockerFromOutside(OutsideTests):
    def test_a_signal_that_a_tool_has_survived_did_not_end_it(
        self, executor: Executor, api: EngineApi, tmp_path: Path
    ) -> None:
        task = self.task(tmp_path, "s", "touch on; until [ -e go ]; do sleep 0.05; done; exit 139")
        executor.submit([task])
        self.running(executor, Path(task.outdir) / "on")
        [one] = containers(api, tmp_path / "home")
        api.post(f"/containers/{one['Id']}/kill", signal="USR1")
        (Path(task.outdir) / "go").touch()
        report = self.reports(executor, [task.key])[task.key]
        assert (report.state, report.exit_code) == (TaskState.ENDED, 139)


class TestPodmanFromOutside(PodmanApi, OutsideTests):
    pass
