"""Expressions that are so simple that they need no JavaScript engine.

Owns which those are, by their syntax. Must not know what their operations give.

Most expressions put a name together, choose between two values or call a method of a text. They are
worked out here, in microseconds, by whoever needs them: an engine has JavaScript run by processes
that can be killed, and going there and back costs many times that. There are no loops, and no
variables but those of a function that is given to ``map`` or ``filter``; an expression is short,
and what it goes through is counted. So none can take long, whatever it is and whatever its inputs
are.

What is not known to mean here exactly what it means to QuickJS is not simple: QuickJS evaluates it,
and has the last word on every error.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

from localproc.cwl.expr import lexer, operations
from localproc.cwl.expr.operations import FUNCTIONAL, METHODS, SORTED, StepCount, Unsure
from localproc.frozen import frozen

_DEEPEST: Final = 20  #: brackets, and what is like them, within each other
_WORDS: Final[Mapping[str, Any]] = {"null": None, "true": True, "false": False}
_GIVEN: Final = ("inputs", "self", "runtime")
_Operation = Callable[[Any, Any, StepCount], Any]
_OPERATIONS: Final[tuple[Mapping[str, _Operation], ...]] = (  # the loosest first
    {
        "===": operations.is_same,
        "!==": lambda one, other, steps: not operations.is_same(one, other, steps),
        "==": operations.is_equal,
        "!=": lambda one, other, steps: not operations.is_equal(one, other, steps),
    },
    {
        "<": operations.is_less,
        ">": lambda one, other, steps: operations.is_less(other, one, steps),
        "<=": lambda one, other, steps: not operations.is_less(other, one, steps),
        ">=": lambda one, other, steps: not operations.is_less(one, other, steps),
    },
    {"+": operations.plus, "-": operations.minus},
    {"*": operations.times, "%": operations.remainder},
)


class _Seen:
    """What an expression sees while it is worked out."""

    __slots__ = ("names", "steps")

    def __init__(self, names: dict[str, Any]) -> None:
        self.names = names
        self.steps = StepCount()


_Node = Callable[[_Seen], Any]
_Joined = Callable[[_Node, _Node], _Node]


@frozen
class Simple:
    """A simple expression."""

    _node: _Node

    def value(self, inputs: Any, self_: Any, runtime: Any) -> Any:
        """Return its value; raises ``Unsure``."""
        seen = _Seen({"inputs": inputs, "self": self_, "runtime": runtime})
        return operations.given(self._node(seen), seen.steps)


@lru_cache(maxsize=4096)
def simple(code: str) -> Simple | None:
    """Return an expression, ``(...)`` or ``{...}``, if it is simple."""
    try:
        return Simple(_Parser(code).script())
    except Unsure:
        return None


class _Parser:
    """Reads an expression; raises ``Unsure`` for one that is not simple."""

    def __init__(self, code: str) -> None:
        self._tokens = lexer.tokens(code)
        self._at = 0
        self._depth = 0
        self._parameters: list[str] = []

    def script(self) -> _Node:
        """Read all of it."""
        if self._is("("):
            node = self._expression()
            self._need(")")
        else:
            node = self._body()
        self._need("")
        return node

    def _body(self) -> _Node:
        """Read ``{ return ...; }``."""
        self._need("{")
        self._take("return")
        node = self._expression()
        self._is(";")
        self._need("}")
        return node

    def _is(self, text: str) -> bool:
        """Whether a mark or an operator comes next, which is taken then; no other is like one."""
        if self._tokens[self._at][1] != text:
            return False
        self._at += 1
        return True

    def _need(self, text: str) -> None:
        if not self._is(text):
            raise Unsure

    def _take(self, *kinds: str) -> str:
        kind, found = self._tokens[self._at]
        if kind not in kinds:
            raise Unsure
        self._at += 1
        return found

    def _expression(self) -> _Node:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise Unsure
        node = self._choice()
        self._depth -= 1
        return node

    def _choice(self) -> _Node:
        condition = self._operation(0)
        if not self._is("?"):
            return condition
        one = self._expression()
        self._need(":")
        other = self._expression()
        return lambda seen: (one if operations.is_true(condition(seen)) else other)(seen)

    def _operation(self, loosest: int) -> _Node:
        """Read a value, and operators behind it that bind at least as much."""
        node = self._sign()
        while (found := self._operator(loosest)) is not None:
            rank, made = found
            node = made(node, self._operation(rank + 1))
        return node

    def _operator(self, loosest: int) -> tuple[int, _Joined] | None:
        kind, text = self._tokens[self._at]
        found = _OPERATORS.get(text) if kind == "operator" else None
        if found is None or found[0] < loosest:
            return None
        self._at += 1
        return found

    def _sign(self) -> _Node:
        if self._is("!"):
            denied = self._sign()
            return lambda seen: not operations.is_true(denied(seen))
        if self._is("-"):
            positive = self._sign()
            return lambda seen: -operations.number_of(positive(seen))
        return self._reached()

    def _reached(self) -> _Node:
        """Read a value, and what is reached from there."""
        node, method = self._primary(), ""
        while True:
            if self._is("."):
                name = self._take("name")
                if self._is("("):
                    if name == "sort" and method not in SORTED:
                        raise Unsure
                    node, method = self._call(node, name), name
                else:
                    node, method = _member(node, name), ""
            elif self._is("["):
                node, method = _item(node, self._expression()), ""
                self._need("]")
            else:
                return node

    def _call(self, node: _Node, name: str) -> _Node:
        if name in FUNCTIONAL:
            called = self._called(FUNCTIONAL[name], node)
            self._need(")")
            return called
        arguments = self._list(")")
        if name not in METHODS or len(arguments) not in METHODS[name][1]:
            raise Unsure
        return _method(METHODS[name][0], node, arguments)

    def _called(self, method: Callable[..., Any], node: _Node) -> _Node:
        """Read a function with one parameter, to call a method with it."""
        begin = self._at
        if self._tokens[begin][0] == "arrow":
            parameter = self._new_name(self._take("arrow"))
            body = self._body if self._tokens[self._at] == ("mark", "{") else self._expression
        else:
            if self._take("name") != "function":
                raise Unsure
            self._need("(")
            parameter = self._new_name(self._take("name"))
            self._need(")")
            body = self._body
        self._parameters.append(parameter)
        inner = body()
        self._parameters.pop()
        return _functional(method, node, parameter, inner, self._at - begin)

    def _new_name(self, text: str) -> str:
        name = lexer.parameter(text)
        if name in self._parameters:
            raise Unsure
        return name

    def _primary(self) -> _Node:
        if self._is("("):
            node = self._expression()
            self._need(")")
            return node
        if self._is("["):
            return _array(self._list("]"))
        if self._is("{"):
            return self._object()
        kind, found = self._tokens[self._at]
        self._at += 1
        if kind == "number":
            return _constant(int(found))
        if kind == "text":
            return _constant(lexer.unquoted_text(found))
        if kind != "name":
            raise Unsure
        return self._named(found)

    def _named(self, name: str) -> _Node:
        if name in _WORDS:
            return _constant(_WORDS[name])
        if name in _GIVEN or name in self._parameters:
            return lambda seen: seen.names[name]
        if name != "parseInt":
            raise Unsure
        self._need("(")
        text = self._expression()
        if self._is(",") and self._take("number") != "10":
            raise Unsure
        self._need(")")
        return lambda seen: operations.parse_int(text(seen), seen.steps)

    def _list(self, end: str) -> list[_Node]:
        nodes: list[_Node] = []
        if self._is(end):
            return nodes
        while True:
            nodes.append(self._expression())
            if self._is(end):
                return nodes
            self._need(",")

    def _object(self) -> _Node:
        nodes: dict[str, _Node] = {}
        while not self._is("}"):
            if nodes:
                self._need(",")
            name = self._take("name", "text")
            name = lexer.unquoted_text(name) if name[0] in "\"'" else name
            if name == "__proto__" or name in nodes:
                raise Unsure
            self._need(":")
            nodes[name] = self._expression()
        return lambda seen: {name: node(seen) for name, node in nodes.items()}


def _constant(value: Any) -> _Node:
    return lambda _: value


def _or(one: _Node, other: _Node) -> _Node:
    def value(seen: _Seen) -> Any:
        first = one(seen)
        return first if operations.is_true(first) else other(seen)

    return value


def _and(one: _Node, other: _Node) -> _Node:
    def value(seen: _Seen) -> Any:
        first = one(seen)
        return other(seen) if operations.is_true(first) else first

    return value


def _operated(operation: _Operation) -> _Joined:
    return lambda one, other: lambda seen: operation(one(seen), other(seen), seen.steps)


#: How much each operator binds, and what makes an expression of it and of its two sides.
_OPERATORS: Final[Mapping[str, tuple[int, _Joined]]] = {
    "||": (0, _or),
    "&&": (1, _and),
    **{
        text: (rank, _operated(operation))
        for rank, level in enumerate(_OPERATIONS, 2)
        for text, operation in level.items()
    },
}


def _member(of: _Node, name: str) -> _Node:
    return lambda seen: operations.member(of(seen), name)


def _item(of: _Node, key: _Node) -> _Node:
    return lambda seen: operations.item(of(seen), key(seen))


def _array(nodes: list[_Node]) -> _Node:
    return lambda seen: [node(seen) for node in nodes]


def _method(method: Callable[..., Any], of: _Node, arguments: list[_Node]) -> _Node:
    if not arguments:
        return lambda seen: method(of(seen), seen.steps)
    return lambda seen: method(of(seen), seen.steps, *[one(seen) for one in arguments])


def _functional(
    method: Callable[..., Any], of: _Node, parameter: str, body: _Node, cost: int
) -> _Node:
    """Return a call of a method with a function, each call of which takes some steps."""

    def value(seen: _Seen) -> Any:
        def function(argument: Any) -> Any:
            seen.steps.take(cost)
            seen.names[parameter] = argument
            return body(seen)

        return method(of(seen), seen.steps, function)

    return value
