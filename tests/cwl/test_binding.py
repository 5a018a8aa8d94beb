"""Command lines: which arguments there are, how they are written and in which order."""

import shlex
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from localproc.cwl.expr.expressions import Context
from localproc.cwl.run.binding import command_line, word
from localproc.errors import StepError
from tests.cwl.memory import tool

JAVASCRIPT = "requirements: {InlineJavascriptRequirement: {}}"
SHELL = "requirements: {ShellCommandRequirement: {}}"


def argv(text: str, /, **inputs: Any) -> list[str]:
    """Give the command line of a tool for its inputs."""
    return command_line(tool(text), Context(inputs, {"outdir": "/out", "cores": 2}))


def bound(port: str, value: Any) -> list[str]:
    """Give the arguments that a single input makes."""
    return argv(f"inputs:\n  x: {port}", x=value)


def test_the_base_command_comes_first() -> None:
    assert argv("baseCommand: gdalinfo") == ["gdalinfo"]
    assert argv("baseCommand: [python3, -m, http.server]") == ["python3", "-m", "http.server"]


def test_arguments_stand_in_their_order() -> None:
    text = """
        baseCommand: gdal
        arguments: [-q, $(runtime.outdir), {prefix: -n, valueFrom: $(runtime.cores)}]
    """
    assert argv(text) == ["gdal", "-q", "/out", "-n", "2"]


def test_an_input_without_binding_is_no_argument() -> None:
    assert bound("{type: string}", "a") == []


def test_an_input_that_is_null_is_no_argument() -> None:
    assert bound("{type: string?, inputBinding: {prefix: -x}}", None) == []
    assert bound("{type: string?, inputBinding: {valueFrom: always}}", None) == []


# Order


def test_inputs_are_sorted_by_position_then_by_name() -> None:
    text = """
        inputs:
          b: {type: int, inputBinding: {position: 1}}
          a: {type: int, inputBinding: {position: 1}}
          last: {type: int, inputBinding: {position: 10}}
          second: {type: int, inputBinding: {position: 2}}
          first: {type: int, inputBinding: {position: -1}}
          zero: {type: int, inputBinding: {}}
    """
    assert argv(text, a=1, b=2, last=3, second=4, first=5, zero=6) == ["5", "6", "1", "2", "4", "3"]


def test_arguments_stand_before_inputs_of_the_same_position() -> None:
    text = """
        arguments: [plain, {position: 2, valueFrom: second}, other]
        inputs:
          a: {type: string, inputBinding: {}}
          b: {type: string, inputBinding: {position: 2}}
          c: {type: string, inputBinding: {position: 1}}
    """
    assert argv(text, a="a", b="b", c="c") == ["plain", "other", "a", "c", "second", "b"]


def test_many_arguments_are_sorted_as_numbers() -> None:
    words = [str(n) for n in range(12)]
    assert argv(f"arguments: {words}") == words


def test_a_position_may_be_an_expression() -> None:
    text = """
        inputs:
          a: {type: string, inputBinding: {position: $(inputs.where)}}
          b: {type: string, inputBinding: {position: 1}}
          where: int
    """
    assert argv(text, a="a", b="b", where=0) == ["a", "b"]
    assert argv(text, a="a", b="b", where=2) == ["b", "a"]


def test_a_position_that_is_no_number_is_an_error() -> None:
    text = "inputs: {a: {type: string, inputBinding: {position: $(inputs.a)}}}"
    with pytest.raises(StepError, match="a position must be an int, not 'first'"):
        argv(text, a="first")


# Words


@pytest.mark.parametrize(
    ("binding", "words"),
    [
        ("{}", ["v"]),
        ("{prefix: -x}", ["-x", "v"]),
        ("{prefix: -x, separate: true}", ["-x", "v"]),
        ("{prefix: --x=, separate: false}", ["--x=v"]),
        ("{separate: false}", ["v"]),
        ("{prefix: ''}", ["", "v"]),
    ],
)
def test_a_prefix_stands_before_a_value(binding: str, words: list[str]) -> None:
    assert bound(f"{{type: string, inputBinding: {binding}}}", "v") == words


def test_a_boolean_is_its_prefix_or_nothing() -> None:
    port = "{type: boolean, inputBinding: {prefix: --verbose}}"
    assert bound(port, True) == ["--verbose"]
    assert bound(port, False) == []
    assert bound("{type: boolean, inputBinding: {}}", True) == []
    assert bound("{type: boolean, inputBinding: {prefix: -v, separate: false}}", True) == ["-v"]


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("int", 5, "5"),
        ("long", -(2**40), "-1099511627776"),
        ("double", 0.1, "0.1"),
        ("double", 1e-7, "0.0000001"),
        ("double", 1.5e20, "150000000000000000000"),
        ("double", 3, "3"),
        ("string", "two words", "two words"),
        ("string", "", ""),
        ("string", "$(not evaluated)", "$(not evaluated)"),
        ("{type: enum, symbols: [a, b]}", "b", "b"),
        ("Any", "text", "text"),
    ],
)
def test_values_are_written_plainly(kind: str, value: Any, text: str) -> None:
    assert bound(f"{{type: {kind}, inputBinding: {{}}}}", value) == [text]


def test_files_are_written_as_their_paths() -> None:
    scene = {"class": "File", "location": "file:///data/a.tif", "path": "/stage/1/a.tif"}
    folder = {"class": "Directory", "location": "file:///data/b", "path": "/data/b"}
    assert bound("{type: File, inputBinding: {prefix: -i}}", scene) == ["-i", "/stage/1/a.tif"]
    assert bound("{type: Directory, inputBinding: {}}", folder) == ["/data/b"]
    with pytest.raises(StepError, match="a File without a path"):
        word({"class": "File", "location": "file:///data/a.tif"})


# Arrays


ALL_AND_EACH = """
    type: {type: array, items: string, inputBinding: {prefix: -x}}
    inputBinding: {prefix: --all}
"""


@pytest.mark.parametrize(
    ("port", "words"),
    [
        ("{type: 'string[]', inputBinding: {}}", ["a", "b"]),
        ("{type: 'string[]', inputBinding: {prefix: -x}}", ["-x", "a", "b"]),
        ("{type: 'string[]', inputBinding: {prefix: -x, itemSeparator: ','}}", ["-x", "a,b"]),
        (
            "{type: 'string[]', inputBinding: {prefix: -x=, separate: false, itemSeparator: ','}}",
            ["-x=a,b"],
        ),
        (
            "{type: {type: array, items: string, inputBinding: {prefix: -x}}}",
            ["-x", "a", "-x", "b"],
        ),
        (
            "{type: {type: array, items: string, inputBinding: {prefix: -x, separate: false}}}",
            ["-xa", "-xb"],
        ),
        (
            ALL_AND_EACH,
            ["--all", "-x", "a", "-x", "b"],
        ),
    ],
)
def test_a_prefix_stands_before_the_array_or_before_each_item(port: str, words: list[str]) -> None:
    assert bound(port, ["a", "b"]) == words


@pytest.mark.parametrize(
    "port",
    [
        "{type: 'string[]', inputBinding: {prefix: -x}}",
        "{type: 'string[]', inputBinding: {prefix: -x, itemSeparator: ','}}",
        "{type: {type: array, items: string, inputBinding: {prefix: -x}}}",
    ],
)
def test_an_empty_array_is_no_argument(port: str) -> None:
    assert bound(port, []) == []


def test_null_items_are_left_out() -> None:
    assert bound(
        "{type: {type: array, items: ['null', string]}, inputBinding: {}}", [None, "b"]
    ) == ["b"]


def test_items_keep_their_order_however_many_there_are() -> None:
    many = list(range(25))
    port = "{type: 'int[]', inputBinding: {}}"
    assert bound(port, many) == [str(n) for n in many]


def test_boolean_items_are_prefixes() -> None:
    port = "{type: {type: array, items: boolean, inputBinding: {prefix: -x}}}"
    assert bound(port, [True, False, True]) == ["-x", "-x"]


def test_numbers_are_joined_in_decimals() -> None:
    port = "{type: 'double[]', inputBinding: {itemSeparator: ' '}}"
    assert bound(port, [1, 0.5, 1e-6]) == ["1 0.5 0.000001"]


def test_arrays_of_arrays_are_bound_from_within() -> None:
    inner = "{type: array, items: int, inputBinding: {prefix: -n}}"
    port = f"{{type: {{type: array, items: {inner}, inputBinding: {{prefix: -r}}}}}}"
    assert " ".join(bound(port, [[1, 2], [3]])) == "-r -n 1 -n 2 -r -n 3"


# Records


RECORD = """
    inputs:
      point:
        type:
          type: record
          fields:
            y: {type: double, inputBinding: {prefix: -y, position: 2}}
            x: {type: double, inputBinding: {prefix: -x, position: 1}}
            note: string?
            tag: {type: string?, inputBinding: {prefix: -t}}
        %s
      after: {type: string, inputBinding: {position: %s}}
"""


def test_the_fields_of_a_record_are_bound_each_by_itself() -> None:
    words = argv(RECORD % ("", 3), point={"y": 1, "x": 2.5, "note": "unbound"}, after="end")
    assert words == ["-x", "2.5", "-y", "1", "end"]


def test_a_record_with_a_binding_stands_together() -> None:
    binding = "inputBinding: {prefix: --point, position: 5}"
    words = argv(RECORD % (binding, 3), point={"y": 1, "x": 2.5, "tag": "t"}, after="end")
    assert words == ["end", "--point", "-t", "t", "-x", "2.5", "-y", "1"]


def test_an_array_of_records_is_bound_item_by_item() -> None:
    text = """
        inputs:
          points:
            type:
              type: array
              items:
                type: record
                fields:
                  x: {type: int, inputBinding: {prefix: -x}}
                  y: {type: int, inputBinding: {prefix: -y}}
              inputBinding: {prefix: --point}
    """
    words = argv(text, points=[{"x": 1, "y": 2}, {"x": 3, "y": 4}])
    assert " ".join(words) == "--point -x 1 -y 2 --point -x 3 -y 4"


UNION = """
    inputs:
      either:
        type:
          - type: record
            name: Near
            fields: {near: {type: string, inputBinding: {prefix: --near}}}
          - type: record
            name: Far
            fields: {far: {type: int, inputBinding: {prefix: --far}}}
          - type: array
            items: string
            inputBinding: {prefix: --item}
          - string
        inputBinding: {}
"""


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"near": "a"}, ["--near", "a"]),
        ({"far": 5}, ["--far", "5"]),
        (["a", "b"], ["--item", "a", "--item", "b"]),
        ("plain", ["plain"]),
    ],
)
def test_of_a_union_the_branch_of_the_value_is_bound(value: Any, words: list[str]) -> None:
    assert argv(UNION, either=value) == words


def test_a_value_of_any_type_is_bound_by_its_shape() -> None:
    port = "{type: Any, inputBinding: {prefix: -x}}"
    assert bound(port, ["a", 1]) == ["-x", "a", "1"]
    assert bound(port, {"a": 1}) == ["-x"]
    assert bound(port, True) == ["-x"]


# valueFrom


def test_value_from_replaces_the_value() -> None:
    port = "{type: int, inputBinding: {prefix: -n, valueFrom: '$(self)-$(inputs.x)'}}"
    assert bound(port, 5) == ["-n", "5-5"]


def test_value_from_may_be_plain_text() -> None:
    assert bound("{type: int, inputBinding: {valueFrom: fixed}}", 5) == ["fixed"]


def test_value_from_of_an_array_sees_the_whole_array() -> None:
    text = f"{JAVASCRIPT}\ninputs: {{x: {{type: 'int[]', inputBinding: {{valueFrom: %s}}}}}}"
    assert argv(text % "'$(self.length)'", x=[1, 2]) == ["2"]
    assert argv(text % "$(self)", x=[1, 2]) == ["1", "2"]


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("$(null)", []),
        ("$(false)", []),
        ("$(true)", ["-x"]),
        ("$([])", []),
        ("$(['a', 1])", ["-x", "a", "1"]),
        ("$([1, true, null, ['b', ['c']], {k: 1}])", ["-x", "1", "b", "c"]),
        ("$(0)", ["-x", "0"]),
        ("$('')", ["-x", ""]),
    ],
)
def test_what_value_from_gives_is_bound_like_a_value(expression: str, words: list[str]) -> None:
    text = f'{JAVASCRIPT}\narguments: [{{prefix: -x, valueFrom: "{expression}"}}]'
    assert argv(text) == words


def test_value_from_joins_what_it_gives() -> None:
    text = f"{JAVASCRIPT}\narguments: [{{itemSeparator: '+', valueFrom: \"$(['a', 'b'])\"}}]"
    assert argv(text) == ["a+b"]
    assert argv(text.replace("'b'", "null, true")) == ["a+true"]


# Shells


def test_without_a_shell_nothing_is_quoted() -> None:
    port = "{type: string, inputBinding: {shellQuote: false}}"
    assert bound(port, "a; b") == ["a; b"]


def test_with_a_shell_everything_is_quoted_but_what_is_not_to_be() -> None:
    text = f"""
{SHELL}
baseCommand: [echo, it's]
arguments: [{{valueFrom: '> out.txt', shellQuote: false, position: 9}}, '|']
inputs: {{x: {{type: string, inputBinding: {{position: 1}}}}}}
"""
    assert argv(text, x="$HOME") == ["/bin/sh", "-c", "echo 'it'\"'\"'s' '|' '$HOME' > out.txt"]


@pytest.mark.slow
@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))))
@settings(deadline=None)
def test_a_shell_reads_what_was_quoted_as_it_was(words: list[str]) -> None:
    text = f"{SHELL}\nbaseCommand: echo\ninputs: {{x: {{type: 'string[]', inputBinding: {{}}}}}}"
    command = argv(text, x=words)
    assert command[:2] == ["/bin/sh", "-c"]
    assert shlex.split(command[2]) == ["echo", *words]
