"""Documents as JSON that everybody can read.

Owns what becomes of values that JSON has no words for. Must not know what the documents are.
"""

import json
import math
from collections.abc import Mapping
from typing import Any


def written(document: Any) -> bytes:
    """Write a document.

    Numbers that are none (``NaN``, ``Infinity``) are null, as in JavaScript. Bytes of names that
    are no UTF-8 are escaped as JSON's lone surrogates.
    """
    try:
        text = _dumped(document)
    except ValueError:
        text = _dumped(finite(document))
    return text.encode(errors="backslashreplace")


def _dumped(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def finite(value: Any) -> Any:
    """Return a value in which null stands for every number that JSON has not."""
    if isinstance(value, Mapping):
        return {name: finite(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
