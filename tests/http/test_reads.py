"""How often the store is asked for one answer, counted by SQLite itself."""

from pathlib import Path

import httpx

import localproc
from tests.http.service import start

PEOPLE = {"Accept": "text/html"}
PROCESSES = 2  #: the statements that the filters of the page take: the processes, and their texts


def asked(engine: localproc.Engine, client: httpx.Client, url: str, **options: object) -> list[str]:
    """Return the statements that an answer takes."""
    client.get(url).raise_for_status()  # a connection is there from here on
    (db,) = engine._namespace.runtime.store._readers  # type: ignore[attr-defined]
    said: list[str] = []
    db.set_trace_callback(said.append)
    client.get(url, **options).raise_for_status()  # type: ignore[arg-type]
    db.set_trace_callback(None)
    return said


def test_a_page_of_jobs_that_have_not_ended_is_read_at_once(tmp_path: Path) -> None:
    with localproc.Engine(tmp_path, run_jobs=False) as engine, engine.client() as client:
        for number in range(5):
            start(client, {"string": str(number)})
        assert len(client.get("jobs").json()["jobs"]) == 5
        assert len(asked(engine, client, "jobs")) == 1
        assert len(asked(engine, client, "jobs", headers=PEOPLE)) == 1 + PROCESSES


def test_a_status_is_the_row_of_the_job_and_its_new_events(tmp_path: Path) -> None:
    with localproc.Engine(tmp_path, run_jobs=False) as engine, engine.client() as client:
        job = start(client, {"string": "x"})
        row, events = asked(engine, client, job)
        assert "FROM jobs WHERE id" in row
        assert "FROM events" in events


def test_a_snapshot_stays_and_the_record_is_read_anew(tmp_path: Path) -> None:
    with localproc.Engine(tmp_path, run_jobs=False) as engine, engine.client() as client:
        start(client, {"string": "x"})
        (job,) = engine.jobs()
        engine.job(job.id).dismiss(wait=False)
        assert not job.snapshot.dismiss_requested
        assert job.record.dismiss_requested
        assert job.snapshot.dismiss_requested
