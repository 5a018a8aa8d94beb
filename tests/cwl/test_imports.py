"""Imports with a fragment: one object of a document is put in place, whatever else it holds."""

import pytest

from tests.cwl.memory import errors, package

THING = '{class: SchemaDefRequirement, types: [{$import: "#types.yml/Thing"}]}'
PACKED = f"""
cwlVersion: v1.2
$graph:
- class: CommandLineTool
  id: "#tool"
  requirements: [{THING}]
  inputs: [{{id: "#tool/t", type: "#types.yml/Thing"}}]
  outputs: []
- class: Workflow
  id: "#main"
  requirements:
  - class: SchemaDefRequirement
    types: [{{name: "#types.yml/Thing", type: enum, symbols: ["#types.yml/Thing/a"]}}]
  inputs: [{{id: "#main/t", type: "#types.yml/Thing"}}]
  outputs: []
  steps:
  - {{id: "#main/s", run: "#tool", in: [{{id: "#main/s/t", source: "#main/t"}}], out: []}}
"""
LIB = """
cwlVersion: v1.2
$graph:
- {class: ExpressionTool, id: a, inputs: [], outputs: [], expression: $(1)}
- {class: ExpressionTool, id: b, inputs: {x: int?}, outputs: [], expression: $(2)}
"""
WORKFLOW = """
cwlVersion: v1.2
class: Workflow
inputs: []
outputs: []
steps: {s: {in: [], out: [], run: {$import: %s}}}
"""
TYPES = """
- {name: Point, type: record, fields: {x: int, on: {type: Other?}}}
- {name: Other, type: enum, symbols: [a]}
"""


def test_a_packed_document_names_types_of_its_other_processes() -> None:
    assert errors(PACKED) == []
    processes = package(PACKED).resolved["processes"].values()
    thing = {"type": "enum", "symbols": ["a"], "name": "Thing"}
    assert [one["inputs"] for one in processes] == [[{"id": "t", "type": thing}]] * 2


@pytest.mark.parametrize("others", [{"lib.cwl": LIB}, {"lib.cwl": LIB.replace("v1.2", "v1.0")}])
def test_a_step_imports_one_process_of_several(others: dict[str, str]) -> None:
    found = package(WORKFLOW % "lib.cwl#b", others).resolved["processes"]
    assert found["main.cwl"]["steps"][0]["run"] == "lib.cwl#b"
    assert found["lib.cwl#b"]["expression"] == "$(2)"


def test_a_step_imports_a_process_of_another_version() -> None:
    tool = "cwlVersion: v1.0\nclass: CommandLineTool\ninputs: []\noutputs: []\n"
    found = package(WORKFLOW % "tool.cwl", {"tool.cwl": tool}).resolved["processes"]
    assert found["tool.cwl"]["cwlVersion"] == "v1.0"


def test_a_graph_imports_one_process_of_several() -> None:
    graph = "cwlVersion: v1.2\n$graph:\n- $import: lib.cwl#b\n"
    found = package(graph, {"lib.cwl": LIB}).resolved["processes"]
    assert list(found) == ["lib.cwl#b"]


def test_one_type_of_several_is_imported() -> None:
    requirement = "{types: [{$import: types.yml#Point}, {$import: types.yml#Other}]}"
    text = f"""
cwlVersion: v1.2
class: ExpressionTool
requirements: {{SchemaDefRequirement: {requirement}}}
inputs: {{p: types.yml#Point, q: {{type: {{$import: types.yml#Other}}}}}}
outputs: []
expression: $(1)
"""
    point, other = (port["type"] for port in package(text, {"types.yml": TYPES}).main["inputs"])
    assert [field["name"] for field in point["fields"]] == ["x", "on"]
    assert (
        other
        == point["fields"][1]["type"][1]
        == {"type": "enum", "symbols": ["a"], "name": "Other"}
    )


def test_an_import_that_leads_nowhere_is_told_with_its_place() -> None:
    types = 'requirements: {SchemaDefRequirement: {types: [{$import: "types.yml#No"}]}}\n'
    tool = f"cwlVersion: v1.2\nclass: CommandLineTool\ninputs: []\noutputs: []\n{types}"
    others = {"lib.cwl": LIB, "types.yml": TYPES}
    assert errors(tool, others) == ["main.cwl:5:48: types.yml#No is not there"]
    graph = "cwlVersion: v1.2\n$graph:\n- $import: lib.cwl#c\n"
    assert errors(graph, others) == ["main.cwl:3:3: lib.cwl#c is not there"]
    (found,) = errors(WORKFLOW % "lib.cwl#c", others)
    assert found == "main.cwl:6:30: lib.cwl has no process 'c' (check the run: field)"


def test_a_part_that_imports_itself() -> None:
    types = "- {name: A, type: array, items: {$import: '#A'}}"
    requirement = "{types: [{$import: types.yml#A}]}"
    tool = f"requirements: {{SchemaDefRequirement: {requirement}}}\ninputs: []\noutputs: []\n"
    (found,) = errors(f"cwlVersion: v1.2\nclass: CommandLineTool\n{tool}", {"types.yml": types})
    assert found == "types.yml:1:34: types.yml#A imports itself"
