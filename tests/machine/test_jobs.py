"""The state machine of a job: its table, and what no sequence of facts can do to it."""

import pickle
from copy import copy
from dataclasses import FrozenInstanceError, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localproc.errors import InvalidTransition
from localproc.machine import TRANSITIONS, apply, new_job, replay
from localproc.model import Event, JobRecord, JobRequest, JobStatus, Kind
from localproc.model.events import CLASSES, Accepted

START = datetime(2026, 1, 1, tzinfo=UTC)
KINDS = [kind for kind in Kind if kind not in (Kind.ACCEPTED, Kind.UNREADABLE)]
#: What any of them needs to have; what one does not know is left out.
DATA = {
    "name": "crop",
    "key": "crop",
    "status": "successful",
    "reason": "busy",
    "done": 10,
    "engine": "e1",
    "outputs": {},
    "features": {},
    "problem": {},
    "attempt": 1,
    "due": "2026-01-01T12:00:00+00:00",
}


def accepted() -> JobRecord:
    request = JobRequest({})
    event = Accepted(START, request=request, message="accepted")
    return new_job("j", "default", "echo", "r1", request, event)


def at(
    seconds: float, kind: Kind, *, progress: int | None = None, message: str | None = None
) -> Event:
    when = START + timedelta(seconds=seconds)
    return CLASSES[kind].from_data(DATA, when, progress=progress, message=message)


def test_the_row_of_a_new_job_has_what_was_asked_for() -> None:
    request = JobRequest(
        {},
        reason="a test",
        run_as="me",
        environment="staging",
        service="eo",
        title="Crop",
        tags=("a", "b"),
        priority=3,
        once="key",
    )
    event = Accepted(START, request=request, message="accepted")
    job = new_job("j", "ours", "echo", "r1", request, event, owner="engine-1")
    assert job == JobRecord(
        id="j",
        namespace="ours",
        process_id="echo",
        revision="r1",
        status=JobStatus.ACCEPTED,
        created=START,
        updated=START,
        message="accepted",
        owner="engine-1",
        trigger=request.trigger,
        reason="a test",
        run_as="me",
        environment="staging",
        service="eo",
        title="Crop",
        tags=("a", "b"),
        priority=3,
        once="key",
    )


def test_a_job_that_has_not_started_may_be_stopped_or_fail() -> None:
    asked = apply(accepted(), at(1, Kind.DISMISS_REQUESTED))
    assert (asked.status, asked.dismiss_requested) == (JobStatus.ACCEPTED, True)
    assert apply(asked, at(2, Kind.DISMISSED)).status is JobStatus.DISMISSED
    assert apply(accepted(), at(1, Kind.FAILED)).status is JobStatus.FAILED
    assert apply(accepted(), at(1, Kind.TAKEN_OVER)).status is JobStatus.ACCEPTED


def test_a_job_that_goes_well() -> None:
    job = replay(
        accepted(),
        [
            at(1, Kind.STARTED, message="started"),
            at(2, Kind.STEP_FINISHED, progress=50),
            at(3, Kind.SUCCEEDED, message="successful"),
        ],
    )
    assert job.status is JobStatus.SUCCESSFUL
    assert (job.created, job.started, job.finished) == (
        START,
        START + timedelta(seconds=1),
        START + timedelta(seconds=3),
    )
    assert (job.progress, job.message) == (100, "successful")


def test_a_row_that_has_changed_is_like_any_other() -> None:
    row = accepted().changed(progress=5, message="half of it")
    other = replace(accepted(), progress=5, message="half of it")
    assert (type(row), row, hash(row)) == (JobRecord, other, hash(other))
    assert copy(row) == pickle.loads(pickle.dumps(row)) == row
    with pytest.raises(FrozenInstanceError):
        row.progress = 6  # type: ignore[misc]


def test_a_request_to_dismiss_is_a_flag_and_no_state() -> None:
    job = replay(accepted(), [at(1, Kind.STARTED), at(2, Kind.DISMISS_REQUESTED)])
    assert (job.status, job.dismiss_requested) == (JobStatus.RUNNING, True)


def test_a_job_can_be_dismissed_before_it_has_started() -> None:
    job = apply(accepted(), at(1, Kind.DISMISSED))
    assert (job.status, job.started, job.finished) == (
        JobStatus.DISMISSED,
        None,
        START + timedelta(seconds=1),
    )


def test_what_comes_late_changes_nothing() -> None:
    job = replay(accepted(), [at(1, Kind.STARTED), at(2, Kind.DISMISSED)])
    assert apply(job, at(3, Kind.SUCCEEDED)) is job


def test_an_impossible_transition_tells_its_story() -> None:
    with pytest.raises(InvalidTransition, match="job j is accepted, which 'succeeded' at 2026-01"):
        apply(accepted(), at(1, Kind.SUCCEEDED))


def test_a_clock_that_runs_backwards_does_not_show() -> None:
    job = replay(accepted(), [at(10, Kind.STARTED), at(3, Kind.SUCCEEDED)])
    assert job.finished == job.started == START + timedelta(seconds=10)


def test_final_states_have_no_way_out() -> None:
    assert {status for status in JobStatus if not TRANSITIONS[status]} == {
        status for status in JobStatus if status.final
    }


facts = st.builds(
    at,
    st.floats(-100, 100),
    st.sampled_from(KINDS),
    progress=st.none() | st.integers(-50, 200),
)


@given(st.lists(facts, max_size=30))
def test_no_sequence_of_facts_breaks_a_job(events: list[Event]) -> None:
    job = accepted()
    for event in events:
        try:
            after = apply(job, event)
        except InvalidTransition:
            continue
        if job.status.final:
            assert after is job
        assert after.progress >= job.progress
        assert 0 <= after.progress <= 100
        assert (after.progress == 100) == (after.status is JobStatus.SUCCESSFUL)
        assert after.updated >= job.updated
        assert after.created <= (after.started or after.created)
        assert (after.started or after.created) <= (after.finished or after.updated)
        assert (after.finished is not None) == after.status.final
        assert after.dismiss_requested >= job.dismiss_requested
        job = after
