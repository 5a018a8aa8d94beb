"""Tasks that share containers: which do, what they see, and what becomes of them."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import localproc_docker
import pytest
from docker_daemon import BARE, IMAGE, VOLUME, containers
from docker_fixtures import DockerTests, api, ended, gone, road, until
from localproc_docker.engine_api import EngineApi
from localproc_docker.task_containers import KEY
from localproc_docker.warm import mounts, script, sees, sharing

from localproc import Engine
from localproc.model import Container, JobStatus, Mount, Resources, Task, TaskState
from localproc.plugins.containers import Image
from localproc.plugins.executor import Executor
from localproc.testing.executors import OpenExecutor

__all__ = ["api", "road"]  # fixtures

TOOL = Image("tool:1", "sha256:1", entrypoint=("run",))
TASK = Task(
    key="job:crop:1",
    argv=("crop", "a b"),
    env={"HOME": "/work/crop"},
    outdir="/work/crop",
    tmpdir="/scratch/1",
    stdin=None,
    stdout="/work/crop/list.txt",
    stderr="/logs/node_crop.log",
    resources=Resources(ram=512, ram_max=600),
    container=Container("tool:1", "/work/crop"),
    reads=("/data/scene",),
    group="job:crop",
)


def other(**fields: Any) -> Task:
    return replace(TASK, key="job:crop_2:1", outdir="/work/crop_2", **fields)


def boxed(task: Task, **fields: Any) -> Task:
    assert task.container is not None
    return replace(task, container=replace(task.container, outdir=task.outdir, **fields))


def test_tasks_of_one_step_may_share_a_container() -> None:
    second = boxed(other())
    assert sharing(TASK, TOOL, "step") == sharing(second, TOOL, "step") is not None


def test_tasks_of_other_steps_may_share_one_only_where_that_is_asked_for() -> None:
    second = boxed(other(group="job:ndvi"))
    assert sharing(TASK, TOOL, "step") != sharing(second, TOOL, "step")
    assert sharing(TASK, TOOL, "job") == sharing(second, TOOL, "job")
    assert sharing(TASK, TOOL, "no") is None


@pytest.mark.parametrize(
    "task",
    [
        boxed(other(), network=True),
        boxed(other(), shm=1 << 20),
        boxed(other(resources=Resources(ram=512, ram_max=700))),
    ],
)
def test_tasks_of_other_needs_share_none(task: Task) -> None:
    assert sharing(task, TOOL, "step") not in (None, sharing(TASK, TOOL, "step"))


@pytest.mark.parametrize(
    "task",
    [
        replace(TASK, container=Container("tool:1", "/elsewhere")),
        boxed(TASK, mounts=(Mount("/a", "/etc/a"),)),
        replace(TASK, resources=Resources(gpus=1)),
        replace(TASK, env={"no-name": "x"}),
    ],
)
def test_a_task_that_is_unlike_others_has_a_container_of_its_own(task: Task) -> None:
    assert sharing(task, TOOL, "job") is None


def test_tasks_of_an_image_with_volumes_share_none() -> None:
    assert sharing(TASK, replace(TOOL, volumes=("/data",)), "job") is None


def test_the_script_of_a_task_takes_any_argument() -> None:
    odd = replace(TASK, argv=("it's", "$HOME", "a\nb"))
    text = script(odd, TOOL).decode()
    assert text.splitlines()[0] == "exec >>/work/crop/list.txt 2>>/logs/node_crop.log </dev/null"
    assert text.endswith("exec run 'it'\"'\"'s' '$HOME' 'a\nb'\n")


def test_a_container_that_does_not_see_an_input_is_not_shared() -> None:
    seen = mounts("/lane", [TASK])
    assert sees(seen, boxed(other()))
    assert not sees(seen, boxed(other(reads=("/data/other",))))
    assert not sees(seen, boxed(other(writes=("/data/scene",))))


@pytest.mark.service
class TestShared(DockerTests):
    options: ClassVar = {"warm": "step"}

    def command(self, tmp_path: Path, name: str, argv: Sequence[str], **fields: object) -> Task:
        return replace(super().command(tmp_path, name, argv, **fields), group="job:step")

    def test_they_run_in_one_container_and_leave_nothing(
        self, executor: Executor, api: EngineApi, tmp_path: Path
    ) -> None:
        tasks = [self.task(tmp_path, "s", "hostname; exit 3") for _ in range(40)]
        executor.submit(tasks)
        found = self.reports(executor, [one.key for one in tasks])
        assert {one.exit_code for one in found.values()} == {3}
        hosts = {Path(one.stdout).read_text() for one in tasks}
        assert len(hosts) <= 4, "slots"
        executor.release([one.key for one in tasks])
        gone(api, tmp_path / "home")
        until(lambda: os.listdir(tmp_path / "home" / "warm") == ["keys"])
        assert os.listdir(tmp_path / "home" / "warm" / "keys") == []

    def test_what_a_task_leaves_running_ends_with_it(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        leaves = self.task(tmp_path, "s", "(while :; do echo x >> beat; sleep 0.05; done) & exit 0")
        executor.submit([leaves])
        self.reports(executor, [leaves.key])
        beat = Path(leaves.outdir) / "beat"
        beat.touch()
        self.still(beat)

    def test_what_a_task_leaves_in_the_containers_own_folders_is_gone_for_the_next(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        leaves = "mkdir /tmp/work /tmp/.work /dev/shm/work && echo x > '/tmp/work/a b'; exit $?"
        tasks = [self.task(tmp_path, "s", f"hostname; {leaves}") for _ in range(12)]
        executor.submit(tasks)
        found = self.reports(executor, [one.key for one in tasks])
        assert {one.exit_code for one in found.values()} == {0}
        hosts = [Path(one.stdout).read_text() for one in tasks]
        assert len(set(hosts)) < len(hosts), "some have shared one"

    def test_one_that_is_stopped_harms_no_other(self, executor: Executor, tmp_path: Path) -> None:
        stuck = self.task(tmp_path, "stuck", "touch on; trap '' TERM; while :; do sleep 1; done")
        executor.submit([stuck])
        self.running(executor, Path(stuck.outdir) / "on")
        others = [self.task(tmp_path, "s", "exit 4") for _ in range(5)]
        executor.submit(others)
        executor.cancel([stuck.key], 0.1)
        found = self.reports(executor, [stuck.key, *(one.key for one in others)])
        assert found[stuck.key].state is TaskState.CANCELLED
        assert {found[one.key].exit_code for one in others} == {4}

    def test_one_whose_container_is_removed_is_told_and_those_to_come_run_once(
        self, executor: Executor, api: EngineApi, tmp_path: Path
    ) -> None:
        stuck = self.task(tmp_path, "stuck", "hostname > on.part; mv on.part on; sleep 300")
        executor.submit([stuck])
        self.running(executor, Path(stuck.outdir) / "on")
        others = [self.task(tmp_path, "s", "echo ran >> ran.txt") for _ in range(5)]
        executor.submit(others)
        host = (Path(stuck.outdir) / "on").read_text().strip()
        api.delete(f"/containers/{host}", force=True)
        found = self.reports(executor, [stuck.key, *(one.key for one in others)])
        assert found[stuck.key].state is TaskState.CANCELLED
        assert found[stuck.key].reason == "its container was removed"
        assert {found[one.key].exit_code for one in others} == {0}
        assert {Path(one.outdir, "ran.txt").read_text() for one in others} == {"ran\n"}

    def test_a_loop_whose_engine_is_gone_runs_what_it_has_and_ends(
        self, open_executor: OpenExecutor, api: EngineApi, tmp_path: Path
    ) -> None:
        first = open_executor("first")
        task = self.task(tmp_path, "s", "touch on; until [ -e go ]; do sleep 0.05; done; exit 5")
        first.submit([task])
        self.running(first, Path(task.outdir) / "on")
        first.close()
        (Path(task.outdir) / "go").touch()
        ended(api, tmp_path / "home")
        second = open_executor("second")
        second.reattach([task])
        assert self.reports(second, [task.key])[task.key].exit_code == 5
        second.release([task.key])
        gone(api, tmp_path / "home")

    def test_a_volume_of_an_image_is_empty_for_each_task(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        script = "/bin/busybox ls /data; echo kept > /data/kept"
        tasks = [
            replace(one, container=Container(VOLUME, one.outdir))
            for one in (self.task(tmp_path, "s", script) for _ in range(3))
        ]
        executor.submit(tasks)
        found = self.reports(executor, [one.key for one in tasks])
        assert {one.exit_code for one in found.values()} == {0}
        assert [Path(one.stdout).read_text() for one in tasks] == ["", "", ""]

    def test_an_image_without_a_shell_is_not_shared(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        tasks = [
            replace(one, container=Container(BARE, one.outdir))
            for one in (self.command(tmp_path, "s", (word,)) for word in ("hello", "world"))
        ]
        executor.submit(tasks)
        found = self.reports(executor, [one.key for one in tasks])
        assert {one.exit_code for one in found.values()} == {0}
        assert [Path(one.stdout).read_text() for one in tasks] == ["hello\n", "world\n"]


@pytest.mark.service
def test_a_scatter_shares_containers_and_its_job_leaves_none(
    tmp_path: Path, api: EngineApi
) -> None:
    tool = {
        "class": "CommandLineTool",
        "requirements": [{"class": "DockerRequirement", "dockerImageId": IMAGE}],
        "baseCommand": ["sh", "-c", 'hostname; cat "$0"'],
        "arguments": ["$(inputs.file.path)"],
        "inputs": {"file": "File"},
        "outputs": {"out": "stdout"},
        "stdout": "out.txt",
    }
    package = {
        "cwlVersion": "v1.2",
        "class": "Workflow",
        "id": "many",
        "requirements": [{"class": "ScatterFeatureRequirement"}],
        "inputs": {"all": "File[]"},
        "outputs": {"out": {"type": "File[]", "outputSource": "each/out"}},
        "steps": {"each": {"run": tool, "scatter": "file", "in": {"file": "all"}, "out": ["out"]}},
    }
    for number in range(60):
        (tmp_path / f"{number}.txt").write_text(f"{number}\n")
    files = [{"class": "File", "location": str(tmp_path / f"{n}.txt")} for n in range(60)]
    with Engine(
        tmp_path / "home",
        plugins=[localproc_docker],
        executor="docker",
        executor_options={"docker": {"warm": "step"}},
    ) as engine:
        job = engine.execute(engine.deploy(package).id, {"all": files}).wait()
        assert job.status is JobStatus.SUCCESSFUL, job.message
        texts = [Path(one).read_text().split() for one in job.result("out")]
        assert [number for _, number in texts] == [str(number) for number in range(60)]
        assert len({host for host, _ in texts}) < 60
        assert not [name for name in names(api) if name.startswith(f"{job.id}:")]
    assert containers(api, tmp_path / "home" / "executor-docker") == []


def names(api: EngineApi) -> list[str]:
    found = api.get("/containers/json", all=True, filters={"label": [KEY]})
    return [one["Labels"][KEY] for one in found]
