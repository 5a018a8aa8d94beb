"""Query parameters of OGC API - Processes.

Owns reading them; every face that takes them uses these. Must not know where they come from.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from localproc.errors import InvalidInputs, Problem

#: A date, and a time that is set off as RFC 3339 has it.
_TIME: Final = re.compile(r"[0-9Ww-]+([Tt ][0-9Zz:.,+-]+)?")


def interval(text: str | None) -> tuple[datetime | None, datetime | None]:
    """Read ``datetime``: an instant, or ``FROM/TO`` where ``..`` or nothing leaves an end open.

    Times without an offset are in UTC; a date stands for the whole day. Raises ``InvalidInputs``.
    Source: Part 1, requirement ``job-list/datetime-definition``.
    """
    if not text:
        return None, None
    if "/" not in text:
        return _time(text, "datetime"), _time(text, "datetime", last=True)
    start, _, end = text.partition("/")
    return bounds(start, end, ("datetime", "datetime"))


def bounds(
    since: str | None, until: str | None, names: tuple[str, str] = ("since", "until")
) -> tuple[datetime | None, datetime | None]:
    """Read the ends of an interval, called by ``names``; ``..`` or nothing leaves one open.

    Raises ``InvalidInputs``.
    """
    first = None if since in (None, "", "..") else _time(str(since), names[0])
    last = None if until in (None, "", "..") else _time(str(until), names[1], last=True)
    if first and last and first > last:
        where = Problem(f"{since}/{until} ends before it begins", names[1])
        raise InvalidInputs("the interval ends before it begins", [where])
    return first, last


def _time(text: str, name: str, *, last: bool = False) -> datetime:
    """Read a time; of a date, give the first or the last moment of the day."""
    try:
        if not _TIME.fullmatch(text):
            raise ValueError(text)
        at = datetime.fromisoformat(text.upper())
        at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
        at.astimezone(UTC)  # one in the first or last hours of all years is none there
    except (ValueError, OverflowError):
        raise InvalidInputs(
            "this is not a time",
            [Problem(f"{text!r} is not a time", name)],
            hint="write it as 2026-05-31T12:00:00Z",
        ) from None
    if last and len(text) <= len("2026-05-31"):
        at += timedelta(days=1, microseconds=-1)
    return at
