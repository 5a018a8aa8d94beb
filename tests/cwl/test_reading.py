"""JSON and YAML as data: the same by both parsers, and never more than a machine can bear."""

import json
import math
import re
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from localproc.cwl.base import reading
from localproc.cwl.base.reading import (
    check_depth,
    read_data,
    read_json,
    read_written_json,
    read_yaml,
)
from localproc.cwl.base.trees import DEEPEST, UnreadableText


def bomb(levels: int, width: int = 9) -> str:
    """Write aliases of aliases: ``width ** levels`` nodes in a few lines."""
    return "\n".join(
        [
            "a0: &a0 [x]",
            *(
                f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * width)}]"
                for level in range(1, levels + 1)
            ),
        ]
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{a: 1, b: [true, null, ~, 'no', no]}", {"a": 1, "b": [True, None, None, "no", "no"]}),
        ('{"a": "\\ud83d\\ude00"}', {"a": "😀"}),
        ("a: 2024-01-01", {"a": "2024-01-01"}),
        ("a: !!str 5\nb: ! 5\nc: '5'", {"a": "5", "b": "5", "c": "5"}),
        ("[0x1F, 0o17, 0b11, 017, 1_000, -3, +3]", [31, 15, 3, 17, 1000, -3, 3]),
        ("[1.5, 1.0, 1e3, 1.23e5, 1e-3, -2.5E2]", [1.5, 1.0, 1000, 123000, 0.001, -250]),
        ("%YAML 1.1\n---\n[yes, off, 017, 1:30]", [True, False, 15, 90]),
        ("a: &x {b: 1}\nc: *x", {"a": {"b": 1}, "c": {"b": 1}}),
        ("a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}", {"a": {"b": 1, "c": 2}, "d": {"c": 3, "b": 1}}),
        ("- &a {x: 1}\n- &b {y: 2}\n- <<: [*a, *b]", [{"x": 1}, {"y": 2}, {"x": 1, "y": 2}]),
        ("a: <<", {"a": "<<"}),
        ("", None),
    ],
)
def test_values_of_yaml(text: str, value: Any) -> None:
    found = read_yaml(text)
    assert found == value
    assert json.dumps(found, sort_keys=True) == json.dumps(value, sort_keys=True)  # types too
    assert read_yaml(text, marked=True) == value


@pytest.mark.parametrize("text", [".inf", ".Inf", ".INF", "+.inf"])
def test_infinity_is_a_number_of_yaml(text: str) -> None:
    assert read_yaml(text) == math.inf
    assert read_yaml("-" + text.lstrip("+")) == -math.inf


@pytest.mark.parametrize("text", [".nan", ".NaN", ".NAN"])
def test_what_is_no_number_is_one_of_yaml(text: str) -> None:
    assert math.isnan(read_yaml(text))


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("a: 1\na: 2", (2, 1), "duplicate key"),
        ("a: 1\nb: *c", (2, 4), "undefined alias"),
        ("a: &x\n  b: *x", (2, 6), "stands in"),
        ("a: !file x", (1, 4), "tag !file"),
        ("a: !!binary eA==", (1, 4), "tag !!binary"),
        ("a: !!set {x}", (1, 4), "tag !!set"),
        ("a: !!int x", (1, 4), "invalid literal"),
        ("[a, b]: c", (1, 1), "quote it"),
        ("a:\n  <<: 1", (2, 7), "<< is for mappings"),
        ("a\n---\nb", (2, 1), "another one here"),
        ("a: " + "9" * 5000, (1, 4), "too large"),
        ("a: -0x" + "f" * 5000, (1, 4), "too large"),
        ("a: 0o" + "7" * 1000, (1, 4), "too large"),
        ("a: 1e999", (1, 4), "too large"),
        ("a: b: c", (1, 5), "mapping values are not allowed here"),
        ("a: \x01", (1, 4), "special characters are not allowed"),
        ('a: "\\ud83d"', None, "a lone surrogate"),
    ],
)
def test_a_text_that_is_no_yaml(text: str, place: tuple[int, int] | None, said: str) -> None:
    with pytest.raises(UnreadableText) as caught:
        read_yaml(text)
    assert said in caught.value.message
    if place is not None:
        assert (caught.value.line, caught.value.column) == place


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", "1e999", "[1", "[" * 5000, "{'a': 1}"])
def test_a_text_that_is_no_json(text: str) -> None:
    with pytest.raises(UnreadableText):
        read_json(text)


def test_numbers_of_json_are_those_of_yaml() -> None:
    text = "[1.5, 1.0, 1e3, 1.23e5, 1e-3]"
    assert list(map(repr, read_json(text))) == list(map(repr, read_yaml(text)))


def test_marks_are_those_of_the_parts() -> None:
    found = read_yaml("a: 1\nb:\n  - x\n  - {c: d}\n", marked=True)
    assert found.lc.data == {"a": [0, 0, 0, 3], "b": [1, 0, 2, 2]}
    assert found["b"].lc.data == {0: [2, 4], 1: [3, 4]}
    assert found["b"][1].lc.data == {"c": [3, 5, 3, 8]}


# What would harm others


@pytest.mark.parametrize("marked", [True, False])
def test_aliases_of_aliases_are_refused(marked: bool) -> None:
    with pytest.raises(UnreadableText, match="repeat too much"):
        read_yaml(bomb(12), marked=marked)


def test_merges_of_merges_are_refused() -> None:
    lines = [
        f"a{level}: &a{level} {{<<: [{', '.join([f'*a{level - 1}'] * 9)}], b: c}}"
        for level in range(1, 12)
    ]
    lines = ["a0: &a0 {x: y}", *lines]
    with pytest.raises(UnreadableText, match="repeat too much"):
        read_yaml("\n".join(lines))


def test_aliases_of_an_honest_document_are_copies() -> None:
    text = "a: &a [{b: c}]\nd: [" + ", ".join(["*a"] * 20_000) + "]"
    found = read_yaml(text, marked=True)
    assert found["d"] == [[{"b": "c"}]] * 20_000
    found["d"][0][0]["b"] = "changed"
    assert found["d"][1] == found["a"] == [{"b": "c"}]
    assert found["d"][1].lc.data == found["a"].lc.data


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_endless_depth_is_refused(opening: str) -> None:
    for levels in (DEEPEST + 1, 5000):
        with pytest.raises(UnreadableText, match=r"nest|levels"):
            read_yaml(opening * levels)


def test_depth_by_aliases_is_refused() -> None:
    lines = ["- &a0 x"] + [f"- &a{level} [*a{level - 1}]" for level in range(1, DEEPEST + 1)]
    with pytest.raises(UnreadableText, match="levels"):
        read_yaml("\n".join(lines))


# By chance

_WORDS = st.sampled_from(
    ["a", "b", "&x", "*x", "&y", "*y", "<<", ":", ": ", "- ", "? ", "[", "]", "{", "}", ", ", "\n",
     "\n  ", " ", "'", '"', "|", "|-\n  ", ">\n  ", "#", " #", "!!str ", "!!int ", "!x ", "~", "1",
     "1.5", "1e3", ".inf", ".NaN", "0o7", "true", "---\n", "...\n", "%YAML 1.1\n", "é", "\u2028",
     "\t", "\\", "http://a/b#c", "$(inputs.a)", "string?", "2024-01-01", "=", "@", "`"]
)  # fmt: skip


@given(st.lists(_WORDS, max_size=30).map("".join))
def test_any_text_is_data_or_unreadable(text: str) -> None:
    try:
        found = read_yaml(text, marked=True)
    except UnreadableText:
        return
    assert repr(found) == repr(read_yaml(text, marked=True))
    json.dumps(found)


@given(st.lists(_WORDS, max_size=30).map("".join))
def test_both_parsers_give_the_same(text: str) -> None:
    assume("?" not in text)  # ruamel.yaml loses a key that is nothing
    assume(not re.search(r"[&*]\w+[^\w\s]", text))  # libyaml ends an anchor's name there
    read = [_by(one, text) for one in (reading._by_libyaml, reading._by_ruamel)]
    assume(reading._UNREAD not in read)
    assert repr(read[0]) == repr(read[1])


_AT_ONCE = st.sampled_from(
    ["a", "Yes", "no", "on", "n", "true", "True", "FALSE", "null", "Null", "nan", "inf", "e", "/",
     ".", "..", "-", "--", "---", "_", " ", "  ", "0", "00", "7", "19", "9" * 17, "1e3", "0x1f",
     "0o7", "2024-01-01", "1_000", ":", ": ", "#", " #", "\n", "\t", "é", "\u0660", "\x85", "~"]
)  # fmt: skip


@given(st.lists(_AT_ONCE, max_size=5).map("".join))
def test_what_is_read_at_once_is_what_yaml_has(text: str) -> None:
    try:
        expected = read_yaml(text)
    except UnreadableText:
        with pytest.raises(UnreadableText):
            read_data(text)
    else:
        assert repr(read_data(text)) == repr(expected)


def _by(read: Any, text: str) -> Any:
    try:
        return read(text, marked=False)
    except UnreadableText:
        return reading._UNREAD


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    )
)
def test_what_is_written_as_json_is_read_as_it_was(value: Any) -> None:
    assume(not _is_beyond(value))
    text = json.dumps(value)
    assert read_json(text) == read_data(text) == value


def _is_beyond(value: Any) -> bool:
    return "Infinity" in json.dumps(value)


@pytest.mark.parametrize("digits", [400, 5000])
def test_a_number_that_no_double_can_hold_is_none_of_json(digits: int) -> None:
    text = f'{{"a": [1, -{"9" * digits}]}}'
    for reader in (read_json, read_written_json, read_data):
        with pytest.raises(UnreadableText, match="too large"):
            reader(text)
    with pytest.raises(UnreadableText, match="too large"):
        check_depth({"a": [16**5000]})
    largest = f"1{'0' * 308}"
    assert read_json(largest) == read_yaml(largest) == 10**308
    assert read_yaml(f"0x{'0' * 5000}1") == 1
