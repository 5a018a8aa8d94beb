"""Days on which nothing is set off.

Owns reading them: a date, a day of every year, a day of the week, or a file that has one of these
in each line, or is a calendar (iCalendar, RFC 5545). Must not know schedules.
"""

import re
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final

from localproc.errors import InvalidInputs, Problem
from localproc.frozen import frozen

_WEEK: Final = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
_HINT: Final = (
    "2026-12-25, 12-25 (of every year), SUN, or the path of a file with such lines or .ics"
)
_EVENT: Final = re.compile(
    r"^DTSTART[^:\n]*:(\d{8})(?:.*?^DTEND[^:\n]*:(\d{8}))?", re.MULTILINE | re.DOTALL
)


@frozen
class DaysOff:
    """The days, by what names them."""

    dates: frozenset[date] = frozenset()
    yearly: frozenset[tuple[int, int]] = frozenset()
    weekly: frozenset[int] = frozenset()

    def __contains__(self, day: date) -> bool:
        return (
            day in self.dates or (day.month, day.day) in self.yearly or day.weekday() in self.weekly
        )


def read_days_off(texts: Iterable[str]) -> DaysOff:
    """Read days; raises ``InvalidInputs``."""
    dates: set[date] = set()
    yearly: set[tuple[int, int]] = set()
    weekly: set[int] = set()
    problems = []
    for text in texts:
        try:
            _read(text.strip(), dates, yearly, weekly)
        except ValueError:
            problems.append(Problem(f"{text!r} is no day", "days_off", hint=_HINT))
    if problems:
        raise InvalidInputs("the schedule cannot be kept", problems)
    return DaysOff(frozenset(dates), frozenset(yearly), frozenset(weekly))


def expanded(texts: Iterable[str]) -> list[str]:
    """Return days with what is in the files among them; raises ``InvalidInputs``."""
    found: list[str] = []
    for text in texts:
        if "/" not in text and not text.lower().endswith((".ics", ".txt")):
            found.append(text)
            continue
        try:
            with open(text, encoding="utf-8") as file:
                content = file.read()
        except (OSError, ValueError) as error:
            problem = Problem(f"cannot read {text}: {error}", "days_off", hint=_HINT)
            raise InvalidInputs("the schedule cannot be kept", [problem]) from None
        lines = content.splitlines()
        is_calendar = content.lstrip().startswith("BEGIN:VCALENDAR")
        bare = (line.partition("#")[0].strip() for line in lines)
        found += _of_calendar(content) if is_calendar else filter(None, bare)
    return found


def _read(text: str, dates: set[date], yearly: set[tuple[int, int]], weekly: set[int]) -> None:
    if text.upper() in _WEEK:
        weekly.add(_WEEK.index(text.upper()))
    elif re.fullmatch(r"\d\d-\d\d", text):
        day = date.fromisoformat(f"2024-{text}")  # a year that has all days
        yearly.add((day.month, day.day))
    else:
        dates.add(date.fromisoformat(text))


def _of_calendar(content: str) -> list[str]:
    """Return the days of a calendar's events; the last one of an event is not in it."""
    found: list[str] = []
    for event in re.findall(r"BEGIN:VEVENT.*?END:VEVENT", content, re.DOTALL):
        match = _EVENT.search(event)
        if match is None:
            continue
        day = date.fromisoformat(match[1])
        end = date.fromisoformat(match[2]) if match[2] else day + timedelta(days=1)
        days = max(1, min(366, (end - day).days))
        found += [(day + timedelta(days=number)).isoformat() for number in range(days)]
    return found
