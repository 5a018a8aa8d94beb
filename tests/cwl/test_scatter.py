"""Scattered steps: their instances and the shape of what these give."""

import itertools
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localproc.cwl.expr.expressions import Dialect
from localproc.cwl.run.dataflow import Scatter
from localproc.cwl.run.process import WorkflowStep
from localproc.errors import StepError
from tests.cwl.memory import tool

TOOL = tool("baseCommand: 'true'")


def scatter(method: str, inputs: dict[str, Any], names: Sequence[str] = "") -> Scatter:
    step = WorkflowStep(
        id="step",
        run=TOOL,
        inputs=(),
        outputs=("out",),
        scatter=tuple(names or inputs),
        scatter_method=method,
        when=None,
        dialect=Dialect(),
    )
    return Scatter(step, inputs)


def pairs(found: Scatter) -> list[tuple[Any, ...]]:
    return [tuple(one.values()) for one in found]


METHODS = ["dotproduct", "flat_crossproduct", "nested_crossproduct"]


@pytest.mark.parametrize("method", METHODS)
def test_one_array_is_scattered_the_same_way_by_every_method(method: str) -> None:
    found = scatter(method, {"x": [1, 2, 3]})
    assert list(found) == [{"x": 1}, {"x": 2}, {"x": 3}]
    assert (found.total, found.shape([1, 2, 3])) == (3, [1, 2, 3])


def test_what_is_not_scattered_goes_to_every_instance() -> None:
    found = scatter("dotproduct", {"x": [1, 2], "all": ["a", "b", "c"]}, ["x"])
    assert list(found) == [{"x": 1, "all": ["a", "b", "c"]}, {"x": 2, "all": ["a", "b", "c"]}]


@pytest.mark.parametrize(
    ("method", "shaped"),
    [
        ("nested_crossproduct", [["A", "B"], ["C"], []]),
        ("flat_crossproduct", ["A", "B", "C"]),
    ],
)
def test_an_input_that_is_there_twice_is_taken_apart_twice(method: str, shaped: list[Any]) -> None:
    found = scatter(method, {"x": [["a", "b"], ["c"], []]}, ["x", "x"])
    assert list(found) == [{"x": "a"}, {"x": "b"}, {"x": "c"}]
    assert (found.total, found.shape(["A", "B", "C"])) == (3, shaped)


def test_an_input_that_is_there_twice_has_to_hold_arrays() -> None:
    with pytest.raises(StepError, match="step: scatter over x, which is not an array: 1"):
        scatter("flat_crossproduct", {"x": [[1], 1]}, ["x", "x"])


def test_a_dotproduct_pairs_the_items_up() -> None:
    found = scatter("dotproduct", {"x": [1, 2], "y": ["a", "b"]})
    assert pairs(found) == [(1, "a"), (2, "b")]
    assert found.shape([10, 20]) == [10, 20]


def test_a_dotproduct_needs_arrays_of_equal_length() -> None:
    with pytest.raises(
        StepError, match="dotproduct needs arrays of equal length: x has 2, y has 3"
    ):
        scatter("dotproduct", {"x": [1, 2], "y": [1, 2, 3]})


@pytest.mark.parametrize(
    ("method", "shaped"),
    [("flat_crossproduct", [0, 1, 2, 3, 4, 5]), ("nested_crossproduct", [[0, 1, 2], [3, 4, 5]])],
)
def test_a_crossproduct_combines_all_with_all_the_last_fastest(method: str, shaped: Any) -> None:
    found = scatter(method, {"x": [1, 2], "y": ["a", "b", "c"]})
    assert pairs(found) == [(1, "a"), (1, "b"), (1, "c"), (2, "a"), (2, "b"), (2, "c")]
    assert found.shape(list(range(6))) == shaped


def test_nesting_is_as_deep_as_there_are_arrays() -> None:
    found = scatter("nested_crossproduct", {"x": [1, 2], "y": [1], "z": [1, 2]})
    assert found.shape([0, 1, 2, 3]) == [[[0, 1]], [[2, 3]]]


@pytest.mark.parametrize(
    ("method", "inputs", "shaped"),
    [
        ("dotproduct", {"x": []}, []),
        ("dotproduct", {"x": [], "y": []}, []),
        ("flat_crossproduct", {"x": [1, 2], "y": []}, []),
        ("flat_crossproduct", {"x": [], "y": [1, 2]}, []),
        ("nested_crossproduct", {"x": [1, 2], "y": []}, [[], []]),
        ("nested_crossproduct", {"x": [], "y": [1, 2]}, []),
        ("nested_crossproduct", {"x": [1, 2], "y": [], "z": [1]}, [[], []]),
    ],
)
def test_a_scatter_over_nothing_has_no_instances(
    method: str, inputs: dict[str, Any], shaped: Any
) -> None:
    found = scatter(method, inputs)
    assert (found.total, list(found), found.shape([])) == (0, [], shaped)


@pytest.mark.parametrize("value", [None, 5, "abc", {"a": 1}])
def test_only_arrays_are_scattered(value: Any) -> None:
    with pytest.raises(StepError, match="step: scatter over x, which is not an array"):
        scatter("dotproduct", {"x": value})


def test_instances_are_made_when_they_are_asked_for() -> None:
    found = scatter("flat_crossproduct", {"x": list(range(10_000)), "y": list(range(10_000))})
    assert found.total == 10**8
    assert [one["y"] for one in itertools.islice(found, 3)] == [0, 1, 2]


@given(st.lists(st.lists(st.integers()), min_size=1, max_size=3))
def test_the_nested_shape_holds_the_flat_one_in_its_order(arrays: list[list[int]]) -> None:
    inputs: dict[str, Any] = {f"x{index}": array for index, array in enumerate(arrays)}
    nested, flat = scatter("nested_crossproduct", inputs), scatter("flat_crossproduct", inputs)
    assert list(nested) == list(flat)
    assert len(list(flat)) == flat.total
    shaped: Any = nested.shape(list(range(flat.total)))
    assert len(shaped) == len(arrays[0])
    for _ in arrays[1:]:
        shaped = [item for one in shaped for item in one]
    assert shaped == list(range(flat.total))
