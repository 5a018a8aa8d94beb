"""Inputs on a command line: a file, and names with values."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.terminal import Said, localproc

TYPES = {
    "text": "string?",
    "number": "int?",
    "real": "double?",
    "flag": "boolean?",
    "texts": "string[]?",
    "numbers": "int[]?",
    "any": "Any?",
    "kind": {"type": ["null", {"type": "enum", "symbols": ["1", "b"]}]},
    "file": "File?",
    "files": "File[]?",
}


@pytest.fixture
def shows(tmp_path: Path) -> Path:
    """Give a package that prints its inputs as JSON."""
    path = tmp_path / "shows.cwl"
    document = {
        "cwlVersion": "v1.2",
        "class": "ExpressionTool",
        "id": "shows",
        "requirements": {"InlineJavascriptRequirement": {}},
        "inputs": TYPES,
        "outputs": {"all": "Any"},
        "expression": "${ return {all: inputs}; }",
    }
    path.write_text(json.dumps(document))
    return path


def run(shows: Path, *words: object) -> Said:
    return localproc("run", "--json", shows, *words)


def given(shows: Path, *words: object) -> dict[str, Any]:
    said = run(shows, *words)
    assert said.code == 0, said.err
    values: dict[str, Any] = said.document["results"]["all"]["value"]
    return {name: value for name, value in values.items() if value is not None}


@pytest.mark.parametrize(
    ("words", "values"),
    [
        (["number=3"], {"number": 3}),
        (["real=3"], {"real": 3}),
        (["real=1e-3"], {"real": 0.001}),
        (["flag=true"], {"flag": True}),
        (["text=hello"], {"text": "hello"}),
        (["text=3"], {"text": "3"}),
        (["text=true"], {"text": "true"}),
        (["text=null"], {}),
        (["text=2026-05-31"], {"text": "2026-05-31"}),
        (["text=a: b"], {"text": "a: b"}),
        (["text=a=b"], {"text": "a=b"}),
        (["text=[1, 2"], {"text": "[1, 2"}),
        (["text='quoted'"], {"text": "quoted"}),
        (["text=EPSG:4326"], {"text": "EPSG:4326"}),
        (["text=-34.8,-8.0,-34.7,-7.9"], {"text": "-34.8,-8.0,-34.7,-7.9"}),
        (["kind=1"], {"kind": "1"}),
        (["any=3"], {"any": 3}),
        (["any={a: [1, b]}"], {"any": {"a": [1, "b"]}}),
        (['any={"a": null}'], {"any": {"a": None}}),
    ],
)
def test_a_value_is_yaml_but_for_inputs_that_take_texts(
    shows: Path, words: list[str], values: dict[str, Any]
) -> None:
    assert given(shows, *words) == values


@pytest.mark.parametrize(
    ("words", "values"),
    [
        (["texts=[a, b]"], {"texts": ["a", "b"]}),
        (["texts=a", "texts=b"], {"texts": ["a", "b"]}),
        (["texts=1", "texts=2", "texts=x"], {"texts": ["1", "2", "x"]}),
        (["numbers=1", "numbers=2"], {"numbers": [1, 2]}),
        (["numbers=[1, 2]", "numbers=3"], {"numbers": [1, 2, 3]}),
        (["texts=one"], {"texts": ["one"]}),
        (["numbers=1"], {"numbers": [1]}),
    ],
)
def test_arrays_are_written_at_once_or_one_by_one(
    shows: Path, words: list[str], values: dict[str, Any]
) -> None:
    assert given(shows, *words) == values


def test_a_text_that_no_yaml_can_hold_is_a_text(shows: Path) -> None:
    assert given(shows, "text=bell \a, escape \x1b[1m") == {"text": "bell \a, escape \x1b[1m"}


def test_an_inputs_file_that_no_yaml_can_hold_is_told(shows: Path, here: Path) -> None:
    (here / "inputs.yml").write_text("text: 'a\ab'\n")
    said = run(shows, "inputs.yml")
    assert said.code == 2
    assert "inputs.yml is not valid YAML" in said.err


def test_values_add_to_a_file_and_go_before_it(shows: Path, here: Path) -> None:
    (here / "inputs.yml").write_text("text: from the file\nnumber: 1\n")
    assert given(shows, "inputs.yml", "number=2", "flag=true") == {
        "text": "from the file",
        "number": 2,
        "flag": True,
    }


def test_a_file_may_have_an_equals_sign_in_its_name(shows: Path, here: Path) -> None:
    (here / "run=1.json").write_text('{"number": 1}')
    assert given(shows, "run=1.json") == {"number": 1}


def test_there_is_one_inputs_file_at_most(shows: Path, here: Path) -> None:
    for name in ("a.yml", "b.yml"):
        (here / name).touch()
    said = run(shows, "a.yml", "b.yml")
    assert said.code == 2
    assert "one inputs file, not 2: a.yml, b.yml" in said.err


def test_paths_in_an_inputs_file_are_relative_to_it(shows: Path, tmp_path: Path) -> None:
    folder = tmp_path / "my data"
    folder.mkdir()
    (folder / "scene.tif").touch()
    (folder / "inputs.yml").write_text("file: scene.tif\nfiles: [{class: File, path: scene.tif}]\n")
    values = given(shows, folder / "inputs.yml")
    assert values["file"]["title"] == "scene.tif"
    assert values["files"][0]["title"] == "scene.tif"


@pytest.mark.parametrize("name", ["plain", "with space", "50%41", "a#1"])
def test_paths_on_the_command_line_are_relative_to_the_current_folder(
    shows: Path, here: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (here / name).mkdir()
    monkeypatch.chdir(here / name)
    (here / name / "scene.tif").touch()
    assert given(shows, "file=scene.tif")["file"]["title"] == "scene.tif"


def test_paths_beside_an_inputs_file_elsewhere_are_still_relative_to_the_current_folder(
    shows: Path, here: Path, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "scene.tif").touch()
    (tmp_path / "data" / "inputs.yml").write_text("files: [scene.tif]\n")
    (here / "mine.tif").touch()
    values = given(shows, tmp_path / "data" / "inputs.yml", "file=mine.tif")
    assert values["file"]["title"] == "mine.tif"
    assert values["files"][0]["title"] == "scene.tif"


def test_every_problem_is_told_at_once(packages: Path) -> None:
    said = localproc("run", packages / "three-steps.cwl", "txet=hello", "code=three")
    assert said.code == 2
    assert said.out == ""
    assert said.err.splitlines()[0] == "error: the inputs do not fit the process"
    assert "  inputs.txet: there is no input 'txet' (did you mean 'text'?)" in said.err
    assert "  inputs.text: is missing (expected string)" in said.err
    assert "  inputs.code: expected int, got string 'three'" in said.err


def test_an_inputs_file_that_is_not_there(packages: Path) -> None:
    said = localproc("run", packages / "echo.cwl", "missing.yml")
    assert said.code == 2
    assert "cannot read the inputs missing.yml: No such file or directory" in said.err


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"text: [\n", "inputs/bad.yml is not valid YAML"),
        (b"- a\n", "inputs/bad.yml does not hold inputs"),
        (b"text: \xe9\n", "cannot read the inputs inputs/bad.yml: it is not UTF-8 (byte 7)"),
    ],
)
def test_an_inputs_file_is_named_as_it_was_typed(
    packages: Path, here: Path, data: bytes, said: str
) -> None:
    (here / "inputs").mkdir()
    (here / "inputs" / "bad.yml").write_bytes(data)
    refused = localproc("run", packages / "echo.cwl", "inputs/bad.yml")
    assert refused.code == 2
    assert said in refused.err
    assert str(here) not in refused.err
