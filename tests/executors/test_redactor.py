"""What hides secrets in what tools write."""

import base64
import json
import subprocess
import urllib.parse

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from localproc.executors.keeper.redactor import Redactor, with_marks

#: Values that every kind of text writes in another way.
AWKWARD = "pä\"ss'w\\ord <&> %$(id)\tx"

values = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=4, max_size=20)
cuts = st.lists(st.integers(0, 400), max_size=8)


def in_pieces(data: bytes, marks: dict[str, str], places: list[int]) -> bytes:
    redactor = Redactor(marks)
    ends = sorted(place for place in places if place <= len(data))
    pieces = [data[a:b] for a, b in zip([0, *ends], [*ends, len(data)], strict=True)]
    return b"".join(map(redactor.feed, pieces)) + redactor.feed(b"", last=True)


@settings(deadline=None)
@given(values, st.lists(st.text(max_size=30), min_size=1, max_size=5), cuts)
def test_a_value_is_hidden_wherever_the_stream_is_cut(
    value: str, texts: list[str], places: list[int]
) -> None:
    data = value.join([*texts, ""]).encode(errors="replace")
    hidden = in_pieces(data, {value: ""}, places)
    assert hidden == in_pieces(data, {value: ""}, [])
    assert value.encode() not in in_pieces(data, {value: "(x)"}, places).replace(b"(x)", b"\0")


@settings(deadline=None)
@given(st.text("ab", min_size=4, max_size=9), st.text("ab", min_size=4, max_size=9), cuts)
def test_values_that_overlap_are_hidden_as_one(one: str, other: str, places: list[int]) -> None:
    data = f"-{one}{other}-{other}{one[1:]}-{one}".encode()
    hidden = in_pieces(data, {one: "(1)", other: "(2)"}, places)
    assert hidden == in_pieces(data, {one: "(1)", other: "(2)"}, [])
    assert one.encode() not in hidden
    assert other.encode() not in hidden


def test_the_other_forms_of_a_value_are_hidden() -> None:
    forms = [
        AWKWARD,
        json.dumps(AWKWARD),
        json.dumps(AWKWARD, ensure_ascii=False),
        repr(AWKWARD),
        urllib.parse.quote(AWKWARD),
        urllib.parse.urlencode({"p": AWKWARD}),
        base64.b64encode(AWKWARD.encode()).decode(),
    ]
    for form in forms:
        hidden = with_marks(f"before {form} behind", {AWKWARD: "(it)"})
        assert "(it)" in hidden, form
        assert form not in hidden


@pytest.mark.parametrize("value", [r"C:\new\table\\x", r"a\0101b\q\v"])
def test_what_a_shell_echoes_is_hidden(value: str) -> None:
    said = subprocess.run(["sh", "-c", 'echo "$0"', value], capture_output=True, check=True)
    assert with_marks(said.stdout.decode(), {value: "(it)"}) == "(it)\n"


def test_a_value_is_hidden_in_the_middle_of_a_text_in_base64() -> None:
    for before in (b"", b"u", b"us", b"use", b"user:"):
        coded = base64.b64encode(before + b"correct horse" + b" behind").decode()
        assert "(it)" in with_marks(coded, {"correct horse": "(it)"})


def test_each_line_of_a_key_is_hidden() -> None:
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQEFAASC\n-----END KEY-----"
    hidden = with_marks("it begins MIIEvQIBADANBgkq", {key: "(key)"})
    assert hidden == "it begins (key)"


def test_what_may_be_a_secret_waits_until_that_is_known() -> None:
    redactor = Redactor({"abcd": "(x)"})
    assert redactor.feed(b"1 abc") == b"1 "
    assert redactor.feed(b"e ab") == b"abce "
    assert redactor.feed(b"", last=True) == b"ab"
