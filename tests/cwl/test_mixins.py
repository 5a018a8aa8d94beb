"""Fields that parts of a package take over from other documents."""

from typing import Any

import pytest

from localproc.cwl.load.load import load
from localproc.cwl.load.pack import pack
from localproc.cwl.load.sources import Sources
from localproc.errors import InvalidPackage

MAIN = "file:///package/main.cwl"
TOOL = """\
cwlVersion: v1.2
class: CommandLineTool
baseCommand: echo
inputs: {{x: {x}}}
outputs: {{}}
"""


def sources(x: str, **others: str) -> Sources:
    texts = {f"file:///package/{name}.yml": text.encode() for name, text in others.items()}

    def read(uri: str) -> bytes:
        raise FileNotFoundError(2, f"No such file: {uri}")

    return Sources(MAIN, read, {MAIN: TOOL.format(x=x).encode(), **texts})


def read(x: str, **others: str) -> Any:
    (found,) = load(sources(x, **others)).main["inputs"]
    return found


def test_fields_are_taken_over_and_those_that_are_there_stay() -> None:
    found = read("{$mixin: a.yml, doc: mine}", a="{type: int, doc: theirs, label: L}")
    assert (found["type"], found["doc"], found["label"]) == ("int", "mine", "L")


def test_what_is_taken_over_may_take_over_more() -> None:
    found = read("{$mixin: a.yml}", a="{$mixin: b.yml, label: L}", b="{type: int, label: no}")
    assert (found["type"], found["label"]) == ("int", "L")
    bound = read("{type: int, inputBinding: {$mixin: a.yml}}", a="{prefix: -x}")
    assert bound["inputBinding"] == {"prefix": "-x"}


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ({"a": "{$mixin: a.yml}"}, "a.yml takes over itself"),
        ({"a": "{$mixin: b.yml}", "b": "{x: {$mixin: a.yml}}"}, "a.yml takes over itself"),
        ({"a": "[int]"}, "a.yml is no mapping"),
        ({}, "cannot read a.yml"),
    ],
)
def test_what_cannot_be_taken_over_is_told(others: dict[str, str], said: str) -> None:
    with pytest.raises(InvalidPackage, match="the package is not complete") as refused:
        read("{$mixin: a.yml}", **others)
    assert said in str(refused.value)


def test_what_is_packed_has_the_fields() -> None:
    text = pack(sources("{$mixin: a.yml}", a="{type: int}"), lambda _: ())
    assert "$mixin" not in text
    assert "int" in text
