"""Types: which values are of them, which links fit, how they are told to people."""

import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from localproc.cwl.base.types import (
    CwlType,
    Fit,
    describe,
    describe_value,
    fit,
    is_optional,
    item_type,
    kind,
    matches,
    mismatches,
    without_null,
)
from tests.cwl.strategies import cwl_types, values_of

FILE = {"class": "File", "location": "file:///data/a"}
DIRECTORY = {"class": "Directory", "location": "file:///data/b"}
BANDS = {"type": "enum", "symbols": ["red", "green"]}
POINT = {
    "type": "record",
    "fields": [{"name": "x", "type": "double"}, {"name": "note", "type": ["null", "string"]}],
}


def array(items: Any) -> dict[str, Any]:
    return {"type": "array", "items": items}


# Values


@pytest.mark.parametrize(
    ("cwl_type", "good", "bad"),
    [
        ("null", [None], [0, "", False, []]),
        ("boolean", [True, False], [0, 1, "true", None]),
        ("int", [0, -5, 2**31 - 1, -(2**31)], [2**31, 1.0, True, "1", None]),
        ("long", [0, 2**31, 2**63 - 1], [2**63, 1.5, False]),
        ("float", [0, 1.5, -3], [True, "1.5", None]),
        ("double", [0, 1.5, 10**30], [False, "1.5", None]),
        ("string", ["", "a"], [1, None, ["a"]]),
        ("File", [FILE], [DIRECTORY, "/data/a", {}, None]),
        ("Directory", [DIRECTORY], [FILE, "/data/b", None]),
        ("stdin", [FILE], ["/data/a", None]),
        ("Any", [0, "", False, [], {}, FILE], [None]),
        (BANDS, ["red", "green"], ["blue", 1, None, ["red"]]),
        (["null", "int"], [None, 1], ["1", 1.5]),
        (["int", "string"], [1, "1"], [None, 1.5]),
        (array("int"), [[], [1, 2]], [1, ["1"], [1, None], None]),
        (array(array("string")), [[], [[]], [["a"]]], [["a"], [[1]]]),
        (array(["null", "File"]), [[None, FILE]], [[DIRECTORY]]),
        (POINT, [{"x": 1, "note": "a"}, {"x": 1.5}, {"x": 1, "more": 2}], [{}, {"x": "1"}, [1]]),
    ],
)
def test_a_type_takes_its_values_and_no_others(
    cwl_type: CwlType, good: list[Any], bad: list[Any]
) -> None:
    assert [one for one in good if not matches(one, cwl_type)] == []
    assert [one for one in bad if matches(one, cwl_type)] == []


@pytest.mark.slow
@given(st.data())
@settings(deadline=None)
def test_a_value_made_for_a_type_is_of_it(data: st.DataObject) -> None:
    cwl_type = data.draw(cwl_types())
    assert list(mismatches(data.draw(values_of(cwl_type)), cwl_type)) == []


@given(cwl_types())
def test_null_is_of_a_type_exactly_if_it_is_optional(cwl_type: CwlType) -> None:
    assert matches(None, cwl_type) == is_optional(cwl_type)


def test_every_mismatch_is_told_with_its_path() -> None:
    track = {
        "type": "record",
        "fields": [
            {"name": "name", "type": "string"},
            {"name": "points", "type": array(POINT)},
            {"name": "band", "type": ["null", BANDS]},
        ],
    }
    value = {"name": 5, "points": [{"x": 1}, {"x": "1"}, "here"], "band": "blue"}
    assert list(mismatches(value, track, "inputs.track")) == [
        ("inputs.track.name", "expected string, got int 5"),
        ("inputs.track.points[1].x", "expected double, got string '1'"),
        ("inputs.track.points[2]", "expected record {x, note}, got string 'here'"),
        ("inputs.track.band", "expected one of red, green?, got string 'blue'"),
    ]


def test_a_long_array_is_not_looked_at_one_by_one() -> None:
    """The loop does so, with what a scatter is of; every job waits meanwhile."""

    def calls(count: int) -> int:
        made = []
        sys.setprofile(lambda _, event, __: made.append(event))
        try:
            assert matches([count] * count, {"type": "array", "items": "int"})
        finally:
            sys.setprofile(None)
        return len(made)

    assert calls(10_000) == calls(1)


@pytest.mark.parametrize(
    ("item", "odd"),
    [
        ("int", True),
        ("int", 2**31),
        ("long", 1.5),
        ("float", False),
        ("double", None),
        ("string", 1),
        ("boolean", 1),
    ],
)
def test_the_one_in_a_long_array_that_does_not_fit_is_named(item: str, odd: Any) -> None:
    good = {"string": "x", "boolean": True}.get(item, 1)
    values = [good] * 4
    values[2] = odd
    found = list(mismatches(values, {"type": "array", "items": item}))
    assert [place for place, _ in found] == ["[2]"]


def test_a_union_is_explained_by_its_only_branch_of_that_shape() -> None:
    assert list(mismatches([1, "2"], ["null", array("int")], "n")) == [
        ("n[1]", "expected int, got string '2'")
    ]
    assert list(mismatches({"x": "1"}, ["string", POINT], "p")) == [
        ("p.x", "expected double, got string '1'")
    ]
    assert list(mismatches([1.5], [array("int"), array("string")], "n")) == [
        ("n", "expected int[] or string[], got array [1.5]")
    ]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "nothing"),
        (True, "boolean True"),
        (5, "int 5"),
        (0.5, "float 0.5"),
        ("a", "string 'a'"),
        ("a" * 100, "string"),
        ([1], "array [1]"),
        ({"a": 1}, "object {'a': 1}"),
        (FILE, "a File"),
        (DIRECTORY, "a Directory"),
    ],
)
def test_a_value_is_named_by_its_type_and_shown_if_it_is_short(value: Any, words: str) -> None:
    assert describe_value(value) == words


@pytest.mark.parametrize(
    ("cwl_type", "words"),
    [
        ("int", "int"),
        (["null", "int"], "int?"),
        (["int", "string"], "int or string"),
        (["null", "int", "string"], "null or int or string"),
        (array("File"), "File[]"),
        (["null", array("File")], "File[]?"),
        (array(["null", "File"]), "File?[]"),
        (array(["int", "string"]), "(int or string)[]"),
        (array(array("int")), "int[][]"),
        (BANDS, "one of red, green"),
        (POINT, "record {x, note}"),
        (array(POINT), "record {x, note}[]"),
    ],
)
def test_types_are_written_as_their_author_might(cwl_type: CwlType, words: str) -> None:
    assert describe(cwl_type) == words


def test_a_type_is_taken_apart() -> None:
    optional = ["null", array("File")]
    assert (kind(optional), kind(array("File")), kind("File")) == ("union", "array", "File")
    assert without_null(optional) == array("File")
    assert without_null(["null", "int", "string"]) == ["int", "string"]
    assert item_type(optional) == "File"


# Links


@pytest.mark.parametrize(
    ("source", "sink", "expected"),
    [
        ("int", "int", Fit.ALWAYS),
        ("int", "long", Fit.ALWAYS),
        ("int", "double", Fit.ALWAYS),
        ("double", "int", Fit.MAYBE),
        ("int", "string", Fit.NEVER),
        ("File", "Directory", Fit.NEVER),
        ("stdout", "File", Fit.ALWAYS),
        ("stderr", "File", Fit.ALWAYS),
        ("File", "stdin", Fit.ALWAYS),
        ("stdout", "stdin", Fit.ALWAYS),
        ("int", ["null", "int"], Fit.ALWAYS),
        (["null", "int"], "int", Fit.MAYBE),
        (["null", "int"], ["null", "int"], Fit.ALWAYS),
        (["int", "string"], "int", Fit.MAYBE),
        (["null", "string"], "int", Fit.NEVER),
        ("int", ["string", "int"], Fit.ALWAYS),
        ("int", "Any", Fit.ALWAYS),
        (["null", "int"], "Any", Fit.MAYBE),
        ("Any", "int", Fit.MAYBE),
        (array("int"), array("double"), Fit.ALWAYS),
        (array("double"), array("int"), Fit.MAYBE),
        (array("int"), array("string"), Fit.NEVER),
        (array("int"), "int", Fit.NEVER),
        ("int", array("int"), Fit.NEVER),
        (BANDS, BANDS, Fit.ALWAYS),
        (BANDS, "string", Fit.ALWAYS),
        (BANDS, {"type": "enum", "symbols": ["green", "blue"]}, Fit.MAYBE),
        (BANDS, {"type": "enum", "symbols": ["blue"]}, Fit.NEVER),
        (POINT, {"type": "record", "fields": [{"name": "x", "type": "double"}]}, Fit.ALWAYS),
        (POINT, {"type": "record", "fields": [{"name": "y", "type": "double"}]}, Fit.NEVER),
        (POINT, {"type": "record", "fields": [{"name": "note", "type": "string"}]}, Fit.MAYBE),
    ],
)
def test_how_a_source_fits_a_sink(source: CwlType, sink: CwlType, expected: Fit) -> None:
    assert fit(source, sink) is expected


@given(cwl_types())
def test_every_type_fits_itself(cwl_type: CwlType) -> None:
    assert fit(cwl_type, cwl_type) is Fit.ALWAYS


#: Few kinds, so that two types are often alike.
ALIKE = cwl_types(st.sampled_from(["int", "long", "double", "boolean", "Any"]))


@given(st.data())
@settings(deadline=None)
def test_where_a_link_always_fits_every_value_does(data: st.DataObject) -> None:
    source, sink = data.draw(ALIKE), data.draw(ALIKE)
    if fit(source, sink) is Fit.ALWAYS:
        assert matches(data.draw(values_of(source)), sink)


@given(st.data())
@settings(deadline=None)
def test_where_a_link_never_fits_no_value_does(data: st.DataObject) -> None:
    source, sink = data.draw(ALIKE), data.draw(ALIKE)
    value = data.draw(values_of(source))
    if fit(source, sink) is Fit.NEVER and not _has_null(value):
        assert not matches(value, sink)


def _has_null(value: Any) -> bool:
    """Links may carry null, whatever else they carry, so null proves nothing."""
    if isinstance(value, dict):
        return any(_has_null(item) for item in value.values())
    if isinstance(value, list):
        return any(_has_null(item) for item in value)
    return value is None
