"""From a task to a container, and back from what the daemon says: no daemon is asked."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from localproc_docker.info import Info
from localproc_docker.task_containers import Owner, creation, hindrance, mounts, report, sent

from localproc.model import Container, Mount, Resources, Task, TaskState
from localproc.plugins.containers import Image

IMAGE = Image("tool:1", "sha256:1", entrypoint=("run",), command=("--help",))
OWNER = Owner("/home/me/.localproc/executors/docker", 1000, 1000, Info(processors=8))
TASK = Task(
    key="job:crop:1",
    argv=("crop", "--tile", "a b"),
    env={"HOME": "/out"},
    outdir="/work/crop",
    tmpdir="/scratch/1",
    stdin=None,
    stdout="/work/crop/list.txt",
    stderr="/logs/node_crop.log",
    resources=Resources(cores=2, ram=512, ram_max=600, tmpdir=64),
    container=Container("tool:1", "/out"),
    reads=("/data/scene", "/data/scene/b4.tif", "/data/aoi.json"),
    writes=("/data/scene/index",),
)


def test_a_container_sees_what_its_task_reads_and_writes_and_no_more() -> None:
    seen = {one["Target"]: (one["Source"], one["ReadOnly"]) for one in mounts(TASK, streams=True)}
    assert seen == {
        "/out": ("/work/crop", False),
        "/tmp": ("/scratch/1", False),
        "/scratch/1": ("/scratch/1", False),
        "/data/scene": ("/data/scene", True),
        "/data/scene/index": ("/data/scene/index", False),
        "/data/aoi.json": ("/data/aoi.json", True),
        "/logs/node_crop.log": ("/logs/node_crop.log", False),
    }


def test_where_a_daemon_has_users_of_its_own_outputs_belong_to_those_of_the_machine() -> None:
    remapped = replace(OWNER, daemon=Info(is_remapped=True))
    assert creation(TASK, IMAGE, remapped)["HostConfig"]["UsernsMode"] == "host"
    assert creation(TASK, IMAGE, OWNER)["HostConfig"]["UsernsMode"] == ""


@pytest.mark.parametrize(
    ("path", "bind"),
    [
        ("/data/scene", None),
        ("/data/a:b", None),
        ("/data/a,b", "/data/a,b:/data/a,b:ro"),
        ('/data/"a"', '/data/"a":/data/"a":ro'),
        ("/data/a,b:c", None),
    ],
)
def test_paths_are_sent_in_a_form_that_podman_reads_too(path: str, bind: str | None) -> None:
    body = sent(creation(replace(TASK, reads=(path,)), IMAGE, OWNER))["HostConfig"]
    targets = [one["Target"] for one in body["Mounts"]]
    assert (path in targets) == (bind is None)
    assert body["Binds"] == ([bind] if bind else [])


@pytest.mark.parametrize(
    ("path", "is_podman", "is_told"),
    [
        ("/a,b:c", True, True),
        ("/a,b:c", False, False),
        ("/a,b", True, False),
        ("/a:b", True, False),
    ],
)
def test_what_podman_cannot_mount_is_told(path: str, is_podman: bool, is_told: bool) -> None:
    found = hindrance({"Source": path, "Target": path}, Info(is_podman=is_podman))
    assert found.startswith(f"podman cannot mount {path}: its path has a colon") is is_told
    assert bool(found) is is_told


def test_the_command_follows_the_entrypoint_and_streams_are_files() -> None:
    body = creation(TASK, IMAGE, OWNER)
    assert body["Entrypoint"][0] == "/bin/sh"
    assert body["Cmd"] == [
        "/dev/null",
        "/out/list.txt",
        "/logs/node_crop.log",
        "run",
        "crop",
        "--tile",
        "a b",
    ]


def test_an_image_without_a_shell_runs_the_command_itself() -> None:
    body = creation(TASK, IMAGE, OWNER, shell=False)
    assert (body["Entrypoint"], body["Cmd"]) == (["run"], ["crop", "--tile", "a b"])
    assert body["HostConfig"]["LogConfig"] == {"Type": "json-file"}


def test_a_task_without_a_command_runs_that_of_its_image() -> None:
    body = creation(replace(TASK, argv=()), IMAGE, OWNER, shell=False)
    assert (body["Entrypoint"], body["Cmd"]) == (["run"], ["--help"])


def test_a_tool_may_do_little() -> None:
    config = creation(TASK, IMAGE, OWNER)["HostConfig"]
    assert config["NetworkMode"] == "none"
    assert config["ReadonlyRootfs"] is True
    assert config["CapDrop"] == ["ALL"]
    assert config["SecurityOpt"] == ["no-new-privileges"]
    assert config["Memory"] == config["MemorySwap"] == 600 << 20
    assert config["NanoCpus"] == 2_000_000_000


def test_a_tool_may_use_what_it_asks_for() -> None:
    box = Container("tool:1", "/out", network=True)
    needs = Resources(cores=1, cores_max=4)
    config = creation(replace(TASK, container=box, resources=needs), IMAGE, OWNER)["HostConfig"]
    assert config["NetworkMode"] == "host"
    assert config["NanoCpus"] == 4_000_000_000


def test_more_processors_than_there_are_is_all_of_them() -> None:
    task = replace(TASK, resources=Resources(cores=64))
    assert creation(task, IMAGE, OWNER)["HostConfig"]["NanoCpus"] == 0


def test_memory_is_limited_only_for_a_tool_that_says_how_much_it_needs() -> None:
    task = replace(TASK, resources=Resources(ram=256))
    assert creation(task, IMAGE, OWNER)["HostConfig"]["Memory"] == 0


def test_the_users_root_may_write_what_is_the_users() -> None:
    root = replace(OWNER, uid=0, gid=0)
    assert creation(TASK, IMAGE, root)["HostConfig"]["CapAdd"] == ["DAC_OVERRIDE"]
    assert creation(TASK, IMAGE, OWNER)["HostConfig"]["CapAdd"] == []


def test_some_things_stand_at_other_paths_inside() -> None:
    box = Container("tool:1", "/out", mounts=(Mount("/work/crop.in/1/a", "/etc/a"),))
    found = mounts(replace(TASK, container=box), streams=True)
    assert {
        "Type": "bind",
        "Source": "/work/crop.in/1/a",
        "Target": "/etc/a",
        "ReadOnly": True,
    } in found


def test_a_home_below_tmp_leaves_no_mount_points_in_the_tasks_folder() -> None:
    task = replace(TASK, reads=("/tmp/home/scene",))
    config = creation(task, IMAGE, OWNER)["HostConfig"]
    [private] = [one["Source"] for one in config["Mounts"] if one["Target"] == "/tmp"]
    assert private == "/work/crop.tmp"


def test_names_are_those_of_a_home_and_take_any_key() -> None:
    other = replace(OWNER, folder="/elsewhere")
    assert OWNER.name("a:b/ö[1]:1") == OWNER.name("a:b/ö[1]:1")
    assert OWNER.name("a:b:1") != other.name("a:b:1")
    assert OWNER.mark != other.mark
    assert OWNER.name("x" * 1000).replace("-", "").isalnum()


def seen(status: str, code: int = 0, *, limit: str = "0", **state: Any) -> dict[str, Any]:
    return {
        "Id": "0123456789abcdef",
        "Image": "sha256:1",
        "Config": {"Labels": {"localproc.limit": limit}},
        "State": {
            "Status": status,
            "ExitCode": code,
            "StartedAt": "2026-11-28T10:00:00.123456789Z",
            "FinishedAt": "2026-11-28T10:00:07Z",
            **state,
        },
    }


@pytest.mark.parametrize(
    ("said", "state"),
    [
        (seen("created", StartedAt="0001-01-01T00:00:00Z"), TaskState.QUEUED),
        (seen("running"), TaskState.RUNNING),
        (seen("paused"), TaskState.RUNNING),
        (seen("exited", 3), TaskState.ENDED),
        (seen("exited", 137, OOMKilled=True), TaskState.OUT_OF_MEMORY),
        (seen("exited", 137, limit="5"), TaskState.TIMED_OUT),
        (seen("exited", 143, limit="5"), TaskState.TIMED_OUT),
        (seen("exited", 143, limit="60"), TaskState.ENDED),
        (seen("exited", 1, limit="5"), TaskState.ENDED),
        (seen("dead", 1), TaskState.ENDED),
    ],
)
def test_what_a_container_is_like_is_what_its_task_is_like(
    said: dict[str, Any], state: TaskState
) -> None:
    assert report("k", said).state is state


def test_a_report_has_times_and_the_containers_id() -> None:
    told = report("k", seen("exited", 3))
    assert told.exit_code == 3
    assert told.started == datetime(2026, 11, 28, 10, 0, 0, 123456, UTC)
    assert told.ended == datetime(2026, 11, 28, 10, 0, 7, tzinfo=UTC)
    assert told.native_id == "0123456789ab"


def test_a_container_never_ends_before_it_starts() -> None:
    told = report("k", seen("exited", FinishedAt="2026-11-28T10:00:00.1Z"))
    assert told.started == told.ended
