"""Containers that the daemon does not remove: it has missed their end, or cannot unmount them."""

import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import localproc_docker
import pytest
from docker_fixtures import DockerTests, open_docker, until
from fake_daemon import answering
from localproc_docker.boxes import Boxes
from localproc_docker.engine_api import EngineApi
from localproc_docker.overdue import overdue
from localproc_docker.task_containers import KEY, Owner
from localproc_docker.warm import LANE

from localproc.executors.opening import open_executor
from localproc.plugins.executor import ExecutorPlugin, ExecutorSettings

pytestmark = pytest.mark.slow

STUCK = "removal of container 1234 is already in progress"


class Stubborn:
    """Has one container, and never comes to the end of removing it."""

    def __init__(self, key: str) -> None:
        self.asked: list[str] = []
        self.has_it = True
        self._listed = {"Id": "1234", "Names": ["/one"], "State": "running", "Labels": {KEY: key}}

    def answer(self, verb: str, path: str) -> tuple[int, Any]:
        self.asked.append(f"{verb} {path}")
        if path == "/containers/json":
            return 200, [self._listed] if self.has_it else []
        if path == "/version":
            return 200, {"Version": "20.10.24"}
        if path == "/info":
            return 200, {"NCPU": 2}
        return (409, {"message": STUCK}) if verb == "DELETE" else (200, [])


@pytest.fixture
def stubborn() -> Stubborn:
    return Stubborn("job:step:1")


@pytest.fixture
def address(tmp_path: Path, stubborn: Stubborn) -> Iterator[str]:
    with answering(tmp_path, stubborn.answer) as found:
        yield found


@pytest.mark.parametrize(("has_it", "times"), [(True, 1), (False, 0)])
def test_one_that_is_still_there_when_the_executor_is_closed_is_told(
    tmp_path: Path,
    address: str,
    stubborn: Stubborn,
    caplog: pytest.LogCaptureFixture,
    has_it: bool,
    times: int,
) -> None:
    """Somebody else may have removed it just then."""
    api = EngineApi(address)
    boxes = Boxes(api, Owner(str(tmp_path), 0, 0))
    boxes.remove("one")
    stubborn.has_it = has_it
    with caplog.at_level(logging.WARNING, "localproc"):
        boxes.close()
    api.close()
    assert caplog.text.count(f"the container one is still there: {STUCK}; it is tried") == times


def plugin() -> ExecutorPlugin:
    return next(one for one in localproc_docker.localproc_executors() if one.name == "docker")


@pytest.mark.parametrize(
    ("is_over", "asked"), [(True, "DELETE /containers/1234"), (False, "GET /events")]
)
def test_the_next_engine_tries_again_if_nobody_asks_for_its_task(
    tmp_path: Path, address: str, stubborn: Stubborn, is_over: bool, asked: str
) -> None:
    settings = ExecutorSettings(
        str(tmp_path), "next", 1, 100, 1, {"host": address}, lambda key: is_over
    )
    executor = open_executor(plugin(), settings)
    until(lambda: asked in stubborn.asked)
    executor.close()
    assert ("DELETE /containers/1234" in stubborn.asked) is is_over


def test_doctor_tells_of_it(tmp_path: Path, address: str) -> None:
    settings = ExecutorSettings(
        str(tmp_path), "doctor", 0, 0, 0, {"host": address}, lambda key: key == "job:step:1"
    )
    daemon, kept = plugin().examine(settings)
    assert (daemon.state, daemon.said) == ("ok", "docker 20.10.24")
    assert kept.state == "warning"
    assert kept.said == "of tasks that are over, 1 are still there: 1234 (running)"
    assert "restarted" in kept.hint


def test_a_warm_one_is_wanted_as_long_as_it_has_a_folder(tmp_path: Path) -> None:
    known = [{"Id": name, "Labels": {KEY: LANE + name}} for name in ("here", "gone")]
    (tmp_path / "warm" / "here").mkdir(parents=True)
    assert [one["Id"] for one in overdue(known, str(tmp_path), lambda key: False)] == ["gone"]


class Stuck:
    """Answers for all containers but the one that is started first; the others have ended."""

    def __init__(self) -> None:
        self.over = threading.Event()
        self.first = ""

    def answer(self, verb: str, path: str) -> tuple[int, Any] | None:
        parts = path.split("/")
        if path.endswith("/start"):
            self.first = self.first or parts[2]
        if verb != "GET" or parts[1] == "info":
            return 200, {"Id": "1"}
        if parts[1] == "images":
            return 200, {"Id": "sha256:1", "Config": {}}
        if path.startswith("/containers/") and path != "/containers/json":
            if parts[2] == self.first:
                self.over.wait()
            return 200, {"State": {"Status": "exited", "ExitCode": 4}, "Config": {}}
        return 200, []


def test_a_container_that_the_daemon_is_stuck_with_does_not_hold_up_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("localproc_docker.boxes._SOON", 0.1)
    stuck, tests = Stuck(), DockerTests()
    with answering(tmp_path, stuck.answer) as address:
        executor = open_docker(tmp_path / "home", "first", host=address)
        first = tests.command(tmp_path, "first", ("true",))
        executor.submit([first])
        until(lambda: stuck.first)
        other = tests.command(tmp_path, "other", ("true",))
        executor.submit([other])
        assert tests.reports(executor, [other.key])[other.key].exit_code == 4
        stuck.over.set()
        assert tests.reports(executor, [first.key])[first.key].exit_code == 4
        executor.close()
