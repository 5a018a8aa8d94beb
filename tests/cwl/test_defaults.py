"""Defaults of inputs and of step inputs: what they hold stays as it was written."""

from typing import Any

import pytest

from tests.cwl.memory import errors, file, package

TOOL = """
cwlVersion: v1.2
class: ExpressionTool
inputs: {x: {type: Any, default: %s}}
outputs: []
expression: $(null)
"""
STEP = """
cwlVersion: v1.2
class: Workflow
inputs: []
outputs: []
steps: {s: {run: tool.cwl, in: {x: {default: %s}}, out: []}}
"""
A = {"class": "File", "location": file("/package/a.txt")["location"]}


def defaults(written: str, others: dict[str, str] | None = None) -> list[Any]:
    """Give the default of an input and that of a step input that are written alike."""
    tool = package(TOOL % written, others).main
    workflow = package(STEP % written, {"tool.cwl": TOOL % "0", **(others or {})}).main
    return [tool["inputs"][0]["default"], workflow["steps"][0]["in"][0]["default"]]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("[[{class: File, location: a.txt}, 1], [[]]]", [[A, 1], [[]]]),
        ("{a: [[1, [2]], []], f: {class: File, location: a.txt}}", {"a": [[1, [2]], []], "f": A}),
        ("[[{$include: a.txt}], [[1]]]", [["Text."], [[1]]]),
        ("{$import: sub/a.yml}", [[1, [2]], {**A, "location": "file:///package/sub/b.txt"}]),
    ],
)
def test_nested_arrays_stay_nested(written: str, value: Any) -> None:
    others = {"a.txt": "Text.", "sub/a.yml": "[[1, [2]], {class: File, path: b.txt}]"}
    assert defaults(written, others) == [value, value]


@pytest.mark.parametrize(
    ("inputs", "imported"),
    [
        ("{x: {$import: sub/i.yml}}", "{type: Any, default: %s}"),
        ("{x: {$import: 'sub/i.yml#j'}}", "[{id: j, type: Any, default: %s}]"),
        ("{$import: sub/i.yml}", "{x: {type: Any, default: %s}}"),
        ("{$import: sub/i.yml}", "[{id: x, type: Any, default: %s}]"),
        ("{$import: sub/i.yml}", "{default: {type: Any, default: %s}}"),
    ],
)
def test_nested_arrays_of_an_input_that_is_imported_stay_nested(inputs: str, imported: str) -> None:
    text = TOOL.replace("{x: {type: Any, default: %s}}", inputs)
    others = {"sub/i.yml": imported % "[[[1], []], [{class: File, path: b.txt}]]"}
    (port,) = package(text, others).main["inputs"]
    assert port["default"] == [[[1], []], [{**A, "location": "file:///package/sub/b.txt"}]]


def test_nested_arrays_of_a_process_that_is_imported_stay_nested() -> None:
    run = STEP.replace("tool.cwl", "{$import: sub/tool.cwl}") % "1"
    found = package(run, {"sub/tool.cwl": TOOL % "[[1], [[]]]"}).resolved
    (step,) = found["processes"][found["main"]]["steps"]
    assert found["processes"][step["run"]]["inputs"][0]["default"] == [[1], [[]]]


def test_what_an_imported_part_includes_lies_beside_it() -> None:
    text = TOOL.replace("$(null)", "{$include: a.js}") % "0"
    text = text.replace("{x: {type: Any, default: 0}}", "{x: {$import: 'sub/i.yml#j'}}")
    others = {"sub/i.yml": "[{id: j, type: Any, doc: {$include: d.txt}}]", "sub/d.txt": "said"}
    (port,) = package(text, {"a.js": "$(null)", **others}).main["inputs"]
    assert port["doc"] == "said"


@pytest.mark.parametrize(
    ("member", "location"),
    [
        ("location: a%20b.txt", "file:///package/a%20b.txt"),
        ("location: 'https://example.org/a'", "https://example.org/a"),
        ("path: c#d.txt", "file:///package/c%23d.txt"),
        ("path: a%20b.txt", "file:///package/a%2520b.txt"),
        ("path: 'a:b.txt'", "file:///package/a%3Ab.txt"),
        ("path: /data/a.txt", "file:///data/a.txt"),
        ("path: 'https://example.org/a'", "https://example.org/a"),
    ],
)
def test_a_location_is_a_reference_and_a_path_is_none(member: str, location: str) -> None:
    found = {"class": "File", "location": location}
    assert defaults(f"{{class: File, {member}}}") == [found, found]


@pytest.mark.parametrize(
    ("member", "location"),
    [
        ("path: a.txt", "file:///package/a.txt"),
        ("path: sub/c d#.txt", "file:///package/sub/c%20d%23.txt"),
        ("path: /data/a.txt", "file:///data/a.txt"),
        ("location: a%20b.txt", "file:///package/a%20b.txt"),
    ],
)
def test_a_file_that_a_package_stages_lies_beside_its_document(member: str, location: str) -> None:
    text = (TOOL % "0").replace("ExpressionTool", "CommandLineTool").replace("expression", "stdin")
    listing = f"listing: [{{class: File, {member}}}]"
    found = package(f"{text}requirements: {{InitialWorkDirRequirement: {{{listing}}}}}").main
    assert found["requirements"][0]["listing"] == [{"class": "File", "location": location}]


def test_a_location_that_is_no_text_is_told_with_its_place() -> None:
    said = "a File has a location that is no text: ['a.txt']"
    assert errors(TOOL % "{class: File, location: [a.txt]}") == [f"main.cwl:4:25: {said}"]
    step = STEP % "{class: File, path: [a.txt]}"
    assert errors(step, {"tool.cwl": TOOL % "0"}) == [f"main.cwl:6:37: {said}"]


def test_an_import_that_imports_itself() -> None:
    (found,) = errors(TOOL % "{$import: a.yml}", {"a.yml": "[{$import: a.yml}]"})
    assert found == "a.yml imports itself"
