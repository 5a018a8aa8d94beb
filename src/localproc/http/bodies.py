"""JSON that clients send.

Owns what is refused though a parser takes it, as it cannot be kept, sent on or given to a program:
half characters, zero characters, numbers beyond all counting, endless depth. Must not know what the
documents are.
"""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

from localproc.cwl.base.surrogates import has_half
from localproc.http.answers import HttpProblem

_DEEPEST: Final = 100  #: levels that a document may have
_LEAVES: Final = (str, int, float, type(None))


def read_json(body: bytes) -> Any:
    """Read a body as JSON; raises 400."""
    try:
        return parsed(body.decode(json.detect_encoding(body)))
    except ValueError as error:
        raise HttpProblem(400, "InvalidBody", f"the body is not JSON: {error}") from None


def parsed(text: str) -> Any:
    """Read a text as JSON; raises ``ValueError``."""
    try:
        found = json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except RecursionError:
        raise ValueError("is nested too deeply") from None
    if _depth(found) > _DEEPEST:
        raise ValueError(f"it has more than {_DEEPEST} levels, one in another")
    if has_half(found, text):
        raise ValueError("a text in it has half a character")
    if "\\u0000" in text and any("\0" in one for one in _texts(found)):
        raise ValueError("a text in it has a zero character, which no program can be given")
    return found


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no number of JSON")


def _finite(digits: str) -> float:
    """Read a number; one beyond all that can be counted would come back as no JSON."""
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"{digits[:20]} is too large a number")
    return number


def _texts(value: Any) -> Iterator[str]:
    """Give all texts of a document, names of members too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield name
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _depth(value: Any) -> int:
    """Count the levels of a document, without a call for each."""
    level, depth = [value], 0
    while level:
        depth += 1
        inner = (one.values() if isinstance(one, dict) else one for one in level)
        level = [item for items in inner if not isinstance(items, _LEAVES) for item in items]
    return depth
