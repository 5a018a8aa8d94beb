"""Options of a job that say how it goes on: retries, a time limit, a priority, a key.

Owns reading them in the forms that people write. Must not know what follows from them.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from localproc.errors import InvalidInputs
from localproc.machine.retries import read_rules

_UNITS: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 24 * 3600}
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd]?)")
_HIGHEST: Final = 1000
_LONGEST: Final = 200  #: characters of a key


def read_run_options(given: Mapping[str, Any], usual_retries: Any) -> dict[str, Any]:
    """Return these options of a request; raises ``InvalidInputs``.

    ``usual_retries`` are the rules of the engine: those of the job come before them.
    """
    rules = (*read_rules(given.get("retries")), *read_rules(usual_retries))
    keep_going = given.get("keep_going", False)
    if not isinstance(keep_going, bool):
        raise InvalidInputs(f"keep_going is {keep_going!r}, which is neither true nor false")
    return {
        "retries": tuple(rule.to_data() for rule in rules),
        "keep_going": keep_going,
        "time_limit": read_time_limit(given.get("time_limit")),
        "priority": _priority(given.get("priority") or 0),
        "once": _key(given.get("once") or ""),
        "progress": given.get("progress") or "",
    }


def read_time_limit(value: Any) -> float | None:
    """Return seconds: a number, or a text such as ``90``, ``30m``, ``1.5h`` or ``2d``."""
    if value is None:
        return None
    found = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if found:
        value = float(found[1]) * _UNITS[found[2]]
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not 0 < value <= 1e9:
        raise InvalidInputs(
            f"the time limit of a job cannot be {value!r}", hint="write 90, 30m, 1.5h or 2d"
        )
    return float(value)


def _priority(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > _HIGHEST:
        raise InvalidInputs(
            f"the priority of a job cannot be {value!r}",
            hint=f"it is a whole number from {-_HIGHEST} to {_HIGHEST}; 0 is usual",
        )
    return value


def _key(value: Any) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST or "\0" in value:
        raise InvalidInputs(
            f"{value!r:.80} cannot be the key of a job",
            hint=f"a key is a text of at most {_LONGEST} characters",
        )
    return value
