"""Values as JSON and YAML have them, whatever they are."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localproc.cwl.base.reading import read_data
from localproc.views.written import in_yaml, written

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(VALUES)
def test_a_line_of_yaml_is_read_as_what_was_written(value: Any) -> None:
    line = in_yaml(value)
    assert "\n" not in line
    assert read_data(f"- {line}") == [value]


@pytest.mark.parametrize(
    ("value", "line"),
    [(math.inf, ".inf"), (-math.inf, "-.inf"), (math.nan, ".nan"), (True, "true"), (None, "null")],
)
def test_numbers_that_json_has_not_are_words_of_yaml(value: Any, line: str) -> None:
    assert in_yaml({"a": [value]}) == f'{{"a": [{line}]}}'


def test_in_json_they_are_null() -> None:
    assert json.loads(written({"a": [math.nan, 1]})) == {"a": [None, 1]}
