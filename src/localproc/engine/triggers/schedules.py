"""The schedules of a namespace, as programs and people hold them.

Owns adding, changing and showing them. Must not know when anything is set off.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final, TypedDict, Unpack

from localproc.engine.home.home import check_namespace
from localproc.engine.options import Inputs
from localproc.engine.triggers.accepting import checked_options
from localproc.engine.triggers.days_off import expanded
from localproc.engine.triggers.kept import KeptTriggers
from localproc.engine.triggers.schedule import Schedule
from localproc.errors import NoSuchSchedule
from localproc.frozen import frozen
from localproc.model.trigger import TriggerRecord
from localproc.spelling import public

KIND: Final = "schedule"


class ScheduleOptions(TypedDict, total=False):
    """Options of ``schedules.add``, the members of ``Schedule``."""

    timezone: str
    days_off: Sequence[str]
    missed: str
    tolerance: float
    overlap: str
    retries: int
    delay: float
    reschedule: float
    enabled: bool
    run_as: str
    options: Mapping[str, Any]


@public
@frozen
class Scheduled:
    """A schedule of the home as it is now: its definition, and its next and its last times."""

    schedule: Schedule
    record: TriggerRecord

    @property
    def name(self) -> str:
        """Its name."""
        return self.schedule.name

    @property
    def due(self) -> datetime | None:
        """When it is due next, in UTC; ``None`` for never."""
        return self.record.due if self.schedule.enabled else None

    def next_runs(self, count: int = 5) -> list[datetime]:
        """Return the next ``count`` times at which it is due, in its own time zone."""
        return self.schedule.next_runs(datetime.now(UTC), count)

    def to_data(self, count: int = 5) -> dict[str, Any]:
        """Return it as JSON: its members by name, with the ``next`` times, ``count`` of them.

        Policies of inputs are its server's own, and not in it.
        """
        data = self.schedule.to_data()
        data["options"] = {
            name: value
            for name, value in data["options"].items()
            if name not in ("policy", "base", "bases", "references", "options")
        }
        return data | {"next": [one.isoformat() for one in self.next_runs(count)]}


@public
class Schedules(KeptTriggers):
    """The schedules of one namespace."""

    kind = KIND
    missing = NoSuchSchedule

    def add(
        self,
        process: str,
        cron: str,
        inputs: Inputs = None,
        *,
        name: str = "",
        replace_it: bool = False,
        **options: Unpack[ScheduleOptions],
    ) -> Scheduled:
        """Add a schedule, named as its process unless it has a ``name`` of its own.

        ``inputs`` are those of ``Engine.execute``; they are checked now, and again each time.
        ``options`` are the members of ``Schedule``. Raises ``NoSuchProcess``, ``InvalidInputs``
        for what makes no sense, also for a name that is taken unless ``replace_it``.
        """
        more = dict(options.get("options", {}))
        values, base = self._namespace.read_inputs(inputs, more.pop("base", None))
        days_off = expanded(options.get("days_off", ()))
        rest: dict[str, Any] = {**options, "days_off": days_off}
        schedule = Schedule(
            name=check_namespace(name or process),
            process=process,
            cron=cron,
            inputs=values,
            **{**rest, "options": {**more, "base": base}},
        )
        return self.put(schedule, replace_it=replace_it)

    def put(self, schedule: Schedule, *, replace_it: bool = True) -> Scheduled:
        """Record a schedule; raises as ``add`` does."""
        space = self._namespace
        record = space.processes.get(schedule.process)
        if not replace_it:
            self._check_new(schedule.name)
        checked = checked_options(space, record, schedule.inputs, schedule.options)
        run_as = schedule.run_as or checked.run_as
        schedule = replace(schedule, run_as=run_as, inputs=checked.inputs, options=checked.options)
        due = schedule.next(datetime.now(UTC))
        self._store.put_trigger(
            TriggerRecord(
                namespace=space.name,
                kind=KIND,
                name=schedule.name,
                definition=schedule.to_data(),
                enabled=schedule.enabled,
                due=due.astimezone(UTC) if due is not None else None,
            )
        )
        return self.get(schedule.name)

    def all(self) -> list[Scheduled]:
        """Return them, by name."""
        return [Scheduled(Schedule.from_data(one.definition), one) for one in self._records()]

    def get(self, name: str) -> Scheduled:
        """Return one; raises ``NoSuchSchedule``."""
        found = self._trigger(name)
        return Scheduled(Schedule.from_data(found.definition), found)

    def enable(self, name: str, *, enabled: bool = True) -> Scheduled:
        """Have one set jobs off, from now on, or no more; raises ``NoSuchSchedule``."""
        known = self.get(name)
        schedule = replace(known.schedule, enabled=enabled)
        due = schedule.next(datetime.now(UTC))
        self._store.put_trigger(
            replace(
                known.record,
                definition=schedule.to_data(),
                enabled=enabled,
                due=None if due is None else due.astimezone(UTC),
            )
        )
        return self.get(name)
