"""``localproc cwl``: what other runners of CWL agree on."""

import json
from pathlib import Path

import pytest

from tests.cli.terminal import localproc


def test_the_output_object_is_printed(packages: Path, here: Path) -> None:
    (here / "job.yml").write_text("message: hello\n")
    said = localproc("cwl", "--outdir", "out", packages / "echo.cwl", "job.yml")
    assert said.code == 0
    path = here / "out" / "said.txt"
    assert path.read_text() == "hello\n"
    assert said.document == {
        "said": {
            "class": "File",
            "location": path.as_uri(),
            "path": str(path),
            "basename": "said.txt",
            "size": 6,
            "checksum": "sha1$f572d396fae9206628714fb2ce00f72e94f2258f",
        }
    }
    assert "[echo] successful" in said.err


def test_outputs_lie_in_the_current_folder_unless_told_otherwise(
    packages: Path, here: Path
) -> None:
    (here / "job.json").write_text('{"message": "hello"}')
    said = localproc("cwl", "--quiet", packages / "echo.cwl", "job.json")
    assert (here / "said.txt").read_text() == "hello\n"
    assert said.err == ""


def test_no_home_is_left_behind(packages: Path, here: Path, home: Path) -> None:
    (here / "job.yml").write_text("message: hello\n")
    localproc("cwl", packages / "echo.cwl", "job.yml")
    assert not home.exists()
    assert not (here / ".localproc").exists()


def test_inputs_that_the_tool_has_not_are_passed_over(packages: Path, here: Path) -> None:
    (here / "job.yml").write_text("message: hello\nother: 3\n1: a\n")
    assert localproc("cwl", packages / "echo.cwl", "job.yml").code == 0


def test_a_job_file_that_names_its_tool(packages: Path, here: Path) -> None:
    (here / "job.yml").write_text(f"cwl:tool: {packages / 'echo.cwl'}\nmessage: hello\n")
    (here / "tool.cwl").write_text((packages / "echo.cwl").read_text())
    assert localproc("cwl", "tool.cwl", "job.yml").code == 0


def test_a_job_file_alone_runs_the_tool_that_it_names(packages: Path, here: Path) -> None:
    (here / "jobs").mkdir()
    (here / "tool.cwl").write_text((packages / "echo.cwl").read_text())
    (here / "jobs/job.yml").write_text("cwl:tool: ../tool.cwl\nmessage: hello\n")
    assert localproc("cwl", "--quiet", "jobs/job.yml").code == 0
    assert (here / "said.txt").read_text() == "hello\n"


def test_requirements_in_a_job_file_hold(here: Path) -> None:
    tool = {
        "cwlVersion": "v1.2",
        "class": "CommandLineTool",
        "baseCommand": ["sh", "-c", 'echo "$GREETING"'],
        "inputs": {},
        "outputs": {"said": "stdout"},
        "stdout": "said.txt",
    }
    (here / "tool.cwl").write_text(json.dumps(tool))
    (here / "job.yml").write_text("cwl:requirements: {EnvVarRequirement: {envDef: {GREETING: hi}}}")
    assert localproc("cwl", "--quiet", "tool.cwl", "job.yml").code == 0
    assert (here / "said.txt").read_text() == "hi\n"


def test_the_names_of_requirements_in_a_job_file_are_checked(packages: Path, here: Path) -> None:
    (here / "job.yml").write_text(
        "message: hello\ncwl:requirements: {ResourceRequirement: {a: 1}}\n"
    )
    said = localproc("cwl", packages / "echo.cwl", "job.yml")
    assert said.code == 1
    assert "inputs.cwl:requirements: unknown field 'a'" in said.err


@pytest.mark.parametrize(
    "flags",
    [
        ["--containers", "none"],
        ["--no-container", "--executor", "x", "--containers", "charliecloud"],
    ],
)
def test_a_container_that_is_required_is_not_supported(here: Path, flags: list[str]) -> None:
    tool = {
        "cwlVersion": "v1.2",
        "class": "CommandLineTool",
        "baseCommand": "true",
        "requirements": {"DockerRequirement": {"dockerPull": "debian:12"}},
        "inputs": [],
        "outputs": [],
    }
    (here / "tool.cwl").write_text(json.dumps(tool))
    said = localproc("cwl", *flags, "tool.cwl")
    assert said.code == 33
    assert said.out == ""
    assert "requires a container" in said.err


def test_a_container_that_is_a_hint_is_passed_over(here: Path) -> None:
    tool = {
        "cwlVersion": "v1.2",
        "class": "CommandLineTool",
        "baseCommand": "true",
        "hints": {"DockerRequirement": {"dockerPull": "debian:12"}},
        "inputs": [],
        "outputs": [],
    }
    (here / "tool.cwl").write_text(json.dumps(tool))
    said = localproc("cwl", "tool.cwl")
    assert (said.code, said.document) == (0, {})


def test_a_tool_that_fails(packages: Path, here: Path) -> None:
    (here / "job.yml").write_text("text: x\ncode: 3\n")
    said = localproc("cwl", packages / "three-steps.cwl", "job.yml")
    assert said.code == 1
    assert said.out == ""
    assert "step second failed with exit code 3" in said.err


@pytest.mark.parametrize("text", ["message: [1\n", "message: 3\n", "{}\n"])
def test_inputs_that_are_wrong(packages: Path, here: Path, text: str) -> None:
    (here / "job.yml").write_text(text)
    said = localproc("cwl", packages / "echo.cwl", "job.yml")
    assert said.code == 1
    assert said.out == ""
    assert said.err


def test_the_tool_and_its_inputs_may_be_uris(packages: Path, here: Path) -> None:
    job = here / "a job.yml"
    job.write_text("message: hello\n")
    said = localproc("cwl", (packages / "echo.cwl").as_uri(), job.as_uri())
    assert (said.code, (here / "said.txt").read_text()) == (0, "hello\n")
