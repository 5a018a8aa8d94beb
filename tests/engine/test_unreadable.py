"""A job whose record cannot be read is put aside and told of; the others go on."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from localproc import Engine
from localproc.errors import JobPutAside, NoSuchProcess, StoreCorrupted
from tests.patience import patient

Damage = Callable[[sqlite3.Connection, int], object]


def unknown_kind(db: sqlite3.Connection, number: int) -> None:
    db.execute(
        "INSERT INTO events (job, seq, kind, at, data) VALUES (?, 2, 'teleported', 1, '{}')",
        (number,),
    )


def no_events(db: sqlite3.Connection, number: int) -> None:
    db.execute("DELETE FROM events WHERE job = ?", (number,))


def unknown_member(db: sqlite3.Connection, number: int) -> None:
    (data,) = db.execute("SELECT data FROM events WHERE job = ?", (number,)).fetchone()
    found = json.loads(data)
    found["request"]["quantum"] = True
    db.execute("UPDATE events SET data = ? WHERE job = ?", (json.dumps(found), number))


def no_json(db: sqlite3.Connection, number: int) -> None:
    db.execute("UPDATE events SET data = '{' WHERE job = ?", (number,))


def newer_version(db: sqlite3.Connection, number: int) -> None:
    db.execute("UPDATE events SET version = 99 WHERE job = ?", (number,))


def missing_event(db: sqlite3.Connection, number: int) -> None:
    db.execute(
        "INSERT INTO events (job, seq, kind, at, data) VALUES (?, 3, 'started', 1, '{}')",
        (number,),
    )


def unknown_trigger(db: sqlite3.Connection, number: int) -> None:
    db.execute("UPDATE jobs SET trigger = 'earthquake' WHERE n = ?", (number,))


def no_progress(db: sqlite3.Connection, number: int) -> None:
    db.execute("UPDATE jobs SET progress = 'far' WHERE n = ?", (number,))


DAMAGES: list[tuple[Damage, str]] = [
    (unknown_kind, "'teleported'"),
    (no_events, "there are no events of it"),
    (unknown_member, "it asks for what is not known: quantum"),
    (no_json, "no JSON"),
    (newer_version, "version 99"),
    (missing_event, "an event is missing here"),
    (unknown_trigger, "its trigger cannot be read"),
    (no_progress, "its progress cannot be read"),
]


@pytest.fixture
def home(tmp_path: Path, packages: Path) -> Path:
    """Give a home with two jobs that nobody has begun yet."""
    with Engine(tmp_path / "home", run_jobs=False) as engine:
        process = engine.deploy(packages / "echo.cwl")
        for name in ("bad", "good"):
            process.execute({"message": name}, title=name)
    return tmp_path / "home"


def damage(home: Path, how: Damage) -> None:
    with closing(sqlite3.connect(home / "localproc.db", isolation_level=None)) as db:
        (number,) = db.execute("SELECT n FROM jobs WHERE title = 'bad'").fetchone()
        how(db, number)


@pytest.mark.parametrize(("how", "said"), DAMAGES, ids=lambda one: getattr(one, "__name__", ""))
def test_one_bad_row_keeps_nobody_from_the_others(home: Path, how: Damage, said: str) -> None:
    damage(home, how)
    with Engine(home) as engine:
        good, bad = engine.jobs()
        assert good.wait(patient(30)).status == "successful"
        with pytest.raises(JobPutAside, match="is put aside") as error:
            bad.wait(patient(30))
        assert said in error.value.message
        assert said in bad.record.aside
        with pytest.raises(JobPutAside):
            list(bad.watch())
        more = engine.process("echo").execute({"message": "later"})
        assert more.wait(patient(30)).status == "successful"
        with engine.client() as client:
            listed = client.get("jobs").json()["jobs"]
            assert said in next(one["message"] for one in listed if one["id"] == bad.id)
            assert client.get(f"jobs/{bad.id}").status_code == 200
            for page in ("jobs", f"jobs/{bad.id}", "executions/v1"):
                answer = client.get(page, headers={"Accept": "text/html"})
                assert answer.status_code == 200, page
                assert bad.id in answer.text
    with Engine(home) as engine:  # it is not tried again and again, and nobody waits for it
        assert engine.job(bad.id).record.owner is None


@pytest.mark.parametrize(("how", "said"), DAMAGES, ids=lambda one: getattr(one, "__name__", ""))
def test_a_job_that_cannot_be_read_can_be_dismissed_and_deleted(
    home: Path, how: Damage, said: str
) -> None:
    damage(home, how)
    with Engine(home) as engine:
        engine.jobs()[0].wait(patient(30))
        bad = engine.jobs()[1]
        bad.dismiss()
        assert bad.status == "dismissed", said
        assert engine.delete(bad.id)


def test_a_job_whose_owner_cannot_be_read_is_nobodys(home: Path) -> None:
    damage(home, lambda db, n: db.execute("UPDATE jobs SET owner = ? WHERE n = ?", (b"\xff", n)))
    with Engine(home, run_jobs=False) as engine:
        assert [job.record.owner for job in engine.jobs()] == [None, None]
    with Engine(home) as engine:
        for job in engine.jobs():
            assert job.wait(patient(30)).status == "successful"


def test_one_that_was_mended_goes_on_when_it_is_resumed(home: Path) -> None:
    damage(home, unknown_kind)
    with Engine(home) as engine:
        bad = engine.jobs()[1]
        with pytest.raises(JobPutAside):
            bad.wait(patient(30))
    damage(home, lambda db, _: db.execute("DELETE FROM events WHERE kind = 'teleported'"))
    with Engine(home) as engine:
        engine.resume()
        assert engine.job(bad.id).wait(patient(30)).status == "successful"


def test_the_command_line_tells_of_it(home: Path) -> None:
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "localproc", "--home", str(home), *words]
        return subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=patient(60)
        )

    damage(home, unknown_kind)
    resumed = run("resume")
    assert resumed.returncode == 1
    assert "is put aside: the event 'teleported' cannot be read" in resumed.stderr
    assert "put aside: the event" in run("jobs").stdout
    doctor = run("doctor").stdout
    assert "'teleported' cannot be read" in doctor
    assert f"'localproc --home {home} dismiss' ends it" in doctor


@pytest.mark.parametrize(
    ("column", "value"),
    [("description", "{"), ("resolved", "[]"), ("resolved", b"\xff"), ("deployed", "soon")],
)
def test_a_process_that_cannot_be_read_keeps_nobody_from_the_others(
    home: Path, packages: Path, column: str, value: object, caplog: pytest.LogCaptureFixture
) -> None:
    with Engine(home, run_jobs=False) as engine:
        engine.deploy(packages / "three-steps.cwl")
    with closing(sqlite3.connect(home / "localproc.db", isolation_level=None)) as db:
        db.execute(f"UPDATE processes SET {column} = ? WHERE id = 'echo'", (value,))
    with Engine(home) as engine:
        assert [one.id for one in engine.processes()] == ["three-steps"]
        assert "the process 'echo' cannot be read" in caplog.text
        with pytest.raises(StoreCorrupted, match="the process 'echo' cannot be read"):
            engine.process("echo")
        for job in engine.jobs():
            with pytest.raises(JobPutAside, match="the process 'echo' cannot be read"):
                job.wait(patient(30))
        with engine.client() as client:
            listed = client.get("processes").json()["processes"]
            assert [one["id"] for one in listed] == ["three-steps"]
            assert client.get("processes/echo").status_code == 500
    with Engine(home) as engine:  # its texts are those that were deployed, so this mends it
        engine.deploy(packages / "echo.cwl")
        for job in engine.resume():
            assert job.wait(patient(30)).status == "successful"
        assert len(engine.processes()) == 2


def test_a_process_that_cannot_be_read_can_be_undeployed(home: Path) -> None:
    with closing(sqlite3.connect(home / "localproc.db", isolation_level=None)) as db:
        db.execute("UPDATE processes SET resolved = '{'")
    with Engine(home) as engine:
        engine.undeploy("echo", force=True)
        with pytest.raises(NoSuchProcess):
            engine.undeploy("echo")
