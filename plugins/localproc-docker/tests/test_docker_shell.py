"""A shell in the container of a step: what it sees, may do and may use is what the step had."""

from pathlib import Path
from typing import Any

import localproc_docker
import pytest
from docker_daemon import IMAGE, daemon

from localproc import Engine

pytestmark = pytest.mark.service

#: A line for each thing that a container has, none of which differs from container to container.
LOOK = """
ls -ld /tmp | cut -c1-4; touch /tmp/x "$TMPDIR/y" && echo "may write"
df -k /dev/shm | tail -n 1 | tr -s ' ' | cut -d' ' -f2
cd /sys/fs/cgroup
cat memory/memory.limit_in_bytes 2>/dev/null || cat memory.max
cat cpu/cpu.cfs_quota_us 2>/dev/null || cat cpu.max
cat pids/pids.max 2>/dev/null || cat pids.max
grep -E '^(Cap|NoNewPrivs)' /proc/self/status; id
"""


@pytest.fixture(params=[("docker", "DOCKER_HOST"), ("podman", "CONTAINER_HOST")])
def program(request: pytest.FixtureRequest) -> str:
    name, variable = request.param
    daemon(variable).close()
    return str(name)


def tool(script: str, **fields: Any) -> dict[str, Any]:
    shm = {"class": "http://commonwl.org/cwltool#ShmSize", "shmSize": "8m"}
    needs = {"class": "ResourceRequirement", "ramMin": 64, "coresMin": 0.5}
    image = {"class": "DockerRequirement", "dockerImageId": IMAGE}
    return {
        "cwlVersion": "v1.2",
        "class": "CommandLineTool",
        "id": "tool",
        "requirements": [image],
        "hints": [shm, needs],
        "baseCommand": ["sh", "-c", f"{script}\nexit 3"],
        "inputs": {},
        "outputs": {},
        **fields,
    }


def test_it_has_what_the_step_had(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], program: str
) -> None:
    with Engine(tmp_path / "a, home", plugins=[localproc_docker], containers=program) as engine:
        job = engine.run(tool(LOOK), {})
        with job.shell("tool", ("sh", "-c", LOOK)) as opened:
            assert opened.run() == 0
        step = job.logs("tool").stdout.splitlines()
    found = capfd.readouterr().out.splitlines()
    assert "may write" in found
    assert found == step


def test_a_secret_is_not_in_its_command_line(
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    program: str,
) -> None:
    monkeypatch.setenv("LOCALPROC_SECRET_WORD", "open sesame")
    rule = {"step": "tool", "set": {"WORD": "secret:word", "PLAIN": "yes"}}
    with Engine(tmp_path / "home", plugins=[localproc_docker], containers=program) as engine:
        job = engine.run(tool("true"), {}, variables=[rule])
        with job.shell("tool", ("sh", "-c", 'echo "$PLAIN:$WORD"')) as opened:
            assert "sesame" not in " ".join(opened.task.argv)
            assert opened.run() == 0
    assert capfd.readouterr().out == "yes:open sesame\n"
