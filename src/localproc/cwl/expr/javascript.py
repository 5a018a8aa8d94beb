"""JavaScript expressions, and what is said of those that fail.

Owns the form an expression is run in, who runs it, and its errors. Must not know CWL values or how
expressions are found in documents.

By itself an expression is run here, in this thread. An engine has them run elsewhere, where they
can be stopped: within ``evaluating_with`` its evaluator is asked.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, Protocol

from localproc.cwl.expr.realm import (
    MEMORY_LIMIT,
    RESULT_LIMIT,
    TOO_LARGE,
    ScriptFailed,
    run_script,
)
from localproc.errors import ExpressionError
from localproc.frozen import frozen

TIME_LIMIT: Final = 20.0  #: seconds of processor time for one evaluation
_PLACE: Final = re.compile(r"<input>:(\d+)(?::(\d+))?")


@frozen
class Script:
    """The text of an expression, ``(...)`` or ``{...}``, and of the library it may use."""

    code: str
    library: str = ""


class Evaluator(Protocol):
    """Runs JavaScript for the interpreter, wherever it likes."""

    def __call__(self, source: str, arguments: tuple[str, str, str], time_limit: float) -> str:
        """Call the function that is the source's value; return JSON, an array with its value.

        The arguments are JSON texts. Raises ``ScriptFailed`` in QuickJS's words.
        """


_evaluator: ContextVar[Evaluator] = ContextVar("evaluator", default=run_script)


@contextmanager
def evaluating_with(evaluator: Evaluator) -> Iterator[None]:
    """Have an evaluator run the JavaScript of all that is done within, in this thread."""
    token = _evaluator.set(evaluator)
    try:
        yield
    finally:
        _evaluator.reset(token)


def evaluate(
    script: Script, inputs: str, self_: str, runtime: str, *, time_limit: float = TIME_LIMIT
) -> Any:
    """Return the value of the expression for the three JSON texts, as plain Python data.

    Raises ``ExpressionError``, which names the expression, the JavaScript line and the limit that
    was passed, if any.
    """
    try:
        text = _evaluator.get()(_source(script), (inputs, self_, runtime), time_limit)
        return json.loads(text)[0]
    except ScriptFailed as error:
        raise _explain(script, str(error), time_limit) from None
    except RecursionError:
        raise _explain(script, "RangeError: the result is nested too deep", time_limit) from None


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
        reason, place = f"took longer than {time_limit:g} s", ""
        hint = "look for a loop that does not end"
    elif "out of memory" in reason:
        reason = f"used more than {MEMORY_LIMIT >> 20} MiB"
    elif reason == "null":  # without memory QuickJS cannot always make the error
        reason = f"threw null, or used more than {MEMORY_LIMIT >> 20} MiB"
    elif reason == TOO_LARGE:
        reason = f"gave a value of more than {RESULT_LIMIT >> 20} MiB"
        hint = "have a tool write it into a file, and hand that on"
    elif "Intl is not defined" in reason:
        hint = "there is no data of locales: write numbers, dates and texts without Intl"
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
