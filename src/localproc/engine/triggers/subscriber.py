"""What subscriptions are set off by, and what is done then.

Owns finding events, each once, and handing them to their targets: a job is accepted, or a letter is
put into the outbox, in the transaction that records the event. Must not know threads, nor how
letters are delivered.
"""

import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from localproc.engine.triggers.accepting import TriggeredJobs, refused
from localproc.engine.triggers.cron import Cron, read_cron
from localproc.engine.triggers.found import Occurrence, files, item_pages, json_of_answer, objects
from localproc.engine.triggers.references import with_facts
from localproc.engine.triggers.subscription import Subscription
from localproc.errors import InvalidInputs, LocalprocError
from localproc.model import JobFilter, JobRecord, JobStatus, Trigger
from localproc.model.trigger import Accepting, Firing, TriggerRecord
from localproc.plugins.store import Store
from localproc.views.ogc import timestamp

if TYPE_CHECKING:
    from localproc.storage.web_client import WebClient

_LOG: Final = logging.getLogger("localproc")
_BATCH: Final = 100
_PAGE: Final = 1000
_BACK: Final = timedelta(days=31)  #: jobs that were accepted before are not looked for any more
_TOLERANCE: Final = 3600.0
_MARGIN: Final = timedelta(minutes=1)  #: for ends that others record late
_WHOLE: Final = "whole"  #: of what a subscription remembers: the last look went to its end
_NEWEST_FIRST: Final = "sortby=-"  #: in the address of a search


class Subscriber:
    """Sees to subscriptions; ``jobs`` makes what they set off."""

    def __init__(self, store: Store, jobs: TriggeredJobs) -> None:
        self._store = store
        self._triggered = jobs
        self._client: WebClient | None = None

    def look(self, trigger: TriggerRecord, now: datetime) -> Iterator[str]:
        """Look for what a subscription waits for; yield the ids of the jobs that it sets off.

        What is found is recorded page by page, so that whoever goes on after this process was
        killed has that behind it.
        """
        subscription = Subscription.from_data(trigger.definition)
        due = self._next(subscription, now)
        part = {**trigger.state, _WHOLE: False}
        try:
            for page in self._pages(subscription, trigger, now):
                fresh = self._unknown(trigger, page)
                for start in range(0, len(fresh), _BATCH):
                    batch = fresh[start : start + _BATCH]
                    jobs = self._fire(trigger, subscription, batch, now, part)
                    if jobs is None:
                        return  # it was changed: the rest is found again
                    yield from jobs
                if page and not fresh and _is_known_from_here(subscription, trigger):
                    break
        except (LocalprocError, OSError) as error:
            _LOG.warning("subscription %s looks again later: %s", trigger.name, error)
            self._store.fire(trigger, [], due, part)
        else:
            whole = {**trigger.state, **_state(subscription, now), _WHOLE: True}
            self._store.fire(trigger, [], due, whole)

    def begin(self, subscription: Subscription, trigger: TriggerRecord, now: datetime) -> None:
        """Note what is there when a subscription is made: it is no news."""
        if subscription.event in ("file", "stac") and not subscription.when.get("existing"):
            if subscription.event == "file":  # also what is still being written
                subscription = replace(subscription, when={**subscription.when, "settled": 0})
            for page in self._pages(subscription, trigger, now):
                there = [(Firing(key, now, said="it was there before"), None) for key, _ in page]
                self._store.fire(trigger, there, trigger.due)
            self._store.fire(trigger, [], trigger.due, {**trigger.state, _WHOLE: True})

    def came(
        self, trigger: TriggerRecord, key: str, facts: dict[str, Any], now: datetime
    ) -> list[str] | None:
        """Take an event that came by itself; ``None`` if it came before.

        Raises ``InvalidInputs`` if it lacks what is asked of it: whoever has sent it is told.
        """
        subscription = Subscription.from_data(trigger.definition)
        if self._store.fired(trigger, [key]):
            return None
        with_facts(subscription.target.get("inputs", {}), facts)
        return self._fire(trigger, subscription, [(key, facts)], now)

    # Finding

    def _pages(
        self, subscription: Subscription, trigger: TriggerRecord, now: datetime
    ) -> Iterator[list[Occurrence]]:
        on = subscription.when
        if subscription.event == "stac":
            changes = bool(on.get("changes"))
            return item_pages(on["url"], on.get("collections", ()), self._read, changes=changes)
        return _in_pages(self._events(subscription, trigger, now))

    def _events(
        self, subscription: Subscription, trigger: TriggerRecord, now: datetime
    ) -> Iterable[Occurrence]:
        on = subscription.when
        match subscription.event:
            case "succeeded" | "failed":
                return self._ends(subscription, trigger, now)
            case "late" | "missing":
                return self._absences(subscription, trigger, now)
            case "file":
                pattern = str(on.get("pattern", "*"))
                folder = str(on["folder"])
                if urlsplit(folder).scheme in ("", "file"):
                    return files(folder, pattern, float(on.get("settled", 2)), now)
                storages = self._triggered.runtime.storages
                storage = storages.open(folder, namespace=trigger.namespace)
                return objects(storage, folder, pattern)
        return ()

    def _unknown(self, trigger: TriggerRecord, page: Sequence[Occurrence]) -> list[Occurrence]:
        """Return the events of a page that were not recorded, each once."""
        events = dict(page)
        known = self._store.fired(trigger, list(events))
        return [(key, facts) for key, facts in events.items() if key not in known]

    def _ends(
        self, subscription: Subscription, trigger: TriggerRecord, now: datetime
    ) -> Iterator[Occurrence]:
        since = _since(trigger, now)
        wanted = JobStatus.SUCCESSFUL if subscription.event == "succeeded" else JobStatus.FAILED
        for job in self._jobs(trigger.namespace, wanted, now - _BACK, since):
            finished = job.finished or job.updated
            if finished > since and fnmatchcase(job.process_id, subscription.when["process"]):
                yield job.id, _facts_of(job, subscription.event)

    def _jobs(
        self, namespace: str, status: JobStatus, since: datetime, ended: datetime
    ) -> Iterator[JobRecord]:
        """Yield jobs that were accepted and have ended since; the store passes the others over."""
        before = None
        while True:
            wanted = JobFilter(
                namespace=namespace,
                statuses=(status,),
                since=since,
                ended_since=ended,
                before=before,
                hidden=True,
                limit=_PAGE,
            )
            page = self._store.jobs(wanted)
            yield from page
            if len(page) < _PAGE:
                return
            before = page[-1].id

    def _absences(
        self, subscription: Subscription, trigger: TriggerRecord, now: datetime
    ) -> Iterator[Occurrence]:
        """Yield the expected times to which no successful job has come in time, or at all."""
        on = subscription.when
        cron = read_cron(on["cron"], str(on.get("timezone", "UTC")))
        since = _since(trigger, now)
        before, times = _previous(cron, since), []
        for due in cron.after(since):
            times.append((before, due))
            before = due
            if due > now:
                break
        for number, (last, due) in enumerate(times):
            following = times[number + 1][1] if number + 1 < len(times) else None
            if subscription.event == "late":
                end: datetime | None = due + timedelta(
                    seconds=float(on.get("tolerance", _TOLERANCE))
                )
            else:
                end = following
            if end is None or end > now:
                continue
            if not self._has_come(trigger.namespace, on["process"], last, end):
                facts = {
                    "event": subscription.event,
                    "process": on["process"],
                    "due": due.isoformat(),
                }
                yield due.astimezone(UTC).isoformat(), facts

    def _has_come(self, namespace: str, process: str, since: datetime, until: datetime) -> bool:
        found = self._jobs(namespace, JobStatus.SUCCESSFUL, since - _BACK, since)
        return any(
            job.finished is not None
            and since < job.finished <= until
            and fnmatchcase(job.process_id, process)
            for job in found
        )

    def _read(self, url: str) -> Any:
        from localproc.storage.web_client import WebClient  # httpx costs 0.15 s

        if self._client is None:
            self._client = WebClient(guarded=False, redirects=5, timeout=30)
        try:
            headers = {"accept": "application/geo+json, application/json"}
            with self._client.asking("GET", url, headers) as answer:
                return json_of_answer(answer, url)
        except LocalprocError:
            raise
        except Exception as error:  # those of httpx
            raise OSError(f"{url}: {type(error).__name__}") from error

    def _next(self, subscription: Subscription, now: datetime) -> datetime:
        pause = subscription.every
        if subscription.event in ("succeeded", "failed"):
            pause = 1.0
        return now + timedelta(seconds=pause)

    # Handing on

    def _fire(
        self,
        trigger: TriggerRecord,
        subscription: Subscription,
        found: Iterable[Occurrence],
        now: datetime,
        state: Mapping[str, Any] | None = None,
    ) -> list[str] | None:
        """Record events, and what comes of them; ``None`` if the subscription was changed."""
        made = [self._made(trigger, subscription, key, facts, now) for key, facts in found]
        return self._store.fire(trigger, made, trigger.due, state)

    def _made(
        self,
        trigger: TriggerRecord,
        subscription: Subscription,
        key: str,
        facts: dict[str, Any],
        now: datetime,
    ) -> tuple[Firing, Accepting | None]:
        target = subscription.target
        if "process" not in target:
            letter = {"subscription": trigger.name, "event": facts}
            return Firing(key, now, said=json.dumps(letter), letter_to=address(subscription)), None
        firing = Firing(key, now)
        try:
            inputs = with_facts(target.get("inputs", {}), facts)
        except InvalidInputs as error:  # what comes after it must not wait for it
            return refused(trigger, firing, error)
        return self._triggered.make(
            trigger,
            firing,
            str(target["process"]),
            inputs,
            subscription.options,
            trigger=Trigger.SUBSCRIPTION,
            reason=f"subscription({trigger.name},{key})"[:500],
            run_as=subscription.run_as,
        )


def _in_pages(events: Iterable[Occurrence]) -> Iterator[list[Occurrence]]:
    left = iter(events)
    while page := list(islice(left, _PAGE)):
        yield page


def _is_known_from_here(subscription: Subscription, trigger: TriggerRecord) -> bool:
    """Return whether a page without news has no news behind it.

    So it is in a search that gives the newest first, if all was seen the last time.
    """
    newest_first = _NEWEST_FIRST in str(subscription.when.get("url", ""))
    return newest_first and bool(trigger.state.get(_WHOLE))


def _state(subscription: Subscription, now: datetime) -> dict[str, Any]:
    """Return from when on there may still be news, nothing if that stays as it is."""
    on = subscription.when
    match subscription.event:
        case "succeeded" | "failed":
            since = now - _MARGIN
        case "late":
            since = now - timedelta(seconds=float(on.get("tolerance", _TOLERANCE)))
        case "missing":
            cron = read_cron(on["cron"], str(on.get("timezone", "UTC")))
            since = _previous(cron, now) - timedelta(microseconds=1)
        case _:
            return {}
    return {"since": since.isoformat()}


def _previous(cron: Cron, moment: datetime) -> datetime:
    """Return the last time of an expression up to a moment, or that itself if there is none."""
    for seconds in (60, 3600, 86_400, 86_400 * 8, 86_400 * 32, 86_400 * 367, 86_400 * 1500):
        begin = moment - timedelta(seconds=seconds)
        found = list(takewhile(lambda due: due <= moment, cron.after(begin)))
        if found:
            return found[-1]
    return moment


def address(subscription: Subscription) -> str:
    """Return where letters of a subscription go, empty if its target is a process."""
    target = subscription.target
    if "webhook" in target:
        return str(target["webhook"])
    if "mail" in target:
        return f"mailto:{target['mail']}"
    return f"command:{json.dumps(target['command'])}" if "command" in target else ""


def _since(trigger: TriggerRecord, now: datetime) -> datetime:
    return datetime.fromisoformat(trigger.state.get("since", now.isoformat()))


def _facts_of(job: JobRecord, event: str) -> dict[str, Any]:
    return {
        "event": event,
        "process": job.process_id,
        "job": job.id,
        "status": str(job.status),
        "message": job.message,
        "trigger": str(job.trigger),
        "created": timestamp(job.created),
        "finished": timestamp(job.finished) if job.finished else None,
    }
