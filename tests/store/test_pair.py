"""Which log belongs to a store, and that nobody takes one for another's that is being made."""

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from localproc.errors import StoreLocked
from localproc.store import SqliteStore, wal
from localproc.store.wal import opening
from localproc.testing.stores import job_at
from tests.patience import patient


@pytest.fixture
def path(tmp_path: Path) -> str:
    """Give a store that somebody has used."""
    path = tmp_path / "store.db"
    SqliteStore(str(path)).close()
    return str(path)


def test_a_store_that_is_opened_to_look_at_is_not_written_to(path: str) -> None:
    before = Path(path).stat()
    store = SqliteStore(path)
    assert store.owners() == set()
    assert Path(f"{path}-wal").stat().st_size == 0
    store.close()
    assert Path(path).stat() == before


def test_whoever_opens_a_store_waits_for_one_who_is_just_opening_it(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = threading.Event()
    monkeypatch.setattr(wal, "sleep", lambda _: waits.set())
    with ThreadPoolExecutor(1) as pool, sqlite3.connect(path) as first:
        with opening(path):
            first.execute("INSERT INTO meta VALUES ('who', 'the first')")
            first.commit()
            assert Path(f"{path}-wal").stat().st_size  # it is not noted yet
            second = pool.submit(SqliteStore, path)
            assert waits.wait(patient(20))
        second.result(patient(20)).close()
    first.close()


def test_a_log_that_its_last_user_removes_meanwhile_is_nobody_elses(path: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        used = [pool.submit(_use, path, number) for number in range(100)]
    assert [one.result() for one in used] == [f"job-{number}" for number in range(100)]


def _use(path: str, number: int) -> str:
    store = SqliteStore(path)
    try:
        return store.add_job(*job_at(number))
    finally:
        store.close()


def test_one_that_stays_as_it_opens_the_store_is_told(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wal, "BUSY", 0.01)
    with opening(path), pytest.raises(StoreLocked, match="stayed locked by another process"):
        SqliteStore(path)
    SqliteStore(path).close()
