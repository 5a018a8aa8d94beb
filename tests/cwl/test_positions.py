"""Where parts of documents stand, and what is said of documents that are refused."""

from typing import Any

import pytest
from schema_salad.utils import yaml_no_ts

from localproc.cwl.base.positions import Position, find
from localproc.errors import Problem
from tests.cwl.memory import errors, package

TEXT = """\
cwlVersion: v1.2
class: Workflow
inputs:
  scene: File
  bands: {type: "string[]"}
requirements:
- class: ScatterFeatureRequirement
- class: EnvVarRequirement
  envDef:
  - {envName: A, envValue: a}
  - envName: B
    envValue: b
steps:
- id: crop
  in:
    image: scene
    band:
      source: bands
      valueFrom: $(self)
  out: [cropped, "#main/crop/log"]
- {id: "#main/join", in: [], out: []}
"""


def place(*path: str, text: str = TEXT) -> tuple[int | None, int | None]:
    found = find("main.cwl", yaml_no_ts().load(text), path)
    return found.line, found.column


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ([], (1, 1)),
        (["class"], (2, 1)),
        (["inputs"], (3, 1)),
        (["inputs", "bands"], (5, 3)),
        (["inputs", "bands", "type"], (5, 11)),
        (["requirements", "EnvVarRequirement"], (8, 3)),
        (["requirements", "EnvVarRequirement", "envDef", "B"], (11, 5)),
        (["requirements", "0"], (7, 3)),
        (["steps", "crop"], (14, 3)),
        (["steps", "crop", "in", "band", "valueFrom"], (19, 7)),
        (["steps", "crop", "out", "cropped"], (20, 9)),
        (["steps", "join"], (21, 3)),
    ],
)
def test_a_part_is_found_by_the_names_that_lead_to_it(
    path: list[str], expected: tuple[int, int]
) -> None:
    assert place(*path) == expected


def test_the_way_is_followed_as_far_as_it_leads() -> None:
    assert place("steps", "crop", "in", "missing", "valueFrom") == (15, 3)
    assert place("steps", "missing") == (13, 1)
    assert place("class", "deeper") == (2, 1)
    assert place("missing") == (1, 1)


def test_processes_of_a_graph_are_found_by_their_ids() -> None:
    text = (
        "cwlVersion: v1.2\n$graph:\n- id: a\n  inputs: {x: int}\n- id: '#b'\n  inputs: {x: int}\n"
    )
    assert place("b", "inputs", "x", text=text) == (6, 12)


def test_what_has_no_lines_is_at_the_beginning() -> None:
    plain: Any = {"steps": [{"id": "a"}]}
    assert find("a.json", plain, ["steps", "a"]) == Position("a.json", 1, 1)


def test_a_place_makes_problems() -> None:
    problem = Position("a.cwl", 3, 5).problem("is wrong", "make it right")
    assert problem == Problem("is wrong", "a.cwl", 3, 5, "make it right")
    assert str(problem) == "a.cwl:3:5: is wrong (make it right)"


def test_a_package_finds_its_parts_in_all_of_its_documents() -> None:
    inner = "cwlVersion: v1.2\nclass: CommandLineTool\ninputs:\n  x: int\noutputs: []\n"
    text = (
        "cwlVersion: v1.2\nclass: Workflow\ninputs: []\noutputs: []\nsteps:\n"
        "  a: {run: sub/a.cwl, in: {x: {default: 1}}, out: []}\n"
        "  b:\n    in: []\n    out: []\n    run:\n      class: CommandLineTool\n"
        "      inputs:\n        y: int?\n      outputs: []\n"
    )
    found = package(text, {"sub/a.cwl": inner})
    assert found.place("sub/a.cwl", "inputs", "x") == Position("sub/a.cwl", 4, 3)
    assert found.place("main.cwl", "steps", "a") == Position("main.cwl", 6, 3)
    assert found.place("main.cwl#steps/b/run", "inputs", "y") == Position("main.cwl", 13, 9)


# Documents that are refused


TOOL = """\
cwlVersion: v1.2
class: CommandLineTool
baseCommand: echo
inputs:
  message:
    type: string
    inputBinding: {position: 1}
outputs:
  said:
    type: stdout
requirements:
  InitialWorkDirRequirement:
    listing:
    - entryname: a.txt
      entry: text
  EnvVarRequirement:
    envDef: {A: b}
"""


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("baseCommand", "baseComand", "3:1: unknown field 'baseComand' (GUESS 'baseCommand'?)"),
        ("position", "postion", "7:20: unknown field 'postion' (GUESS 'position'?)"),
        ("entryname", "entrname", "14:7: unknown field 'entrname' (GUESS 'entryname'?)"),
        ("envDef", "envdef", "17:5: unknown field 'envdef' (GUESS 'envDef'?)"),
        (
            "EnvVarRequirement",
            "EnvVarRequirment",
            "16:3: unknown requirement 'EnvVarRequirment' (GUESS EnvVarRequirement?)",
        ),
        (
            "EnvVarRequirement",
            "Quantum",
            "16:3: unknown requirement 'Quantum' (move it to hints to go without it)",
        ),
    ],
)
def test_what_is_written_wrong_is_told_with_its_place_and_a_guess(
    right: str, wrong: str, said: str
) -> None:
    said = said.replace("GUESS", "did you mean")
    assert f"main.cwl:{said}" in errors(TOOL.replace(right, wrong))


@pytest.mark.parametrize(
    ("right", "wrong", "line"),
    [
        ("type: stdout", "typo: stdout", 10),
        ("position: 1", "position: [1]", 7),
        ("outputs:\n  said:\n    type: stdout\n", "", 1),
        ("class: CommandLineTool", "class: CommandLineTol", 2),
        ("message:\n    type: string", "message:\n    doc: string", 5),
    ],
)
def test_what_is_missing_or_of_another_type_is_told_with_its_line(
    right: str, wrong: str, line: int
) -> None:
    found = errors(TOOL.replace(right, wrong))
    assert any(one.startswith(f"main.cwl:{line}:") for one in found), found


def test_several_mistakes_are_told_in_the_order_of_their_lines() -> None:
    text = TOOL.replace("baseCommand", "baseComand").replace("position", "postion")
    assert [one.partition(": ")[0] for one in errors(text)] == ["main.cwl:3:1", "main.cwl:7:20"]


def test_mistakes_in_an_embedded_tool_are_told() -> None:
    text = """\
cwlVersion: v1.2
class: Workflow
inputs: []
outputs: []
steps:
  a:
    in: []
    out: []
    run:
      class: CommandLineTool
      baseComand: a
      inputs: []
      outputs: []
"""
    assert "main.cwl:11:7: unknown field 'baseComand' (did you mean 'baseCommand'?)" in errors(text)


def test_mistakes_in_another_document_are_told_there() -> None:
    text = (
        "cwlVersion: v1.2\nclass: Workflow\ninputs: []\noutputs: []\n"
        "steps:\n  a: {run: sub/tool.cwl, in: {message: {default: a}}, out: []}\n"
    )
    wrong = {"sub/tool.cwl": TOOL.replace("baseCommand", "baseComand")}
    assert errors(text, wrong) == [
        "sub/tool.cwl:3:1: unknown field 'baseComand' (did you mean 'baseCommand'?)"
    ]


def test_mistakes_in_a_process_of_a_graph_are_told() -> None:
    text = """\
cwlVersion: v1.2
$graph:
- id: main
  class: CommandLineTool
  baseComand: a
  inputs: []
  outputs: []
"""
    assert errors(text) == [
        "main.cwl:5:3: unknown field 'baseComand' (did you mean 'baseCommand'?)"
    ]


@pytest.mark.parametrize("version", ["v1.0", "v1.1", "v1.2"])
def test_mistakes_are_told_in_every_version(version: str) -> None:
    text = TOOL.replace("v1.2", version).replace("baseCommand", "baseComand")
    assert errors(text) == [
        "main.cwl:3:1: unknown field 'baseComand' (did you mean 'baseCommand'?)"
    ]


def test_a_document_with_an_id_of_its_own_tells_places_all_the_same() -> None:
    text = """
        cwlVersion: v1.2
        class: Workflow
        id: wf
        inputs: {x: string}
        outputs: []
        steps:
          one:
            in: {a: x}
            out: []
            run: {class: CommandLineTool, inputs: {a: strng}, outputs: [], baseCommand: a}
    """
    (said,) = errors(text)
    assert said.startswith("main.cwl:11:")
