"""The protocol of a store: processes, jobs and their histories.

Owns what the engine needs to be durable. Must not know SQL, files or locks. A store may be used by
several threads at once, and by several processes on one home.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from localproc.frozen import frozen
from localproc.model import (
    Callback,
    Encoded,
    Event,
    JobFilter,
    JobRecord,
    ProcessRecord,
    TokenRecord,
)
from localproc.model.trigger import Accepting, Firing, TriggerRecord


@frozen
class Change:
    """New events of one job and the row they add up to.

    ``after`` is the number of events the job had before them; ``callbacks`` are to be delivered.
    """

    job: JobRecord
    events: Sequence[Event]
    after: int
    callbacks: Sequence[Callback] = ()


class Store(Protocol):
    """Where a home keeps what has happened."""

    def add_job(self, job: JobRecord, event: Event) -> str:
        """Record a job that has been accepted, and its first event, in one transaction.

        Return its id. If it has a ``once`` key, and another job of the namespace with that key is
        open or was successful, nothing is recorded: then the id is that of the other one.
        """

    def encoded(
        self, job_id: str, value: Mapping[str, Any], go_on: Callable[[], object]
    ) -> Encoded:
        """Return a large value as a member of an event of a job that is to be committed.

        What there is to do before it can be written is done now, in whatever thread this is called;
        ``go_on`` is called again and again meanwhile, and what it raises ends it.
        """

    def commit(self, owner: str, changes: Sequence[Change]) -> Collection[str]:
        """Record the changes in one transaction, each only if ``owner`` still owns the job.

        Give the ids of the jobs it does not own any more: nothing of theirs was recorded.
        """

    def job(self, job_id: str) -> JobRecord | None:
        """Return a job's row."""

    def jobs(self, wanted: JobFilter) -> list[JobRecord]:
        """Return one page of jobs, newest first."""

    def events(self, job_id: str, after: int = 0) -> list[Event]:
        """Return the job's events in order, without the first ``after`` of them.

        What cannot be read, or is missing, is an ``Unreadable``; it never raises for that.
        """

    def delete_job(self, job_id: str) -> bool:
        """Forget a job that has ended; whether there was one."""

    def hide_job(self, job_id: str) -> None:
        """Take a job off the lists; it stays as a tombstone."""

    def request_dismiss(self, job_id: str) -> bool:
        """Note that the job should stop; whether it had not ended yet."""

    def to_dismiss(self, owner: str) -> list[str]:
        """Return the owner's jobs that should stop and have not ended."""

    def claim(
        self, owner: str, from_owners: Collection[str], most: int, *, dismissed: bool = False
    ) -> list[JobRecord]:
        """Take over open jobs that belong to nobody or to one of ``from_owners``.

        If there are more than ``most``, those of the highest priority, and of these the oldest.
        Those that were put aside are left alone, but for those that should stop. ``dismissed``:
        only those that should stop.
        """

    def release(self, owner: str) -> None:
        """Give the owner's open jobs up."""

    def owners(self) -> set[str | None]:
        """Return the owners of the open jobs, ``None`` if some belong to nobody.

        Jobs that were put aside, and are not to stop, do not count.
        """

    def put_aside(self, owner: str, job_id: str, reason: str) -> None:
        """Give up a job of the owner's that cannot be read; its message says why."""

    def reconsider(self) -> None:
        """Let the jobs that were put aside be tried again."""

    def version(self) -> int:
        """Return a number that changes when another process has written."""

    def identity(self) -> str:
        """Return what was noted of where the home is, empty if nothing was."""

    def become(self, identity: str, *, aside: str = "") -> None:
        """Note where the home is; with ``aside``, put all its open jobs aside for that reason."""

    def copy_to(self, path: str) -> None:
        """Write a whole copy of what is recorded to a file, while the store is in use."""

    def put_process(self, process: ProcessRecord, *, if_absent: bool = False) -> bool:
        """Record a revision and make it its process's current one; whether that was done.

        ``if_absent``: it is not where the process is deployed already, whoever has just done that.
        """

    def process(
        self, namespace: str, process_id: str, revision: str | None = None
    ) -> ProcessRecord | None:
        """Return a revision, the current one if none is named; raises ``StoreCorrupted``."""

    def processes(self, namespace: str) -> list[ProcessRecord]:
        """Return the current revisions in a namespace, by id; what cannot be read is left out."""

    def processes_from(self, namespace: str, entry: str) -> list[ProcessRecord]:
        """Return the current revisions that were deployed from a URI."""

    def remove_process(self, namespace: str, process_id: str) -> bool:
        """Make a process undeployed; its revisions stay for the jobs that ran them."""

    def open_jobs(self, namespace: str, process_id: str | None = None) -> int:
        """Return how many jobs of a process, or of a whole namespace, have not ended."""

    def take_callbacks(self, now: datetime, until: datetime, most: int) -> list[Callback]:
        """Take callbacks that are due, ``most`` of them.

        Unless they are settled, they are due again at ``until``.
        """

    def settle_callback(self, callback: Callback) -> None:
        """Forget a callback that was taken: it was delivered, or was given up.

        Numbers may be given again: another callback with its number stays.
        """

    def put_off_callback(self, callback: Callback, due: datetime) -> None:
        """Keep a callback for a later attempt, unless somebody else has taken it since."""

    def next_callback(self) -> datetime | None:
        """Return the time at which the next callback is due, ``None`` if there is none."""

    def put_token(self, digest: str, token: TokenRecord) -> None:
        """Record a token by its digest; one of the same name is replaced."""

    def token(self, namespace: str, digest: str) -> TokenRecord | None:
        """Return the token of a namespace that has a digest."""

    def tokens(self, namespace: str) -> list[TokenRecord]:
        """Return the tokens of a namespace, by name."""

    def remove_token(self, namespace: str, name: str) -> bool:
        """Forget a token; whether there was one."""

    def put_trigger(self, trigger: TriggerRecord) -> None:
        """Record a trigger; one of the same name is replaced, and keeps what it remembers."""

    def triggers(
        self, namespace: str | None, kind: str, name: str | None = None
    ) -> list[TriggerRecord]:
        """Return triggers of a kind, of one namespace or all, by name."""

    def due_triggers(self, kind: str, now: datetime, most: int) -> list[TriggerRecord]:
        """Return those of a kind that are enabled and due: ``most``, the most overdue first."""

    def next_trigger(self) -> datetime | None:
        """Return when the next schedule, or the next attempt of a job, is due."""

    def remove_trigger(self, namespace: str, kind: str, name: str) -> bool:
        """Forget a trigger and its firings; whether there was one."""

    def fire(
        self,
        trigger: TriggerRecord,
        firings: Sequence[tuple[Firing, Accepting | None]],
        due: datetime | None,
        state: Mapping[str, Any] | None = None,
    ) -> list[str] | None:
        """Record firings with the jobs that they become, each key once, in one transaction.

        With them goes when the trigger is due next, and what it remembers. Return the ids of the
        jobs that were accepted; ``None``, and nothing is recorded, if the trigger was changed or
        looked at by somebody else.
        """

    def firings(self, trigger: TriggerRecord, limit: int) -> list[Firing]:
        """Return what has set a trigger off, the last ``limit`` times, the last one first."""

    def fired(self, trigger: TriggerRecord, keys: Sequence[str]) -> set[str]:
        """Return those of the keys that have set a trigger off before."""

    def open_firings(self) -> list[tuple[TriggerRecord, Firing]]:
        """Return firings whose job has ended unseen, and those to be tried again."""

    def close_firing(self, trigger: TriggerRecord, firing: Firing) -> None:
        """Record what was seen of a firing's job."""

    def fire_again(
        self, trigger: TriggerRecord, before: Firing, firing: Firing, accepting: Accepting
    ) -> bool:
        """Record another attempt and its job, unless somebody else has; whether it was."""

    def letter(self, callback: Callback) -> str | None:
        """Return what a letter in the outbox says, ``None`` for a callback of a job.

        It is empty if what the letter was about is gone.
        """

    def firing_of(self, job_ids: Sequence[str]) -> dict[str, Firing]:
        """Return what jobs were set off by, by their ids; others have none."""

    def check(self) -> list[str]:
        """Return what is wrong with the store, nothing if it is sound."""

    def close(self) -> None:
        """Let go."""
