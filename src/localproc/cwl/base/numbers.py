"""How numbers are written on command lines, in strings and in output documents.

Owns one rule: decimals, never an exponent (CWL v1.2 tests ``very_big_and_very_floats``). Must not
know anything else.
"""

import json
from decimal import Decimal
from typing import Any


def number_text(value: float) -> str:
    """Write a number in decimals: ``1e-05`` becomes ``0.00001``, ``1.23e6`` ``1230000``.

    A float keeps the digits that Python would show; one without a fraction in its shortest form
    that was given with an exponent loses the point.
    """
    text = repr(value)
    return format(Decimal(text), "f") if "e" in text else text


def json_text(value: Any) -> str:
    """Write a value as JSON the way it is interpolated into strings: sorted keys, decimals."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return json.dumps(value)
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, dict):
        items = (f"{json.dumps(key)}: {json_text(value[key])}" for key in sorted(value))
        return "{" + ", ".join(items) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(json_text(item) for item in value) + "]"
    return json.dumps(value)
