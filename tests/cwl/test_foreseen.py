"""What is known of the inputs of tools before anything has run."""

import json
from typing import Any

import pytest

from localproc.cwl.expr.expressions import Dialect
from localproc.cwl.run.foreseen import Known, foreseen, is_foreseen, of_job, plain_values
from tests.cwl.memory import process as compiled

FILE = {"class": "File", "location": "file:///a"}


def tool() -> dict[str, Any]:
    return {
        "class": "CommandLineTool",
        "baseCommand": "true",
        "inputs": {"n": "int?", "usual": {"type": "int", "default": 7}, "file": "File?"},
        "outputs": {"n": {"type": "int", "outputBinding": {"outputEval": "$(1)"}}},
    }


def known(step: dict[str, Any], given: dict[str, Any], inside: bool = False) -> Known:
    """Return what is known of a step's tool; ``inside``: it is that of a workflow in a step."""
    whole: dict[str, Any] = {
        "class": "Workflow",
        "requirements": {
            "InlineJavascriptRequirement": {},
            "ScatterFeatureRequirement": {},
            "StepInputExpressionRequirement": {},
            "MultipleInputFeatureRequirement": {},
            "SubworkflowFeatureRequirement": {},
        },
        "inputs": {"n": "int?", "many": "int[]?", "file": "File?"},
        "outputs": {},
        "steps": {
            "first": {"run": tool(), "in": {}, "out": ["n"]},
            "asked": {"run": tool(), "out": [], **step},
        },
    }
    if inside:
        outer = {"n": "n", "many": "many", "file": "file"}
        step = {"run": {**whole, "id": "inner"}, "in": outer, "out": []}
        whole = {**whole, "steps": {"inner": step}}
    process = compiled(json.dumps({"cwlVersion": "v1.2", "id": "whole", **whole}))
    place = "inner/asked" if inside else "asked"
    [found] = [each for at, _, each in foreseen(process, of_job(process, given)) if at == place]
    return found


@pytest.mark.parametrize("inside", [False, True])
def test_plain_links_are_followed(inside: bool) -> None:
    step = {"in": {"n": "n", "file": "file"}}
    found = known(step, {"n": 3, "file": FILE}, inside)
    assert found == {"n": 3, "usual": 7, "file": FILE}
    assert found is not None
    assert plain_values(found) == {"n": 3, "usual": 7}


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ({"in": {"n": {"default": 5}}}, {"n": 5, "usual": 7, "file": None}),
        ({"in": {"usual": "n"}}, {"n": None, "usual": 7, "file": None}),
        ({"in": {"n": "first/n"}}, {"usual": 7, "file": None}),
        ({"in": {"n": {"source": "n", "valueFrom": "$(self)"}}}, {"usual": 7, "file": None}),
        ({"in": {"n": "n"}, "when": "$(inputs.n > 1)"}, None),
    ],
)
def test_what_is_worked_out_later_is_not_known(step: dict[str, Any], expected: Known) -> None:
    assert known(step, {}) == expected


def test_of_what_is_scattered_over_the_rest_is_known_if_there_is_anything() -> None:
    step = {"in": {"n": "many", "usual": "n"}, "scatter": "n"}
    assert known(step, {"many": [1, 2], "n": 4}) == {"usual": 4, "file": None}
    nothing: list[int] | None
    for nothing in ([], None):
        assert known(step, {"many": nothing, "n": 4}) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$(inputs.n)", True),
        ("$(inputs['n'])", True),
        ("$(inputs.other)", False),
        ("$(inputs.file)", False),
        ("$(runtime.cores)", False),
        ("$(inputs.n * 2)", True),
        ("$(inputs.n * inputs.other)", False),
        ("$(Object.keys(inputs).length)", False),
        ("$(inputs['n'] + 1)", False),
        ("$(inputs.n + runtime.cores)", False),
    ],
)
def test_an_expression_is_known_by_what_it_names(text: str, expected: bool) -> None:
    found = {"n": 1, "file": FILE}
    assert is_foreseen(text, Dialect(library=""), found) == expected
    assert not is_foreseen(text, Dialect(library=""), None)


def test_what_a_library_asks_for_is_not_known() -> None:
    assert not is_foreseen("$(f(inputs.n))", Dialect(library="function f(n) {}"), {"n": 1})
