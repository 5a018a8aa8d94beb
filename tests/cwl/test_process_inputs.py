"""The inputs of a process when it begins: defaults and types."""

from typing import Any

import pytest

from localproc.cwl.run.process_inputs import fill
from localproc.errors import StepError
from tests.cwl.memory import file, tool

TOOL = """
inputs:
  word: string
  count: {type: int, default: 0}
  flag: {type: boolean, default: false}
  text: {type: string, default: ''}
  list: {type: 'int[]', default: []}
  maybe: int?
  seed: {type: File, default: {class: File, location: seed.txt}}
"""


def filled(**inputs: Any) -> dict[str, Any]:
    return fill(tool(TOOL), inputs)


def test_what_is_not_given_is_the_default_or_null() -> None:
    assert filled(word="a") == {
        "word": "a",
        "count": 0,
        "flag": False,
        "text": "",
        "list": [],
        "maybe": None,
        "seed": file("/package/seed.txt"),
    }


def test_what_is_given_beats_the_default() -> None:
    found = filled(word="a", count=5, flag=True, text="t", list=[1], maybe=2)
    assert [found[one] for one in ("count", "flag", "text", "list", "maybe")] == [
        5,
        True,
        "t",
        [1],
        2,
    ]


def test_null_is_as_good_as_nothing() -> None:
    assert filled(word="a", count=None)["count"] == 0


def test_what_the_process_does_not_take_is_left_out() -> None:
    assert "other" not in filled(word="a", other=1)


def test_every_input_that_does_not_fit_is_told() -> None:
    with pytest.raises(StepError) as error:
        filled(count="five", list=[1, "2"])
    assert error.value.message == (
        "main: the inputs do not fit: word: expected string, got nothing; "
        "count: expected int, got string 'five'; list[1]: expected int, got string '2'"
    )
