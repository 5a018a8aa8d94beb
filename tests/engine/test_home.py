"""A home may be opened by many at once, moved, copied, and damaged."""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from localproc import Engine, Job
from localproc.engine.engine import namespace_of
from localproc.engine.home.home import Home
from localproc.errors import HomeUnusable, JobPutAside, StoreCorrupted
from tests.engine.test_resume import WORDS, run_and_die
from tests.patience import patient

RESULT = "seed\none\nseed\ntwo\nseed\nthree\n3 words\n"


@pytest.mark.parametrize("elsewhere", [False, True])
def test_many_threads_open_one_home(tmp_path: Path, *, elsewhere: bool) -> None:
    failed: list[BaseException] = []
    together = threading.Barrier(8)
    work = str(tmp_path / "work") if elsewhere else None

    def prepare() -> None:
        try:
            for number in range(15):
                together.wait(patient(30))
                Home(str(tmp_path / f"home-{number}")).prepare(work)
        except BaseException as error:
            failed.append(error)
            together.abort()

    threads = [threading.Thread(target=prepare) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    for number in range(15 if elsewhere else 0):
        home = tmp_path / f"home-{number}"
        assert all((home / part).readlink().is_dir() for part in ("jobs", "tmp", "cache"))


def test_a_store_that_another_process_makes_meanwhile_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = os.scandir

    def looked_at_late(path: str) -> object:
        (tmp_path / "jobs" / "first").mkdir()
        (tmp_path / "localproc.db").write_bytes(b"SQLite format 3")
        return look(path)

    monkeypatch.setattr(os, "scandir", looked_at_late)
    assert Home(str(tmp_path)).prepare() in ("wal", "delete")


@pytest.fixture
def killed(tmp_path: Path, packages: Path) -> Path:
    """Give a home whose engine was killed while steps ran."""
    assert run_and_die(tmp_path / "home", packages, tmp_path / "notes", 4)
    return tmp_path / "home"


def only_job(engine: Engine) -> Job:
    (job,) = engine.jobs()
    return job


def test_the_jobs_of_a_home_that_was_moved_go_on(killed: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved here"
    killed.rename(moved)
    with Engine(moved) as engine:
        job = only_job(engine).wait(patient(60))
        assert job.status == "successful", job.problem
        result = job.result("all")
        assert result.read_text() == RESULT
        assert moved in result.parents
    assert not killed.exists()
    again = tmp_path / "and here"
    moved.rename(again)
    with Engine(again) as engine:
        job = only_job(engine)
        assert job.result("all").read_text() == RESULT
        assert again in job.result("all").parents
        assert str(moved) not in str([event.to_data() for event in job.events()])


def copy_of(home: Path, to: Path) -> Path:
    """Copy a home as ``cp -a`` would; locks and pipes are the original's."""
    return Path(
        shutil.copytree(home, to, ignore=shutil.ignore_patterns("*.bell", "log-*", "empty-*"))
    )


def test_a_copy_leaves_the_jobs_of_the_original_alone(killed: Path, tmp_path: Path) -> None:
    copy = copy_of(killed, tmp_path / "copy")
    with Engine(copy) as engine:
        job = only_job(engine)
        with pytest.raises(JobPutAside, match=f"this home is a copy of {killed}"):
            job.wait(patient(30))
        assert "copy" in job.message
    assert not (killed / "results" / job.id).exists()
    with Engine(killed) as engine:
        original = only_job(engine).wait(patient(60))
        assert original.status == "successful", original.problem
        published = original.result("all")
        stamp = published.stat().st_mtime_ns
    with Engine(copy) as engine:  # somebody wants it to be run here as well
        engine.resume()
        job = engine.job(job.id).wait(patient(60))
        assert job.status == "successful", job.problem
        assert copy in job.result("all").parents
        assert job.result("all").read_text() == RESULT
    assert published.stat().st_mtime_ns == stamp


def test_the_jobs_of_a_copy_can_be_dismissed_without_harm(killed: Path, tmp_path: Path) -> None:
    copy = copy_of(killed, tmp_path / "copy")
    with Engine(copy) as engine:
        assert only_job(engine).dismiss().status == "dismissed"
    with Engine(killed) as engine:
        assert only_job(engine).wait(patient(60)).status == "successful"
    for word in WORDS:
        assert (tmp_path / "notes" / word).read_text().count("x") <= 2


def test_a_copy_in_place_of_its_original_goes_on(killed: Path, tmp_path: Path) -> None:
    copy = copy_of(killed, tmp_path / "copy")
    shutil.rmtree(killed)
    shutil.copytree(copy, killed)
    with Engine(killed) as engine:
        assert only_job(engine).wait(patient(60)).status == "successful"


def test_a_work_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.symlink_to(work)
    with pytest.raises(HomeUnusable, match=f"{work}/.*: Too many levels of symbolic links"):
        Engine(tmp_path / "home", work=str(work))


def test_a_backup_of_a_home_at_work_is_whole(tmp_path: Path, packages: Path) -> None:
    (tmp_path / "seed.txt").write_text("seed\n")
    (tmp_path / "notes").mkdir()
    inputs = {"words": WORDS, "notes": str(tmp_path / "notes"), "seed": str(tmp_path / "seed.txt")}
    with Engine(tmp_path / "home", slots=2) as engine:
        process = engine.deploy(packages / "resume.cwl")
        process.execute(inputs).wait(patient(60))
        for number in range(3):
            process.execute(inputs)
            engine.backup(tmp_path / f"backup-{number}")
        with pytest.raises(HomeUnusable, match="is not empty"):
            engine.backup(tmp_path / "backup-0")
        with pytest.raises(HomeUnusable, match="lies in the home"):
            engine.backup(tmp_path / "home" / "results" / "backup")
    shutil.rmtree(tmp_path / "home")
    for number in range(3):
        home, backup = tmp_path / f"home-{number}", tmp_path / f"backup-{number}"
        command = [sys.executable, "-m", "localproc", "--home", str(home), "restore", str(backup)]
        subprocess.run(command, check=True, capture_output=True)
        with Engine(home) as engine:
            assert namespace_of(engine).store_problems() == []
            jobs = engine.jobs()
            assert len(jobs) == number + 2
            for job in jobs:
                assert job.wait(patient(60)).status == "successful", job.problem
                assert job.result("all").read_text() == RESULT
                assert home in job.result("all").parents


@pytest.mark.parametrize("how", ["empty", "missing"])
def test_a_home_with_jobs_and_no_store_is_not_believed(killed: Path, how: str) -> None:
    for name in ("-wal", "-shm"):
        (killed / f"localproc.db{name}").unlink(missing_ok=True)
    (killed / "localproc.db").unlink()
    if how == "empty":
        (killed / "localproc.db").touch()
    with pytest.raises(StoreCorrupted, match=f"is {how}, but there are folders of 1 jobs") as error:
        Engine(killed)
    assert f"mv {killed}/jobs" in error.value.hint
    (killed / "jobs").rename(killed / "jobs.old")
    Engine(killed).close()


def test_a_log_that_is_another_stores_is_refused(killed: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    Engine(other).close()
    assert (killed / "localproc.db-wal").stat().st_size
    shutil.copy(killed / "localproc.db-wal", other / "localproc.db-wal")
    with pytest.raises(StoreCorrupted, match="is not the log of") as error:
        Engine(other)
    assert "mv " in error.value.hint
    (other / "localproc.db-wal").unlink()
    Engine(other).close()


def test_a_store_beside_the_log_of_another_is_refused(killed: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    Engine(other).close()
    os.replace(other / "localproc.db", killed / "localproc.db")
    with pytest.raises(StoreCorrupted, match="is not the log of"):
        Engine(killed)


def test_a_home_that_shares_its_store_with_a_copy_is_refused_until_it_has_its_own(
    tmp_path: Path, packages: Path
) -> None:
    home, copy = tmp_path / "home", tmp_path / "copy"
    with Engine(home) as engine:
        job_id = engine.run(packages / "echo.cwl", {"message": "hi"}).id
    shutil.copytree(home, copy, copy_function=os.link)
    for one in (home, copy):
        with pytest.raises(StoreCorrupted, match="is a file of several names") as error:
            Engine(one)
        assert f"mv {one}" in error.value.hint
    os.replace(shutil.copy(copy / "localproc.db", copy / "own"), copy / "localproc.db")
    for one in (home, copy):
        with Engine(one) as engine:
            assert engine.job(job_id).status == "successful"


def test_a_store_that_is_removed_while_it_is_in_use_is_told(tmp_path: Path, packages: Path) -> None:
    engine = Engine(tmp_path / "home")
    process = engine.deploy(packages / "echo.cwl")
    (tmp_path / "home" / "localproc.db").unlink()
    with pytest.raises(StoreCorrupted, match="was removed or replaced while it was in use"):
        process.execute({"message": "into the void"})
    engine.close()
    assert not (tmp_path / "home" / "localproc.db").exists()


def test_a_file_system_without_named_pipes_will_do(
    tmp_path: Path, packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: str, mode: int = 0) -> None:
        raise PermissionError(1, "Operation not permitted", path)

    monkeypatch.setattr(os, "mkfifo", refuse)
    with Engine(tmp_path / "home") as engine, Engine(tmp_path / "home") as other:
        process = engine.deploy(packages / "echo.cwl")
        assert process.execute({"message": "hi"}).wait(patient(30)).status == "successful"
        job = process.execute({"message": "hi"}, detached=True)
        namespace_of(other).stand_by()
        assert job.wait(patient(30)).status == "successful"


def test_the_store_shrinks_when_jobs_are_deleted(tmp_path: Path, packages: Path) -> None:
    store = tmp_path / "home" / "localproc.db"
    with Engine(tmp_path / "home") as engine:
        process = engine.deploy(packages / "echo.cwl")
        jobs = [process.execute({"message": "x" * 100_000}, detached=True) for _ in range(40)]
        for job in jobs:
            job.dismiss()
    full = store.stat().st_size
    with Engine(tmp_path / "home") as engine:
        for job in jobs:
            engine.delete(job.id)
    assert store.stat().st_size < full / 4
    with contextlib.closing(sqlite3.connect(store)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
