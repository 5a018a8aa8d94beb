"""Steps are what a job's events say of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from localproc.machine import StepBook, steps
from localproc.model import Event, Kind, StepStatus

START = datetime(2026, 1, 1, tzinfo=UTC)


def event(seconds: int, kind: Kind, **data: Any) -> Event:
    return Event(kind, START + timedelta(seconds=seconds), data)


SUBMITTED = event(
    0,
    Kind.STEP_SUBMITTED,
    key="crop[0]",
    name="crop",
    attempt=1,
    log="node_crop.log",
    command=["x"],
)


def test_a_step_waits_runs_and_ends() -> None:
    started = START + timedelta(seconds=1)
    history = [
        SUBMITTED,
        event(2, Kind.STEP_RUNNING, name="crop", started=started.isoformat()),
        event(5, Kind.STEP_FINISHED, name="crop", status="successful", exit_code=0),
    ]
    states = [steps(history[:n])[0].status for n in (1, 2, 3)]
    assert states == [StepStatus.ACCEPTED, StepStatus.RUNNING, StepStatus.SUCCESSFUL]
    step = steps(history)[0]
    assert (step.start, step.duration, step.exit_code) == (started, 4.0, 0)
    assert (step.key, step.log, step.command) == ("crop[0]", "node_crop.log", ("x",))


def test_a_short_step_is_told_of_once_with_both_its_times() -> None:
    ended = START + timedelta(seconds=2)
    done = event(
        9,
        Kind.STEP_FINISHED,
        name="crop",
        status="failed",
        exit_code=3,
        started=START.isoformat(),
        ended=ended.isoformat(),
        said="step crop failed with exit code 3",
    )
    step = steps([SUBMITTED, done])[0]
    assert (step.start, step.end, step.message) == (
        START,
        ended,
        "step crop failed with exit code 3",
    )


def test_steps_that_were_open_end_with_their_job() -> None:
    book = StepBook()
    book.take(SUBMITTED)
    changed = book.take(event(7, Kind.DISMISSED))
    assert [(step.status, step.end) for step in changed] == [
        (StepStatus.DISMISSED, START + timedelta(seconds=7))
    ]


def test_a_new_attempt_begins_again() -> None:
    again = event(
        3,
        Kind.STEP_SUBMITTED,
        key="crop[0]",
        name="crop",
        attempt=2,
        log="node_crop.log",
        command=[],
    )
    running = event(1, Kind.STEP_RUNNING, name="crop")
    step = steps([SUBMITTED, running, again])[0]
    assert (step.status, step.attempt, step.start) == (StepStatus.ACCEPTED, 2, None)
