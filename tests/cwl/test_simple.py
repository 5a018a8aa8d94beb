"""Expressions that are worked out without QuickJS: what it would give, or nothing."""

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from localproc.cwl.expr.expressions import Context, Dialect, evaluate_field
from localproc.cwl.expr.javascript import Script, evaluate, evaluating_with
from localproc.cwl.expr.operations import STEPS, Unsure
from localproc.cwl.expr.realm import run_script
from localproc.cwl.expr.simple import simple
from localproc.cwl.run.settle import FoundFile
from localproc.errors import ExpressionError

FILE = {"class": "File", "basename": "a b.fastq", "nameroot": "a b", "contents": " 12\n", "size": 5}
INPUTS = {
    "n": 3,
    "zero": 0,
    "name": "Scene",
    "empty": "",
    "none": None,
    "yes": True,
    "words": ["b", "a", "C"],
    "numbers": [10, 9, 1],
    "nested": [["b,a"], []],
    "file": FILE,
    "files": [FILE, FILE],
}
RUNTIME = {"outdir": "/out", "cores": 2}


def here(code: str, inputs: Any = INPUTS, self_: Any = None) -> Any:
    """Work it out without QuickJS; raises ``Unsure``."""
    found = simple(code)
    if found is None:
        raise Unsure
    return found.value(inputs, self_, RUNTIME)


def there(code: str, inputs: Any = INPUTS, self_: Any = None) -> Any:
    """Have QuickJS evaluate it."""
    return evaluate(Script(code), *Context(inputs, RUNTIME).texts(self_))


def is_known(code: str, inputs: Any = INPUTS, self_: Any = None) -> bool:
    """Whether it is worked out here; then it has to be what QuickJS gives, in the same order."""
    try:
        found = here(code, inputs, self_)
    except Unsure:
        return False
    wanted = there(code, inputs, self_)
    assert json.dumps(found) == json.dumps(wanted), code
    return True


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("{ return inputs.words.map(w => w.toUpperCase()).sort().join(' ') + '!'; }", "A B C!"),
        ("(self[0].contents.trim())", "12"),
        ("(parseInt(self[0].contents))", 12),
        ("(parseInt(inputs.file.contents, 10) + 1)", 13),
        ("(inputs.file.nameroot + '_' + inputs.n + \".bam\")", "a b_3.bam"),
        ("(inputs.file.basename.replace('.fastq', '.bam'))", "a b.bam"),
        ("(inputs.none === null ? 'none' : inputs.none.path)", "none"),
        ("(inputs.none != null && inputs.n > 2)", False),
        ("(inputs.none || inputs.name)", "Scene"),
        ("(!inputs.empty)", True),
        ("(inputs['words'][inputs.words.length - 1])", "C"),
        ("(runtime.cores * 1024 + runtime.outdir.length)", 2052),
        ("(runtime['outdir'] + '/x')", "/out/x"),
        ("(inputs.files.map(function (file) { return file.size; }))", [5, 5]),
        ("(inputs.words.filter((w) => { return w !== 'a' }))", ["b", "C"]),
        ("(inputs.nested.map(a => a.map(w => w.split(',').sort())))", [[["a", "b"]], []]),
        ("({class: 'File', 'contents': inputs.name, list: [1, [], {}]})",
         {"class": "File", "contents": "Scene", "list": [1, [], {}]}),
        ("{ return {\n  n: -inputs.n,\n  rest: inputs.n % 2\n}; }", {"n": -3, "rest": 1}),
        ("('a\\tb\\'\\\\'.split('\\t'))", ["a", "b'\\"]),
        ("(inputs.numbers.slice(-2).join())", "9,1"),
        ("(inputs.name.slice(1, -1).endsWith('n') === inputs.yes)", True),
        ("(inputs.n.toString() + inputs.name.toLowerCase())", "3scene"),
        ("(1 - 2 - 3 + 2 * 3 % 4)", -2),
        ("(true || inputs.nothing)", True),
        ("(inputs.words.length >= 3 && 'a' < 'b' && !(1 <= 0))", True),
    ],
)  # fmt: skip
def test_what_is_simple_is_worked_out_here(code: str, value: Any) -> None:
    assert here(code, self_=[FILE]) == value
    assert is_known(code, self_=[FILE])


@pytest.mark.parametrize(
    "code",
    [
        "{ while (true) {} }",
        "(inputs.name.repeat(1e9))",
        "(/(a+)+$/.test(inputs.name))",
        "(2n ** 1000000n)",
        "(inputs.n / 2)",
        "(inputs.n ** 2)",
        "(inputs.n--)",
        "(inputs.n<!--1\n)",
        "(1 // 2\n)",
        "(010)",
        "(0.5)",
        "(.5)",
        "(1e3)",
        "{ return\n 1; }",
        "{ return\t\n1; }",
        "{ return 1\n 2; }",
        "{ return$ }",
        "{}",
        "()",
        "(inputs.n, 1)",
        "(inputs.n = 1)",
        "(inputs.nothing)",
        "(inputs.name.nothing)",
        "(inputs.words.map)",
        "(inputs.words.constructor)",
        "(inputs.__proto__)",
        "({__proto__: null})",
        "({a: 1, a: 2})",
        "({1: 2})",
        "({inputs})",
        "([1,,2])",
        "(inputs.words.sort())",
        "([inputs.words][0].sort())",
        "((inputs.words || inputs.words.slice()).sort())",
        "(inputs.numbers.slice().sort())",
        "(inputs.words.map(w => w, 1))",
        "(inputs.words.map((w, i) => i))",
        "(inputs.words.map(w\n=> w))",
        "(inputs.words.map(eval => 1))",
        "(inputs.words.map(inputs => inputs))",
        "(inputs.words.map(yield => 1))",
        "(inputs.words.map(async w => w))",
        "(inputs.words.map(w => inputs.words.map(w => w)))",
        "(inputs.words.map(parseInt))",
        "(inputs.words.map(w => ({w})))",
        "(w => w)",
        "(this)",
        "(arguments)",
        "(undefined)",
        "(`a`)",
        "(inputs?.n)",
        "(inputs.n ?? 1)",
        "(typeof inputs)",
        "(inputs.n == '3')",
        "(inputs.words == inputs.words)",
        "(inputs.words + '')",
        "(null + 1)",
        "(true + 1)",
        "(1 < '2')",
        "(-5 % 2)",
        "(5 % 0)",
        "('a'.replace('a', '$&'))",
        "('ab'.split(''))",
        "('12x' * 1)",
        "(parseInt('0x10'))",
        "(parseInt('12', 2))",
        "(parseInt(''))",
        "(parseInt('1234567890123456'))",
        "(9007199254740991 + 1)",
        "('\\u0041')",
        "('a\\\nb')",
        "(inputs.n\u00a0+ 1)",
        "(a\u0301)",
        "(" * 30 + "1" + ")" * 30,
        "(" + "1 + " * 200 + "1)",
    ],
)
def test_what_may_mean_something_else_is_left_to_quickjs(code: str) -> None:
    with pytest.raises(Unsure):
        here(code)


@pytest.mark.parametrize(
    "value",
    [1.0, 0.5, 2**53, -(2**60), "\ud83c\udf0d", {"1": 0, "a": 0}, {1: 0}, {"\ud800": 0}, (1, 2),
     b"a"],
    ids=repr,
)  # fmt: skip
def test_values_that_javascript_has_in_another_form_are_left_to_it(value: Any) -> None:
    with pytest.raises(Unsure):
        here("([inputs])", value)


@pytest.mark.parametrize(
    "code",
    ["(inputs.toUpperCase())", "(inputs < 'b')", "(inputs + '')", "(inputs.length)", "(inputs[0])",
     "(inputs === 'a')", "([inputs].slice().sort())", "(inputs.slice(1))", "(inputs.trim())"],
)  # fmt: skip
def test_other_characters_than_those_of_ascii_are_passed_on_and_no_more(code: str) -> None:
    assert here("([inputs])", "é \U0001f30d") == ["é \U0001f30d"]
    with pytest.raises(Unsure):
        here(code, "é \U0001f30d")


@pytest.mark.parametrize(
    ("code", "inputs"),
    [
        ("(inputs.map(a => a))", [0] * STEPS),
        ("(inputs.map(a => inputs.map(b => b)))", [0] * 100),
        ("(inputs.map(a => inputs.map(b => inputs.map(c => 1))))", [0] * 20),
        ("(inputs.slice())", [0] * STEPS),
        ("([inputs, inputs])", [0] * STEPS),
        ("(inputs.join())", ["a"] * STEPS),
        ("(inputs.join(inputs.join()))", ["a" * 10_000] * 50),
        ("(inputs.map(a => inputs.join()))", ["a" * 500] * 100),
        ("(inputs.split(','))", "," * STEPS),
        ("(inputs + inputs)", "a" * 100_000),
        ("(inputs.trim())", "a" * 1_000_000),
        ("(inputs.toUpperCase())", "a" * 1_000_000),
        ("(inputs === inputs)", "a" * 1_000_000),
        ("(inputs.replace('b', 'c'))", "a" * 1_000_000),
        ("(parseInt(inputs))", " " * 1_000_000),
        ("(true ? inputs : 1)", "a" * 1_000_000),
        ("(true ? inputs : 1)", "\u00e9" * 1_000_000),
        ("({a: inputs})", {"a" * 1_000_000: 1}),
    ],
)
def test_what_takes_many_steps_is_left_to_quickjs(code: str, inputs: Any) -> None:
    found = simple(code)
    assert found is not None
    with pytest.raises(Unsure):
        found.value(inputs, None, RUNTIME)


def test_what_is_large_and_only_looked_at_is_no_matter() -> None:
    large = {"list": [0] * 10**6, "text": "a" * 10**6}
    assert here("([inputs.list.length, inputs.text.length, inputs.text[5]])", large) == [
        10**6,
        10**6,
        "a",
    ]


def test_the_value_is_nobody_elses() -> None:
    found = here("({words: inputs.words})")
    assert found == {"words": INPUTS["words"]}
    assert found["words"] is not INPUTS["words"]


def test_what_is_found_in_a_folder_is_a_file_like_any() -> None:
    found = here(
        "(self[0].size === 5 && self[0] !== null && self ? self[0] : 1)", self_=[FoundFile(FILE)]
    )
    assert found == FILE
    assert type(found) is dict, "it may have been changed"


def test_an_array_that_is_sorted_is_nobody_elses() -> None:
    code = "([inputs.words.slice().sort(), inputs.words])"
    assert here(code) == [["C", "a", "b"], ["b", "a", "C"]]
    assert is_known(code)


def test_simple_expressions_are_not_asked_for() -> None:
    asked = []

    def evaluator(source: str, arguments: tuple[str, str, str], time_limit: float) -> str:
        asked.append(source)
        return run_script(source, arguments, time_limit)

    def value(code: str, library: str = "") -> Any:
        return evaluate_field(code, Dialect(library), Context(INPUTS, RUNTIME), 5)

    with evaluating_with(evaluator):
        assert value("$(inputs.n + self)") == 8
        assert value("a $(inputs.n + self) b ${ return runtime.cores + 1; }") == "a 8 b 3"
        assert asked == []
        assert value("$(inputs.n + self)", "var inputs = {n: 1};") == 6
        assert value("$(inputs.n / 2)") == 1.5
        with pytest.raises(ExpressionError, match="it gave undefined"):
            value("$((inputs.nothing))")
        assert len(asked) == 3


# Whatever is given, QuickJS would give

NAMES = st.sampled_from(["a", "b", "w", "length", "class"])
WORDS = st.text("ab ,\t\n\x1c1é\U0001f30d'\\$", max_size=4)
DATA = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 12) | st.floats(0, 2) | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
OPERATORS = st.sampled_from(
    ["===", "!==", "==", "!=", "<", ">", "<=", ">=", "+", "+", "-", "*", "%", "&&", "||"]
)
METHODS = st.sampled_from(
    ["toUpperCase", "toLowerCase", "trim", "toString", "split", "replace", "startsWith", "endsWith",
     "slice", "join", "sort", "concat"]
)  # fmt: skip
LEAVES = (
    st.sampled_from(["inputs", "self", "inputs.a", "inputs.b", "self.a", "w", "inputs.length"])
    | st.sampled_from(["null", "true", "false", "[]", "({})", "''", "runtime.cores", "'a,b'"])
    | st.integers(0, 12).map(str)
    | WORDS.map(lambda word: json.dumps(word, ensure_ascii=False))
)


def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Return expressions that are made of others."""
    arguments = st.lists(inner, max_size=2).map(", ".join)
    map_ = st.sampled_from(["map", "filter"])
    function = st.sampled_from(["w => ", "(w) => ", "function (w) { return "])
    return st.one_of(
        st.builds("{} {} {}".format, inner, OPERATORS, inner),
        st.builds("({} {} {})".format, inner, OPERATORS, inner),
        st.builds("({})".format, inner),
        st.builds("!{}".format, inner),
        st.builds("- {}".format, inner),
        st.builds("{} ? {} : {}".format, inner, inner, inner),
        st.builds("{}.{}".format, inner, NAMES),
        st.builds("{}[{}]".format, inner, inner),
        st.builds("{}.{}({})".format, inner, METHODS, arguments),
        st.builds("{}.{}({}{})".format, inner, map_, function, inner).map(closed),
        st.builds("[{}]".format, arguments),
        st.builds("({{{}: {}, {}: {}}})".format, NAMES, inner, st.just("z"), inner),
        st.builds("parseInt({})".format, inner),
    )


def closed(code: str) -> str:
    """Close a function that has a body."""
    return f"{code[:-1]} }})" if "(function" in code and code.count("{") > code.count("}") else code


SCRIPTS = st.recursive(LEAVES, larger, max_leaves=7)


def agrees(code: str, inputs: Any, self_: Any) -> None:
    """See that what is worked out here is what QuickJS gives."""
    try:
        found = here(code, inputs, self_)
    except Unsure:
        return
    assert json.dumps(found) == json.dumps(there(code, inputs, self_))


@pytest.mark.slow
@given(SCRIPTS, DATA, DATA, st.booleans())
@settings(deadline=None)
def test_what_is_worked_out_is_what_quickjs_gives(
    code: str, inputs: Any, self_: Any, in_body: bool
) -> None:
    agrees(f"{{ return {code}; }}" if in_body else f"({code})", inputs, self_)


PIECES = st.sampled_from(re.findall(
    r"\S+", "inputs self runtime . .a .b .length [ ] ( ) { } , : ; ? + - * % < > ! = === == != => "
    "w w=> function return 'a' \"b\" 'a,b' 0 1 12 null true .map( .filter( .sort() .split(',') "
    ".join() .slice( .trim() parseInt( && || / // /* */ <!-- -- ++ \\u0061 ` $ # @ ~ ^ & | new",
)) | st.sampled_from([" ", "\n", "\t", "\r", "\u2028", "\u00a0", "\ufeff"])  # fmt: skip


@pytest.mark.slow
@given(SCRIPTS, st.data(), DATA)
@settings(deadline=None)
def test_so_it_is_whatever_is_written(code: str, data: st.DataObject, inputs: Any) -> None:
    """Pieces of it are put among others, which most of the time makes no sense."""
    code = f"{{ return {code}; }}"
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, len(code)))
        code = code[:at] + data.draw(PIECES) + code[at + data.draw(st.integers(0, 2)) :]
    if code.startswith("{") and code.endswith("}"):
        agrees(code, inputs, inputs)


@pytest.mark.slow
@given(st.lists(PIECES, max_size=8).map("".join), DATA)
@settings(deadline=None)
def test_or_put_together_by_chance(code: str, inputs: Any) -> None:
    agrees(f"(inputs{code})", inputs, inputs)
