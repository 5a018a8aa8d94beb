"""How values read on pages."""

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from localproc.http import formatting


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (1_440_000, "1.44 MB"),
        (10**9, "1 GB"),
        (5 * 10**15, "5e+03 TB"),
    ],
)
def test_size(count: int, said: str) -> None:
    assert formatting.size(count) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.004, "0.00 s"),
        (9.994, "9.99 s"),
        (59.9, "59.9 s"),
        (59.97, "1 min 00 s"),
        (65, "1 min 05 s"),
        (7380, "2 h 03 min"),
    ],
)
def test_took(seconds: float, said: str) -> None:
    assert formatting.took(seconds) == said


def test_when() -> None:
    at = datetime(2026, 5, 31, 14, 0, 5, tzinfo=timezone(timedelta(hours=2)))
    assert formatting.when(at) == "2026-05-31 12:00:05 UTC"
    assert formatting.when("2026-05-31T12:00:05.123Z") == "2026-05-31 12:00:05 UTC"
    assert formatting.when("2026-05-31T12:00:05") == "2026-05-31 12:00:05 UTC"
    assert formatting.when("<no time>") == "<no time>"


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "string"}, "string"),
        ({"type": "string", "format": "uri"}, "string (uri)"),
        ({"type": "array", "items": {"enum": ["a", 1]}}, "array of one of a, 1"),
        ({"anyOf": [{"type": "string"}, {"type": "string"}, {}]}, "string or anything"),
        ({"allOf": [{"format": "ogc-bbox"}, {"type": "object"}]}, "ogc-bbox"),
        ({"allOf": [{"type": "object"}, True]}, "object"),
        ({"type": ["string", "null"]}, "string or null"),
        ({"type": "array", "items": True}, "array of anything"),
        (None, "anything"),
    ],
)
def test_schema(schema: Any, said: str) -> None:
    assert formatting.schema(schema) == said
