"""A job with secrets in containers: they are nowhere but there."""

import json
from pathlib import Path
from typing import Any

import localproc_docker
import pytest
from docker_daemon import BARE, IMAGE, containers
from docker_fixtures import api, gone, until
from localproc_docker.engine_api import EngineApi

from localproc import Engine
from localproc.testing.executor_secrets import PASSWORD, TOKEN, found_in, texts_below

__all__ = ["api"]  # a fixture

pytestmark = pytest.mark.service

TOOL: dict[str, Any] = {
    "cwlVersion": "v1.2",
    "$namespaces": {"cwltool": "http://commonwl.org/cwltool#"},
    "class": "CommandLineTool",
    "id": "tool",
    "requirements": {
        "DockerRequirement": {"dockerPull": IMAGE},
        "InitialWorkDirRequirement": {
            "listing": [{"entryname": "login", "entry": "$(inputs.password)"}]
        },
    },
    "hints": {"cwltool:Secrets": {"secrets": ["password"]}},
    "inputs": {
        "password": {"type": "string", "inputBinding": {"position": 1}},
        "script": {"type": "string", "inputBinding": {"position": 0}},
    },
    "baseCommand": ["sh", "-c"],
    "stdout": "said",
    "outputs": {"said": "stdout"},
}
RULES = [{"step": "*", "set": {"TOKEN": "secret:token"}}]


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, api: EngineApi) -> Any:
    del api
    monkeypatch.setenv("LOCALPROC_SECRET_TOKEN", TOKEN)
    with Engine(tmp_path / "home", plugins=[localproc_docker], containers="docker") as engine:
        engine.deploy(TOOL)
        yield engine


def told(api: EngineApi, home: Path) -> dict[str, bytes]:
    """Return what the daemon tells of the containers of a home."""
    found = containers(api, home / "executors" / "docker")
    shown = [api.get(f"/containers/{one['Id']}/json") for one in found]
    return {"daemon": json.dumps([found, shown], ensure_ascii=False).encode()}


def test_nothing_is_left_of_a_job(engine: Engine, tmp_path: Path, api: EngineApi) -> None:
    script = 'echo "$TOKEN" "$0"; cat login; echo "$TOKEN" >&2'
    job = engine.execute("tool", {"password": PASSWORD, "script": script}, variables=RULES).wait()
    assert job.raise_for_status().result("said").read_text().count("(secret:") == 3
    with engine.client() as client:
        paths = ("", "/inputs", "/results", "/prov", "/events")
        answers = {one: client.get(f"jobs/{job.id}{one}").content for one in paths}
    assert found_in(texts_below(tmp_path) | answers, (TOKEN, PASSWORD)) == []
    assert found_in(told(api, tmp_path / "home"), (TOKEN, PASSWORD)) == []


def test_nothing_is_left_of_a_job_that_is_dismissed(
    engine: Engine, tmp_path: Path, api: EngineApi
) -> None:
    script = 'echo "$TOKEN"; while :; do sleep 1; done'
    job = engine.execute("tool", {"password": PASSWORD, "script": script}, variables=RULES)
    until(lambda: list((tmp_path / "home").rglob("said")) and job.status == "running")
    assert found_in(told(api, tmp_path / "home"), (TOKEN, PASSWORD)) == []
    engine.dismiss(job.id)
    job.wait()
    gone(api, tmp_path / "home" / "executors" / "docker")
    assert found_in(texts_below(tmp_path), (TOKEN, PASSWORD)) == []


def test_an_image_without_a_shell_is_given_none(engine: Engine) -> None:
    bare = {**TOOL, "id": "bare", "requirements": {"DockerRequirement": {"dockerPull": BARE}}}
    engine.deploy(bare)
    inputs = {"password": PASSWORD, "script": "x"}
    job = engine.execute("bare", inputs, variables=RULES).wait()
    assert job.status == "failed"
    assert "no /bin/sh to be given its secrets" in job.message
