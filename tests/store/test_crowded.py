"""A store of very many jobs does for those that come next what one of few does.

What it costs is counted in steps of SQLite's machine, and what keeps others waiting in rows.
"""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from localproc.model import JobFilter, JobStatus
from localproc.model.events import StepSubmitted
from localproc.plugins.store import Change
from localproc.store import SqliteStore
from localproc.testing.store_tests import BEGINNING, failed, job_at

_FEW, _MANY = 40, 600


class WatchedStore(SqliteStore):
    """Counts the steps that it takes, by tens, and the rows that each transaction changes."""

    tens = 0
    rows: list[int]

    def _connect(self) -> sqlite3.Connection:
        db = super()._connect()
        db.set_progress_handler(self._step, 10)
        return db

    def _step(self) -> int:
        self.tens += 1
        return 0

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        with super().transaction() as db:
            before = db.total_changes
            yield db
            self.rows = [*getattr(self, "rows", []), db.total_changes - before]


def open_jobs(path: Path, count: int, **fields: object) -> WatchedStore:
    """Give a store in which so many jobs wait."""
    store = WatchedStore(str(path / f"{count}.db"))
    for number in range(count):
        store.add_job(*job_at(number, **fields))  # type: ignore[arg-type]
    return store


VERBS: dict[str, Callable[[SqliteStore], object]] = {
    "owners": lambda store: store.owners(),
    "claim": lambda store: [job.id for job in store.claim("other", ["me"], 4)],
    "claim what is to stop": lambda store: store.claim("other", ["me"], 4, dismissed=True),
    "to dismiss": lambda store: store.to_dismiss("me"),
    "accepted since": lambda store: [
        job.id
        for job in store.jobs(
            JobFilter(statuses=(JobStatus.ACCEPTED,), since=BEGINNING + timedelta(days=1))
        )
    ],
}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("owner", ["me", None])
def test_what_comes_next_is_found_without_a_look_at_the_others(
    verb: str, owner: str | None, tmp_path: Path
) -> None:
    steps, given = [], []
    for count in (_FEW, _MANY):
        store = open_jobs(tmp_path, count, owner=owner)
        VERBS[verb](store)  # the first reads the tables' shapes
        before = store.tens
        given.append(VERBS[verb](store))
        steps.append(store.tens - before)
        store.close()
    assert given[0] == given[1]
    assert steps[1] <= steps[0] + 5, steps


def test_the_first_of_many_have_the_highest_priority(tmp_path: Path) -> None:
    store = open_jobs(tmp_path, 3, owner=None)
    store.add_job(*job_at(3, owner="dead", priority=5))
    store.add_job(*job_at(4, owner="lives", priority=9))
    store.add_job(*job_at(5, owner=None, priority=5))
    assert [job.id for job in store.claim("me", ["dead"], 3)] == ["job-0", "job-3", "job-5"]
    assert [job.id for job in store.claim("me", ["dead"], 9)] == ["job-1", "job-2"]
    store.close()


def test_giving_up_many_jobs_keeps_nobody_waiting(tmp_path: Path) -> None:
    store = open_jobs(tmp_path, _MANY)
    store.rows = []
    store.release("me")
    assert sum(store.rows) == _MANY
    assert max(store.rows) <= 256
    assert store.owners() == {None}
    store.close()


def test_deleting_a_job_of_many_events_keeps_nobody_waiting(tmp_path: Path) -> None:
    store = open_jobs(tmp_path, 1)
    job, _ = job_at(0)
    step = StepSubmitted(BEGINNING, name="echo", key="echo", log="echo.log", message="starting")
    store.commit("me", [Change(job, [step] * _MANY, 1)])
    assert not store.delete_job("job-0")
    assert len(store.events("job-0")) == _MANY + 1, "it has not ended"
    ended = job.changed(status=JobStatus.FAILED, finished=BEGINNING)
    store.commit("me", [Change(ended, [failed(BEGINNING)], _MANY + 1)])
    store.rows = []
    assert store.delete_job("job-0")
    assert max(store.rows) <= 257
    assert sum(store.rows[:-1]) >= _MANY - 256
    assert store.events("job-0") == []
    with store.reading() as db:
        assert db.execute("SELECT count(*) FROM events").fetchone()[0] == 0
    store.close()


def test_of_jobs_those_that_ended_since_are_found(tmp_path: Path) -> None:
    store = open_jobs(tmp_path, 3)
    for number in (0, 1):
        job, _ = job_at(number)
        at = BEGINNING + timedelta(hours=number)
        ended = job.changed(status=JobStatus.FAILED, finished=at)
        store.commit("me", [Change(ended, [failed(at)], 1)])
    found = store.jobs(JobFilter(ended_since=BEGINNING + timedelta(minutes=1)))
    assert [job.id for job in found] == ["job-1"]
    store.close()
