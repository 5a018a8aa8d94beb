"""Tools run in their images inside tasks of the cluster, as on this machine."""

from pathlib import Path

import localproc_slurm
import pytest
from slurm_cluster import Cluster
from slurm_fixtures import PATIENCE, cluster, running_cluster
from tests.executors.charliecloud_tests import IMAGE, charliecloud

from localproc import Engine
from localproc.executors.containers.charliecloud import Charliecloud
from localproc.testing.executor_secrets import TOKEN, found_in, texts_below

__all__ = ["charliecloud", "cluster", "running_cluster"]  # fixtures

pytestmark = pytest.mark.service

TOOL = {
    "cwlVersion": "v1.2",
    "class": "CommandLineTool",
    "id": "look",
    "baseCommand": ["sh", "-c", "ls / >&2; cat $0"],
    "requirements": [{"class": "DockerRequirement", "dockerPull": IMAGE}],
    "inputs": {"note": {"type": "File", "inputBinding": {}}},
    "stdout": "seen.txt",
    "outputs": {"seen": {"type": "stdout"}},
}


def test_a_tool_runs_in_its_image_on_a_node(
    tmp_path: Path, cluster: Cluster, charliecloud: Charliecloud
) -> None:
    [image] = charliecloud.images()
    (tmp_path / "note.txt").write_text("hello\n")
    with Engine(
        tmp_path / "home",
        plugins=[localproc_slurm],
        executor="slurm",
        containers="charliecloud",
        images=str(Path(image.path).parents[1]),
    ) as engine:
        note = {"class": "File", "location": (tmp_path / "note.txt").as_uri()}
        job = engine.deploy(TOOL).execute({"note": note})
        assert job.wait(PATIENCE).raise_for_status().result("seen").read_text() == "hello\n"
        [step] = [one for one in job.steps if one.command]
        assert (step.executor, step.containers, step.digest) == (
            "slurm",
            "charliecloud",
            image.digest,
        )
        assert "boot" not in job.logs(step.name).text.split()


def test_secrets_reach_a_tool_in_its_image_on_a_node(
    tmp_path: Path,
    cluster: Cluster,
    charliecloud: Charliecloud,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LOCALPROC_SECRET_TOKEN", TOKEN)
    [image] = charliecloud.images()
    script = 'test "$(printf %s "$TOKEN" | wc -c)" = $0 && printf "%s\\n" "$TOKEN"'
    command = ["sh", "-c", script, str(len(TOKEN.encode()))]
    tool = {**TOOL, "baseCommand": command, "inputs": {}, "id": "say"}
    with Engine(
        tmp_path / "home",
        plugins=[localproc_slurm],
        executor="slurm",
        containers="charliecloud",
        images=str(Path(image.path).parents[1]),
    ) as engine:
        rules = [{"step": "*", "set": {"TOKEN": "secret:token"}}]
        job = engine.deploy(tool).execute({}, variables=rules).wait(PATIENCE)
        assert job.raise_for_status().result("seen").read_text() == "(secret:token)\n"
    assert found_in(texts_below(tmp_path), [TOKEN]) == []
