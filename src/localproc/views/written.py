"""Documents as JSON that everybody can read, and values in a line of YAML.

Owns what becomes of values that JSON has no words for. Must not know what the documents are.
"""

import json
import math
import re
from collections.abc import Mapping
from typing import Any, Final

#: What YAML has escaped in texts (YAML 1.2, 5.1), and its line breaks beyond ASCII.
_UNPRINTABLE: Final = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")

_encoded: Final = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), allow_nan=False
).encode


def written(document: Any) -> bytes:
    """Write a document.

    Numbers that are none (``NaN``, ``Infinity``) are null, as in JavaScript. Bytes of names that
    are no UTF-8 are escaped as JSON's lone surrogates.
    """
    try:
        text = _encoded(document)
    except ValueError:
        text = _encoded(finite(document))
    return text.encode(errors="backslashreplace")


def finite(value: Any) -> Any:
    """Return a value in which null stands for every number that JSON has not."""
    if isinstance(value, Mapping):
        return {name: finite(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def in_yaml(value: Any) -> str:
    """Return a value in one line of YAML: JSON, but for numbers that JSON has not."""
    if isinstance(value, Mapping):
        items = (f"{in_yaml(name)}: {in_yaml(item)}" for name, item in value.items())
        return f"{{{', '.join(items)}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(in_yaml, value))}]"
    if isinstance(value, float) and not math.isfinite(value):
        return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
