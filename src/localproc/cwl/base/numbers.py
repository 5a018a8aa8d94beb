"""Which numbers there are, and how they are written on command lines, in strings and documents.

Owns two rules: decimals, never an exponent (CWL v1.2 tests ``very_big_and_very_floats``), and no
number that a double cannot hold (RFC 8259, section 6: others may not be able to read it, and Python
writes no int of more than 4300 digits). Must not know anything else.
"""

import json
import sys
from decimal import Decimal
from typing import Any, Final, TypeGuard

LARGEST: Final = int(sys.float_info.max)


def is_amount(value: Any) -> TypeGuard[float]:
    """Whether a value is a number that there can be so much of: finite, and not negative."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and 0 <= value <= LARGEST


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
