"""How long values are is reckoned about right, and no further than is asked for."""

import json
from collections import UserDict
from typing import Any

import pytest

from localproc.lengths import is_within, length

VALUES: list[Any] = [
    None,
    3,
    "text" * 1000,
    {},
    [],
    {"message": "hello" * 100},
    list(range(1000)),
    [[{"a": ["b" * 50]}] * 20] * 20,
    {"out": {"class": "File", "location": "file:///a/" + "b" * 500, "size": 3}},
]


@pytest.mark.parametrize("value", VALUES)
def test_it_is_about_what_json_takes(value: Any) -> None:
    assert length(value) / 4 - 20 <= len(json.dumps(value)) <= length(value) * 2


@pytest.mark.parametrize("value", VALUES)
def test_it_is_within_what_it_takes(value: Any) -> None:
    assert is_within(value, length(value))
    assert not is_within(value, length(value) - 1)


@pytest.mark.parametrize("kind", [list, tuple])
def test_what_is_much_too_long_is_not_gone_through(kind: type) -> None:
    class Long(UserDict[str, Any]):
        def values(self) -> Any:
            raise AssertionError("it has been looked into")

    assert not is_within(kind([Long({str(key): 0 for key in range(100)})]), 300)


def test_any_mapping_is_looked_into() -> None:
    assert length(UserDict({"a": "b" * 100})) == length({"a": "b" * 100})
