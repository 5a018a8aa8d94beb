"""Large members of events are written a little at a time, and are read as part of their events."""

import contextlib
import json
import os
import sqlite3
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from localproc.machine import apply
from localproc.model import Event, JobRecord, JobRequest, JobStatus
from localproc.model.events import Accepted, Started, Succeeded
from localproc.plugins.store import Change
from localproc.store import SqliteStore, apart, checkpoints, database
from localproc.store.database import at_once
from localproc.testing.stores import job_at
from tests.patience import until

LARGE: dict[str, Any] = {"said": "é\x01\ud800" * 200_000, "many": list(range(100_000))}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(str(tmp_path / "localproc.db"))
    yield store
    store.close()


def accepted(number: int, inputs: dict[str, Any], **more: Any) -> tuple[JobRecord, Event]:
    """Give a job with inputs, and its first event."""
    job, first = job_at(number, **more)
    assert isinstance(first, Accepted)
    request = JobRequest.from_data({**first.request.to_data(), "inputs": inputs})
    return job, Accepted(first.at, request=request)


def rows(store: SqliteStore, statement: str) -> list[Any]:
    with store.reading() as db:
        return [row[0] for row in db.execute(statement)]


def inputs_of(store: SqliteStore, job_id: str) -> Any:
    (first,) = store.events(job_id)
    assert isinstance(first, Accepted)
    return first.request.inputs


def test_no_row_is_large(store: SqliteStore) -> None:
    job, event = accepted(1, LARGE)
    assert store.add_job(job, event) == job.id
    assert max(rows(store, "SELECT length(data) FROM events")) < 1000
    parts = rows(store, "SELECT length(data) FROM apart ORDER BY part")
    assert len(parts) > 3
    assert max(parts) < 2 * (1 << 18)
    assert inputs_of(store, job.id) == LARGE


def test_what_is_small_is_in_its_row(store: SqliteStore) -> None:
    job, event = accepted(1, {"n": 1, "said": "x" * 100_000})
    store.add_job(job, event)
    assert rows(store, "SELECT count(*) FROM apart") == [0]
    assert inputs_of(store, job.id) == {"n": 1, "said": "x" * 100_000}


def test_others_write_between_two_parts(store: SqliteStore) -> None:
    """Whoever wants the connection that writes waits for one part at most."""
    wrote: list[str] = []

    def go_on() -> None:
        job, event = job_at(10 + len(wrote))
        thread = threading.Thread(target=lambda: wrote.append(store.add_job(job, event)))
        thread.start()
        thread.join()

    store.add_job(*accepted(1, {}))
    encoded = store.encoded("job-1", LARGE, go_on)
    assert len(wrote) == len(rows(store, "SELECT part FROM apart")) > 3
    assert encoded == LARGE


def test_they_go_with_their_job(store: SqliteStore) -> None:
    job, event = accepted(1, LARGE)
    store.add_job(job, event)
    store.claim("me", [], 1)
    began = Started(job.updated)
    ended = Succeeded(job.updated, outputs=store.encoded(job.id, LARGE, str), features={})
    job = apply(apply(job, began), ended)
    assert not store.commit("me", [Change(job, [began, ended], 1)])
    assert store.events(job.id)[-1] == Succeeded(job.updated, outputs=LARGE, features={})
    assert store.delete_job(job.id)
    assert rows(store, "SELECT count(*) FROM apart") == [0]


def test_they_go_a_few_at_a_time(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever wants the connection that writes gets it in between."""
    job, event = accepted(1, {"said": "x" * 8_000_000})
    store.add_job(job, event)
    store.claim("me", [], 1)
    began, ended = Started(job.updated), Succeeded(job.updated, outputs={}, features={})
    done = apply(apply(job, began), ended)
    store.commit("me", [Change(done, [began, ended], 1)])
    left: list[int] = []
    transaction = store.transaction

    @contextlib.contextmanager
    def told(*pages: int) -> Iterator[sqlite3.Connection]:
        with transaction(*pages) as db:
            yield db
            left.append(db.execute("SELECT count(*) FROM apart").fetchone()[0])

    monkeypatch.setattr(store, "transaction", told)
    assert store.delete_job(job.id)
    assert left[-1] == 0
    assert max(one - other for one, other in pairwise(left)) <= 4
    with store.reading() as db:
        assert db.execute("PRAGMA freelist_count").fetchone()[0] < 256


def test_nothing_is_left_of_what_is_not_recorded(store: SqliteStore) -> None:
    store.add_job(*accepted(1, LARGE, once="nightly"))
    before = rows(store, "SELECT count(*) FROM apart")
    assert store.add_job(*accepted(2, LARGE, once="nightly")) == "job-1"
    assert rows(store, "SELECT count(*) FROM apart") == before

    def stop() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        store.encoded("job-1", LARGE, stop)
    assert rows(store, "SELECT count(*) FROM apart") == before


def test_what_was_left_of_a_job_that_never_came_goes_once_it_is_old(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add_job(*accepted(1, LARGE))
    store.encoded("job-9", LARGE, str)  # whoever was about to accept it was killed
    store.encoded("job-1", LARGE, str)
    assert set(rows(store, "SELECT job FROM apart")) == {"job-1", "job-9"}
    monkeypatch.setattr(apart, "_OLD", -10)
    store.encoded("job-1", LARGE, str)
    assert set(rows(store, "SELECT job FROM apart")) == {"job-1"}
    assert inputs_of(store, "job-1") == LARGE


def test_a_copy_of_the_store_has_them(store: SqliteStore, tmp_path: Path) -> None:
    store.add_job(*accepted(1, LARGE))
    store.copy_to(str(tmp_path / "copy.db"))
    copy = SqliteStore(str(tmp_path / "copy.db"))
    assert inputs_of(copy, "job-1") == LARGE
    copy.close()


def test_paths_within_the_home_follow_it(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    inputs = {"at": str(tmp_path / "old" / "jobs"), **LARGE}
    store = SqliteStore(str(tmp_path / "old" / "localproc.db"))
    store.add_job(*accepted(1, inputs))
    store.close()
    os.rename(tmp_path / "old", tmp_path / "new")
    store = SqliteStore(str(tmp_path / "new" / "localproc.db"))
    assert inputs_of(store, "job-1")["at"] == str(tmp_path / "new" / "jobs")
    store.close()


def test_large_rows_of_an_older_format_are_read(tmp_path: Path) -> None:
    path = str(tmp_path / "localproc.db")
    store = SqliteStore(path)
    store.add_job(*accepted(1, {"n": 1}))
    store.close()
    with contextlib.closing(sqlite3.connect(path)) as db:
        ((text,),) = db.execute("SELECT data FROM events")
        data = json.loads(text)
        data["request"]["inputs"] = {"said": "x" * 1_000_000}
        db.execute("UPDATE events SET data = ?", (json.dumps(data),))
        db.execute("DROP TABLE apart")
        db.execute("DROP INDEX jobs_stopping")
        db.execute("UPDATE meta SET value = '5' WHERE key = 'version'")
        db.commit()
    store = SqliteStore(path)
    assert inputs_of(store, "job-1") == {"said": "x" * 1_000_000}
    found = store.job("job-1")
    assert found is not None
    assert found.status is JobStatus.ACCEPTED
    store.close()


@pytest.fixture
def short_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the log of a store, which is moved after a MiB."""
    for module in (checkpoints, database):
        monkeypatch.setattr(module, "ENOUGH", 1 << 20)
    return tmp_path / "localproc.db-wal"


def grown(store: SqliteStore, log: Path, begin: int) -> int:
    """Commit until there is enough to be moved, and it was looked at; return the next number."""
    number, left = begin, 2 * checkpoints.OFTEN
    while left:
        store.add_job(*accepted(number, {"said": "x" * 20_000}))
        number += 1
        left -= log.stat().st_size > checkpoints.ENOUGH
    return number


def test_who_commits_does_not_move_what_was_committed(short_log: Path, tmp_path: Path) -> None:
    """The log is moved into the store by a thread of its own: that waits for the disk."""
    path = tmp_path / "localproc.db"
    store = SqliteStore(str(path))
    with store.transaction() as db:
        assert tuple(db.execute("PRAGMA wal_autocheckpoint").fetchone()) == (0,)
    empty, number = path.stat().st_size, 0
    while short_log.stat().st_size <= checkpoints.ENOUGH:
        number += 1
        assert path.stat().st_size == empty, "it is not time yet"
        store.add_job(*accepted(number, {"said": "x" * 20_000}))
    grown(store, short_log, number + 1)
    until(lambda: path.stat().st_size > empty)
    store.close()


def test_the_log_is_begun_anew_once_all_of_it_is_moved(short_log: Path, tmp_path: Path) -> None:
    path = tmp_path / "localproc.db"
    store = SqliteStore(str(path))
    number = 0
    for _ in range(3):
        before = path.stat().st_size
        number = grown(store, short_log, number)
        store.settle()
        assert path.stat().st_size > before
        for _ in range(checkpoints.OFTEN + 1):  # what came after the last look is moved by then
            store.add_job(*accepted(number, {}))
            number += 1
            store.settle()
        assert short_log.stat().st_size <= checkpoints.ENOUGH, "and cut"
    store.close()


def test_who_reads_for_long_makes_nobody_move_the_log_in_a_commit(
    short_log: Path, tmp_path: Path
) -> None:
    path = tmp_path / "localproc.db"
    store = SqliteStore(str(path))
    with store.reading() as db, at_once(db):
        db.execute("SELECT count(*) FROM jobs").fetchone()
        number = grown(store, short_log, 0)
        store.settle()
        before = path.stat().st_size
        assert before < checkpoints.ENOUGH // 2, "what the reader sees alone"
    for later in range(checkpoints.SELDOM + checkpoints.OFTEN):
        store.add_job(*accepted(number + later, {}))
    store.settle()
    assert path.stat().st_size > before
    store.close()
