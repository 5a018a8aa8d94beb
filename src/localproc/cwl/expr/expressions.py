"""Parameter references and expressions, found in a text once and evaluated many times.

Owns the escapes of each CWL version, and parameter references, which never reach the
JavaScript engine. Must not know which field an expression stands in.

Sources: CWL v1.2 CommandLineTool, section 3.5 "Parameter references" and 3.6 "Expressions".
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, NamedTuple, NoReturn

from localproc.cwl.base.numbers import json_text
from localproc.cwl.expr.javascript import Script, evaluate
from localproc.cwl.expr.operations import Unsure
from localproc.cwl.expr.scanner import end_of_expression
from localproc.cwl.expr.simple import Simple, simple
from localproc.errors import ExpressionError
from localproc.frozen import frozen

_SYMBOL: Final = r"\w+"
_SEGMENT: Final = r"""\.\w+|\['(?:[^'\\]|\\.)*'\]|\["(?:[^"\\]|\\.)*"\]|\[[0-9]+\]"""
_REFERENCE: Final = re.compile(rf"\(({_SYMBOL})((?:{_SEGMENT})*)\)\Z")
_SEGMENTS: Final = re.compile(_SEGMENT)
_OPENING: Final = re.compile(r"\$[({]|\\")
_MOST_DIGITS: Final = 18
_BEYOND: Final = 10**_MOST_DIGITS  #: no array is as long
_SYMBOLS: Final = frozenset({"inputs", "self", "runtime", "null"})


def has_expression(text: object) -> bool:
    """Whether the value is a text in which something has to be evaluated."""
    return isinstance(text, str) and ("$(" in text or "${" in text)


@dataclass(slots=True)
class Context:
    """What an expression can see; JSON texts of it are made once and only when JavaScript asks."""

    inputs: Mapping[str, Any]
    runtime: Mapping[str, Any] = field(default_factory=dict)
    _inputs_json: str | None = None
    _runtime_json: str | None = None

    def texts(self, self_: Any) -> tuple[str, str, str]:
        """Return inputs, self and runtime as JSON."""
        if self._inputs_json is None:
            self._inputs_json = json.dumps(self.inputs)
        if self._runtime_json is None:
            self._runtime_json = json.dumps(self.runtime)
        return self._inputs_json, json.dumps(self_), self._runtime_json


class Dialect(NamedTuple):
    """What expressions may be in one process.

    ``library`` is the expressionLib, ``None`` where JavaScript is not asked for.
    ``old_escapes``: CWL v1.0 and v1.1 drop any backslash before an expression's start.
    """

    library: str | None = None
    old_escapes: bool = False


@frozen
class _Reference:
    """``$(inputs.a.b[0])``."""

    text: str
    symbol: str
    path: tuple[str | int, ...]

    def value(self, context: Context, self_: Any) -> Any:
        if self.symbol == "null" and not self.path:
            return None
        current = self_ if self.symbol == "self" else getattr(context, self.symbol, None)
        for position, key in enumerate(self.path):
            current, found = _step(current, key, last=position == len(self.path) - 1)
            if not found:
                self._missing(current, position)
        return current

    def _missing(self, at: Any, position: int) -> NoReturn:
        key = self.path[position]
        have = sorted(at)[:12] if isinstance(at, dict) else type(at).__name__
        raise ExpressionError(
            f"$({self.text[1:-1]}): there is no {key!r} here (there is: {_listing(have)})",
            expression="$" + self.text,
        )


@frozen
class _Script:
    script: Script

    @property
    def simple(self) -> Simple | None:
        """What works it out without QuickJS."""
        return None if self.script.library else simple(self.script.code)

    def value(self, context: Context, self_: Any) -> Any:
        if (here := self.simple) is not None:
            with suppress(Unsure):
                return here.value(context.inputs, self_, context.runtime)
        return evaluate(self.script, *context.texts(self_))


@frozen
class Template:
    """A text with its expressions; ``whole`` if it is one expression and nothing else."""

    parts: tuple["str | _Reference | _Script", ...]
    whole: bool

    def value(self, context: Context, self_: Any = None) -> Any:
        """Evaluate: a whole expression gives any value, anything else a string.

        Raises ``ExpressionError``.
        """
        if self.whole:
            part = self.parts[0]
            assert not isinstance(part, str)
            return part.value(context, self_)
        return "".join(
            part if isinstance(part, str) else _text(part.value(context, self_))
            for part in self.parts
        )


@lru_cache(maxsize=4096)
def parse(text: str, dialect: Dialect, *, strip: bool = True) -> Template | str:
    """Find the expressions in a text; one without any comes back as it is.

    ``strip``: white space around the text does not count (it does in a file's contents). Raises
    ``ExpressionError`` for one that does not end, or that needs JavaScript where it is not asked
    for.
    """
    if not has_expression(text):
        return text
    if strip:
        text = text.strip()
    parts: list[str | _Reference | _Script] = []
    literal: list[str] = []
    position = 0
    while found := _OPENING.search(text, position):
        start = found.start()
        literal.append(text[position:start])
        if text[start] == "\\":
            unescaped, position = _unescape(text, start, old=dialect.old_escapes)
            literal.append(unescaped)
            continue
        end = end_of_expression(text, start + 1)
        if any(literal):
            parts.append("".join(literal))
        literal = []
        parts.append(_expression(text[start + 1 : end], dialect))
        position = end
    literal.append(text[position:])
    if any(literal):
        parts.append("".join(literal))
    return Template(tuple(parts), whole=len(parts) == 1 and not isinstance(parts[0], str))


def needs_javascript(text: str, dialect: Dialect) -> bool:
    """Whether more than parameter references has to be evaluated; raises as ``parse`` does."""
    template = parse(text, dialect)
    return isinstance(template, Template) and any(
        isinstance(part, _Script) for part in template.parts
    )


def scripts_are_simple(text: str, dialect: Dialect) -> bool:
    """Whether a text is worked out without QuickJS, but for unusual values; raises as ``parse``."""
    template = parse(text, dialect)
    return isinstance(template, str) or not any(
        isinstance(part, _Script) and part.simple is None for part in template.parts
    )


def evaluate_field(
    text: Any, dialect: Dialect, context: Context, self_: Any = None, *, strip: bool = True
) -> Any:
    """Return the value of a field that may hold an expression; other values as they are."""
    if not isinstance(text, str) or not has_expression(text):
        return text
    template = parse(text, dialect, strip=strip)
    return template if isinstance(template, str) else template.value(context, self_)


def references(template: Template | str) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    """Yield what the parameter references of a text name: the symbol, and the path from there."""
    if isinstance(template, Template):
        for part in template.parts:
            if isinstance(part, _Reference):
                yield part.symbol, part.path


def _unescape(text: str, start: int, *, old: bool) -> tuple[str, int]:
    following = text[start + 1 : start + 3]
    if old:
        return text[start + 1 : start + 2], start + 2
    if following in ("$(", "${"):
        return following, start + 3
    if following.startswith("\\"):
        return "\\", start + 2
    return text[start : start + 2], start + 2


def _expression(code: str, dialect: Dialect) -> "_Reference | _Script":
    found = _REFERENCE.match(code)
    if found is not None and (found[1] in _SYMBOLS or dialect.library is None):
        if found[1] not in _SYMBOLS:
            raise ExpressionError(
                f"${code}: {found[1]!r} is not defined",
                expression="$" + code,
                hint="a reference begins with inputs, self or runtime",
            )
        path = tuple(_key(segment) for segment in _SEGMENTS.findall(found[2]))
        return _Reference(code, found[1], path)
    if dialect.library is None:
        raise ExpressionError(
            f"${code[:80]} is not a parameter reference",
            expression="$" + code,
            hint="add InlineJavascriptRequirement to the requirements to use JavaScript",
        )
    return _Script(Script(code, dialect.library))


def _key(segment: str) -> str | int:
    if segment.startswith("."):
        return segment[1:]
    inner = segment[1:-1]
    if inner[0] in "\"'":
        return re.sub(r"\\(.)", r"\1", inner[1:-1])
    digits = inner.lstrip("0") or "0"
    return int(digits) if len(digits) <= _MOST_DIGITS else _BEYOND


def _step(current: Any, key: str | int, *, last: bool) -> tuple[Any, bool]:
    """Take one segment; give the value and True, or where it ended and False."""
    if isinstance(key, str):
        if isinstance(current, Mapping) and key in current:
            return current[key], True
        if key == "length" and last and isinstance(current, (list, str)):
            return len(_units(current)), True
        return current, False
    if isinstance(current, (list, str)) and key < len(units := _units(current)):
        return units[key], True
    return current, False


def _units(value: list[Any] | str) -> Sequence[Any]:
    """Return an array's items or a text's UTF-16 units, which is what JavaScript counts."""
    if isinstance(value, list) or value.isascii():
        return value
    units = value.encode("utf-16-le", "surrogatepass")
    return [
        units[start : start + 2].decode("utf-16-le", "surrogatepass")
        for start in range(0, len(units), 2)
    ]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json_text(value)


def _listing(have: Any) -> str:
    return ", ".join(have) if isinstance(have, list) else str(have)
