"""The tokens of simple expressions.

Owns cutting a text into these, and which names may be new ones. Must not know what they mean
together.
"""

import re
from typing import Final

from localproc.cwl.expr.operations import Unsure

_MOST: Final = 200  #: tokens of an expression
_NAME: Final = r"[A-Za-z_$][A-Za-z0-9_$]*"
#: A line may not end after ``return``, nor before an arrow. Operators do not touch, as ``--`` and
#: ``/*`` mean something else than their parts.
_TOKEN: Final = re.compile(
    rf"""[ \t\n\r]*(?:
    (?P<arrow>(?:{_NAME}|\([ ]*{_NAME}[ ]*\))[ ]*=>)
    |(?P<return>return(?![A-Za-z0-9_$])[ \t]*(?![ \t\n\r]))
    |(?P<name>{_NAME})
    |(?P<number>(?:0|[1-9][0-9]{{0,14}})(?![A-Za-z0-9_$.]))
    |(?P<text>'(?:[ -&(-\[\]-~]|\\[nt'"\\])*'|"(?:[ !#-\[\]-~]|\\[nt'"\\])*")
    |(?P<operator>(?:===|!==|==|!=|<=|>=|&&|\|\||[-+*%<>!?])(?![-+*/%<>=&|^~?.]))
    |(?P<mark>[][(){{}},:;.])
    |(?P<end>\Z))""",
    re.VERBOSE,
)
_PARAMETER: Final = re.compile(_NAME)
_ESCAPE: Final = re.compile(r"\\(.)")
_ESCAPED: Final = {"n": "\n", "t": "\t"}
#: Words of the language, and what has a meaning in every expression.
_WORDS: Final = """
    arguments async await break case catch class const continue debugger default delete do else enum
    eval export extends false finally for function get if implements import in inputs instanceof
    interface let new null of package parseInt private protected public return runtime self set
    static super switch this throw true try typeof undefined var void while with yield
"""
_TAKEN: Final = frozenset(_WORDS.split())


#: A part of an expression: what kind of one, and its text.
Token = tuple[str, str]


def tokens(code: str) -> list[Token]:
    """Return the tokens of an expression, and an empty one that ends it; raises ``Unsure``."""
    found: list[Token] = []
    at = 0
    while (match := _TOKEN.match(code, at)) is not None and len(found) <= _MOST:
        kind = match.lastgroup
        assert kind is not None, "each alternative is a group"
        found.append((kind, match[kind]))
        if kind == "end":
            return found
        at = match.end()
    raise Unsure


def parameter(text: str) -> str:
    """Return the name of the parameter that a token names; raises ``Unsure`` for a word."""
    found = _PARAMETER.search(text)
    if found is None or found[0] in _TAKEN:
        raise Unsure
    return found[0]


def unquoted_text(token: str) -> str:
    """Return what a token for a text stands for."""
    return _ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[1]), token[1:-1])
