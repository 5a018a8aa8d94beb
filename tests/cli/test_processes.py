"""Commands about packages and processes."""

import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from localproc import Engine
from tests.cli.terminal import command, localproc
from tests.patience import patient


def test_deploying_and_listing(packages: Path) -> None:
    said = localproc("deploy", packages / "echo.cwl")
    assert said.code == 0
    assert said.out.startswith("echo ")
    assert ", revision " in said.out
    localproc("deploy", "--id", "other", packages / "three-steps.cwl")
    lines = localproc("processes").out.splitlines()
    assert lines[0].split() == ["process", "version", "revision", "title"]
    assert [line.split()[0] for line in lines[1:]] == ["echo", "other"]


def test_documents_of_processes(packages: Path) -> None:
    summary = localproc("deploy", "--json", packages / "echo.cwl").document
    assert (summary["id"], summary["title"]) == ("echo", "Echo")
    listing = localproc("processes", "--json").document
    assert [one["id"] for one in listing["processes"]] == ["echo"]
    assert listing["links"] == []
    description = localproc("describe", "--json", "echo").document
    assert description["inputs"]["message"]["title"] == "What to say"
    assert list(description["outputs"]) == ["said"]


def test_an_empty_home_has_no_processes(packages: Path) -> None:
    localproc("deploy", packages / "echo.cwl")
    localproc("undeploy", "echo")
    assert len(localproc("processes").out.splitlines()) == 1
    assert localproc("processes", "--json").document == {"processes": [], "links": []}


def test_a_process_that_is_there_is_not_replaced_if_so_wished(packages: Path, here: Path) -> None:
    localproc("deploy", packages / "echo.cwl")
    (here / "echo.cwl").write_text((packages / "echo.cwl").read_text() + "\n# changed\n")
    said = localproc("deploy", "--no-replace", "echo.cwl")
    assert said.code == 2
    assert "a process 'echo' is deployed already" in said.err
    assert localproc("deploy", "echo.cwl").code == 0


def test_undeploying(packages: Path) -> None:
    localproc("deploy", packages / "echo.cwl")
    said = localproc("undeploy", "echo")
    assert (said.code, said.out) == (0, "echo is undeployed\n")
    localproc("deploy", packages / "echo.cwl")
    assert localproc("undeploy", "--json", "echo").document["id"] == "echo"
    said = localproc("undeploy", "echo")
    assert said.code == 2
    assert "no process 'echo' is deployed" in said.err


def test_a_process_with_open_jobs_is_undeployed_by_force_alone(sleeper: Path, home: Path) -> None:
    with Engine(home, run_jobs=False) as engine:
        engine.deploy(sleeper).execute({})
    said = localproc("undeploy", "sleeper")
    assert said.code == 2
    assert "has 1 jobs that have not ended" in said.err
    assert localproc("undeploy", "--force", "sleeper").code == 0


def test_a_package_comes_back_byte_for_byte(here: Path) -> None:
    data = (
        b"\xef\xbb\xbf# caf\xc3\xa9\r\ncwlVersion: v1.2\r\nclass: CommandLineTool\r\nid: odd\r\n"
        b"baseCommand: 'true'   \r\ninputs: []\r\noutputs: []   "
    )
    (here / "odd.cwl").write_bytes(data)
    assert localproc("deploy", "odd.cwl").code == 0
    (here / "odd.cwl").unlink()
    printed = subprocess.run(
        command("package", "odd"), capture_output=True, check=True, timeout=patient(30)
    )
    assert printed.stdout == data


def test_a_package_is_not_changed_on_its_way_to_stdout(packages: Path) -> None:
    localproc("deploy", packages / "three-steps.cwl")
    assert localproc("package", "three-steps").out == (packages / "three-steps.cwl").read_text()


def test_describing_for_people(packages: Path) -> None:
    said = localproc("describe", packages / "three-steps.cwl")
    assert said.code == 0
    rows = [line.split() for line in said.out.splitlines()]
    assert ["text", "string"] in rows
    assert ["code", "int", "0"] in rows
    assert ["last", "File"] in rows
    said = localproc("describe", packages / "echo.cwl")
    assert "Writes a message into a file." in said.out
    assert "What to say" in said.out


@pytest.mark.parametrize("command", ["describe", "graph"])
def test_looking_at_a_package_deploys_nothing(packages: Path, here: Path, command: str) -> None:
    localproc("deploy", packages / "echo.cwl")
    (here / "echo.cwl").write_text((packages / "echo.cwl").read_text().replace("What to", "WHAT"))
    assert "WHAT" in localproc("describe", "echo.cwl").out
    assert localproc(command, packages / "three-steps.cwl").code == 0
    assert [one["id"] for one in localproc("processes", "--json").document["processes"]] == ["echo"]
    assert "What to" in localproc("describe", "echo").out


def test_describing_what_is_not_there() -> None:
    said = localproc("describe", "nothing")
    assert said.code == 2
    assert "'nothing' is neither a file nor a deployed process" in said.err


WRONG = """\
cwlVersion: v1.2
class: CommandLineTool
baseComand: x
inputs:
  a: {type: string, lable: A}
outputs: []
"""


def test_validating_what_is_right(packages: Path, home: Path) -> None:
    said = localproc("validate", packages / "echo.cwl")
    assert said.code == 0
    assert said.out == f"{packages / 'echo.cwl'} is valid\n"
    document = localproc("validate", "--json", packages / "echo.cwl").document
    assert document == {"valid": True, "message": "", "errors": [], "warnings": []}
    assert not home.exists(), "nothing was deployed"


def test_validating_what_is_wrong_prints_every_problem_with_its_place(here: Path) -> None:
    (here / "wrong.cwl").write_text(WRONG)
    said = localproc("validate", "wrong.cwl")
    assert said.code == 2
    assert said.out == "wrong.cwl is not valid\n"
    assert "wrong.cwl:3:1: unknown field 'baseComand'" in said.err
    assert "wrong.cwl:5:21: unknown field 'lable' (did you mean 'label'?)" in said.err
    document = localproc("validate", "--json", "wrong.cwl").document
    assert document["valid"] is False
    assert {(one["line"], one["column"]) for one in document["errors"]} == {(3, 1), (5, 21)}


def test_validating_tells_all_unknown_types(here: Path) -> None:
    (here / "wrong.cwl").write_text(
        "cwlVersion: v1.2\nclass: CommandLineTool\noutputs: []\ninputs:\n  a: sting\n  b: itn\n"
    )
    said = localproc("validate", "wrong.cwl")
    assert said.code == 2
    assert "wrong.cwl:5:3: unknown type 'sting'" in said.err
    assert "wrong.cwl:6:3: unknown type 'itn'" in said.err


@pytest.mark.parametrize("text", ["cwlVersion: v1.2\nclass: [\n", "just text\n", ""])
def test_validating_what_cannot_even_be_read(here: Path, text: str) -> None:
    (here / "wrong.cwl").write_text(text)
    said = localproc("validate", "wrong.cwl")
    assert said.code == 2
    assert "error: " in said.err
    assert localproc("validate", "--json", "wrong.cwl").document["valid"] is False


def test_what_cannot_be_read_is_told_once(here: Path) -> None:
    said = localproc("validate", here)
    assert said.code == 2
    assert said.err.count("it is a folder (name the file in it that is to be run)") == 1


def test_validating_what_is_not_there() -> None:
    said = localproc("validate", "missing.cwl")
    assert said.code == 2
    assert "missing.cwl" in said.err


def test_drawing(packages: Path) -> None:
    package = packages / "three-steps.cwl"
    for step in ("first", "second", "third"):
        assert step in localproc("graph", package).out
    assert localproc("graph", package).out.startswith("flowchart")
    assert localproc("graph", "--format", "dot", package).out.startswith("digraph")
    svg = ElementTree.fromstring(localproc("graph", "--format", "svg", package).out)
    assert svg.tag == "{http://www.w3.org/2000/svg}svg"
    assert localproc("graph", "--format", "png", package).code == 2


# What this machine lacks, and where things are

TOOL = """\
cwlVersion: v1.2
class: CommandLineTool
id: tool
baseCommand: {command}
inputs: {{}}
outputs: {{}}
{more}
"""
IN_A_CONTAINER = "requirements: {DockerRequirement: {dockerPull: a}}"
HINTED = "hints: {DockerRequirement: {dockerPull: a}}"


@pytest.mark.parametrize(
    ("command", "more", "warning"),
    [
        ("echo", "", ""),
        ("no-such-command", "", "part.cwl:4:1: the command 'no-such-command' of tool is not on"),
        ("/no/such", "", "the command '/no/such' of tool is not on this machine"),
        ("./from-the-package", "", ""),
        ("$(inputs.x)", "", ""),
        ("no-such-command", HINTED, "the command 'no-such-command' of tool"),
        ("echo", IN_A_CONTAINER, "requires a container, and the executor 'local' has none"),
        ("no-such-command", "requirements: {EnvVarRequirement: {envDef: {PATH: /opt/x}}}", ""),
    ],
)
def test_validating_warns_of_what_this_machine_lacks(
    here: Path, command: str, more: str, warning: str
) -> None:
    (here / "sub").mkdir()
    (here / "sub" / "part.cwl").write_text(TOOL.format(command=command, more=more))
    said = localproc("validate", "--containers", "none", "sub/part.cwl")
    assert said.code == 0 or "$(" in command
    found = [line for line in said.err.splitlines() if line.startswith("warning: ")]
    assert [warning in line for line in found] == ([True] if warning else [])
    assert all(line.startswith("warning: sub/part.cwl:") for line in found)


def test_validating_for_an_executor_that_is_not_there(here: Path) -> None:
    (here / "tool.cwl").write_text(TOOL.format(command="true", more=""))
    said = localproc("validate", "--executor", "moon", "tool.cwl")
    assert said.code == 4
    assert "there is no executor 'moon'" in said.err


@pytest.mark.parametrize("command", ["validate", "deploy", "run", "describe", "graph", "cwl"])
def test_errors_have_the_path_as_it_was_typed(here: Path, command: str) -> None:
    (here / "sub").mkdir()
    (here / "sub" / "part.cwl").write_text(TOOL.format(command="true", more="requirement: {}"))
    steps = "steps: {one: {run: part.cwl, in: {}, out: []}}"
    text = f"cwlVersion: v1.2\nclass: Workflow\nid: flow\ninputs: {{}}\noutputs: {{}}\n{steps}\n"
    (here / "sub" / "flow.cwl").write_text(text)
    (here / "sub" / "broken.cwl").write_text("a: [")
    assert "sub/part.cwl:" in localproc(command, "sub/flow.cwl").err
    said = localproc(command, "./sub/broken.cwl").err
    assert "./sub/broken.cwl:" in said
    assert "sub/sub" not in said
