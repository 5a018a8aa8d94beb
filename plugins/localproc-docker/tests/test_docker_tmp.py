"""The /tmp of a container: its user may write it, whatever the image has there."""

import os
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import mkdtemp

import pytest
from docker_daemon import CLOSED, IMAGE, TMPLESS, containers, daemon
from docker_fixtures import until
from localproc_docker.backend import DockerBackend
from localproc_docker.daemons import DAEMONS
from localproc_docker.engine_api import EngineApi
from localproc_docker.info import Info
from localproc_docker.room import Room
from localproc_docker.task_containers import KEY, Owner
from localproc_docker.warm_backend import WarmBackend

from localproc.model import Container, Report, Task, TaskState
from localproc.plugins.backend import Backend

pytestmark = pytest.mark.service

SOMEBODY = 12345
WRITES = 'echo mine >/tmp/x && cat /tmp/x && touch "$TMPDIR/y" made'


@pytest.fixture(params=DAEMONS, ids=lambda one: str(one.name))
def api(request: pytest.FixtureRequest) -> Iterator[EngineApi]:
    """Give each daemon."""
    with closing(daemon(request.param.variable)) as found:
        yield found


@pytest.fixture(params=["elsewhere", "below /tmp"])
def folder(request: pytest.FixtureRequest) -> Iterator[Path]:
    """Give a folder that anybody may write in."""
    found = Path(mkdtemp(dir="/tmp" if request.param == "below /tmp" else "/var/tmp"))
    yield found
    shutil.rmtree(found)


@pytest.fixture
def backend(api: EngineApi, folder: Path) -> Iterator[DockerBackend]:
    """Give a daemon to a user who is not root."""
    info = Info.read(api.get("/info"))
    kind = DAEMONS[1] if info.is_podman else DAEMONS[0]
    owner = Owner(str(folder), SOMEBODY, SOMEBODY, info)
    found = DockerBackend(kind, EngineApi(api.address), owner, Room(2, 2, 1024))
    with closing(found):
        yield found


@pytest.mark.parametrize("image", [IMAGE, CLOSED, TMPLESS])
def test_a_user_may_write_it_and_nothing_of_it_is_left(
    backend: Backend, folder: Path, image: str
) -> None:
    task = mine(folder, image)
    handles = backend.submit([task])
    report = end(backend, task.key, str(handles[task.key]))
    assert (report.exit_code, Path(task.stderr).read_text()) == (0, "")
    assert Path(task.stdout).read_text() == "mine\n"
    assert (Path(task.outdir) / "made").stat().st_uid == SOMEBODY
    backend.forget({task.key: str(handles[task.key])})
    backend.tidy()
    assert sorted(one.name for one in folder.iterdir()) == ["logs", "out", "tmp"]


def test_a_shared_container_that_cannot_begin_a_task_is_made_once(
    backend: DockerBackend, api: EngineApi, folder: Path
) -> None:
    """Its loop may not write in its folder, which is root's; it was made again and again."""
    task = mine(folder, IMAGE)
    shared = WarmBackend(backend, "step")
    handles = {task.key: str(shared.submit([task])[task.key])}
    assert end(shared, task.key, handles[task.key]).exit_code == 0
    [own] = containers(api, folder)
    assert own["Labels"][KEY] == task.key
    shared.forget(handles)
    assert containers(api, folder) == []


def mine(folder: Path, image: str) -> Task:
    """Make a task of somebody who may write its folders, and looks for what is in them."""
    for name in ("out", "tmp", "logs"):
        (folder / name).mkdir()
        os.chown(folder / name, SOMEBODY, SOMEBODY)
    os.chown(folder, SOMEBODY, SOMEBODY)
    task = Task(
        key="job:tool:1",
        argv=("sh", "-c", WRITES),
        env={"TMPDIR": str(folder / "tmp"), "PATH": "/bin"},
        outdir=str(folder / "out"),
        tmpdir=str(folder / "tmp"),
        stdin=None,
        stdout=str(folder / "logs" / "out.log"),
        stderr=str(folder / "logs" / "err.log"),
        container=Container(image, str(folder / "out")),
        group="job:tool",
    )
    for stream in (task.stdout, task.stderr):
        Path(stream).touch()
        os.chown(stream, SOMEBODY, SOMEBODY)
    return task


def end(backend: Backend, key: str, name: str) -> Report:
    """Wait for a task to end; return how."""
    found: list[Report] = []

    def is_over() -> bool:
        backend.watch(0.1)
        found[:] = backend.look({key: name}).values()
        return found[0].state not in (TaskState.QUEUED, TaskState.RUNNING)

    until(is_over, lambda: found)
    return found[0]
