"""Times that a cron expression names.

Owns both of its forms: five fields, and Quartz's with seconds first and a year last, where days of
the week begin with Sunday as 1. Must not know what happens at these times.

cronsim reckons, with its rules for the hours that a time zone has twice or not at all. What it does
not know (``W``, ``L-3``, years) is seen to here: it is asked for all days that may be meant, and
those that are not are passed over.
"""

import calendar
import re
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from localproc.errors import InvalidInputs, PluginMissing, Problem
from localproc.frozen import frozen

_HINT: Final = "five fields (30 16 * * MON-FRI), or Quartz's with seconds (0 30 16 ? * MON-FRI)"
_NAMED: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_DAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_DAY: Final = re.compile(rf"({'|'.join(_DAYS)})?((?<![A-Z#])\d+)?(L|#\d)?")
_ENDS: Final = (59, 59, 23, 31, 12, 7)
_FURTHEST: Final = timedelta(days=366 * 50)

#: Whether a day is one that is meant.
_Day = Callable[[date], bool]


@frozen
class Cron:
    """An expression in a time zone; ``text`` is how it was written."""

    text: str
    zone: ZoneInfo
    plain: str  #: as cronsim reads it
    meant: tuple[_Day, ...]

    def after(self, moment: datetime) -> Iterator[datetime]:
        """Yield the times after a moment, in its zone; it ends where there are no more."""
        from cronsim import CronSim, CronSimError

        moment = moment.astimezone(self.zone)
        furthest = moment + _FURTHEST
        while True:
            found: datetime | None = None
            try:
                for found in CronSim(self.plain, moment):
                    if found > furthest:
                        return
                    if not all(meant(found.date()) for meant in self.meant):
                        break
                    furthest = found + _FURTHEST
                    yield found
            except CronSimError:
                return
            if found is None:
                return
            last = datetime.combine(found.date(), time(23, 59, 59), self.zone)
            moment = max(last, found)


def read_cron(text: str, zone: str = "UTC") -> Cron:
    """Read an expression; raises ``InvalidInputs`` for one, or a zone, that there is not."""
    try:
        from cronsim import CronSim, CronSimError
    except ModuleNotFoundError as error:
        raise PluginMissing.for_extra("schedules", "schedules need cronsim") from error
    try:
        place = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        hint = "give its name in the time zone database: Europe/Berlin"
        problem = Problem(f"there is no time zone {zone!r}", "timezone", hint=hint)
        raise InvalidInputs("the schedule cannot be kept", [problem]) from error
    try:
        plain, meant = _translated(_NAMED.get(text.strip(), text).upper().split())
        CronSim(plain, datetime(2026, 1, 1, tzinfo=place))
    except (CronSimError, ValueError, IndexError) as error:
        problem = Problem(f"{text!r} is no cron expression: {error}", "cron", hint=_HINT)
        raise InvalidInputs("the schedule cannot be kept", [problem]) from None
    return Cron(text, place, plain, tuple(meant))


def _translated(fields: list[str]) -> tuple[str, list[_Day]]:
    """Return an expression as cronsim reads it, and what has to be seen to besides."""
    meant: list[_Day] = []
    if len(fields) not in (5, 6, 7):
        raise ValueError(f"it has {len(fields)} fields")
    if len(fields) == 7:
        meant.append(_years(fields.pop()))
    quartz = len(fields) == 6
    if quartz:
        fields[:5] = [_stepped(field, end) for field, end in zip(fields[:5], _ENDS, strict=False)]
        fields[5] = _weekdays(fields[5])
    month_day, weekday = len(fields) - 3, len(fields) - 1
    for place in (month_day, weekday):
        fields[place] = "*" if fields[place] == "?" else fields[place]
    if found := re.fullmatch(r"(\d+)W", fields[month_day]):
        number = int(found[1])
        if not 1 <= number <= 31:
            raise ValueError("there is no such day of the month")
        first = number - 2 if number < 29 else 25  # short months end before
        fields[month_day] = f"{max(1, first)}-{min(31, number + 2)}"
        meant.append(lambda day: day == _nearest(day, number))
    elif found := re.fullmatch(r"L-(\d+)", fields[month_day]):
        before = int(found[1])
        if before > 30:
            raise ValueError("no month has so many days")
        fields[month_day] = f"{max(1, 28 - before)}-31"
        meant.append(lambda day: day.day == _last(day) - before)
    if meant and fields[month_day] != "*" and fields[weekday] != "*":
        raise ValueError("one of the days of the month and of the week has to be ?")
    return " ".join(fields), meant


def _stepped(field: str, end: int) -> str:
    """Return a field with ``1/5`` as ``1-59/5``."""
    return re.sub(r"(?<![\d/-])(\d+)/(\d+)", rf"\1-{end}/\2", field)


def _weekdays(field: str) -> str:
    """Return days of the week as cron counts them: from Sunday as 0."""
    if field == "L":
        return "6"

    def counted(found: re.Match[str]) -> str:
        name, number, rest = found[1], found[2], found[3] or ""
        if number and not 1 <= int(number) <= 7:
            raise ValueError("days of the week are 1 to 7, 1 is Sunday")
        day = _DAYS.index(name) if name else int(number) - 1
        return f"{day}{rest}"

    parts = [part.partition("/") for part in field.split(",")]
    days = [_DAY.sub(_one(counted), part[0]) for part in parts]
    return ",".join(
        f"{day if '-' in day or day == '*' else f'{day}-6'}/{step}" if slash else _wrapped(day)
        for day, (_, slash, step) in zip(days, parts, strict=True)
    )


def _one(counted: Callable[[re.Match[str]], str]) -> Callable[[re.Match[str]], str]:
    return lambda found: counted(found) if found[1] or found[2] else found[0]


def _wrapped(day: str) -> str:
    """Return a range that goes over the end of the week as its days."""
    found = re.fullmatch(r"(\d)-(\d)", day)
    if found is None or int(found[1]) <= int(found[2]):
        return day
    return ",".join(map(str, [*range(int(found[1]), 7), *range(int(found[2]) + 1)]))


def _years(field: str) -> _Day:
    """Return whether a day is in the years of a field."""
    ranges: list[range] = []
    for part in field.split(","):
        found = re.fullmatch(r"(\*|\d{4})(?:-(\d{4}))?(?:/(\d+))?", part)
        if found is None:
            raise ValueError(f"{part!r} is no year")
        first = 1970 if found[1] == "*" else int(found[1])
        is_open = found[1] == "*" or found[3] is not None
        last = int(found[2]) if found[2] else (2099 if is_open else first)
        ranges.append(range(first, last + 1, int(found[3] or 1)))
    return lambda day: any(day.year in one for one in ranges)


def _last(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _nearest(day: date, number: int) -> date:
    """Return the weekday of a month that is nearest to one of its days, in the same month."""
    last = _last(day)
    found = day.replace(day=min(number, last))
    if found.weekday() == 5:
        return found + timedelta(days=-1 if found.day > 1 else 2)
    if found.weekday() == 6:
        return found + timedelta(days=1 if found.day < last else -2)
    return found
