"""Realms: worlds of JavaScript in an embedded QuickJS, with limits on time and memory.

Owns realms (one per thread), their isolation and their limits. Must not know CWL, nor anything else
of localproc: a process that does nothing but evaluate loads this module and the prelude alone.

Expressions may share a realm because everything in it is frozen before the first one runs: an
expression gets a function scope of its own, and nothing it can reach outlives it. One that wants to
change a builtin (a polyfill, say) fails against the frozen realm and is run again in a throwaway
one. So the isolation the specification asks for costs microseconds instead of a new interpreter.
"""

import re
import threading
from typing import Any, Final

from localproc.cwl.expr.prelude import PRELUDE

MEMORY_LIMIT: Final = 1 << 28  #: bytes for one realm
#: Characters of JSON that a value may have. Values go into the log of events, and while Python
#: writes or reads JSON no other thread goes on: all jobs wait.
RESULT_LIMIT: Final = 32 << 20
TOO_LARGE: Final = "InternalError: the value is too large"
_NON_FINITE: Final = re.compile(r"(?<=[\[,: ])(?:NaN|-?Infinity)(?=[\],}])")
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
  if (value === undefined || typeof value === "function" || typeof value === "symbol") {
    const told = `it gave ${typeof value}, which is no value (return null for nothing)`;
    throw Object.assign(new TypeError(told), { stack: "" }); // no line of it is the author's
  }
  return [value];
})
"""
_FROZEN: Final = re.compile(
    r"is read-only|not extensible|not configurable|no setter|cannot define|could not delete"
)
_SPENT: Final = re.compile(
    r"interrupted|out of memory|^null$", re.MULTILINE
)  #: what leaves a realm unusable


class ScriptFailed(Exception):
    """JavaScript gave no value; the text is QuickJS's own, with the place."""


class _Realm:
    """One JavaScript world. It belongs to the thread that made it."""

    def __init__(self, *, frozen: bool) -> None:
        from _quickjs import Context  # costs some ms, and most packages need no JavaScript

        self._context = Context()
        self._context.set_memory_limit(MEMORY_LIMIT)
        self._context.eval(PRELUDE)
        if frozen:
            self._context.eval(_FREEZE)
        self._call = self._context.eval(_CALL)
        self._compiled: dict[str, Any] = {}

    def __len__(self) -> int:
        return len(self._compiled)

    def run(self, source: str, arguments: tuple[str, str, str], time_limit: float) -> str:
        context = self._context
        context.set_time_limit(time_limit)
        function = self._compiled.get(source)
        if function is None:
            function = self._compiled[source] = context.eval(source)
        # Boxed, values stay JavaScript's until they are JSON: only so do texts come over whole.
        values = f"[{','.join(arguments)}]"
        # NaN and Infinity are numbers of JavaScript, and none of JSON.
        is_json = _NON_FINITE.search(values) is None
        box = context.parse_json(values) if is_json else context.eval(f"({values})")
        text: str = self._call(function, box).json()
        if len(text) > RESULT_LIMIT:
            raise ScriptFailed(TOO_LARGE)
        return text


_local = threading.local()


def run_script(source: str, arguments: tuple[str, str, str], time_limit: float) -> str:
    """Call a function of JavaScript; return JSON, an array with its value.

    ``arguments`` are JSON texts. ``time_limit`` is in seconds of the whole process's processor
    time. Raises ``ScriptFailed``.
    """
    from _quickjs import JSException

    try:
        try:
            return _realm().run(source, arguments, time_limit)
        except JSException as error:
            if not _FROZEN.search(str(error)):
                raise
            return _Realm(frozen=False).run(source, arguments, time_limit)
    except JSException as error:
        if _SPENT.search(str(error)):
            _local.realm = None  # the limit is the realm's: the next one gets a new one
        raise ScriptFailed(str(error)) from None


def _realm() -> _Realm:
    realm: _Realm | None = getattr(_local, "realm", None)
    if realm is None or len(realm) >= _MAX_COMPILED:
        realm = _local.realm = _Realm(frozen=True)
    return realm
