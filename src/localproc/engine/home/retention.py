"""What is kept of jobs that have ended, and how long.

Owns the words for it, in settings and on the command line: ages, sizes, numbers. Must not know how
anything is removed.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, Final

from localproc.errors import InvalidInputs, Problem
from localproc.frozen import frozen
from localproc.model import JobStatus
from localproc.near import near

_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_LONGEST: Final = 1000 * 365.0 * 86_400  #: an age; there is no date much earlier
_BYTES: Final = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_AGE: Final = re.compile(r"(\d+(?:\.\d+)?) ?([smhdw])")
_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?) ?([KMGT]?)i?B?")
#: How much the outputs that are kept for reuse may take unless it is said.
CACHE: Final = 20 << 30
_ENDED: Final = tuple(one for one in JobStatus if one.final)


@frozen
class Retention:
    """Which jobs are to go. Those that have not ended, or that such a job needs, never do.

    ``older_than``: ended so long ago (seconds, or ``30d``); ``larger_than``: whose folder is larger
    (bytes, or ``1G``); ``status`` and ``process``: one or several; ``keep_last``: but not the
    newest so many of each process. ``results``: what they have published goes too. ``cache``: what
    the outputs that are kept for reuse may take (bytes, or ``20G``).
    """

    older_than: float | str = 0
    larger_than: int | str = 0
    status: str | Sequence[str] = ()
    process: str | Sequence[str] = ()
    keep_last: int = 0
    results: bool = False
    cache: int | str = CACHE

    def __post_init__(self) -> None:
        for name, read in (("older_than", age), ("larger_than", size), ("cache", size)):
            object.__setattr__(self, name, read(getattr(self, name), name))
        for name in ("status", "process"):
            value = getattr(self, name)
            several = (value,) if isinstance(value, str) else tuple(value)
            object.__setattr__(self, name, tuple(filter(None, several)))
        unfit = [one for one in self.status if one not in _ENDED]
        if unfit:
            raise InvalidInputs(
                "only jobs that have ended can go",
                [Problem(f"{unfit[0]!r} is not one of {', '.join(_ENDED)}", "status")],
            )
        if type(self.keep_last) is not int or self.keep_last < 0:
            raise _unclear(self.keep_last, "keep_last", "a number of jobs", "10")
        if type(self.results) is not bool:  # a text would be true, whatever it says
            raise _unclear(self.results, "results", "yes or no", "true or false")

    @property
    def statuses(self) -> tuple[JobStatus, ...]:
        """The states of the jobs that may go."""
        return tuple(JobStatus(one) for one in self.status) or _ENDED

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> "Retention":
        """Return what a mapping says; raises ``InvalidInputs`` for what it cannot mean."""
        known = [one.name for one in fields(cls)]
        for name in settings:
            if name not in known:
                hint = near(str(name), known, f"it has: {', '.join(known)}")
                raise InvalidInputs(f"prune has no {name!r}", hint=hint)
        return cls(**settings)


def age(value: float | str, name: str = "age") -> float:
    """Return seconds; raises ``InvalidInputs``. ``30d``, ``12h``, ``90m``, ``2w``."""
    found = _AGE.fullmatch(str(value).strip())
    seconds = float(found[1]) * _SECONDS[found[2]] if found is not None else value
    if isinstance(seconds, (int, float)) and 0 <= seconds <= _LONGEST:
        return float(seconds)
    raise _unclear(value, name, "an age", "30d, 12h or 90m")


def size(value: float | str, name: str = "size") -> int:
    """Return bytes; raises ``InvalidInputs``. ``10G``, ``500M``, ``4096``."""
    if isinstance(value, int) and value >= 0:
        return value
    found = _SIZE.fullmatch(str(value).strip().upper().replace("I", "i"))
    if found is None:
        raise _unclear(value, name, "a size", "10G, 500M or a number of bytes")
    return int(float(found[1]) * _BYTES[found[2]])


def _unclear(value: Any, name: str, what: str, example: str) -> InvalidInputs:
    said = f"{value!r} is not {what}"
    return InvalidInputs(
        f"this is not {what}", [Problem(said, name)], hint=f"write it as {example}"
    )
