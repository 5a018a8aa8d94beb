"""What tests of the executor are written with: it is opened on a real daemon."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Final

import localproc_docker
import pytest
from docker_daemon import IMAGE, Road, containers, daemon
from localproc_docker.engine_api import ApiRefused, EngineApi

from localproc.errors import ExecutorUnavailable
from localproc.model import Container, Task
from localproc.plugins.executor import Executor, ExecutorSettings
from localproc.testing.executor_tests import ExecutorTests, OpenExecutor, opened

_LOG: Final = logging.getLogger("localproc")
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
        remove_all(api, tmp_path / "home")

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


def remove_all(api: EngineApi, folder: Path) -> None:
    """Remove the containers of a folder whose executors are closed.

    None may be made any more. One that the daemon itself does not let go of is its affair: it is
    told of, and fails no test.
    """
    first = {one["Id"] for one in containers(api, folder)}
    refusals: dict[str, str] = {}

    def are_gone() -> bool:
        left = {one["Id"] for one in containers(api, folder)}
        assert left <= first, f"made after its executor was closed: {left - first}"
        for one in left:
            try:
                api.delete(f"/containers/{one}", force=True, v=True)
            except (ApiRefused, ExecutorUnavailable) as error:
                refusals[one] = error.message
        return not left

    deadline = time.monotonic() + PATIENCE
    while not are_gone() and time.monotonic() < deadline:
        time.sleep(0.02)
    left = containers(api, folder)
    assert all(one["Id"] in refusals for one in left), told(left)
    for one in left:
        _LOG.warning("%s: %s", told([one]), refusals[one["Id"]])


def told(found: Sequence[Mapping[str, Any]]) -> str:
    """Return what is known of containers, in short."""
    return "; ".join(f"{one['Id'][:12]} {one['State']}, {one['Status']}" for one in found)


def gone(api: EngineApi, folder: Path) -> None:
    """Wait until a folder has no containers."""
    until(lambda: not containers(api, folder), lambda: told(containers(api, folder)))


def ended(api: EngineApi, folder: Path) -> None:
    """Wait until all containers of a folder have ended."""
    until(
        lambda: {one["State"] for one in containers(api, folder)} == {"exited"},
        lambda: told(containers(api, folder)),
    )


def until(condition: Callable[[], Any], left: Callable[[], object] = lambda: "") -> None:
    """Wait until a condition holds; ``left`` says what there is if it never does."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"it never came to that: {left()}"
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
