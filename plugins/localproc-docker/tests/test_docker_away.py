"""The daemon is killed, is held up, or has no room on its disk."""

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import localproc_docker
import pytest
from docker_daemon import IMAGE
from docker_fixtures import DockerTests, open_docker, until
from fake_daemon import answering
from own_daemon import OwnDaemon, own_daemon

from localproc import Engine
from localproc.engine.container_runtimes import Containers
from localproc.engine.home.settings import Settings
from localproc.engine.packages.images import Named, looked_for
from localproc.model import Container, JobStatus, TaskState
from localproc.plugins.manager import PluginManager

pytestmark = [
    pytest.mark.service,
    # httpcore leaves the socket of a connection that failed to the garbage collector.
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
]


@contextmanager
def silent(folder: Path) -> Iterator[str]:
    """Give the address of a daemon that takes calls and never answers."""
    with socket.socket(socket.AF_UNIX) as nobody:
        nobody.bind(str(folder / "silent.sock"))
        nobody.listen()
        yield f"unix://{folder}/silent.sock"


@pytest.fixture(scope="module")
def daemon() -> Iterator[OwnDaemon]:
    with own_daemon() as found:
        yield found


def tool(script: str, **fields: Any) -> dict[str, Any]:
    return {
        "cwlVersion": "v1.2",
        "class": "CommandLineTool",
        "id": "tool",
        "requirements": [{"class": "DockerRequirement", "dockerImageId": IMAGE}],
        "baseCommand": ["sh", "-c", script],
        "inputs": {},
        "outputs": {},
        **fields,
    }


def waiting(go: Path, script: str) -> dict[str, Any]:
    """Make a tool that says that it has begun, and waits until it may go on."""
    go.mkdir()
    folder = {"type": "Directory", "default": {"class": "Directory", "location": go.as_uri()}}
    wait = "echo begun >&2; until [ -e $0/go ]; do sleep 0.05; done; "
    return tool(wait + script, inputs={"go": folder}, arguments=["$(inputs.go.path)"])


def fill(path: Path) -> None:
    """Write until the disk is full."""
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))


def begun(home: Path) -> bool:
    return any(log.read_text() for log in home.glob("jobs/*/logs/node_tool.log"))


def opened(home: Path, daemon: OwnDaemon, **options: Any) -> Engine:
    return Engine(
        home,
        plugins=[localproc_docker],
        executor="docker;no-container=local",
        executor_options={"docker": {"host": daemon.host, **options}},
    )


@pytest.mark.parametrize("warm", ["no", "step"])
@pytest.mark.parametrize("ends", ["while it is away", "after it is back"])
def test_a_container_outlives_its_daemon(
    tmp_path: Path, daemon: OwnDaemon, ends: str, warm: str
) -> None:
    with opened(tmp_path / "home", daemon, warm=warm) as engine:
        package = waiting(tmp_path / "go", "exit 3")
        job = engine.execute(engine.deploy(package).id, {})
        until(lambda: begun(tmp_path / "home") and daemon.runs_something())
        daemon.kill()
        if ends == "while it is away":
            (tmp_path / "go" / "go").touch()
        daemon.start()
        (tmp_path / "go" / "go").touch()
        assert job.wait().message == "step tool failed with exit code 3"
        assert job.logs("tool").text == "begun\n", "it ran once"
    assert daemon.api.get("/containers/json", all=True) == []


def test_a_daemon_that_is_held_up_delays_no_other_job(tmp_path: Path, daemon: OwnDaemon) -> None:
    with opened(tmp_path / "home", daemon) as engine:
        package = waiting(tmp_path / "go", "exit 3")
        job = engine.execute(engine.deploy(package).id, {})
        until(lambda: begun(tmp_path / "home"))
        daemon.signal(signal.SIGSTOP)
        try:
            (tmp_path / "go" / "go").touch()
            queued = engine.execute(engine.deploy({**tool("exit 4"), "id": "queued"}).id, {})
            here = {**tool("true", id="here"), "requirements": []}
            ended = [engine.run(here, {}).status for _ in range(5)]
            assert ended == [JobStatus.SUCCESSFUL] * 5
            assert not job.status.final
            assert not queued.status.final
        finally:
            daemon.signal(signal.SIGCONT)
        assert job.wait().message == "step tool failed with exit code 3"
        assert queued.wait().message == "step queued failed with exit code 4"
    assert daemon.api.get("/containers/json", all=True) == []


def test_a_full_disk_of_the_daemon_is_told_and_later_jobs_run(tmp_path: Path) -> None:
    with own_daemon(megabytes=24) as daemon, opened(tmp_path / "home", daemon) as engine:
        package = engine.deploy(tool("exit 3")).id
        filler = daemon.folder / "data" / "filler"
        fill(filler)
        job = engine.execute(package, {}).wait()
        assert job.status is JobStatus.FAILED
        assert "no space left on device" in job.message
        filler.unlink()
        assert engine.execute(package, {}).wait().message == "step tool failed with exit code 3"


class Forgetful:
    """Answers as a daemon that has forgotten that it was asked to start a container."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def answer(self, verb: str, path: str) -> tuple[int, Any] | None:
        if verb == "GET":
            return 200, self._known(path)
        self.asked.append("delete" if verb == "DELETE" else path.rpartition("/")[2])
        return None if path.endswith("/start") else (200, {"Id": "1"})

    def _known(self, path: str) -> object:
        if path == "/containers/json":
            return []
        answers: dict[str, object] = {
            "info": {"NCPU": 2},
            "version": {},
            "events": {},
            "images": {"Id": "sha256:1", "Config": {}},
            "containers": {"Id": "1", "State": {"Status": "created"}, "Config": {}},
        }
        return answers[path.split("/")[1]]


def test_what_may_have_begun_is_not_started_again(tmp_path: Path) -> None:
    forgetful = Forgetful()
    with answering(tmp_path, forgetful.answer) as address:
        executor = open_docker(tmp_path / "home", "first", host=address)
        tests = DockerTests()
        task = tests.command(tmp_path, "s", ("true",))
        executor.submit([task])
        report = tests.reports(executor, [task.key])[task.key]
        executor.close()
    assert report.state is TaskState.LOST
    assert report.reason == "the daemon went away as it was started, so it may have begun"
    assert forgetful.asked == ["create", "start", "delete"]


def test_a_daemon_that_hangs_counts_as_away_when_a_job_is_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("CONTAINER_HOST", f"unix://{tmp_path}/nobody")
    requirement = {"class": "DockerRequirement", "dockerPull": "nobody/has:1"}
    hinted = tool("true", requirements=[], hints=[requirement])
    with silent(tmp_path) as host:
        options = {"docker": {"host": host}}
        with Engine(
            tmp_path / "home", plugins=[localproc_docker], executor_options=options
        ) as engine:
            job = engine.run(hinted, {}).raise_for_status()
    assert "docker does not answer within 5 s: it counts as away" in caplog.text
    [step] = [one for one in job.steps if one.name == "tool"]
    assert (step.executor, step.containers) == ("local", "")
    assert step.without[0].startswith("the hint DockerRequirement cannot be met: ")


def test_whoever_names_a_daemon_that_hangs_is_soon_told_that_nothing_is_known_of_images(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    box = Container("nobody/has:1", "", runtime="docker")
    with silent(tmp_path) as host:
        settings = Settings(executor_options={"docker": {"host": host}})
        known = Containers(PluginManager([localproc_docker]), settings)
        assert known.missing([box, box]) == []
        [named] = looked_for([Named(box, required=True)], known, "docker")
    assert "docker does not answer within 5 s: whether the image nobody/has:1 is" in caplog.text
    assert (named.silent, named.hint) == (True, "docker does not answer within 5 s")
