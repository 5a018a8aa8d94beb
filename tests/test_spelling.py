"""Calls that say what was meant by a name that they do not have."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from localproc.errors import UnknownOption
from localproc.spelling import public


@public
class Door:
    @contextmanager
    def opened(self, key: str, *, width: int = 1) -> Iterator[tuple[str, int]]:
        yield key, width


def test_names_are_those_of_the_call_below_a_decorator() -> None:
    with Door().opened(key="brass", width=2) as opened:
        assert opened == ("brass", 2)


def test_a_misspelt_name_below_a_decorator_is_told() -> None:
    with pytest.raises(UnknownOption) as raised:
        Door().opened("brass", widht=2)  # type: ignore[call-arg]
    assert raised.value.hint == "did you mean 'width'?"
