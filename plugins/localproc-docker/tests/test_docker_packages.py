"""Packages whose images are not here: refused with what brings them, or brought where that is
allowed."""

import json
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import localproc_docker
import pytest
from docker_daemon import IMAGE, daemon
from docker_fixtures import api
from localproc_docker.daemon_images import DaemonImages
from localproc_docker.engine_api import EngineApi

from localproc import Engine
from localproc.errors import LocalprocError
from localproc.model import Container, JobStatus

__all__ = ["api"]  # a fixture

pytestmark = pytest.mark.service


@pytest.fixture
def name(api: EngineApi) -> Iterator[str]:
    """Give a name that no image has."""
    found = f"localproc-tests/{uuid.uuid4().hex}:1"
    yield found
    if DaemonImages(api, "docker").image(Container(found, "/")) is not None:
        api.delete(f"/images/{found}", force=True)


def tool(docker: dict[str, str]) -> dict[str, Any]:
    return {
        "cwlVersion": "v1.2",
        "class": "CommandLineTool",
        "id": "tool",
        "requirements": [{"class": "DockerRequirement", **docker}],
        "baseCommand": ["sh", "-c", "exit 3"],
        "inputs": {},
        "outputs": {},
    }


def run(home: Path, docker: dict[str, str], **options: Any) -> str:
    """Run a tool; return what its job says in the end."""
    with Engine(home, plugins=[localproc_docker], containers="docker", **options) as engine:
        job = engine.execute(engine.deploy(tool(docker)).id, {}).wait()
        assert job.status is JobStatus.FAILED
        assert {step.containers for step in job.steps} == {"docker"}
        return job.message


ENDED = "step tool failed with exit code 3"


def test_a_missing_image_is_told_before_the_job_is_accepted(
    tmp_path: Path, api: EngineApi, name: str
) -> None:
    with (
        Engine(tmp_path / "home", plugins=[localproc_docker], containers="docker") as engine,
        pytest.raises(LocalprocError, match="is not here") as raised,
    ):
        engine.execute(engine.deploy(tool({"dockerPull": name})).id, {})
    assert f"docker pull {name}" in f"{raised.value.message} {raised.value.hint}"


def test_an_image_that_is_here_is_used_and_its_digest_recorded(
    tmp_path: Path, api: EngineApi
) -> None:
    assert run(tmp_path / "home", {"dockerPull": IMAGE}) == ENDED


def test_an_archive_is_loaded(tmp_path: Path, api: EngineApi, name: str) -> None:
    images = DaemonImages(api, "docker")
    found = images.image(Container(IMAGE, "/"))
    assert found is not None
    images.save(found, str(tmp_path / "image.tar"))
    docker = {"dockerLoad": str(tmp_path / "image.tar"), "dockerImageId": name}
    assert run(tmp_path / "home", docker, pull="missing") == ENDED


def test_a_dockerfile_is_built_only_where_that_is_allowed(
    tmp_path: Path, api: EngineApi, name: str
) -> None:
    docker = {"dockerFile": f"FROM {IMAGE}\nRUN echo made > /made\n", "dockerImageId": name}
    assert "dockerFile" in run_failing(tmp_path / "first", docker, pull="missing")
    assert run(tmp_path / "home", docker, pull="missing", build=True) == ENDED


def run_failing(home: Path, docker: dict[str, str], **options: Any) -> str:
    """Return why a job could not be run, whenever that was known."""
    try:
        with Engine(home, plugins=[localproc_docker], containers="docker", **options) as engine:
            return engine.execute(engine.deploy(tool(docker)).id, {}).wait().message
    except LocalprocError as error:
        return json.dumps(error.to_problem(), default=str)


@pytest.mark.parametrize(
    ("program", "variable"), [("docker", "DOCKER_HOST"), ("podman", "CONTAINER_HOST")]
)
def test_a_shell_is_opened_in_a_container_like_that_of_the_step(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], program: str, variable: str
) -> None:
    daemon(variable).close()
    look = ("sh", "-c", "pwd; test -e /boot || echo inside; touch there; touch /nope")
    with Engine(tmp_path / "a, home", plugins=[localproc_docker], containers=program) as engine:
        job = engine.run(tool({"dockerPull": IMAGE}))
        with job.shell("tool", look) as opened:
            assert opened.run() == 1
        assert (Path(opened.folder) / "there").stat().st_uid == os.getuid()
    out, err = capfd.readouterr()
    assert out.splitlines()[1:] == ["inside"]
    assert "Read-only file system" in err
    assert f"in a new container of {IMAGE} ({program})" in opened.notes
