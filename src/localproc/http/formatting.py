"""How values read on pages.

Owns sizes, times, durations and schemas in words. Must not know what is on the pages.
"""

import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from localproc.uris import quoted
from localproc.views.ogc import timestamp


def size(count: int) -> str:
    """Write a number of bytes: ``912 B``, ``1.4 MB``."""
    if count < 1000:
        return f"{count} B"
    number = float(count)
    for unit in ("kB", "MB", "GB"):
        number /= 1000
        if number < 999.5:
            return f"{number:.3g} {unit}"
    return f"{number / 1000:.3g} TB"


def when(at: datetime | str) -> str:
    """Write a time to the second, in UTC; what is no time is given as it is."""
    if isinstance(at, str):
        try:
            at = datetime.fromisoformat(at)
        except ValueError:
            return str(at)
    if at.tzinfo is not None:
        at = at.astimezone(UTC)
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def took(seconds: float) -> str:
    """Write a duration: ``0.42 s``, ``1 min 05 s``, ``2 h 03 min``."""
    if seconds < 59.95:
        return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    return f"{minutes // 60} h {minutes % 60:02} min"


def lasted(one: Mapping[str, Any]) -> str:
    """Write how long something took that has ``start`` and ``end``."""
    start, end = (datetime.fromisoformat(one[member]) for member in ("start", "end"))
    return took((end - start).total_seconds())


def pretty(value: Any) -> str:
    """Write a document as JSON with a line for each member."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def brief(value: Any) -> str:
    """Write a value in a line: a text as it is, all else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def shell(value: Any) -> str:
    """Write a value as JSON, as a word of a shell's command line."""
    return shlex.quote(json.dumps(value, ensure_ascii=False))


def words(command: Sequence[str]) -> str:
    """Write the words of a command line as a shell would read them."""
    return shlex.join(command)


def schema(found: Any) -> str:
    """Say in a few words what a JSON Schema asks for."""
    if not isinstance(found, Mapping):
        return "anything"
    if "enum" in found:
        return "one of " + ", ".join(map(brief, found["enum"]))
    for word in ("oneOf", "anyOf"):
        if word in found:
            return " or ".join(dict.fromkeys(schema(one) for one in found[word]))
    if "allOf" in found:
        parts = [one for one in found["allOf"] if isinstance(one, Mapping)]
        formats = [one["format"] for one in parts if "format" in one]
        return formats[0] if formats else " and ".join(map(schema, parts)) or "anything"
    kind = found.get("type", "anything")
    if isinstance(kind, list):
        return " or ".join(kind)
    if kind == "array":
        return f"array of {schema(found.get('items'))}"
    special = found.get("format") or found.get("contentMediaType")
    return f"{kind} ({special})" if special else str(kind)


FILTERS: Final[Mapping[str, Callable[..., str]]] = {
    "size": size,
    "when": when,
    "timestamp": timestamp,
    "took": took,
    "lasted": lasted,
    "pretty": pretty,
    "brief": brief,
    "schema": schema,
    "quoted": quoted,
    "shell": shell,
    "words": words,
}
