"""ExpressionTools, and the files that they make out of nothing."""

from typing import Any

import pytest

from localproc.cwl.run.expression_tool import run_expression
from localproc.errors import ExpressionError, StepError
from localproc.model import StageAction
from tests.cwl.memory import FOLDERS, Memory, directory, file, tool

DISK = Memory({"/data/a.txt": "input", "/data/a.idx": "", "/data/d/b.txt": ""})


def run(
    expression: str, outputs: str = "{x: Any}", inputs: str = "{i: Any?}", **given: Any
) -> tuple[dict[str, Any], list[StageAction]]:
    text = f"""
requirements: {{InlineJavascriptRequirement: {{}}}}
inputs: {inputs}
outputs: {outputs}
expression: >-
  {expression}
"""
    return run_expression(tool(text, kind="ExpressionTool"), given, FOLDERS, DISK)


def made(expression: str, outputs: str = "{x: Any}", **given: Any) -> tuple[Any, list[Any]]:
    """Give the output, and the kind, target and contents or source of what is put in place."""
    found, actions = run(f"$({{x: {expression}}})", outputs, **given)
    return found["x"], [(one.kind, one.target, one.source or one.contents) for one in actions]


def text(name: str, contents: str = "text") -> str:
    return f'{{class: "File", basename: "{name}", contents: "{contents}"}}'


def folder(name: str, *listing: str) -> str:
    return f'{{class: "Directory", basename: "{name}", listing: [{", ".join(listing)}]}}'


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("$({x: inputs.i * 2})", 10),
        ("${ return {x: [inputs.i, {a: 'b'}]}; }", [5, {"a": "b"}]),
        ("$({x: runtime.cores})", 1),
        ("$({x: runtime.outdir})", "/out"),
    ],
)
def test_the_expression_gives_the_outputs(expression: str, expected: Any) -> None:
    assert run(expression, i=5) == ({"x": expected}, [])


def test_a_reference_will_do() -> None:
    compiled = tool(
        "inputs: {i: Any}\noutputs: {x: int}\nexpression: $(inputs.i)", kind="ExpressionTool"
    )
    assert run_expression(compiled, {"i": {"x": 5}}, FOLDERS, DISK) == ({"x": 5}, [])


def test_outputs_that_are_not_given_are_null() -> None:
    assert run("$({})", "{x: int?, y: string?}")[0] == {"x": None, "y": None}


def test_what_is_no_output_is_left_out() -> None:
    assert run("$({x: 1, other: 2})")[0] == {"x": 1}


def test_defaults_are_filled_in() -> None:
    assert run("$({x: inputs.i})", inputs="{i: {type: int, default: 0}}")[0] == {"x": 0}


@pytest.mark.parametrize("expression", ["$(5)", "$(null)", "$([1])", "some text"])
def test_the_result_is_an_object(expression: str) -> None:
    with pytest.raises(StepError, match="not an object"):
        run(expression)


def test_outputs_are_valid_whatever_their_types() -> None:
    """CWL v1.2 Workflow, "Generic execution process", step 9."""
    assert run("$({x: 'a'})", "{x: int, y: string}")[0] == {"x": "a", "y": None}


def test_an_expression_that_fails_is_told() -> None:
    with pytest.raises(ExpressionError, match="nothing is not defined"):
        run("$({x: nothing})")


# Files


def test_an_input_file_has_all_its_names() -> None:
    expression = "$({x: [inputs.i.path, inputs.i.nameroot, inputs.i.nameext, inputs.i.size]})"
    assert run(expression, inputs="{i: File}", i=file("/data/a.txt"))[0]["x"] == [
        "/data/a.txt",
        "a",
        ".txt",
        5,
    ]


def test_contents_are_loaded_if_they_are_asked_for() -> None:
    inputs = "{i: {type: File, loadContents: true}}"
    assert run("$({x: inputs.i.contents})", inputs=inputs, i=file("/data/a.txt"))[0] == {
        "x": "input"
    }


def test_files_of_one_name_keep_it_each_in_a_folder_of_its_own() -> None:
    beside = 'secondaryFiles: [{class: "File", basename: "a.bai", contents: "i"}]'
    one = text("a.bam")[:-1] + f", {beside}}}"
    found, done = made(f"[{one}, {one}]")
    assert [(each["basename"], each["secondaryFiles"][0]["basename"]) for each in found] == [
        ("a.bam", "a.bai"),
        ("a.bam", "a.bai"),
    ]
    assert [target for _, target, _ in done] == [
        "/out/a.bam",
        "/out/a.bai",
        "/out/.2/a.bam",
        "/out/.2/a.bai",
    ]


def test_folders_of_one_name_in_a_listing_are_one_and_files_are_told() -> None:
    """CWL v1.2 Directory.listing."""
    _, done = made(folder("d", folder("e", text("a")), folder("e", text("b"))))
    assert [target for _, target, _ in done] == ["/out/d", "/out/d/e", "/out/d/e/a", "/out/d/e/b"]
    with pytest.raises(StepError, match="two different files in one listing have the name 'a'"):
        made(folder("d", text("a", "1"), text("a", "2")))


def test_an_input_file_is_passed_on_as_it_was() -> None:
    given = file("/data/a.txt", size=5, secondaryFiles=[file("/data/a.idx", size=0)])
    assert run("$({x: inputs.i})", "{x: File}", "{i: File}", i=given) == ({"x": given}, [])


def test_a_file_is_made_of_text() -> None:
    found, actions = made(text("a.txt", "hello"), "{x: File}")
    assert (found["location"], found["basename"]) == ("file:///out/a.txt", "a.txt")
    assert "contents" not in found
    assert actions == [("write", "/out/a.txt", "hello")]


def test_a_file_without_a_name_gets_one() -> None:
    assert made('{class: "File", contents: ""}')[0]["basename"] == "literal"
    assert made('{class: "Directory", listing: []}')[0]["basename"] == "directory"


def test_several_files_are_made() -> None:
    found, actions = made(f"[{text('a')}, {{deep: {text('b')}}}]")
    assert found[1]["deep"]["location"] == "file:///out/b"
    assert [target for _, target, _ in actions] == ["/out/a", "/out/b"]


def test_two_files_of_one_name_are_kept_apart() -> None:
    found, actions = made(f"[{text('a.txt', 'one')}, {text('a.txt', 'two')}]")
    assert len({one["location"] for one in found}) == 2
    assert sorted(contents for _, _, contents in actions) == ["one", "two"]


def test_a_directory_is_made_with_all_that_it_lists() -> None:
    listed = folder("d", text("a", "aa"), folder("e", text("b", "bb")), "inputs.i")
    found, actions = made(listed, "{x: Directory}", i=file("/data/a.txt"))
    assert found["location"] == "file:///out/d"
    assert [one["location"] for one in found["listing"]] == [
        "file:///out/d/a",
        "file:///out/d/e",
        "file:///out/d/a.txt",
    ]
    assert actions == [
        ("mkdir", "/out/d", ""),
        ("write", "/out/d/a", "aa"),
        ("mkdir", "/out/d/e", ""),
        ("write", "/out/d/e/b", "bb"),
        ("link", "/out/d/a.txt", "/data/a.txt"),
    ]


def test_an_existing_directory_is_passed_on_and_listed() -> None:
    found, actions = made(folder("d", "inputs.i"), "{x: Directory}", i=directory("/data/d"))
    assert found["listing"][0]["basename"] == "d"
    assert actions == [("mkdir", "/out/d", ""), ("link", "/out/d/d", "/data/d")]


def test_a_name_is_taken_only_within_its_directory() -> None:
    found, actions = made(f"[{folder('d', text('a'))}, {folder('e', text('a'))}, {text('a')}]")
    assert [one["listing"][0]["basename"] for one in found[:2]] == ["a", "a"]
    assert [target for kind, target, _ in actions if kind == "write"] == [
        "/out/d/a",
        "/out/e/a",
        "/out/a",
    ]


def test_secondary_files_of_what_is_listed_come_along() -> None:
    given = file("/data/a.txt", secondaryFiles=[file("/data/a.idx")])
    _, actions = made(folder("d", "inputs.i"), i=given)
    assert ("link", "/out/d/a.idx", "/data/a.idx") in actions


def test_secondary_files_are_made_of_text_too() -> None:
    scene = f'{{class: "File", basename: "a", contents: "", secondaryFiles: [{text("a.idx")}]}}'
    found, actions = made(scene, "{x: File}")
    assert found["secondaryFiles"][0]["location"] == "file:///out/a.idx"
    assert ("write", "/out/a.idx", "text") in actions


def test_a_file_that_was_given_as_text_can_be_passed_on() -> None:
    given = {"class": "File", "basename": "a.txt", "contents": "text"}
    found, actions = run("$({x: inputs.i})", "{x: File}", "{i: File}", i=given)
    path = found["x"]["location"].removeprefix("file://")
    assert StageAction("write", path, contents="text") in actions


@pytest.mark.parametrize("name", ["..", ".", "a/b", "../a"])
def test_a_name_that_is_no_name_of_a_file_is_refused(name: str) -> None:
    with pytest.raises(StepError, match="cannot be the name of a file"):
        made(text(name))
    with pytest.raises(StepError, match="cannot be the name of a file"):
        made(folder("d", text(name)))
