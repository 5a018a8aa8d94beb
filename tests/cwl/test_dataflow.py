"""What arrives at the inputs of steps: links merged and picked from, defaults, valueFrom, when."""

from typing import Any

import pytest

from localproc.cwl.run.dataflow import evaluated, linked, step_inputs
from localproc.errors import ExpressionError, StepError
from tests.cwl.memory import Memory, directory, file, workflow

VALUES = {"a": 1, "b": [2, 3], "c": None, "s/out": "from a step", "d": [None, 4, None]}


def arrives(*sources: str, **spec: Any) -> Any:
    return linked("step/x", sources, spec, VALUES)


# Merging


def test_one_link_carries_its_value() -> None:
    assert arrives("a") == 1
    assert arrives("s/out") == "from a step"
    assert arrives("b") == [2, 3]


def test_several_links_make_an_array() -> None:
    assert arrives("a", "s/out") == [1, "from a step"]


@pytest.mark.parametrize(
    ("sources", "nested", "flattened"),
    [
        (("a",), [1], [1]),
        (("b",), [[2, 3]], [2, 3]),
        (("a", "b"), [1, [2, 3]], [1, 2, 3]),
        (("b", "b"), [[2, 3], [2, 3]], [2, 3, 2, 3]),
        (("c", "a"), [None, 1], [None, 1]),
    ],
)
def test_links_are_merged_nested_or_flattened(
    sources: tuple[str, ...], nested: Any, flattened: Any
) -> None:
    assert arrives(*sources, linkMerge="merge_nested") == nested
    assert arrives(*sources, linkMerge="merge_flattened") == flattened


def test_no_link_carries_nothing() -> None:
    assert arrives() is None


# Picking


@pytest.mark.parametrize(
    ("sources", "first", "only", "all_"),
    [
        (("c", "a"), 1, 1, [1]),
        (("a", "c"), 1, 1, [1]),
        (("d",), 4, 4, [4]),
        (("b",), 2, StepError, [2, 3]),
        (("a", "s/out"), 1, StepError, [1, "from a step"]),
        (("c", "b"), [2, 3], [2, 3], [[2, 3]]),
        (("c", "c"), StepError, StepError, []),
    ],
)
def test_values_that_are_not_null_are_picked(
    sources: tuple[str, ...], first: Any, only: Any, all_: Any
) -> None:
    assert arrives(*sources, pickValue="all_non_null") == all_
    for method, expected in (("first_non_null", first), ("the_only_non_null", only)):
        if expected is StepError:
            with pytest.raises(StepError, match=f"step/x: {method} found"):
                arrives(*sources, pickValue=method)
        else:
            assert arrives(*sources, pickValue=method) == expected


@pytest.mark.parametrize(("source", "picked"), [("a", [1]), ("b", [2, 3]), ("c", []), ("d", [4])])
def test_all_values_of_one_link_in_a_list_are_a_list(source: str, picked: list[int]) -> None:
    assert arrives(source, pickValue="all_non_null", listed=True) == picked
    assert arrives(source, pickValue="all_non_null", listed=True, default=[5]) == picked


def test_links_are_merged_before_values_are_picked() -> None:
    assert arrives("d", "a", linkMerge="merge_flattened", pickValue="all_non_null") == [4, 1]
    assert arrives("c", "d", linkMerge="merge_flattened", pickValue="first_non_null") == 4


# Defaults


@pytest.mark.parametrize("default", [5, 0, False, "", [], {"a": 1}])
def test_the_default_stands_in_for_null(default: Any) -> None:
    assert arrives("c", default=default) == default
    assert arrives(default=default) == default
    assert arrives("a", default=default) == 1


def test_the_default_does_not_stand_in_for_false_or_nothing() -> None:
    empty: list[dict[str, Any]] = [{"v": 0}, {"v": False}, {"v": ""}, {"v": []}]
    for there in empty:
        assert linked("step/x", ["v"], {"default": 5}, there) == there["v"]


def test_a_default_file_is_normalized() -> None:
    assert arrives(default={"class": "File", "path": "/data/a"}) == file("/data/a")


# valueFrom


STEP = """
requirements: {InlineJavascriptRequirement: {}, StepInputExpressionRequirement: {}}
inputs: {a: Any, b: Any}
steps:
  step:
    in: %s
    %s
    run: {class: ExpressionTool, inputs: {}, outputs: {}, expression: "$({})"}
    out: []
"""
DISK = Memory({"/data/a.txt": "text", "/data/d/b.txt": "b"})


def instance(inputs: str, when: str = "", a: Any = 1, b: Any = 2) -> tuple[dict[str, Any], bool]:
    """Give the inputs of a step, and whether it runs."""
    compiled = workflow(STEP % (inputs, f"when: {when}" if when else ""))
    step = compiled.steps[0]
    return evaluated(step, step_inputs(step, {"a": a, "b": b}), compiled, DISK)


@pytest.mark.parametrize(
    ("value_from", "expected"),
    [
        ("fixed", "fixed"),
        ("$(self)", 1),
        ("$(self + inputs.y)", 3),
        ("<$(self)>", "<1>"),
        ("$(null)", None),
        ("$([self, {a: inputs.y}])", [1, {"a": 2}]),
    ],
)
def test_value_from_replaces_what_arrived(value_from: str, expected: Any) -> None:
    inputs = f"{{x: {{source: a, valueFrom: '{value_from}'}}, y: b}}"
    assert instance(inputs) == ({"x": expected, "y": 2}, True)


def test_value_from_needs_no_link() -> None:
    assert instance("{x: {valueFrom: $(inputs.y)}, y: b}")[0] == {"x": 2, "y": 2}


def test_value_from_is_given_the_default() -> None:
    assert instance("{x: {source: a, default: 5, valueFrom: $(self)}}", a=None)[0] == {"x": 5}


def test_all_see_what_arrived_and_not_what_others_made_of_it() -> None:
    swapped = "{x: {source: a, valueFrom: $(inputs.y)}, y: {source: b, valueFrom: $(inputs.x)}}"
    assert instance(swapped)[0] == {"x": 2, "y": 1}


def test_value_from_sees_the_names_of_files() -> None:
    inputs = "{x: {source: a, valueFrom: $(self.nameroot)$(inputs.x.nameext)}}"
    assert instance(inputs, a=file("/data/a.txt"))[0] == {"x": "a.txt"}


def test_value_from_sees_contents_that_were_loaded() -> None:
    inputs = "{x: {source: a, loadContents: true, valueFrom: $(self.contents)}}"
    assert instance(inputs, a=file("/data/a.txt"))[0] == {"x": "text"}


def test_contents_are_loaded_for_each_file_of_an_array() -> None:
    inputs = "{x: {source: a, loadContents: true}}"
    found, _ = instance(inputs, a=[file("/data/a.txt"), file("/data/d/b.txt")])
    assert [one["contents"] for one in found["x"]] == ["text", "b"]


def test_value_from_sees_what_is_in_a_directory() -> None:
    inputs = "{x: {source: a, valueFrom: '$(self.listing[0].basename)'}}"
    assert instance(inputs, a=directory("/data/d"))[0] == {"x": "b.txt"}


@pytest.mark.parametrize(
    ("load_listing", "seen"),
    [
        ("no_listing", []),
        ("shallow_listing", ["a.txt", "d"]),
        ("deep_listing", ["a.txt", "d b.txt"]),
    ],
)
def test_a_step_says_how_much_of_a_directory_is_listed(load_listing: str, seen: list[str]) -> None:
    found, _ = instance(
        f"{{x: {{source: a, loadListing: {load_listing}}}}}", a=[directory("/data")]
    )
    (arrived,) = found["x"]
    inside = [[one, *one.get("listing", ())] for one in arrived.get("listing", ())]
    assert [" ".join(part["basename"] for part in one) for one in inside] == seen
    is_seen = "\"$('listing' in self)\""
    given = f"{{source: a, loadListing: {load_listing}, valueFrom: {is_seen}}}"
    assert instance(f"{{x: {given}}}", a=directory("/data"))[0]["x"] is bool(seen)


def test_files_that_value_from_makes_are_normalized() -> None:
    inputs = '{x: {valueFrom: \'$({class: "File", path: "/data/a.txt"})\'}}'
    assert instance(inputs)[0] == {"x": file("/data/a.txt")}


def test_a_value_from_that_fails_is_told() -> None:
    with pytest.raises(ExpressionError, match="nothing is not defined"):
        instance("{x: {valueFrom: $(nothing)}}")


# when


@pytest.mark.parametrize(
    ("when", "runs"),
    [("$(inputs.x > 0)", True), ("$(inputs.x > 1)", False), ("$(inputs.y == 2)", True)],
)
def test_a_step_runs_if_its_condition_holds(when: str, runs: bool) -> None:
    assert instance("{x: a, y: b}", when)[1] is runs


def test_the_condition_sees_what_value_from_made() -> None:
    inputs = "{x: {source: a, valueFrom: $(self + 10)}}"
    assert instance(inputs, "$(inputs.x == 11)")[1]


def test_the_condition_sees_the_names_of_files() -> None:
    assert instance("{x: a}", "$(inputs.x.nameext == '.txt')", a=file("/data/a.txt"))[1]


@pytest.mark.parametrize("when", ["$(1)", "$(null)", "$('true')", "always"])
def test_a_condition_is_a_boolean(when: str) -> None:
    with pytest.raises(StepError, match=r"step: when gave .*, not a boolean"):
        instance("{x: a}", when)
