"""JavaScript: its values, its isolation, its limits, and where its errors are."""

import json
import threading
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from localproc.cwl.expr.javascript import Script, evaluate
from localproc.cwl.expr.realm import MEMORY_LIMIT, RESULT_LIMIT
from localproc.errors import ExpressionError


def value(code: str, library: str = "", inputs: Any = None, **options: Any) -> Any:
    return evaluate(Script(code, library), json.dumps(inputs), "null", "{}", **options)


def error(code: str, library: str = "", **options: Any) -> ExpressionError:
    with pytest.raises(ExpressionError) as raised:
        value(code, library, **options)
    return raised.value


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("(1 + 1)", 2),
        ("(0.1 + 0.2)", 0.30000000000000004),
        ("(7 / 2 * 2)", 7),
        ("('a' + 'b')", "ab"),
        ("(!0)", True),
        ("(null)", None),
        ("([1, 'a', null, [true]])", [1, "a", None, [True]]),
        ("({a: {b: [1.5]}})", {"a": {"b": [1.5]}}),
        ("{ return 5; }", 5),
        ("{ var a = 1; for (var i = 0; i < 3; i++) a *= 2; return a; }", 8),
        ("('h\u00e9 \U0001f30d')", "h\u00e9 \U0001f30d"),
    ],
)
def test_an_expression_gives_plain_data(code: str, expected: Any) -> None:
    found = value(code)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize("code", ["(undefined)", "{ return; }", "{}", "({}.a)", "(function(){})"])
def test_what_is_no_value_is_an_error(code: str) -> None:
    """CWL v1.2 CommandLineTool, "Expressions": other return values are permanent failures."""
    with pytest.raises(
        ExpressionError, match=r"it gave (undefined|function), which is no value .*nothing\)$"
    ):
        value(code)


@pytest.mark.parametrize("code", ["(NaN)", "(Infinity)", "(-1 / 0)", "(0 / 0)"])
def test_what_json_cannot_say_is_null(code: str) -> None:
    assert value(code) is None
    assert value(f"([1, {code}])") == [1, None]


def test_members_that_are_undefined_are_left_out() -> None:
    assert value("({a: undefined, b: function () {}, c: 1})") == {"c": 1}
    assert value("([undefined, 1])") == [None, 1]


def test_whole_numbers_are_ints() -> None:
    assert [type(one) for one in value("([1.0, 2.5, 1e3])")] == [int, float, int]
    assert type(value("(1.0)")) is int
    assert value("(-0)") == 0


def test_large_whole_numbers_are_ints_too() -> None:
    assert value("([1700000000000000000])") == [1700000000000000000]
    assert type(value("(inputs * 1)", inputs=1700000000000000000)) is int


@pytest.mark.parametrize("text", ["before\0after", "\ud800", "\U0001f30d", "\u2028\n\t\"'\\"])
def test_texts_come_back_whole(text: str) -> None:
    assert value("([inputs])", inputs=text) == [text]
    assert value("(inputs)", inputs=text) == text


@pytest.mark.slow
@given(
    st.recursive(
        st.none() | st.booleans() | st.text() | st.integers(-(2**53), 2**53),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
@settings(deadline=None)
def test_data_goes_in_and_comes_out_the_same(data: Any) -> None:
    assert value("([inputs])", inputs=data) == [data]


@pytest.mark.parametrize("depth", [10, 100, 900])
def test_deep_results_come_back(depth: int) -> None:
    found = value(
        "{ var a = 1; for (var i = 0; i < inputs; i++) a = [a]; return a; }", inputs=depth
    )
    for _ in range(depth):
        (found,) = found
    assert found == 1


@pytest.mark.parametrize("depth", [2000, 10_000, 1_000_000])
def test_results_that_are_too_deep_are_an_error(depth: int) -> None:
    error(f"{{ var a = 1; for (var i = 0; i < {depth}; i++) a = [a]; return a; }}")


@pytest.mark.parametrize(
    "code", ["{ var a = []; a.push(a); return a; }", "({a: 1n})", "(1n)"], ids=["circle", "a", "b"]
)
def test_results_that_are_no_json_are_an_error(code: str) -> None:
    assert "TypeError" in error(code).message


def test_the_expression_sees_inputs_self_and_runtime() -> None:
    script = Script("([inputs.a, self, runtime.cores])")
    assert evaluate(script, '{"a": 1}', '"me"', '{"cores": 4}') == [1, "me", 4]


def test_the_library_is_there_for_every_expression() -> None:
    library = "var unit = 'm';\nfunction length(n) { return n + unit; }"
    assert value("(length(5))", library) == "5m"
    assert value("{ return length(6) + unit; }", library) == "6mm"


def test_a_library_may_hang_itself_on_this() -> None:
    library = "(function () { var root = this; root._ = {twice: function (n) { return n * 2; }}; "
    assert value("(_.twice(4))", library + "}).call(this);") == 8
    assert value("(typeof _)") == "undefined"


# Isolation


@pytest.mark.parametrize(
    ("leave", "look"),
    [
        ("{ globalThis.left = 1; return left; }", "(typeof left)"),
        ("{ new Function('left = 1; globalThis.left = 1;')(); return 1; }", "(typeof left)"),
        ("((0, eval)('var left = 1; left'))", "(typeof left)"),
        ("((0, eval)('let left = 1; left'))", "(typeof left)"),
        ("{ Array.prototype.left = 1; return [].left; }", "(typeof [].left)"),
        ("{ Object.prototype.left = 1; return {}.left; }", "(typeof {}.left)"),
        ("{ (function () {}).constructor.left = 1; return 1; }", "(typeof Function.left)"),
        ("{ Object.getPrototypeOf(inputs).left = 1; return 1; }", "(typeof inputs.left)"),
    ],
)
def test_an_expression_leaves_nothing_for_the_next(leave: str, look: str) -> None:
    assert value(look, inputs={}) == "undefined"
    assert value(leave, inputs={}) == 1
    assert value(look, inputs={}) == "undefined"


@pytest.mark.parametrize(
    ("change", "look"),
    [
        ("{ Math.max = function () { return 'mine'; }; return Math.max(1); }", "(Math.max(1))"),
        ("{ JSON.stringify = null; return 'mine'; }", "(JSON.stringify(1))"),
        (
            "{ Array.prototype.join = function () { return 'mine'; }; return [1].join(); }",
            "([1].join())",
        ),
        ("{ Math = 'mine'; return Math; }", "('' + Math.max(1))"),
        ("{ delete Array.prototype.join; return [].join ? 1 : 'mine'; }", "([1].join())"),
        (
            "{ Object.defineProperty(Math, 'max', {value: 'mine'}); return Math.max; }",
            "(Math.max(1))",
        ),
    ],
)
def test_builtins_may_be_changed_for_oneself_alone(change: str, look: str) -> None:
    before = value(look)
    assert value(change) == "mine"
    assert value(look) == before != "mine"


def test_the_values_of_one_expression_are_not_those_of_the_next() -> None:
    script = Script("{ inputs.a.push(1); return inputs.a.length; }")
    assert [evaluate(script, '{"a": []}', "null", "{}") for _ in range(3)] == [1, 1, 1]


def test_the_library_begins_anew_for_every_expression() -> None:
    library = "var count = 0; function next() { return ++count; }"
    assert [value("(next())", library) for _ in range(3)] == [1, 1, 1]


@pytest.mark.parametrize("name", ["require", "process", "Intl", "std", "os", "fetch", "print"])
def test_there_is_no_way_out(name: str) -> None:
    assert value(f"(typeof {name})") == "undefined"


def test_every_thread_has_its_own_realm() -> None:
    found: list[Any] = []

    def work() -> None:
        found.extend(value("(inputs * 2)", inputs=n) for n in range(50))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(found) == sorted([n * 2 for n in range(50)] * 4)


# Limits


@pytest.mark.slow
@pytest.mark.parametrize(
    "code",
    [
        "{ while (true) {} }",
        "{ try { while (true) {} } catch (caught) { return 1; } }",
        "(/(a+)+$/.test('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!'))",
    ],
)
def test_an_expression_that_does_not_end_is_stopped(code: str) -> None:
    stopped = error(code, time_limit=0.2)
    assert stopped.message.endswith("failed: took longer than 0.2 s")
    assert stopped.hint == "look for a loop that does not end"
    assert value("(1 + 1)") == 2


@pytest.mark.slow
def test_an_expression_that_wants_too_much_memory_is_stopped() -> None:
    code = "{ var all = []; while (true) all.push(new Array(100000).fill(1)); }"
    assert f"used more than {MEMORY_LIMIT >> 20} MiB" in error(code).message
    assert value("(1 + 1)") == 2


def test_what_throws_nothing_may_have_had_no_memory_for_an_error() -> None:
    assert error("{ throw null; }").message.endswith(
        f"failed: threw null, or used more than {MEMORY_LIMIT >> 20} MiB"
    )


def test_a_value_that_would_hold_up_all_jobs_is_refused() -> None:
    """Whoever records it, or reads it, does nothing else meanwhile."""
    most = RESULT_LIMIT - len('[""]')
    assert len(value(f"('x'.repeat({most}))")) == most
    refused = error(f"('x'.repeat({most + 1}))")
    assert refused.message.endswith(f"failed: gave a value of more than {RESULT_LIMIT >> 20} MiB")
    assert refused.hint == "have a tool write it into a file, and hand that on"
    assert value("(1 + 1)") == 2


def test_recursion_without_end_is_an_error() -> None:
    assert "call stack" in error("{ function f() { return f() + 1; } return f(); }").message
    assert value("(1 + 1)") == 2


# Errors


def test_an_error_shows_the_expression() -> None:
    failed = error("{\n  var a = 1;\n  return b;\n}")
    assert failed.message == (
        "the expression ${ var a = 1; return b; } failed: ReferenceError: b is not defined, "
        "at line 3 of the expression"
    )
    assert failed.expression == "${\n  var a = 1;\n  return b;\n}"


def test_a_long_expression_is_shown_cut_off() -> None:
    failed = error("(nothing + '" + "x" * 500 + "')")
    assert len(failed.message) < 250
    assert "xxx… failed" in failed.message


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("(nothing)", 1),
        ("(\n\n  nothing)", 3),
        ("{ return nothing; }", 1),
        ("{\n  var a = {};\n  return a.b.c;\n}", 3),
        ("{\n\n  throw new Error('no');\n}", 3),
    ],
)
def test_errors_count_lines_within_the_expression(code: str, line: int) -> None:
    for library in ("", "var a = 1;", "var a = 1;\nvar b = 2;\n"):
        assert error(code, library).message.endswith(f", at line {line} of the expression")


def test_errors_in_the_library_count_its_lines() -> None:
    library = "function fine() {\n  return 1;\n}\nfunction broken(a) {\n  return a.b.c;\n}"
    assert error("(broken({}))", library).message.endswith(", at line 5 of the expressionLib")


@pytest.mark.parametrize(
    ("code", "line"),
    [("(1 +\n 2 2)", 2), ("{\n  return 1;\n  var = 2;\n}", 3), ("{ retrun 1; }", 1)],
)
def test_syntax_errors_have_their_line(code: str, line: int) -> None:
    message = error(code).message
    assert "SyntaxError" in message
    assert message.endswith(f", at line {line} of the expression")


def test_syntax_errors_in_the_library_have_their_line() -> None:
    message = error("(1)", "var a = 1;\nvar b = ;\nvar c = 3;").message
    assert "SyntaxError" in message
    assert message.endswith(", at line 2 of the expressionLib")


def test_a_syntax_error_leaves_the_realm_as_it_was() -> None:
    error("(1 +)")
    assert value("(1 + 1)") == 2


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("{ throw new Error('no such band'); }", "Error: no such band"),
        ("{ throw 'no such band'; }", "no such band"),
        ("{ throw new TypeError('no'); }", "TypeError: no"),
    ],
)
def test_what_an_expression_throws_is_told(code: str, said: str) -> None:
    assert said in error(code).message


def test_expressions_are_strict() -> None:
    assert "undeclared is not defined" in error("{ undeclared = 1; return undeclared; }").message


# What there is beside the language


@pytest.mark.parametrize("name", ["log", "error", "warn", "info", "debug", "table", "assert"])
def test_the_console_says_nothing(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert value(f"{{ console.{name}('text', {{}}); return 1; }}") == 1
    assert capfd.readouterr() == ("", "")


def test_a_polyfill_of_the_console_is_no_harm() -> None:
    assert value("{ if (typeof console === 'undefined') console = {}; return 1; }") == 1
    assert value("{ console.log = function () { return 5; }; return console.log(); }") == 5
    assert value("(typeof console.log())") == "undefined"


def test_texts_are_ordered_as_people_order_them() -> None:
    words = ["b", "B", "a", "\u00e9", "e", "f", "_", "1", "A", "a-b", "ab", "", "B10", "B2"]
    ordered = ["", "_", "1", "a", "A", "a-b", "ab", "b", "B", "B10", "B2", "e", "\u00e9", "f"]
    assert value("(inputs.sort((a, b) => a.localeCompare(b)))", inputs=words) == ordered


def test_numbers_in_texts_are_ordered_as_numbers_if_that_is_asked_for() -> None:
    code = "(inputs.sort((a, b) => a.localeCompare(b, 'en', {numeric: true})))"
    assert value(code, inputs=["B10", "B02", "B1"]) == ["B1", "B02", "B10"]
    assert value("('\u00e9'.localeCompare('E', 'fr', {sensitivity: 'base'}))") == 0


@given(st.lists(st.text(max_size=5), max_size=6))
def test_the_order_of_texts_is_one(words: list[str]) -> None:
    code = "(inputs.map(a => inputs.map(b => a.localeCompare(b))))"
    found = value(code, inputs=words)
    assert all(found[i][j] == -found[j][i] for i in range(len(words)) for j in range(len(words)))


def test_there_are_no_locales() -> None:
    assert value("(typeof Intl)") == "undefined"
    assert "without Intl" in error("(new Intl.NumberFormat('de').format(1.5))").hint
