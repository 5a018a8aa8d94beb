"""Jobs that are moved to a machine without a network, with the images that they ran in."""

import uuid
from pathlib import Path
from typing import Any

import localproc_docker
import pytest
from docker_daemon import IMAGE
from docker_fixtures import api
from localproc_docker.engine_api import EngineApi
from own_daemon import own_daemon

from localproc import Engine, Job

__all__ = ["api"]  # a fixture

pytestmark = pytest.mark.service


@pytest.mark.parametrize("choice", [{"containers": "docker"}, {"executor": "docker"}])
def test_a_job_runs_elsewhere_as_it_did_here(
    tmp_path: Path, api: EngineApi, choice: dict[str, Any]
) -> None:
    name = f"localproc-tests/{uuid.uuid4().hex}"
    api.post(f"/images/{IMAGE}/tag", repo=name, tag="1")
    (tmp_path / "a b.txt").write_text("hello\n")
    package = {
        "cwlVersion": "v1.2",
        "class": "CommandLineTool",
        "id": "upper",
        "requirements": [{"class": "DockerRequirement", "dockerPull": f"{name}:1"}],
        "baseCommand": ["tr", "a-z", "A-Z"],
        "inputs": {"text": "File"},
        "stdin": "$(inputs.text.path)",
        "stdout": "upper.txt",
        "outputs": {"upper": "stdout"},
    }
    with Engine(tmp_path / "here", plugins=[localproc_docker], **choice) as engine:
        inputs = {"text": {"class": "File", "location": str(tmp_path / "a b.txt")}}
        here = engine.run(package, inputs).raise_for_status()
        engine.mirror.export(tmp_path / "mirror.tar", [here])
    api.delete(f"/images/{name}:1")
    with own_daemon() as daemon:
        options = {"docker": {"host": daemon.host}}
        with Engine(
            tmp_path / "there",
            plugins=[localproc_docker],
            executor_options=options,
            containers="docker",
            offline="always",
        ) as engine:
            (found,) = engine.mirror.take_in(tmp_path / "mirror.tar")
            there = engine.process(found.process_id).execute(found.inputs).wait()
            there.raise_for_status()
            assert there.result("upper").read_text() == "HELLO\n"
            assert image(there) == image(here)


def image(job: Job) -> tuple[str, str]:
    """Return the image of a job's step, and its digest."""
    (one,) = [step for step in job.steps if step.image]
    return one.image, one.digest
