"""What validating tells beyond what keeps a package from being read."""

from pathlib import Path

import pytest

from tests.cli.terminal import localproc
from tests.docs.markdown import ROOT

REFERENCES = """\
cwlVersion: v1.2
class: CommandLineTool
id: tool
requirements:
  SchemaDefRequirement:
    types: [{name: R, type: record, fields: {a: int, f: File}}]
inputs:
  r: "#R"
  files: File[]
  folder: Directory?
  any: Any
baseCommand: echo
arguments:
"""


def validated(here: Path, *arguments: str) -> str:
    listed = "".join(f"  - {one}\n" for one in arguments)
    (here / "tool.cwl").write_text(f"{REFERENCES}{listed}outputs: []\n")
    return localproc("validate", "tool.cwl").err


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("$(inputs.r.z)", "$(inputs.r.z): there is no 'z' in r (it has: a, f)"),
        ("$(inputs.r.f.pth)", "there is no 'pth' in r.f (did you mean 'path'?)"),
        ("$(inputs.files[0].bsename)", "there is no 'bsename' in files.0"),
        ("$(inputs.folder.nameroot)", "there is no 'nameroot' in folder"),
        ("$(inputs.q.z)", "there is no 'q' in inputs"),
    ],
)
def test_references_to_what_is_not_there(here: Path, reference: str, said: str) -> None:
    told = validated(here, reference)
    assert told.startswith("error: tool.cwl:14:5: ")
    assert said in told


def test_references_to_what_is_there_or_may_be(here: Path) -> None:
    given = ("r.a", "r.f.path", "files[0].nameroot", "files.length", "folder.path", "any.x.y")
    assert validated(here, *(f"$(inputs.{one})" for one in given)) == ""


def test_the_line_is_shown_with_a_caret_and_the_path_as_it_was_typed(here: Path) -> None:
    (here / "sub").mkdir()
    (here / "sub" / "wrong.cwl").write_text(
        "cwlVersion: v1.2\nclass: CommandLineTool\ninputs:\n\n  a: {type: string, lable: A}\n"
        "outputs: []\nbaseCommand: echo\n"
    )
    lines = localproc("validate", "sub/wrong.cwl").err.splitlines()
    assert lines[0].startswith("error: sub/wrong.cwl:5:21: unknown field 'lable'")
    assert lines[1:] == [
        "  5 |   a: {type: string, lable: A}",
        "    |                     ^",
    ]


@pytest.mark.parametrize(
    ("command", "more", "said"),
    [
        ("[python3, tools/x.py]", "", "tool runs 'tools/x.py', which nothing puts into its folder"),
        ("[echo]", "coresMin: 99999", "tool asks for 99999 cores, and this machine has"),
        ("[echo]", "ramMin: 9e9", "tool asks for 9e+09 MiB of memory, and this machine has"),
    ],
)
def test_what_this_machine_lacks(here: Path, command: str, more: str, said: str) -> None:
    (here / "tool.cwl").write_text(
        f"cwlVersion: v1.2\nclass: CommandLineTool\nid: tool\nbaseCommand: {command}\n"
        f"hints: {{ResourceRequirement: {{{more}}}}}\ninputs: []\noutputs: []\n"
    )
    told = localproc("validate", "tool.cwl")
    assert told.code == 0
    assert said in told.err
    assert localproc("validate", "tool.cwl", "--fail-on", "warning").code == 2


def test_a_script_that_is_put_in_place_is_not_missed(here: Path) -> None:
    (here / "tool.cwl").write_text(
        "cwlVersion: v1.2\nclass: CommandLineTool\nid: tool\nbaseCommand: [sh, x.sh]\n"
        "requirements: {InitialWorkDirRequirement: {listing: [{entryname: x.sh, entry: 'true'}]}}\n"
        "inputs: []\noutputs: []\n"
    )
    assert localproc("validate", "tool.cwl").err == ""


# The best practice for Earth observation packages

POOR = """\
cwlVersion: v1.2
$graph:
  - class: Workflow
    id: main
    label: Poor
    inputs: {scene: {type: string, label: A scene}}
    outputs: {out: {type: File, outputSource: step/out}}
    steps: {step: {run: "#tool", in: {scene: scene}, out: [out]}}
  - class: CommandLineTool
    id: tool
    arguments: [echo, $(inputs.scene)]
    inputs: {scene: string}
    outputs: {out: stdout}
"""


def test_the_profile_names_the_requirements_that_are_not_met(here: Path) -> None:
    (here / "poor.cwl").write_text(POOR)
    assert localproc("validate", "poor.cwl").code == 0
    said = localproc("validate", "poor.cwl", "--profile", "eoap")
    assert said.code == 2
    for requirement in (
        "poor.cwl:3:5: /req/app-pck/wf: the workflow 'main' has no doc",
        "/req/app-pck/wf-inputs: the input 'scene' has no doc",
        "/req/app-pck/clt: the tool 'tool' has no baseCommand",
        "/req/app-pck/clt: the tool 'tool' names no container",
        "/req/app-pck/metadata: the package has no version",
        "/req/app-pck-stage-out/output-stac: the workflow 'main' has no output of type Directory",
    ):
        assert requirement in said.err
    for advice in ("a workflow is called 'main'", "does not require coresMin, coresMax, ramMin"):
        assert advice in said.err
    document = localproc("validate", "poor.cwl", "--profile", "eoap", "--json").document
    assert document["valid"] is False
    assert len(document["errors"]) == 6


def test_a_tool_alone_is_no_package(here: Path) -> None:
    (here / "tool.cwl").write_text(
        "cwlVersion: v1.2\nclass: CommandLineTool\nid: tool\nbaseCommand: echo\n"
        "inputs: []\noutputs: []\n"
    )
    said = localproc("validate", "tool.cwl", "--profile", "eoap", "--fail-on", "never")
    assert said.code == 0
    assert "/req/app-pck/cwl: the package is not a Workflow" in said.err


def test_the_example_meets_the_requirements(home: Path) -> None:
    package = ROOT / "examples" / "water_bodies" / "water-bodies.cwl"
    said = localproc("validate", package, "--profile", "eoap")
    assert said.code == 0
    assert "error" not in said.err
    assert localproc("validate", package, "--profile", "eoap", "--fail-on", "warning").code == 2
    assert not home.exists()


OPERATION = "cwlVersion: v1.2\nclass: Operation\ninputs: {a: File}\noutputs: {b: File}\n"
AROUND = """\
cwlVersion: v1.2
class: Workflow
inputs: {a: File}
outputs: {b: {type: File, outputSource: s/b}}
steps: {s: {run: op.cwl, in: {a: a}, out: [b]}}
"""


@pytest.mark.parametrize("package", ["op.cwl", "around.cwl"])
def test_an_operation_is_valid_and_can_be_looked_at(here: Path, package: str) -> None:
    (here / "op.cwl").write_text(OPERATION)
    (here / "around.cwl").write_text(AROUND)
    told = localproc("validate", package)
    assert (told.code, told.out) == (0, f"{package} is valid\n")
    assert "op.cwl:2:1: op is an Operation, which can be looked at and not run" in told.err
    for command in ("describe", "graph", "inputs", "images"):
        assert localproc(command, package).code == 0
