"""Homes of older formats open, show their jobs and go on; those of newer ones are left alone."""

import contextlib
import os
import sqlite3
import threading
from pathlib import Path

import pytest

import localproc
from localproc.errors import EnvironmentProblem, HomeUnusable, StoreCorrupted
from localproc.model import Kind
from localproc.model.events import STAGE_IN, TakenOver, Unreadable
from localproc.store import SqliteStore, migrations
from localproc.store.schema import SCHEMA
from tests.patience import patient

#: What 0.1 wrote: a job that went well, one that failed, one that was killed while its second step
#: ran, and one that nobody has begun.
OLD = Path(__file__).with_name("home-0.1.sql")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Give a folder with a home as 0.1 left it, and the file that its jobs read."""
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "seed.txt").write_text("seed")
    with contextlib.closing(sqlite3.connect(home / "localproc.db")) as db:
        db.executescript(OLD.read_text().replace("{ROOT}", str(tmp_path)))
    return tmp_path


def open_jobs(engine: localproc.Engine) -> dict[str, localproc.Job]:
    return {job.record.title: job for job in engine.jobs()}


def test_the_jobs_of_an_old_home_are_shown(root: Path) -> None:
    with localproc.Engine(root / "home", run_jobs=False) as engine:
        jobs = open_jobs(engine)
        assert {title: str(job.status) for title, job in jobs.items()} == {
            "it went well": "successful",
            "it failed": "failed",
            "it was killed": "running",
            "it waits": "accepted",
        }
        for job in jobs.values():
            assert not [event for event in job.events() if isinstance(event, Unreadable)]
            assert job.request.run_as == "jane"
            assert job.inputs["seed"]["location"] == (root / "seed.txt").as_uri()
            assert job.execution()["name"] == "old"
            assert job.provenance()["activity"]
        well = jobs["it went well"]
        assert well.results()["text"] == "seed"
        assert [step.name for step in well.steps] == ["stage_in", "first", "second", "stage_out"]
        assert well.steps[0].key == STAGE_IN
        assert well.steps[2].rss
        assert jobs["it failed"].problem["exitCode"] == 3
        assert [token.name for token in engine.tokens.all()] == ["laptop"]
        assert engine.process("old").title == "What 0.1 ran"


def test_the_open_jobs_of_an_old_home_are_resumed(root: Path) -> None:
    with localproc.Engine(root / "home") as engine:
        jobs = open_jobs(engine)
        killed, waits = jobs["it was killed"].wait(patient(60)), jobs["it waits"].wait(patient(60))
        assert (killed.status, waits.status) == ("successful", "successful"), killed.problem
        assert killed.result("all").read_text() == "seed again\n"
        steps = {step.name: step for step in killed.steps}
        assert list(steps) == ["stage_in", "first", "second", "stage_out"]
        assert (steps["first"].attempt, steps["second"].attempt) == (1, 2)
        kinds = [event.kind for event in killed.events()]
        assert kinds.count(Kind.STARTED) == kinds.count(Kind.TAKEN_OVER) == 1
        taken = next(one for one in killed.events() if isinstance(one, TakenOver))
        assert taken.engine == killed.record.owner
        assert Kind.TAKEN_OVER not in [event.kind for event in waits.events()]


def test_a_copy_of_an_old_store_stays(root: Path) -> None:
    store = root / "home" / "localproc.db"
    with contextlib.closing(sqlite3.connect(store)) as db:
        before = list(db.iterdump())
    SqliteStore(str(store)).close()
    SqliteStore(str(store)).close()
    with contextlib.closing(sqlite3.connect(f"{store}.format-1")) as db:
        assert list(db.iterdump()) == before
    with contextlib.closing(sqlite3.connect(store)) as db:
        assert migrations.known_format(db, str(store)) == migrations.FORMAT


def test_a_copy_is_for_those_who_may_read_the_store(root: Path) -> None:
    store = root / "home" / "localproc.db"
    store.chmod(0o600)
    SqliteStore(str(store)).close()
    assert Path(f"{store}.format-1").stat().st_mode & 0o777 == 0o600
    again = SqliteStore(str(store))
    again.copy_to(str(root / "copy.db"))
    again.close()
    assert (root / "copy.db").stat().st_mode & 0o777 == 0o600


def test_a_store_that_cannot_be_copied_is_left_as_it_was(root: Path) -> None:
    store, copy = root / "home" / "localproc.db", root / "home" / "localproc.db.format-1"
    copy.mkdir()
    with pytest.raises(HomeUnusable, match=f"{copy} cannot be written: Is a directory"):
        SqliteStore(str(store))
    assert not Path(f"{copy}.part").exists()
    with contextlib.closing(sqlite3.connect(store)) as db:
        assert migrations.known_format(db, str(store)) == 1
    copy.rmdir()
    SqliteStore(str(store)).close()


@pytest.mark.parametrize("told", ["'nonsense'", "''", "0", "-3", "NULL"])
def test_a_store_without_a_format_that_is_one_is_no_store(tmp_path: Path, told: str) -> None:
    path = str(tmp_path / "store.db")
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT)")
        db.execute(f"INSERT INTO meta VALUES ('version', {told})")
        db.commit()
    with pytest.raises(StoreCorrupted, match="is no store of localproc"):
        SqliteStore(path)


def test_a_file_of_another_program_is_no_store(tmp_path: Path) -> None:
    path = str(tmp_path / "store.db")
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE jobs (id TEXT)")
    with pytest.raises(StoreCorrupted, match="is no store of localproc") as told:
        SqliteStore(path)
    assert told.value.hint


def test_a_new_store_has_no_copy(tmp_path: Path) -> None:
    SqliteStore(str(tmp_path / "store.db")).close()
    assert [path for path in os.listdir(tmp_path) if "format" in path] == []


def test_a_step_that_breaks_leaves_the_store_as_it_was(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = root / "home" / "localproc.db"
    broken = (*migrations.STEPS, "ALTER TABLE jobs ADD COLUMN x TEXT; ALTER TABLE nothing")
    monkeypatch.setattr(migrations, "STEPS", broken)
    with pytest.raises(EnvironmentProblem, match="syntax error"):
        SqliteStore(str(store))
    monkeypatch.undo()
    with contextlib.closing(sqlite3.connect(store)) as db:
        assert migrations.known_format(db, str(store)) == 1
    SqliteStore(str(store)).close()


def test_of_many_that_open_an_old_store_one_brings_it_up_to_date(root: Path) -> None:
    store = str(root / "home" / "localproc.db")
    opened: list[SqliteStore] = []
    threads = [threading.Thread(target=lambda: opened.append(SqliteStore(store))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 8
    for one in opened:
        assert one.check() == []
        one.close()


def test_every_format_is_that_of_a_new_store(tmp_path: Path) -> None:
    """A store that was made step by step has the tables of one that was made at once."""
    SqliteStore(str(tmp_path / "new.db")).close()
    with contextlib.closing(sqlite3.connect(tmp_path / "new.db")) as db:
        new = set(db.execute("SELECT name, sql FROM sqlite_master"))
    path = str(tmp_path / "old.db")
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.executescript(SCHEMA)
        db.execute("INSERT INTO meta VALUES ('version', '1')")
        db.commit()
    SqliteStore(path).close()
    with contextlib.closing(sqlite3.connect(path)) as db:
        assert set(db.execute("SELECT name, sql FROM sqlite_master")) == new
