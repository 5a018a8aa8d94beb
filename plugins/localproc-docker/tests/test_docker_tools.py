"""Tools of packages in containers: what they see, and what they may do, by their own account."""

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import localproc_docker
import pytest
from docker_daemon import BARE, IMAGE, daemon
from docker_fixtures import until

from localproc import Engine

pytestmark = pytest.mark.service

VARIABLES = {"docker": "DOCKER_HOST", "podman": "CONTAINER_HOST"}


@pytest.fixture(params=list(VARIABLES))
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """Give an engine whose tools run in containers of each daemon."""
    with (
        closing(daemon(VARIABLES[request.param])),
        Engine(tmp_path / "home", plugins=[localproc_docker], containers=request.param) as found,
    ):
        yield found


def running(script: str, **fields: Any) -> dict[str, Any]:
    """Return a tool that runs a script in a container."""
    return {
        "cwlVersion": "v1.2",
        "class": "CommandLineTool",
        "id": "tool",
        "requirements": [{"class": "DockerRequirement", "dockerPull": IMAGE}],
        "baseCommand": ["sh", "-c", script],
        "inputs": {},
        "outputs": {"out": "stdout"},
        "stdout": "out.txt",
        **fields,
    }


def said(engine: Engine, script: str, given: dict[str, Any] | None = None, **fields: Any) -> str:
    """Run a script; return what it writes."""
    out = engine.run(running(script, **fields), given or {}).raise_for_status().result("out")
    return Path(out).read_text()


def test_inputs_may_have_any_name(engine: Engine, tmp_path: Path) -> None:
    files = [tmp_path / "a, b" / one for one in ("x,y.txt", 'say "hi".txt', "it's $x.txt")]
    files.append(tmp_path / "a:b.txt")
    files[0].parent.mkdir()
    for number, file in enumerate(files):
        file.write_text(f"{number}\n")
    wanted = {"files": {"type": "File[]", "inputBinding": {}}}
    given = {"files": [{"class": "File", "path": str(one)} for one in files]}
    assert said(engine, 'cat "$0" "$@"', given, inputs=wanted) == "0\n1\n2\n3\n"


def test_files_are_seen_that_plain_strings_name(engine: Engine, tmp_path: Path) -> None:
    names = [tmp_path / one for one in ("a.txt", "b.txt", "c.txt")]
    for name in names:
        name.write_text(f"{name.name}\n")
    (link := tmp_path / "link.txt").symlink_to(names[2])
    fields = [{"name": "one", "type": "string"}, {"name": "more", "type": "string[]"}]
    record = {"type": {"type": "record", "fields": fields}}
    given = {"named": {"one": str(names[0]), "more": [str(names[1]), str(link)]}}
    paths = ["$(inputs.named.one)", "$(inputs.named.more[0])", "$(inputs.named.more[1])"]
    found = said(engine, 'cat "$0" "$@"', given, inputs={"named": record}, arguments=paths)
    assert found == "a.txt\nb.txt\nc.txt\n"


def test_an_image_may_have_nothing_but_its_program(engine: Engine) -> None:
    bare = [{"class": "DockerRequirement", "dockerPull": BARE}]
    assert said(engine, "", requirements=bare, baseCommand=["a b", "c"]) == "a b c\n"


#: What a process may do, by what the system says of it, whatever its version of control groups.
PROBE = """
grep -E '^(Uid|Gid|CapEff|CapBnd|NoNewPrivs):' /proc/self/status
touch /bin/x 2>/dev/null && echo 'Root: can be written' || echo 'Root: is read-only'
echo mine >/tmp/x && echo "Tmp: $(cat /tmp/x)"
echo "Network: $(ls /sys/class/net | tr '\\n' ' ')"
cd /sys/fs/cgroup
echo "Memory: $(cat memory/memory.limit_in_bytes 2>/dev/null || cat memory.max)"
echo "Processes: $(cat pids/pids.max 2>/dev/null || cat pids.max)"
echo "Processor: $(cat cpu/cpu.cfs_quota_us cpu/cpu.cfs_period_us 2>/dev/null || cat cpu.max)"
"""


def test_a_tool_may_do_no_more_than_it_asks_for(engine: Engine) -> None:
    limits = {"class": "ResourceRequirement", "coresMin": 1, "ramMin": 64, "ramMax": 64}
    lines = said(engine, PROBE, hints=[limits]).replace("100000\n100000", "100000 100000")
    found = dict(line.split(":", 1) for line in lines.splitlines())
    capabilities = 2 if os.getuid() == 0 else 0  # root writes to files of the user's, no more
    assert {name: text.split() for name, text in found.items()} == {
        "Uid": [str(os.getuid())] * 4,
        "Gid": [str(os.getgid())] * 4,
        "CapEff": [f"{capabilities:016x}"],
        "CapBnd": [f"{capabilities:016x}"],
        "NoNewPrivs": ["1"],
        "Root": ["is", "read-only"],
        "Tmp": ["mine"],
        "Network": ["lo"],
        "Memory": [str(64 << 20)],
        "Processes": ["4096"],
        "Processor": ["100000", "100000"],
    }


def test_a_tool_tells_how_far_it_is_while_it_runs(engine: Engine) -> None:
    script = 'echo "progress 0.25 tile 1" >&2; while [ ! -e go ]; do sleep 0.1; done'
    job = engine.deploy(running(script)).execute({}, progress="*")
    until(lambda: [(step.share, step.said) for step in job.steps] == [(0.25, "tile 1")])
    Path(job.folder, "work", "tool", "go").touch()
    job.wait().raise_for_status()


LITTLE = {"class": "ResourceRequirement", "ramMin": 64}
HUNGRY = "x=$(head -c 300000000 /dev/zero | tr '\\0' x); echo ${#x}"


@pytest.mark.parametrize("script", [HUNGRY, f"({HUNGRY}); echo goes on"])
def test_a_tool_of_which_a_part_was_killed_for_its_memory_is_out_of_memory(
    engine: Engine, script: str
) -> None:
    tool = running(script)
    tool["requirements"].append(LITTLE)
    job = engine.run(tool, {})
    assert job.message == "step tool was stopped: it used more memory than it may"
    assert job.steps[0].exit_code == 137


def test_a_tool_that_starts_too_many_processes_is_told_and_harms_no_other(engine: Engine) -> None:
    other = engine.execute(engine.deploy(running("until [ -e go ]; do sleep 0.1; done")).id)
    bomb = "while sleep 300 & do :; done; echo never"
    job = engine.run(running(bomb, id="bomb"), {})
    assert job.message == "step bomb failed with exit code 2"
    assert "can't fork: Resource temporarily unavailable" in job.logs("bomb").text
    until(lambda: Path(other.folder, "work", "tool").is_dir())
    Path(other.folder, "work", "tool", "go").touch()
    other.wait().raise_for_status()
