"""What has run and what will, along time."""

from datetime import UTC, datetime, timedelta
from typing import Any

from localproc.model import JobRecord, JobStatus, Trigger
from localproc.views.agenda import Bar, agenda

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def job(
    process: str, status: JobStatus, started: float, finished: float | None = None
) -> JobRecord:
    """Give a job that was started and finished so many hours ago."""
    end = None if finished is None else NOW - finished * HOUR
    times: dict[str, Any] = {"started": NOW - started * HOUR, "finished": end}
    return JobRecord(
        id=f"{process}{started}",
        namespace="default",
        process_id=process,
        revision="r",
        status=status,
        created=NOW - started * HOUR,
        updated=NOW,
        trigger=Trigger.MANUAL,
        **times,
    )


def test_bars_lie_where_their_jobs_were() -> None:
    jobs = [
        job("a", JobStatus.SUCCESSFUL, 12, 6),
        job("a", JobStatus.RUNNING, 3),
        job("b", JobStatus.FAILED, 40, 11),
    ]
    found = agenda(jobs, [], NOW, 12 * HOUR)
    a, b = found.rows
    assert [(bar.x, bar.length, bar.status) for bar in a.bars] == [
        (0, 250, "success"),
        (375, 125, "running"),
    ]
    assert a.said == "1 running, 1 success"
    assert b.bars == [Bar("b40", "failed", 0, 41.7, "failed, 2026-03-02T20:00:00.000Z")]
    assert found.edge == ["00:00", "12:00", "00:00"]


def test_what_is_to_come_is_beside_what_was() -> None:
    coming = [(NOW + 6 * HOUR, "nightly", "a"), (NOW + 12 * HOUR, "nightly", "a")]
    (row,) = agenda([job("a", JobStatus.SUCCESSFUL, 1, 1)], coming, NOW, 12 * HOUR).rows
    assert [due.x for due in row.due] == [750, 996]
    assert row.said == "1 success, 2 to come, the next is nightly: 2026-03-04 18:00 UTC"


def test_there_are_no_more_rows_than_can_be_seen() -> None:
    jobs = [job(f"p{number:02}", JobStatus.SUCCESSFUL, 1, 1) for number in range(30)]
    found = agenda(jobs, [], NOW, 48 * HOUR)
    assert (len(found.rows), found.more, found.edge[0]) == (24, 6, "03-02 12:00")
