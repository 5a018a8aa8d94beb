"""Parameter references and expressions in the fields of documents."""

import math
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localproc.cwl.base.numbers import json_text, number_text
from localproc.cwl.expr.expressions import Context, Dialect, evaluate_field, has_expression
from localproc.errors import ExpressionError
from tests.patience import patient

PLAIN = Dialect()
JAVASCRIPT = Dialect(library="")
OLD = Dialect(old_escapes=True)

INPUTS = {
    "name": "scene",
    "count": 3,
    "ratio": 0.25,
    "flag": True,
    "none": None,
    "words": ["one", "two"],
    "file": {"class": "File", "basename": "a.txt", "size": 5},
    "odd": {"with space": 1, "it's": 2, 'say "so"': 3, "length": 4, "0": 5},
}
RUNTIME = {"outdir": "/out", "cores": 2}


def value(text: Any, dialect: Dialect = PLAIN, self_: Any = None, *, strip: bool = True) -> Any:
    return evaluate_field(text, dialect, Context(INPUTS, RUNTIME), self_, strip=strip)


def error(text: str, dialect: Dialect = PLAIN) -> ExpressionError:
    with pytest.raises(ExpressionError) as raised:
        value(text, dialect)
    return raised.value


@pytest.mark.parametrize("dialect", [PLAIN, JAVASCRIPT], ids=["plain", "javascript"])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$(inputs.name)", "scene"),
        ("$(inputs.count)", 3),
        ("$(inputs.flag)", True),
        ("$(inputs.none)", None),
        ("$(inputs.words)", ["one", "two"]),
        ("$(inputs.words[1])", "two"),
        ("$(inputs.file.basename)", "a.txt"),
        ("$(inputs['file']['size'])", 5),
        ('$(inputs["file"].size)', 5),
        ("$(inputs.odd['with space'])", 1),
        ("$(inputs.odd['it\\'s'])", 2),
        ('$(inputs.odd["say \\"so\\""])', 3),
        ("$(inputs.odd['0'])", 5),
        ("$(runtime.cores)", 2),
        ("$(null)", None),
        ("$(inputs)", INPUTS),
    ],
)
def test_a_reference_gives_the_value_itself(text: str, expected: Any, dialect: Dialect) -> None:
    assert value(text, dialect) == expected


@pytest.mark.parametrize("dialect", [PLAIN, JAVASCRIPT], ids=["plain", "javascript"])
def test_self_is_what_the_field_is_about(dialect: Dialect) -> None:
    assert value("$(self)", dialect, self_=[1]) == [1]
    assert value("$(self.nameroot).bam", dialect, self_={"nameroot": "a"}) == "a.bam"
    assert value("$(self)", dialect) is None


def test_an_array_has_a_length() -> None:
    assert value("$(inputs.words.length)") == 2
    assert value("there are $(inputs.words.length)") == "there are 2"


def test_a_member_called_length_is_that_member() -> None:
    assert value("$(inputs.odd.length)") == 4


def test_a_reference_needs_no_javascript_engine() -> None:
    script = (
        "import sys\n"
        "from localproc.cwl.expr.expressions import Context, Dialect, evaluate_field\n"
        "context = Context({'a': {'b': [1]}})\n"
        "print(evaluate_field('$(inputs.a.b[0]) and more', Dialect(''), context))\n"
        "print('quickjs' in sys.modules)\n"
    )
    command = [sys.executable, "-c", script]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=patient(60))
    assert said.stdout.split("\n") == ["1 and more", "False", ""]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${ // don't }\n return 3; }", 3),
        ("${ /* } */ return 4; }", 4),
        ("$('a)b'.replace(/\\)/g, '-'))", "a-b"),
        ("${ var r = /[)}\"]/; return r.test('}'); }", True),
        ("${ return /}/.test('}'); }", True),
        ("$(`a)${inputs.count}`)", "a)3"),
        ("$((inputs.count) / 3 / 1)", 1),
        ("$('//')$('/*')", "///*"),
        ("$(inputs.words.filter(one => /^https?:\\/\\//.test(one)).length)", 0),
        ("$(`${inputs.words.map(one => `${one}/a`).join('/')}`)", "one/a/two/a"),
        ("${ var n = 8; n++ / 2; return n / 3 /* } */; }", 3),
        ("$(1 + /[)]/.exec(')').length)", 2),
    ],
)
def test_brackets_in_what_is_no_code_do_not_count(text: str, expected: Any) -> None:
    """CWL v1.2 "Expressions": any syntactically valid JavaScript, nesting accounted for."""
    assert value(text, JAVASCRIPT) == expected


@pytest.mark.parametrize(
    "text",
    [
        "$(inputs.nmae)",
        "$(inputs.file.path)",
        "$(inputs.words[2])",
        f"$(inputs.words[{'9' * 5000}])",
        "$(runtime.gpus)",
    ],
    ids=["input", "member", "item", "far item", "runtime"],
)
@pytest.mark.parametrize("dialect", [PLAIN, JAVASCRIPT], ids=["plain", "javascript"])
def test_a_missing_member_is_an_error(text: str, dialect: Dialect) -> None:
    assert text in error(text, dialect).message


def test_an_index_may_begin_with_zeros() -> None:
    assert value(f"$(inputs.words[{'0' * 5000}1])", PLAIN) == value("$(inputs.words[1])", PLAIN)


def test_the_error_says_what_there_is() -> None:
    assert error("$(inputs.file.path)").message == (
        "$(inputs.file.path): there is no 'path' here (there is: basename, class, size)"
    )


@pytest.mark.parametrize("text", ["$(inputs.nmae.size)", "$(inputs.none.size)", "$(self.size)"])
@pytest.mark.parametrize("dialect", [PLAIN, JAVASCRIPT], ids=["plain", "javascript"])
def test_nothing_has_no_members_with_or_without_javascript(text: str, dialect: Dialect) -> None:
    assert text in error(text, dialect).message


def test_a_reference_begins_with_a_known_name() -> None:
    assert error("$(input.name)").message == "$(input.name): 'input' is not defined"
    assert error("$(input.name)").hint == "a reference begins with inputs, self or runtime"


@pytest.mark.parametrize("text", ["$(inputs.count + 1)", "${return 1;}", "$( inputs.name )"])
def test_what_is_more_than_a_reference_needs_javascript(text: str) -> None:
    assert "is not a parameter reference" in error(text).message
    assert "add InlineJavascriptRequirement" in error(text).hint


def test_an_expression_that_does_not_end_is_an_error() -> None:
    assert "does not end" in error("$(inputs.name").message
    assert error("$(inputs.name").hint == "write \\$( for a literal $("


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$(inputs.count + 1)", 4),
        ("${return inputs.words.join('-');}", "one-two"),
        ("$({a: [1, {b: inputs.name}]})", {"a": [1, {"b": "scene"}]}),
        ('$(")")', ")"),
        ("$('it\\'s ) here')", "it's ) here"),
        ("${ // don't stop\n return {a: 1}; }", {"a": 1}),
        ("$(inputs.words.map(function(word) { return word.length; }))", [3, 3]),
        ("$(inputs.none === null)", True),
        ("$(self)$(inputs.count * 2)", "null6"),
    ],
)
def test_javascript_gives_any_value(text: str, expected: Any) -> None:
    assert value(text, JAVASCRIPT) == expected


def test_several_expressions_in_one_text_make_a_text() -> None:
    assert value("$(inputs.name)_$(inputs.count).tif") == "scene_3.tif"
    assert value("$(inputs.name)$(inputs.name)") == "scenescene"
    assert value("a $(inputs.count + 1) b ${return 'c';}", JAVASCRIPT) == "a 4 b c"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<$(inputs.none)>", "<null>"),
        ("<$(inputs.flag)>", "<true>"),
        ("<$(inputs.ratio)>", "<0.25>"),
        ("<$(inputs.words)>", '<["one", "two"]>'),
        ("<$(inputs.file)>", '<{"basename": "a.txt", "class": "File", "size": 5}>'),
    ],
)
def test_within_a_text_values_are_written_as_json(text: str, expected: str) -> None:
    assert value(text) == expected


def test_white_space_around_an_expression_does_not_count() -> None:
    assert value("  $(inputs.count)\n") == 3


def test_white_space_counts_in_the_contents_of_a_file() -> None:
    assert value(" $(inputs.count)\n", strip=False) == " 3\n"


@pytest.mark.parametrize("text", ["", "a text", "a\\nb", "\\\\", "$100", " $ (", "\\$"])
def test_a_text_without_expressions_stays_as_it_is(text: str) -> None:
    assert not has_expression(text)
    assert value(text) == text
    assert value(text, OLD) == text


@pytest.mark.parametrize("other", [None, 5, 0.5, True, ["$(inputs.name)"], {"a": "$(b)"}])
def test_what_is_no_text_stays_as_it_is(other: Any) -> None:
    assert value(other) == other


@pytest.mark.parametrize(
    ("text", "new", "old"),
    [
        (r"\$(inputs.name)", "$(inputs.name)", "$(inputs.name)"),
        (r"\${inputs.name}", "${inputs.name}", "${inputs.name}"),
        (r"\\$(inputs.name)", r"\scene", r"\scene"),
        (r"\\\$(inputs.name)", r"\$(inputs.name)", r"\$(inputs.name)"),
        (r"a\tb $(inputs.name)", r"a\tb scene", "atb scene"),
        (r"$(inputs.name)\\", "scene\\", "scene\\"),
        (r"\$(a) is $(inputs.name)", "$(a) is scene", "$(a) is scene"),
    ],
)
def test_a_backslash_before_other_characters_stays_since_v1_2(
    text: str, new: str, old: str
) -> None:
    assert (value(text), value(text, OLD)) == (new, old)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (5, "5"),
        (-3, "-3"),
        (2**63 - 1, "9223372036854775807"),
        (1.0, "1.0"),
        (0.1, "0.1"),
        (1e-05, "0.00001"),
        (1.5e-10, "0.00000000015"),
        (1e16, "10000000000000000"),
        (1.25e20, "125000000000000000000"),
    ],
)
def test_numbers_are_written_in_decimals(number: float, text: str) -> None:
    assert number_text(number) == text


def test_numbers_inside_of_values_are_written_in_decimals_too() -> None:
    assert json_text({"b": [1e-7, 1e20], "a": 2.5}) == (
        '{"a": 2.5, "b": [0.0000001, 100000000000000000000]}'
    )


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_in_decimals_is_the_same_number(number: float) -> None:
    text = number_text(number)
    assert "e" not in text
    assert float(text) == number


@given(st.text("$(){}\\ab"))
def test_any_text_can_be_escaped(text: str) -> None:
    doubled = text.replace("\\", "\\\\")
    new = doubled.replace("$(", "\\$(").replace("${", "\\${")
    old = doubled.replace("$", "\\$")
    assert value(f":{new}$(inputs.count)") == f":{text}3"
    assert value(f":{old}$(inputs.count)", OLD) == f":{text}3"


@pytest.mark.parametrize("javascript", [True, False])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$(inputs.earth.length)", 5),
        (
            "$(inputs.earth[3])",
            "\U0001f30d".encode("utf-16-le")[:2].decode("utf-16-le", "surrogatepass"),
        ),
        ("$(inputs.plain.length)", 3),
        ("$(inputs.plain[2])", "c"),
    ],
)
def test_texts_are_counted_as_javascript_does(
    text: str, expected: Any, *, javascript: bool
) -> None:
    context = Context({"earth": "ab \U0001f30d", "plain": "abc"})
    code = text.replace("$(", "$((").replace(")", "))") if javascript else text
    dialect = Dialect("") if javascript else Dialect()
    assert evaluate_field(code, dialect, context) == expected


def test_numbers_that_are_no_json_are_numbers_to_javascript() -> None:
    context = Context({"x": math.nan, "y": [-math.inf, 1.5], "text": ": NaN, \u2028"})
    dialect = Dialect("")
    assert evaluate_field("$(isNaN(inputs.x))", dialect, context) is True
    assert evaluate_field("$(inputs.y[0] < inputs.y[1])", dialect, context) is True
    assert evaluate_field("$(inputs.text + '!')", dialect, context) == ": NaN, \u2028!"
    assert evaluate_field("$(inputs.x + 1)", dialect, context) is None
