"""Query parameters of OGC API - Processes.

Owns reading them; every face that takes them uses these. Must not know where they come from.
"""

from datetime import UTC, datetime

from localproc.errors import InvalidInputs, Problem


def interval(text: str | None) -> tuple[datetime | None, datetime | None]:
    """Read ``datetime``: an instant, or ``FROM/TO`` where ``..`` or nothing leaves an end open.

    Times without an offset are in UTC. Raises ``InvalidInputs``. Source: Part 1, requirement
    ``job-list/datetime-definition``.
    """
    if not text:
        return None, None
    if "/" not in text:
        at = _time(text)
        return at, at
    start, _, end = text.partition("/")
    bounds = _bound(start), _bound(end)
    if bounds[0] and bounds[1] and bounds[0] > bounds[1]:
        raise InvalidInputs("the interval ends before it begins", [Problem(text, "datetime")])
    return bounds


def _bound(text: str) -> datetime | None:
    return None if text in ("", "..") else _time(text)


def _time(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInputs(
            "this is not a time",
            [Problem(f"{text!r} is not a time", "datetime")],
            hint="write it as 2026-05-31T12:00:00Z",
        ) from None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
