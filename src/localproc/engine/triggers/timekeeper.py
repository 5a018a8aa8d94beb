"""What schedules set off when it is time.

Owns deciding which due times become jobs, and what follows when those have ended. Must not know
threads; whoever calls it does so for one process of the home at a time, and if two do, the store
sees to it that nothing fires twice.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any, Final

from localproc.engine.triggers.accepting import TriggeredJobs
from localproc.engine.triggers.schedule import Schedule
from localproc.errors import InvalidInputs
from localproc.model import JobStatus, Trigger
from localproc.model.trigger import Accepting, Firing, TriggerRecord
from localproc.plugins.store import Store

_LOG: Final = logging.getLogger("localproc")
_BATCH: Final = 100  #: due times of one schedule that are seen to at once


class Timekeeper:
    """Sees to schedules; ``jobs`` makes what they set off."""

    def __init__(self, store: Store, jobs: TriggeredJobs) -> None:
        self._store = store
        self._triggered = jobs

    def look(self, trigger: TriggerRecord, now: datetime) -> list[str]:
        """See to a schedule that is due; return the ids of the jobs that it has set off."""
        try:
            schedule = Schedule.from_data(trigger.definition)
        except InvalidInputs as error:  # another localproc wrote it
            _LOG.warning("schedule %s is passed over: %s", trigger.name, error)
            self._store.fire(trigger, [], None)
            return []
        assert trigger.due is not None
        before = self._last_job(trigger) if schedule.overlap != "allow" else None
        is_open, ready = before is not None and not before[0].final, before and before[1]
        if schedule.overlap == "queue" and is_open:
            return []  # its time stays due
        dues = self._due(schedule, trigger.due, now)
        firings: list[tuple[Firing, Accepting | None]] = []
        for due in dues:
            said = self._passed(schedule, due, dues, now, ready, is_open=is_open)
            firings.append(self._firing(trigger, schedule, due, said))
            if firings[-1][1] is not None:
                is_open = True
                if schedule.overlap == "queue":
                    break  # the next one follows it
        last = firings[-1][0].due
        following = schedule.next(last)
        then = None if following is None else following.astimezone(UTC)
        return self._store.fire(trigger, firings, then) or []

    def waits(self, trigger: TriggerRecord) -> bool:
        """Return whether a schedule that is due waits for its last job to end."""
        if trigger.definition.get("overlap") != "queue":
            return False
        last = self._last_job(trigger)
        return last is not None and not last[0].final

    def follow(self, now: datetime) -> list[str]:
        """See to jobs that have ended, and to attempts that are due; return the ids of new jobs."""
        started = []
        for trigger, firing in self._store.open_firings():
            if firing.is_open:
                self._store.close_firing(trigger, self._ended(trigger, firing, now))
            elif firing.again is not None and firing.again <= now:
                started += self._try_again(trigger, firing, now)
        return started

    # When it is due

    def _due(self, schedule: Schedule, first: datetime, now: datetime) -> Sequence[datetime]:
        """Return the times that have come; of very many that were missed only the latest."""
        found = [first]
        for due in schedule.after(first):
            due = due.astimezone(UTC)
            if due > now:
                break
            found.append(due)
            if len(found) >= _BATCH:
                missed = schedule.missed != "all" and schedule.is_missed(due, now)
                return _latest(schedule, now) if missed else found
        return found

    def _passed(
        self,
        schedule: Schedule,
        due: datetime,
        dues: Sequence[datetime],
        now: datetime,
        ready: datetime | None,
        *,
        is_open: bool,
    ) -> str:
        """Say why a time becomes no job; empty if it does."""
        if schedule.overlap == "skip" and is_open:
            return "skipped: the job before had not ended"
        if schedule.missed == "all" or not schedule.is_missed(due, now, ready):
            return ""
        if schedule.missed == "skip":
            return "skipped: it was missed"
        return "" if due == dues[-1] else "skipped: it was missed, and a later one stands for it"

    def _firing(
        self, trigger: TriggerRecord, schedule: Schedule, due: datetime, said: str
    ) -> tuple[Firing, Accepting | None]:
        firing = Firing(key=due.isoformat(), due=due, said=said)
        return (firing, None) if said else self._accept(trigger, schedule, firing)

    def _accept(
        self, trigger: TriggerRecord, schedule: Schedule, firing: Firing, **options: Any
    ) -> tuple[Firing, Accepting | None]:
        given = {
            "trigger": Trigger.SCHEDULED,
            "reason": schedule.reason(firing.due),
            "run_as": schedule.run_as,
            **options,
        }
        return self._triggered.make(
            trigger, firing, schedule.process, schedule.inputs, schedule.options, **given
        )

    def _last_job(self, trigger: TriggerRecord) -> tuple[JobStatus, datetime | None] | None:
        """Return how the last job of a schedule is, and when it ended."""
        for firing in self._store.firings(trigger, _BATCH):
            if firing.job_id:
                job = self._store.job(firing.job_id)
                return None if job is None else (job.status, job.finished)
        return None

    # When it has ended

    def _ended(self, trigger: TriggerRecord, firing: Firing, now: datetime) -> Firing:
        """Return a firing whose job has ended: with what comes next."""
        closed = replace(firing, is_open=False)
        job = self._store.job(firing.job_id)
        if job is None or job.status is not JobStatus.FAILED or trigger.kind != "schedule":
            return closed
        retries = int(trigger.definition.get("retries", 0))
        series = retries + 1
        end = job.finished or now
        if firing.attempt % series:
            delay = float(trigger.definition.get("delay", 60))
            said = f"waiting: attempt {firing.attempt + 1} follows"
            return replace(closed, said=said, again=end + timedelta(seconds=delay))
        later = float(trigger.definition.get("reschedule", 0))
        if later and firing.attempt == series:
            said = "reschedule: all attempts have failed"
            return replace(closed, said=said, again=end + timedelta(seconds=later))
        return closed

    def _try_again(self, trigger: TriggerRecord, before: Firing, now: datetime) -> list[str]:
        schedule = Schedule.from_data(trigger.definition)
        attempt = before.attempt + 1
        firing = Firing(f"{before.due.isoformat()}#{attempt}", before.due, attempt=attempt)
        made, job = self._accept(
            trigger,
            schedule,
            firing,
            reason=f"{schedule.reason(before.due)} attempt {attempt}",
            derived_from=before.job_id,
        )
        if job is None:
            self._store.close_firing(trigger, replace(before, said=made.said, again=None))
            return []
        return [made.job_id] if self._store.fire_again(trigger, before, made, job) else []


def _latest(schedule: Schedule, now: datetime) -> list[datetime]:
    """Return the latest times that have come, without going through all before them."""
    for seconds in (60, 3600, 86_400, 86_400 * 31, 86_400 * 366, 86_400 * 3660):
        begin = now - timedelta(seconds=seconds)
        found = list(takewhile(lambda due: due <= now, schedule.after(begin)))
        if found:
            return [due.astimezone(UTC) for due in found[-_BATCH:]]
    return []
