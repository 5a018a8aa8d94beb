"""JavaScript expressions, run by an embedded QuickJS with limits on time and memory.

Owns realms (one per thread), their isolation and their limits. Must not know CWL values or how
expressions are found in documents.

Expressions may share a realm because everything in it is frozen before the first one runs: an
expression gets a function scope of its own, and nothing it can reach outlives it. One that wants to
change a builtin (a polyfill, say) fails against the frozen realm and is run again in a throwaway
one. So the isolation the specification asks for costs microseconds instead of a new interpreter.
"""

import json
import re
import threading
from dataclasses import dataclass
from typing import Any, Final

from localproc.errors import ExpressionError

TIME_LIMIT: Final = 20.0  #: seconds of processor time for one evaluation
MEMORY_LIMIT: Final = 1 << 28  #: bytes for one realm
_MAX_COMPILED: Final = 2000  #: compiled expressions kept in one realm

_FREEZE: Final = """
(function () {
  const seen = new Set();
  (function freeze(value) {
    if (value === null || (typeof value !== "object" && typeof value !== "function")) return;
    if (seen.has(value)) return;
    seen.add(value);
    for (const key of Reflect.ownKeys(value)) {
      const property = Reflect.getOwnPropertyDescriptor(value, key);
      freeze(property.value); freeze(property.get); freeze(property.set);
    }
    freeze(Object.getPrototypeOf(value));
    Object.freeze(value);
  })(globalThis);
})()
"""
_CALL: Final = """
(function (run, box) {
  const value = run.apply(globalThis, box);
  if (value === undefined || typeof value === "function" || typeof value === "symbol")
    throw new TypeError(`it gave ${typeof value}, which is no value (return null for nothing)`);
  return [value];
})
"""
_FROZEN: Final = re.compile(
    r"is read-only|not extensible|not configurable|no setter|cannot define|could not delete"
)
_PLACE: Final = re.compile(r"<input>:(\d+)(?::(\d+))?")


@dataclass(frozen=True, slots=True)
class Script:
    """The text of an expression, ``(...)`` or ``{...}``, and of the library it may use."""

    code: str
    library: str = ""


class _Realm:
    """One JavaScript world. It belongs to the thread that made it."""

    def __init__(self, *, frozen: bool) -> None:
        import quickjs  # costs 25 ms, and most packages need no JavaScript

        self._context = quickjs.Context()
        self._context.set_memory_limit(MEMORY_LIMIT)
        if frozen:
            self._context.eval(_FREEZE)
        self._call = self._context.eval(_CALL)
        self._compiled: dict[Script, Any] = {}

    def __len__(self) -> int:
        return len(self._compiled)

    def run(self, script: Script, arguments: tuple[str, str, str], time_limit: float) -> Any:
        context = self._context
        context.set_time_limit(time_limit)
        function = self._compiled.get(script)
        if function is None:
            function = self._compiled[script] = context.eval(_source(script))
        # Boxed, values stay JavaScript's until they are JSON: only so do texts come over whole.
        box = context.parse_json(f"[{','.join(arguments)}]")
        return json.loads(self._call(function, box).json())[0]


_local = threading.local()


def evaluate(
    script: Script, inputs: str, self_: str, runtime: str, *, time_limit: float = TIME_LIMIT
) -> Any:
    """Give the value of the expression for the three JSON texts, as plain Python data.

    Raises ``ExpressionError``, which names the expression, the JavaScript line and the limit that
    was passed, if any.
    """
    import quickjs

    arguments = (inputs, self_, runtime)
    try:
        try:
            return _realm().run(script, arguments, time_limit)
        except quickjs.JSException as error:
            if not _FROZEN.search(str(error)):
                raise
            return _Realm(frozen=False).run(script, arguments, time_limit)
    except quickjs.JSException as error:
        raise _explain(script, str(error), time_limit) from None
    except RecursionError:
        raise _explain(script, "RangeError: the result is nested too deep", time_limit) from None


def _realm() -> _Realm:
    realm: _Realm | None = getattr(_local, "realm", None)
    if realm is None or len(realm) >= _MAX_COMPILED:
        realm = _local.realm = _Realm(frozen=True)
    return realm


def _source(script: Script) -> str:
    """Wrap the expression into a strict function; its own text begins on a line of its own."""
    head = f'(function (inputs, self, runtime) {{ "use strict";\n{script.library}\n'
    if script.code.startswith("{"):
        return f"{head}{script.code[1:-1]}\n}})"
    return f"{head}return (\n{script.code[1:-1]}\n);}})"


def _explain(script: Script, message: str, time_limit: float) -> ExpressionError:
    reason = message.split("\n", 1)[0]
    place, hint = _place(script, message), ""
    if "interrupted" in reason:
        _local.realm = None
        reason, place = f"took longer than {time_limit:g} s", ""
        hint = "look for a loop that does not end"
    elif "out of memory" in reason:
        _local.realm = None  # the limit is the realm's: the next expression gets a new one
        reason = f"used more than {MEMORY_LIMIT >> 20} MiB"
    text = "$" + script.code
    return ExpressionError(
        f"the expression {_shorten(text)} failed: {reason}{place}",
        expression=text,
        hint=hint,
    )


def _place(script: Script, message: str) -> str:
    """Turn QuickJS's position into one within the expression or its library."""
    found = _PLACE.search(message)
    if found is None:
        return ""
    line = int(found[1]) - 1  # the wrapper's first line
    in_library = script.library.count("\n") + 1
    if line <= in_library and script.library:
        return f", at line {line} of the expressionLib"
    line -= in_library + (0 if script.code.startswith("{") else 1)
    return f", at line {max(line, 1)} of the expression"


def _shorten(text: str, most: int = 120) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= most else flat[: most - 1] + "…"
