"""What happens to containers from outside, and what a daemon does that is not there."""

import gc
import os
import uuid
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import localproc_docker
import pytest
from docker_daemon import BARE, IMAGE, Road, containers, daemon
from docker_fixtures import DockerTests, api, ended, gone, open_docker, road, tool, until
from localproc_docker.daemons import DAEMONS
from localproc_docker.engine_api import EngineApi
from localproc_docker.task_containers import KEY

from localproc import Engine
from localproc.errors import EnvironmentProblem, UnsupportedPackage
from localproc.model import Container, JobStatus, Resources, TaskState
from localproc.plugins.executor import Executor, ExecutorSettings, Leftover
from localproc.testing.executors import OpenExecutor

__all__ = ["api", "road"]  # fixtures

pytestmark = pytest.mark.service

GO_ON = "touch on; until [ -e go ]; do sleep 0.05; done; exit 5"


class TestFaults(DockerTests):
    def test_a_container_that_ended_while_nobody_looked_is_found(
        self, open_executor: OpenExecutor, api: EngineApi, tmp_path: Path
    ) -> None:
        first = open_executor("first")
        task = self.task(tmp_path, "s", GO_ON)
        first.submit([task])
        self.running(first, Path(task.outdir) / "on")
        first.close()
        (Path(task.outdir) / "go").touch()
        ended(api, tmp_path / "home")
        second = open_executor("second")
        second.reattach([task])
        assert self.reports(second, [task.key])[task.key].exit_code == 5

    def test_an_image_without_a_shell_keeps_its_streams(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        tasks = [
            replace(self.command(tmp_path, "s", argv), container=Container(BARE, "/out"))
            for argv in (("hello", "world"), ("again",))
        ]
        executor.submit(tasks)
        found = self.reports(executor, [one.key for one in tasks])
        assert {one.exit_code for one in found.values()} == {0}
        assert [Path(one.stdout).read_text() for one in tasks] == ["hello world\n", "again\n"]

    def test_devices_that_the_daemon_has_not_are_told(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        task = self.task(tmp_path, "s", "true", resources=Resources(gpus=1, cuda="11.4"))
        executor.submit([task])
        report = self.reports(executor, [task.key])[task.key]
        assert report.state is TaskState.REFUSED
        assert report.reason.startswith("it needs GPUs (1), and the daemon has no driver for any")

    def test_devices_that_are_but_wished_for_are_done_without(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        """Only the start of a container tells that there are none."""
        task = self.task(tmp_path, "s", "echo ran; echo wrong >&2", resources=Resources(gpus=1))
        executor.submit([task])
        report = self.reports(executor, [task.key])[task.key]
        said = (
            "the hint CUDARequirement cannot be met: the daemon has no driver for GPUs; "
            "it is done without"
        )
        assert (report.exit_code, report.without) == (0, (said,))
        assert Path(task.stdout).read_text() == "ran\n"
        assert Path(task.stderr).read_text() == f"{said}\nwrong\n"

    def test_shared_memory_has_the_size_that_is_asked_for(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        task = self.task(tmp_path, "s", "df -k /dev/shm | tail -n 1")
        assert task.container is not None
        task = replace(task, container=replace(task.container, shm=8 << 20))
        executor.submit([task])
        self.reports(executor, [task.key])
        assert Path(task.stdout).read_text().split()[1] == "8192"

    def test_a_tool_may_do_little_and_its_files_are_the_users(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        script = "touch mine; touch /root-is-read-only 2>/dev/null; echo $?; "
        script += (
            "grep -c : /proc/net/dev; grep NoNewPrivs /proc/self/status; cat /proc/self/status"
        )
        task = self.task(tmp_path, "s", script)
        executor.submit([task])
        self.reports(executor, [task.key])
        said = Path(task.stdout).read_text()
        writes, devices, privileges = said.splitlines()[:3]
        assert (writes, privileges.split()) == ("1", ["NoNewPrivs:", "1"])
        assert devices == "1", "the loopback device alone"
        assert (Path(task.outdir) / "mine").stat().st_uid == os.getuid()
        [effective] = [line.split()[1] for line in said.splitlines() if line.startswith("CapEff")]
        allowed = 1 << 1 if os.getuid() == 0 else 0  #: DAC_OVERRIDE
        assert int(effective, 16) == allowed

    def test_an_image_that_is_not_here_is_refused_with_what_brings_it(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        box = Container("registry.invalid/tool:1", "/out", pull="registry.invalid/tool:1")
        task = replace(self.task(tmp_path, "s", "true"), container=box)
        executor.submit([task])
        report = self.reports(executor, [task.key])[task.key]
        assert report.state is TaskState.REFUSED
        assert report.reason == (
            "the image registry.invalid/tool:1 is not here: "
            "docker pull registry.invalid/tool:1 brings it"
        )

    def test_it_runs_in_the_image_that_was_recorded_whatever_its_name_stands_for_now(
        self, executor: Executor, api: EngineApi, tmp_path: Path
    ) -> None:
        name = f"localproc-tests/{uuid.uuid4().hex}"
        api.post(f"/images/{BARE}/tag", repo=name, tag="1")
        task = self.task(tmp_path, "t", "exit 3")
        assert task.container is not None
        digest = api.get(f"/images/{IMAGE}/json")["Id"]
        box = replace(task.container, image=f"{name}:1", digest=digest)
        executor.submit([replace(task, container=box)])
        assert self.reports(executor, [task.key])[task.key].exit_code == 3
        api.delete(f"/images/{name}:1")

    def test_what_was_handed_on_by_another_engine_runs_once(
        self, open_executor: OpenExecutor, tmp_path: Path
    ) -> None:
        first, second = open_executor("first"), open_executor("second")
        task = self.task(tmp_path, "s", "echo ran >> ran.txt; exit 4")
        first.submit([task])
        self.reports(first, [task.key])
        second.submit([task])
        assert self.reports(second, [task.key])[task.key].exit_code == 4
        assert (Path(task.outdir) / "ran.txt").read_text() == "ran\n"

    def test_what_is_stopped_before_its_turn_never_runs(
        self, executor: Executor, api: EngineApi, tmp_path: Path
    ) -> None:
        tasks = [self.task(tmp_path, f"s{n}", "touch on; sleep 300") for n in range(6)]
        executor.submit(tasks)
        executor.cancel([one.key for one in tasks], 0)
        found = self.reports(executor, [one.key for one in tasks])
        assert {one.state for one in found.values()} == {TaskState.CANCELLED}
        states = {one["State"] for one in containers(api, tmp_path / "home")}
        assert states <= {"exited"}

    def test_two_homes_do_not_see_each_others_containers(
        self, executor: Executor, api: EngineApi, road: Road, tmp_path: Path
    ) -> None:
        task = self.task(tmp_path, "s", GO_ON)
        executor.submit([task])
        self.running(executor, Path(task.outdir) / "on")
        other = open_docker(tmp_path / "other", "first", host=road.host)
        other.reattach([task])
        assert self.reports(other, [task.key])[task.key].state is TaskState.NEVER_STARTED
        other.tidy()
        other.close()
        assert len(containers(api, tmp_path / "home")) == 1
        (Path(task.outdir) / "go").touch()
        assert self.reports(executor, [task.key])[task.key].exit_code == 5

    def test_what_is_released_leaves_no_container(
        self, executor: Executor, api: EngineApi, tmp_path: Path
    ) -> None:
        task = self.task(tmp_path, "s", "true")
        executor.submit([task])
        self.reports(executor, [task.key])
        assert len(containers(api, tmp_path / "home")) == 1, "it is the exit record"
        executor.release([task.key])
        gone(api, tmp_path / "home")


@pytest.mark.parametrize("name", ["docker", "podman"])
def test_containers_of_a_home_that_is_gone_are_found_and_removed(tmp_path: Path, name: str) -> None:
    api = daemon("DOCKER_HOST" if name == "docker" else "CONTAINER_HOST")
    home = tmp_path / "home" / f"executor-{name}"
    home.mkdir(parents=True)
    executor = open_docker(home, "first", name=name, host=api.address)
    task = DockerTests().command(tmp_path, "s", ("sh", "-c", "touch on; sleep 300"))
    executor.submit([task])
    until(lambda: Path(task.outdir, "on").exists())
    executor.close()
    assert left(tmp_path / "home", name) == []
    home.rmdir()
    home.parent.rmdir()
    [found] = left(tmp_path / "home", name)
    assert found.said.startswith(f"1 {name} container of {home.parent}, which is gone: ")
    found.end()
    assert containers(api, home) == []
    api.close()


def left(home: Path, name: str) -> list[Leftover]:
    """Return what ``localproc doctor`` finds of a home."""
    [plugin] = [one for one in localproc_docker.localproc_executors() if one.name == name]
    return [one for one in plugin.leftovers() if str(home) in one.said]


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("docker", "is it running, and may this user open its socket?"),
        ("podman", "the program alone does not listen: systemctl --user start podman.socket"),
    ],
)
def test_a_daemon_that_is_not_there_is_told_when_it_is_opened(
    tmp_path: Path, name: str, advice: str
) -> None:
    host = f"unix://{tmp_path}/nobody.sock"
    with warnings.catch_warnings():
        # httpcore leaves the socket of a connection that failed to the garbage collector.
        warnings.simplefilter("ignore", ResourceWarning)
        said, hint = refusal(tmp_path / "home", name, host)
        gc.collect()
    assert said.startswith(f"the container daemon at {host} does not answer")
    assert hint.startswith(advice)


def refusal(folder: Path, name: str, host: str) -> tuple[str, str]:
    with pytest.raises(EnvironmentProblem) as raised:
        open_docker(folder, "first", name=name, host=host)
    return raised.value.message, raised.value.hint


def test_an_address_or_option_that_makes_no_sense_is_told(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem, match="cannot be reached at 'ssh://me@there'"):
        open_docker(tmp_path / "home", "first", host="ssh://me@there")
    settings = ExecutorSettings(str(tmp_path), "first", 1, 1, 1, options={"hots": "x"})
    with pytest.raises(EnvironmentProblem, match="no option 'hots'"):
        localproc_docker.open_daemon(DAEMONS[0], settings)


def running(api: EngineApi, job: str) -> int:
    return sum(one["State"] == "running" for one in of_job(api, job))


def of_job(api: EngineApi, job: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get("/containers/json", all=True, filters={"label": [KEY]})
    return [one for one in found if one["Labels"][KEY].startswith(f"{job}:")]


def test_many_containers_dismissed_at_once_leave_nothing(tmp_path: Path, api: EngineApi) -> None:
    step = {"run": tool("sleep 300", inputs={"n": "int"}), "in": {"n": "all"}, "out": []}
    package = {
        "cwlVersion": "v1.2",
        "class": "Workflow",
        "id": "many",
        "requirements": [{"class": "ScatterFeatureRequirement"}],
        "inputs": {"all": "int[]"},
        "outputs": {},
        "steps": {"sleeps": {**step, "scatter": "n"}},
    }
    home = tmp_path / "home"
    with Engine(
        home, plugins=[localproc_docker], executor="docker", slots=20, cores=40, ram=64000
    ) as engine:
        job = engine.execute(engine.deploy(package).id, {"all": list(range(20))})
        until(lambda: running(api, job.id) == 20)
        job.dismiss()
        assert job.wait().status is JobStatus.DISMISSED
    assert of_job(api, job.id) == []


def test_a_daemon_that_hangs_delays_no_other_job(
    tmp_path: Path, api: EngineApi, road: Road
) -> None:
    options = {"docker": {"host": road.host}}
    with Engine(
        tmp_path / "home",
        plugins=[localproc_docker],
        executor="docker;no-container=local",
        executor_options=options,
    ) as engine:
        wait = "until [ -e go ]; do sleep 0.05; done; exit 3"
        job = engine.execute(engine.deploy(tool(wait)).id, {})
        until(lambda: running(api, job.id) == 1)
        road.hang()
        here = tool("true", id="here", requirements=[])
        assert engine.run(here, {}).status is JobStatus.SUCCESSFUL
        Path(job.folder, "work", "tool", "go").touch()
        road.mend()
        assert job.wait().message == "step tool failed with exit code 3"


def test_a_tool_without_an_image_is_refused_before_the_job_is_accepted(
    tmp_path: Path, api: EngineApi
) -> None:
    with Engine(tmp_path / "home", plugins=[localproc_docker], executor="docker") as engine:
        with pytest.raises(UnsupportedPackage, match="docker;no-container=local"):
            engine.run(tool("true", requirements=[]), {})
        hinted = tool("true", requirements=[], hints=tool("")["requirements"])
        assert engine.run(hinted, {}).status is JobStatus.SUCCESSFUL
