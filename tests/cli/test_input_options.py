"""Inputs of a package as options, and as a file to fill in."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from localproc import Engine
from localproc.errors import InvalidInputs
from tests.cli.terminal import Said, localproc
from tests.conftest import PACKAGES

SHAPE = {"type": "record", "fields": {"a": "int", "b": "string?", "f": "File?"}}
TYPES = {
    "text": {"type": "string", "label": "A text", "doc": ["What to say.", "In full."]},
    "mode": {"type": {"type": "enum", "symbols": ["slow", "fast"]}},
    "files": {"type": "File[]"},
    "shape": {"type": SHAPE},
    "shapes": {"type": {"type": "array", "items": SHAPE}},
    "number": {"type": "int", "default": 3},
    "word": {"type": "string", "default": "true"},
    "flag": "boolean?",
    "texts": {"type": "string[]", "default": ["a", "b"]},
    "either": ["null", "int", "string"],
    "title": "string?",
}
GIVEN = {
    "text": "hi",
    "mode": "fast",
    "files": [{"class": "File", "path": "a.txt"}],
    "shape": {"a": 1},
    "shapes": [{"a": 2, "b": "x"}],
}


@pytest.fixture
def shows(here: Path) -> Path:
    """Give a package that prints its inputs as JSON."""
    path = here / "shows.cwl"
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
    (here / "a.txt").write_text("a")
    (here / "given.yml").write_text(json.dumps(GIVEN))
    return path


def values(said: Said) -> dict[str, Any]:
    assert said.code == 0, said.err
    found: dict[str, Any] = said.document["results"]["all"]["value"]
    return found


def test_inputs_are_options_that_work(shows: Path) -> None:
    said = localproc(
        *f"run {shows} given.yml --text hello --mode slow --number 4 --flag".split(),
        *["--texts", "c", "--texts", "d", "--shape", "{a: 5}", "--json"],
        *["--files", "a.txt", "--title", "a title of the job", "title=an input"],
    )
    found = values(said)
    assert (found["text"], found["mode"], found["number"]) == ("hello", "slow", 4)
    assert (found["texts"], found["shape"]["a"], found["flag"]) == (["c", "d"], 5, True)
    assert [one["title"] for one in found["files"]] == ["a.txt"]
    assert found["title"] == "an input"
    assert values(localproc(*f"run {shows} given.yml --no-flag --json".split()))["flag"] is False


def test_the_help_of_a_command_tells_the_inputs_of_the_package(shows: Path) -> None:
    plain = localproc("run", "--help").out
    for command in ("run", "execute", "cwl"):
        said = localproc(command, shows, "--help")
        assert said.code == 0
        text = " ".join(said.out.split())
        assert "--text TEXT A text: What to say. In full. [required]" in text
        assert "--mode [slow|fast] [required]" in text
        assert "--files FILE (repeatable) [required]" in text
        assert "--number INT [default: 3]" in text
        assert "--flag/--no-flag" in text
        assert "-h, --help" in text
    assert "title=..." in localproc("run", shows, "--help").out
    assert localproc("run", "nothing.cwl", "--help").out == plain


def test_an_option_that_is_no_input_is_answered_with_those_there_are(shows: Path) -> None:
    for command in ("run", "execute", "cwl"):
        said = localproc(command, shows, "--nummer", 3)
        assert said.code == 2
        assert "No such option '--nummer'. Did you mean --number?" in said.err
        assert "has the inputs --text, --mode, --files" in said.err
    said = localproc("run", shows, "-o", "out")
    assert said.code == 2
    assert "No such option '-o'." in said.err
    said = localproc("run", shows, "--mode", "slowly")
    assert said.code == 2
    assert "'slowly' is not one of 'slow', 'fast'" in said.err


def test_options_of_a_deployed_process(shows: Path) -> None:
    assert localproc("deploy", PACKAGES / "echo.cwl").code == 0
    assert "--message TEXT  What to say [required]" in localproc("run", "echo", "--help").out
    assert localproc("run", "echo", "--message", "hi").code == 0


def test_a_tool_run_as_cwltool_does_takes_inputs_as_options(here: Path) -> None:
    said = localproc("cwl", PACKAGES / "echo.cwl", "--message", "hi there")
    assert said.code == 0, said.err
    assert Path(said.document["said"]["path"]).read_text() == "hi there\n"


def test_an_inputs_file_to_fill_in(shows: Path) -> None:
    text = localproc("inputs", shows).out
    for line in ("# A text", "# What to say.", "# string; required", "text:", "# number: 3"):
        assert line in text.splitlines()
    assert '# word: "true"' in text
    assert yaml.safe_load(text) == {
        "text": None,
        "mode": None,
        "files": [{"class": "File", "path": None}],
        "shape": {"a": None},
        "shapes": [{"a": None}],
    }
    shown = text.replace("\n# ", "\n")
    assert shown.count("class: File") == 3


def test_blanks_are_refused_and_what_was_filled_in_is_taken(shows: Path, home: Path) -> None:
    template = localproc("inputs", shows).out
    with Engine(home) as engine:
        process = engine.deploy(shows)
        assert process.inputs_template() == template
        file = shows.parent / "filled.yml"
        file.write_text(template)
        with pytest.raises(InvalidInputs) as told:
            process.execute(file)
        wrong = {problem.where for problem in told.value.problems}
        assert {"inputs.text", "inputs.mode", "inputs.shape.a", "inputs.shapes[0].a"} <= wrong
        filled = template.replace("\ntext:", "\ntext: hi").replace("\nmode:", "\nmode: slow")
        filled = filled.replace("path:", "path: a.txt").replace("a:\n", "a: 7\n")
        filled = filled.replace("# number: 3", "number: 3").replace('# word: "', 'word: "')
        file.write_text(filled.replace('# texts: ["a', 'texts: ["a'))
        found = process.execute(file).wait().results()["all"]
    assert found["shapes"][0]["a"] == 7
    assert (found["number"], found["word"], found["texts"]) == (3, "true", ["a", "b"])
