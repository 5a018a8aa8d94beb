"""A schedule: what is run, when, and what becomes of times that pass.

Owns its members, what they may be, and which of them are due. Must not know the store, nor how a
job is accepted.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, time, timedelta
from functools import cached_property
from itertools import islice
from typing import Any, Final

from localproc.engine.triggers.cron import Cron, read_cron
from localproc.engine.triggers.days_off import DaysOff, read_days_off
from localproc.engine.triggers.members import wrong_names, wrong_types
from localproc.errors import InvalidInputs, Problem
from localproc.spelling import public

MISSED: Final = ("skip", "once", "all")
OVERLAP: Final = ("allow", "skip", "queue")
_MOST_DAYS_OFF: Final = 1_000  #: days in a row that it would be due on and are off, at the most


@public
@dataclass(frozen=True)
class Schedule:
    """A process with inputs, and the times at which it is run.

    ``cron`` has five fields or Quartz's six or seven; ``timezone`` is whose clock it reads.
    ``days_off`` are passed over. A time is missed if nobody was there to see to it within
    ``tolerance`` seconds: ``missed`` says whether those are skipped, made up for once, or all made
    up for. ``overlap`` says what happens while a job of the schedule has not ended: another one
    beside it, none, or one after the other. A job that fails is run again up to ``retries`` times,
    ``delay`` seconds after its end; if all fail, once more, with as many retries, ``reschedule``
    seconds later (0: never). ``options`` are those of ``Engine.execute``; ``run_as`` is who made
    it.
    """

    name: str
    process: str
    cron: str
    inputs: Mapping[str, Any] = field(default_factory=dict)
    timezone: str = "UTC"
    days_off: Sequence[str] = ()
    missed: str = "once"
    tolerance: float = 30
    overlap: str = "allow"
    retries: int = 0
    delay: float = 60
    reschedule: float = 0
    enabled: bool = True
    run_as: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        problems = wrong_types(self) or [*self._out_of_range()]
        if problems:
            raise InvalidInputs("the schedule cannot be kept", problems)
        self.next(datetime.now(UTC))  # raises for what cannot be read

    def _out_of_range(self) -> Iterator[Problem]:
        for name, choices in (("missed", MISSED), ("overlap", OVERLAP)):
            if getattr(self, name) not in choices:
                yield Problem(f"is none of {', '.join(choices)}", name)
        for name in ("tolerance", "retries", "delay", "reschedule"):
            if not 0 <= getattr(self, name) < 1e9:
                yield Problem("cannot be negative, or so large", name)

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "Schedule":
        """Return the schedule that ``to_data`` has given; raises ``InvalidInputs``."""
        if problems := wrong_names(cls, data):
            raise InvalidInputs("the schedule cannot be kept", problems)
        return cls(**data)

    def to_data(self) -> dict[str, Any]:
        """Return its members by name, as JSON has them."""
        data = {one.name: getattr(self, one.name) for one in fields(self)}
        return {**data, "days_off": list(self.days_off)}

    @cached_property
    def _cron(self) -> Cron:
        return read_cron(self.cron, self.timezone)

    @cached_property
    def _off(self) -> DaysOff:
        return read_days_off(self.days_off)

    def after(self, moment: datetime) -> Iterator[datetime]:
        """Yield the times after a moment at which it is due."""
        passed = 0
        while passed <= _MOST_DAYS_OFF:
            for due in self._cron.after(moment):
                if due.date() in self._off:
                    moment = datetime.combine(due.date(), time(23, 59, 59), due.tzinfo)
                    passed += 1
                    break
                passed = 0
                yield due
            else:
                return

    def next(self, moment: datetime) -> datetime | None:
        """Return the first one of them, ``None`` if there is none."""
        return next(self.after(moment), None)

    def next_runs(self, moment: datetime, count: int) -> list[datetime]:
        """Return the first ones of them."""
        return list(islice(self.after(moment), count)) if self.enabled else []

    def is_missed(self, due: datetime, now: datetime, ready: datetime | None = None) -> bool:
        """Return whether a time was seen too late; ``ready``: it had to wait until then."""
        since = due if ready is None else max(due, ready)
        return now - since > timedelta(seconds=self.tolerance)

    def reason(self, due: datetime) -> str:
        """Return why a job is run that was due then: ``crontab(NAME,WHEN)``."""
        local = due.astimezone(self._cron.zone)
        return f"crontab({self.name},{local:%a %b %d %Y %H:%M:%S GMT%z (%Z)})"
