"""The embedded store keeps the contract, and says what is wrong with its file."""

import multiprocessing
import resource
import sqlite3
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from localproc.errors import EnvironmentProblem, HomeUnusable, NoSpace, StoreCorrupted
from localproc.store import SqliteStore, rows
from localproc.store.sqlite_errors import explained
from localproc.testing.stores import OpenStore, StoreContract, job_at


class TestSqliteStore(StoreContract):
    @pytest.fixture(params=["wal", "delete"])
    def open_store(self, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[OpenStore]:
        opened: list[SqliteStore] = []

        def open_store() -> SqliteStore:
            opened.append(SqliteStore(str(tmp_path / "store.db"), journal=request.param))
            return opened[-1]

        yield open_store
        for store in opened:
            store.close()


def test_who_writes_holds_few_of_the_pages_that_it_has_written(tmp_path: Path) -> None:
    store = SqliteStore(str(tmp_path / "store.db"))
    with store.transaction() as db, store.reading() as other:
        sizes = [one.execute("PRAGMA cache_size").fetchone()[0] for one in (db, other)]
    store.close()
    assert sizes == [-512, -8192]


def _use(path: str, process: int) -> None:
    for number in range(150):
        store = SqliteStore(path)
        store.add_job(*job_at(process * 1000 + number))
        store.close()


def test_a_log_that_comes_or_goes_just_now_is_nobody_elses(tmp_path: Path) -> None:
    path = str(tmp_path / "store.db")
    with ProcessPoolExecutor(3, multiprocessing.get_context("spawn")) as processes:
        for done in [processes.submit(_use, path, number) for number in range(3)]:
            done.result()
    store = SqliteStore(path)
    assert all(store.job(f"job-{one * 1000 + number}") for one in range(3) for number in range(150))
    store.close()


def test_a_file_that_is_no_store_is_called_damaged(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(b"this was never a database, but it is long enough to be looked at" * 64)
    with pytest.raises(StoreCorrupted, match="damaged") as error:
        SqliteStore(str(path))
    assert f"mv {path}" in error.value.hint


def test_damage_within_the_file_is_found(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    store = SqliteStore(str(path))
    for number in range(500):
        store.add_job(*job_at(number))
    store.close()
    data = bytearray(path.read_bytes())
    middle = len(data) // 2  # behind what tells of the tables
    data[middle : middle + 65536] = b"\xff" * 65536
    path.write_bytes(bytes(data))
    store = SqliteStore(str(path))
    assert store.check()
    with pytest.raises(StoreCorrupted, match="damaged"):
        [store.job(f"job-{number}") for number in range(500)]
    store.close()


def test_a_store_of_a_newer_format_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    SqliteStore(str(path)).close()
    db = sqlite3.connect(path)
    db.execute("UPDATE meta SET value = '999'")
    db.commit()
    db.close()
    with pytest.raises(EnvironmentProblem, match="newer localproc"):
        SqliteStore(str(path))


def test_a_folder_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "store.db").mkdir()
    with pytest.raises(HomeUnusable, match="cannot be written"):
        SqliteStore(str(tmp_path / "store.db"))


def test_a_copy_that_cannot_be_written_is_what_is_told(tmp_path: Path) -> None:
    store, place = SqliteStore(str(tmp_path / "store.db")), tmp_path / "nowhere" / "copy.db"
    with pytest.raises(HomeUnusable, match=str(place)):
        store.copy_to(str(place))
    store.close()


def test_a_store_may_be_closed_while_it_is_read(tmp_path: Path) -> None:
    """All of its connections are closed then, also the one of who reads to the end."""
    store = SqliteStore(str(tmp_path / "store.db"))
    with store.reading() as db, store.reading():
        store.close()
        assert db.execute("SELECT 1").fetchone()[0] == 1
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        db.execute("SELECT 1")
    assert not (tmp_path / "store.db-wal").exists()


class Emptied(deque[sqlite3.Connection]):
    """Connections of which another thread takes the last one when somebody has counted them."""

    def __len__(self) -> int:
        found = super().__len__()
        if found:
            self.pop().close()
        return found


def test_a_connection_that_is_taken_as_the_store_is_closed_is_no_mishap(tmp_path: Path) -> None:
    store = SqliteStore(str(tmp_path / "store.db"))
    assert store.job("nothing") is None
    store._readers = Emptied(store._readers)
    store.close()


def test_a_file_that_may_not_grow_is_not_called_damaged(tmp_path: Path) -> None:
    store = SqliteStore(str(tmp_path / "store.db"))
    store.add_job(*job_at(1))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = (tmp_path / "store.db-wal").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        with pytest.raises(NoSpace, match="quota"):
            store.add_job(*job_at(2))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    store.add_job(*job_at(2))
    assert store.check() == []
    store.close()


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (sqlite3.SQLITE_FULL, NoSpace),
        (sqlite3.SQLITE_IOERR_SHMSIZE, NoSpace),
        (sqlite3.SQLITE_IOERR_READ, EnvironmentProblem),
        (sqlite3.SQLITE_CORRUPT_INDEX, StoreCorrupted),
        (sqlite3.SQLITE_NOTADB, StoreCorrupted),
    ],
)
def test_what_an_error_means(code: int, kind: type[EnvironmentProblem]) -> None:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = code
    assert type(explained(error, "/home/store.db")) is kind


def test_nobody_waits_to_commit_while_a_job_is_written_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SqliteStore(str(tmp_path / "localproc.db"))
    event_row = rows.event_row

    def seen(*args: Any) -> Any:
        is_free.append(not store._db.in_transaction)
        return event_row(*args)

    is_free: list[bool] = []
    monkeypatch.setattr(rows, "event_row", seen)
    store.add_job(*job_at(1))
    assert is_free == [True]
    store.close()


def test_what_is_accepted_is_on_disk_at_once(tmp_path: Path) -> None:
    store = SqliteStore(str(tmp_path / "store.db"))
    store.add_job(*job_at(1))
    other = sqlite3.connect(tmp_path / "store.db")
    assert other.execute("SELECT count(*) FROM jobs").fetchone() == (1,)
    other.close()
    store.close()
