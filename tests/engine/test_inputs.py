"""What a text from a command line or a form means for an input of a type."""

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localproc import Engine
from localproc.engine.admission.inputs import parse_value, read_inputs, typed_value, typed_values

STRINGS = {"type": "array", "items": "string"}
FILES = {"type": "array", "items": "File"}
READS = {
    "cwlVersion": "v1.2",
    "class": "CommandLineTool",
    "id": "reads",
    "baseCommand": "cat",
    "inputs": {
        "file": {"type": "File", "inputBinding": {"position": 1}},
        "more": {"type": "File[]", "inputBinding": {"position": 2}},
    },
    "stdout": "read.txt",
    "outputs": {"read": "stdout"},
}


@pytest.mark.parametrize(
    ("text", "cwl_type", "value"),
    [
        ("3", "int", 3),
        ("3", "string", "3"),
        ("three", "int", "three"),
        ("", "string", ""),
        ("", ["null", "string"], ""),
        ("", ["null", "int"], None),
        ("null", ["null", "string"], None),
        ("a: b", "string", "a: b"),
        ("[a, b]", STRINGS, ["a", "b"]),
        ("[a, 1]", STRINGS, ["a", 1]),
        ("a: b", STRINGS, "a: b"),
        ("1", ["null", STRINGS], "1"),
        ("2026", "File", "2026"),
        ("2026", ["null", "Directory"], "2026"),
        ("[a.tif, b.tif]", FILES, ["a.tif", "b.tif"]),
        ("{class: File, path: a.tif}", "File", {"class": "File", "path": "a.tif"}),
        ("1e3", "int", 1000),
        ("2026-05-31", "Any", "2026-05-31"),
        ("[\udcff]", STRINGS, "[\udcff]"),  # a byte that is no UTF-8
        ("\udcff.tif", "File", "\udcff.tif"),
    ],
)
def test_a_text_is_read_as_its_input_wants_it(text: str, cwl_type: Any, value: Any) -> None:
    assert typed_value(text, cwl_type) == value


def test_a_name_that_comes_again_makes_an_array() -> None:
    ports: list[dict[str, Any]] = [{"id": "bands", "type": STRINGS}, {"id": "n", "type": "int"}]
    texts = [("bands", "[1, 2]"), ("n", "1"), ("bands", "3"), ("unknown", "3")]
    assert typed_values(ports, texts) == {"bands": [1, 2, "3"], "n": 1, "unknown": 3}
    assert typed_values(ports, [("n", "1"), ("n", "2")]) == {"n": [1, 2]}


@pytest.mark.parametrize(
    "text", ["!!int x", "!!bool x", "!!set {a}", "&a [*a]", "\a", "[" * 5000, '{"a":' * 5000]
)
def test_what_no_input_could_be_is_a_text(text: str) -> None:
    assert parse_value(text) == text


@given(st.text())
def test_any_text_will_do_where_a_text_is_wanted(text: str) -> None:
    value = typed_value(text, "string")
    assert isinstance(value, str)
    assert value == text or parse_value(text) == value


def test_a_result_of_one_job_is_an_input_of_the_next(tmp_path: Path, packages: Path) -> None:
    with Engine(tmp_path) as engine:
        said = engine.run(packages / "echo.cwl", {"message": "hi"}).result("said")
        reads = engine.deploy(READS)
        forms = [said, {"class": "File", "path": said}, Path(os.path.relpath(said))]
        for form in forms:
            job = reads.execute({"file": form, "more": [said]}).wait()
            assert job.result("read").read_text() == "hi\nhi\n", job.problem


def test_inputs_may_hang_from_a_folder_given_in_any_form(tmp_path: Path) -> None:
    folder = tmp_path / "my scenes"
    uri = folder.as_uri()
    assert [read_inputs({"n": 1}, base)[1] for base in (folder, str(folder), uri)] == [uri] * 3
    assert read_inputs({"n": 1})[1] == Path.cwd().as_uri()
    assert read_inputs({"n": 1}, "")[1] == ""
