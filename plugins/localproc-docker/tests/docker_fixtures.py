"""What tests of the executor are written with: it is opened on a real daemon."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Final

import localproc_docker
import pytest
from docker_daemon import IMAGE, Road, containers, daemon
from localproc_docker.engine_api import ApiRefused, EngineApi

from localproc.model import Container, Task
from localproc.plugins.executor import Executor, ExecutorSettings
from localproc.testing.executor_tests import ExecutorTests, OpenExecutor, opened

PATIENCE: Final = 200.0  #: seconds until something never comes; far more than it takes


@pytest.fixture
def api() -> Iterator[EngineApi]:
    """Give the daemon."""
    found = daemon()
    yield found
    found.close()


@pytest.fixture
def road(tmp_path: Path, api: EngineApi) -> Iterator[Road]:
    """Give the way that executors take to it."""
    found = Road(tmp_path / "docker.sock", api)
    yield found
    found.close()


class PodmanApi:
    """Has tests ask podman's socket, that of ``CONTAINER_HOST``."""

    name = "podman"

    @pytest.fixture
    def api(self) -> Iterator[EngineApi]:
        found = daemon("CONTAINER_HOST")
        yield found
        found.close()


class DockerTests(ExecutorTests):
    """Opens executors of one folder, by way of a road to the daemon that can be broken."""

    patience = PATIENCE
    name: str = "docker"  #: of the executor
    options: ClassVar[Mapping[str, object]] = {}
    daemon: EngineApi
    way: Road

    @pytest.fixture
    def open_executor(self, tmp_path: Path, api: EngineApi, road: Road) -> Iterator[OpenExecutor]:
        self.daemon, self.way = api, road
        executors: list[Executor] = []

        def open_one(engine: str) -> Executor:
            options = {"host": road.host, **self.options}
            executors.append(open_docker(tmp_path / "home", engine, name=self.name, **options))
            return executors[-1]

        yield open_one
        for one in executors:
            one.close()
        until(lambda: removed(api, tmp_path / "home"))

    def command(self, tmp_path: Path, name: str, argv: Sequence[str], **fields: object) -> Task:
        """Make a task that runs in the tests' image."""
        task = super().command(tmp_path, name, argv, **fields)
        return replace(task, container=Container(IMAGE, task.outdir))


def open_docker(folder: Path, engine: str, *, name: str = "docker", **options: object) -> Executor:
    """Open an executor as an engine does."""
    [plugin] = [one for one in localproc_docker.localproc_executors() if one.name == name]
    folder.mkdir(exist_ok=True)
    settings = ExecutorSettings(str(folder), engine, cores=4, ram=2048, slots=4, options=options)
    return opened(plugin, settings)


def removed(api: EngineApi, folder: Path) -> bool:
    """Remove the containers of a folder; whether all are gone. Some may be ending just now."""
    for container in containers(api, folder):
        with suppress(ApiRefused):
            api.delete(f"/containers/{container['Id']}", force=True)
    return not containers(api, folder)


def until(condition: Callable[[], Any]) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.02)


def tool(script: str, **fields: Any) -> dict[str, Any]:
    """Return a tool that runs a script of the shell in the tests' image."""
    image = {"class": "DockerRequirement", "dockerImageId": "localproc-tests/busybox:1"}
    return {
        "cwlVersion": "v1.2",
        "class": "CommandLineTool",
        "id": "tool",
        "requirements": [image],
        "baseCommand": ["sh", "-c", script],
        "inputs": {},
        "outputs": {},
        **fields,
    }
