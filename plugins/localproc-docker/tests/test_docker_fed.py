"""Tools in images without a shell read files as their stdin: all of it, or they are done again."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import localproc_docker
import pytest
from docker_daemon import ALONE, containers
from docker_fixtures import DockerTests, PodmanApi, api, gone, road, until
from localproc_docker.engine_api import EngineApi
from own_daemon import OwnDaemon, own_daemon

from localproc import Engine
from localproc.model import Container, Task, TaskState
from localproc.plugins.executor import Executor

__all__ = ["api", "road"]  # fixtures

pytestmark = [
    pytest.mark.service,
    # httpcore leaves the socket of a connection that failed to the garbage collector.
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
]

#: More than any buffer on the way holds, with what terminals take for something else.
MUCH = bytes(range(256)) * (1 << 14)


class TestFed(DockerTests):
    def fed(self, tmp_path: Path, *argv: str) -> Task:
        (file := tmp_path / "read").write_bytes(MUCH)
        task = self.command(tmp_path, "s", argv, stdin=str(file), reads=(str(file),))
        return replace(task, container=Container(ALONE, "/out"))

    def test_all_of_a_file_arrives(self, executor: Executor, tmp_path: Path) -> None:
        tasks = [self.fed(tmp_path, "md5sum") for _ in range(4)]
        executor.submit(tasks)
        found = self.reports(executor, [one.key for one in tasks])
        assert {one.exit_code for one in found.values()} == {0}
        assert {Path(one.stdout).read_text().split()[0] for one in tasks} == {
            hashlib.md5(MUCH, usedforsecurity=False).hexdigest()
        }

    def test_what_lies_in_its_folder_is_read_by_its_name_there(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        task = self.fed(tmp_path, "cat")
        (Path(task.outdir) / "own").write_text("own\n")
        (tmp_path / "other").write_text("other\n")
        task = replace(task, stdin="/out/own")
        executor.submit([task])
        assert self.reports(executor, [task.key])[task.key].exit_code == 0
        assert Path(task.stdout).read_text() == "own\n"

    def test_a_tool_need_not_read_all(self, executor: Executor, tmp_path: Path) -> None:
        tasks = [self.fed(tmp_path, *argv) for argv in (("head", "-c", "3"), ("false",))]
        executor.submit(tasks)
        found = self.reports(executor, [one.key for one in tasks])
        assert [found[one.key].exit_code for one in tasks] == [0, 1]
        assert Path(tasks[0].stdout).read_bytes() == MUCH[:3]

    def test_one_that_is_stopped_is(self, executor: Executor, tmp_path: Path) -> None:
        task = self.fed(tmp_path, "sh", "-c", "echo >on; sleep 600")
        executor.submit([task])
        self.running(executor, Path(task.outdir) / "on")
        executor.cancel([task.key], 0)
        assert self.reports(executor, [task.key])[task.key].state is TaskState.CANCELLED

    @pytest.mark.parametrize("ends", ["", "; exit"])
    def test_one_whose_engine_went_away_is_lost(
        self, open_executor: Any, api: EngineApi, tmp_path: Path, ends: str
    ) -> None:
        """It sees an end of the file that is none, and may make of that what it likes."""
        first = open_executor("first")
        task = self.fed(tmp_path, "sh", "-c", f"echo >on; cat >half{ends or '; sleep 600'}")
        first.submit([task])
        self.running(first, Path(task.outdir) / "on")
        first.close()
        home = tmp_path / "home"
        if ends:
            until(lambda: {one["State"] for one in containers(api, home)} == {"exited"})
        second = open_executor("second")
        second.reattach([task])
        report = self.reports(second, [task.key])[task.key]
        assert report.state is TaskState.LOST
        assert report.reason.startswith("who sent it what it reads went away")
        gone(api, home)


class TestPodmanFed(PodmanApi, TestFed):
    pass


@pytest.fixture(scope="module")
def daemon() -> Iterator[OwnDaemon]:
    with own_daemon() as found:
        yield found


def test_one_whose_daemon_went_away_is_done_again(tmp_path: Path, daemon: OwnDaemon) -> None:
    (folder := tmp_path / "go").mkdir()
    (folder / "read").write_bytes(MUCH)
    script = "until [ -e $0/go ]; do sleep 0.05; done; wc -c"
    given = {"type": "Directory", "default": {"class": "Directory", "location": folder.as_uri()}}
    file = {"type": "File", "default": {"class": "File", "location": (folder / "read").as_uri()}}
    tool = {
        "cwlVersion": "v1.2",
        "class": "CommandLineTool",
        "id": "tool",
        "requirements": [{"class": "DockerRequirement", "dockerImageId": ALONE}],
        "baseCommand": ["sh", "-c", script],
        "arguments": ["$(inputs.go.path)"],
        "inputs": {"go": given, "read": file},
        "stdin": "$(inputs.read.path)",
        "stdout": "count",
        "outputs": {"count": "stdout"},
    }
    with Engine(
        tmp_path / "home",
        plugins=[localproc_docker],
        executor="docker",
        executor_options={"docker": {"host": daemon.host}},
    ) as engine:
        job = engine.execute(engine.deploy(tool).id, {})
        until(daemon.runs_something)
        daemon.kill()
        (folder / "go").touch()
        daemon.start()
        job.wait().raise_for_status()
        [step] = [one for one in job.steps if one.name == "tool"]
        assert step.attempt == 2
        assert job.results()["count"].read_text().strip() == str(len(MUCH))
    assert daemon.api.get("/containers/json", all=True) == []
