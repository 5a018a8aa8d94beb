"""What a job would do, told before there is one."""

import json
from pathlib import Path

import pytest

from localproc import Engine
from localproc.errors import PluginMissing
from tests.cli.terminal import localproc
from tests.conftest import PACKAGES

STEPS = PACKAGES / "three-steps.cwl"


def steps(*words: object) -> dict[str, tuple[dict[str, int], str]]:
    """Give what would become of each step, and why."""
    document = localproc("plan", "--json", *words).document
    return {one["step"]: (one["actions"], one["why"]) for one in document["steps"]}


def test_nothing_is_run_and_no_home_is_made(home: Path) -> None:
    for command in (["plan"], ["run", "--dry-run"]):
        said = localproc(*command, STEPS, "text=x")
        assert said.code == 0
        rows = [line.split() for line in said.out.splitlines()]
        assert rows[1] == ["first", "run", "local"]
        assert rows[2][:3] == ["second", "run", "local"]
        assert "it needs what other steps make" in said.out
    assert not home.exists()


def test_what_is_kept_is_followed_to_what_would_run(home: Path) -> None:
    assert localproc("run", STEPS, "text=x", "code=3", "--reuse").code == 1
    (failed,) = localproc("jobs", "--json").document["jobs"]
    assert steps(STEPS, "text=x", "code=3", "--reuse") == {
        "first": ({"reuse": 1}, ""),
        "second": ({"run": 1}, "no outputs of an equal step are kept"),
        "third": ({}, "it needs what other steps make"),
    }
    assert failed["jobID"] in localproc("plan", STEPS, "text=x", "code=3", "--reuse").out
    assert steps(STEPS, "text=y", "--reuse")["first"][0] == {"run": 1}
    assert steps(STEPS, "text=x")["first"] == ({"run": 1}, "")
    assert localproc("run", STEPS, "text=x", "--reuse").code == 0
    found = steps(STEPS, "text=x", "--reuse")
    assert [actions for actions, _ in found.values()] == [{"reuse": 1}] * 3
    assert len(localproc("jobs", "--json").document["jobs"]) == 2


def test_inputs_that_do_not_fit_and_files_that_are_not_there(here: Path) -> None:
    said = localproc("plan", STEPS, "code=high")
    assert said.code == 2
    assert "inputs.text: is missing (expected string)" in said.err
    assert "inputs.code: " in said.err
    assert "its inputs are not known" in said.out
    tool = here / "cat.cwl"
    tool.write_text(
        json.dumps(
            {
                "cwlVersion": "v1.2",
                "class": "CommandLineTool",
                "id": "cat",
                "baseCommand": "cat",
                "inputs": {"files": {"type": "File[]", "inputBinding": {}}},
                "outputs": {},
            }
        )
    )
    said = localproc("plan", tool, "--files", "nothing.txt")
    assert said.code == 2
    assert "nothing.txt" in said.err
    said = localproc("plan", tool, "--files", "https://example.org/a.tif")
    assert said.code == 0, said.err
    assert "to be brought in: https://example.org/a.tif" in said.out


def test_where_steps_go_and_what_can_never_run_there(here: Path) -> None:
    tool = {
        "cwlVersion": "v1.2",
        "class": "CommandLineTool",
        "id": "boxed",
        "requirements": {
            "DockerRequirement": {"dockerPull": "example.org/image:1"},
            "ResourceRequirement": {"coresMin": 9999},
        },
        "baseCommand": "true",
        "inputs": {},
        "outputs": {},
    }
    (here / "boxed.cwl").write_text(json.dumps(tool))
    said = localproc("plan", "boxed.cwl", "--containers", "none")
    assert said.code == 2
    assert "boxed: 'local' can never run it: boxed requires a container" in said.err
    assert "example.org/image:1" in said.out
    del tool["requirements"]["DockerRequirement"]  # type: ignore[attr-defined]
    (here / "large.cwl").write_text(json.dumps(tool))
    said = localproc("plan", "large.cwl")
    assert said.code == 0
    assert "it asks for 9999 cores, and there are" in said.out
    said = localproc("plan", STEPS, "text=x", "--executor", "nowhere")
    assert said.code == 4


def test_scatters_expressions_and_conditions_are_followed(home: Path) -> None:
    package = {
        "cwlVersion": "v1.2",
        "class": "Workflow",
        "id": "many",
        "requirements": {"ScatterFeatureRequirement": {}, "InlineJavascriptRequirement": {}},
        "inputs": {"words": "string[]"},
        "outputs": {},
        "steps": {
            "upper": {
                "run": {
                    "class": "ExpressionTool",
                    "inputs": {"words": "string[]"},
                    "outputs": {"out": "string[]"},
                    "expression": "${ return {out: inputs.words.map(w => w.toUpperCase())}; }",
                },
                "in": {"words": "words"},
                "out": ["out"],
            },
            "say": {
                "run": {
                    "class": "CommandLineTool",
                    "baseCommand": "echo",
                    "inputs": {"word": {"type": "string", "inputBinding": {}}},
                    "stdout": "said.txt",
                    "outputs": {"said": "stdout"},
                },
                "scatter": "word",
                "when": "$(inputs.word != 'C')",
                "in": {"word": "upper/out"},
                "out": ["said"],
            },
        },
    }
    with Engine(home, reuse=True) as engine:
        process = engine.deploy(package)
        process.execute({"words": ["a", "c"]}).wait().raise_for_status()
    with Engine(home, reuse=True, run_jobs=False) as engine:  # by now all is kept
        plan = process.plan({"words": ["a", "b", "c"]})
        assert plan.feasible
        found = {one.place: one.actions for one in plan.steps}
        assert found == {"upper": {"work out": 1}, "say": {"reuse": 1, "run": 1, "skip": 1}}
        assert process.plan({"words": 3}).problems
        with pytest.raises(PluginMissing):
            process.plan({"words": []}, executor="nowhere")
