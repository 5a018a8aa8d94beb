"""JSON that clients send.

Owns what is refused though a parser takes it, as it cannot be kept, sent on or given to a program:
zero characters, beside what no reader of data takes. Must not know what the documents are.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from localproc.cwl.base import reading
from localproc.cwl.base.trees import UnreadableText
from localproc.http.answers import HttpProblem


def read_json(body: bytes) -> Any:
    """Read a body as JSON; raises 400."""
    try:
        return parsed(body.decode(json.detect_encoding(body)))
    except ValueError as error:
        raise HttpProblem(400, "InvalidBody", f"the body is not JSON: {error}") from None


def parsed(text: str) -> Any:
    """Read a text as JSON; raises ``ValueError``."""
    try:
        found = reading.read_json(text)
    except UnreadableText as error:
        place = f": line {error.line} column {error.column}" if error.line else ""
        raise ValueError(f"{error}{place}") from None
    if "\\u0000" in text and any("\0" in one for one in _texts(found)):
        raise ValueError("a text in it has a zero character, which no program can be given")
    return found


def _texts(value: Any) -> Iterator[str]:
    """Yield all texts of a document, names of members too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield name
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
