"""The execution log's documents: the members of its seed, and what is known of each step."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from localproc.model import JobRecord, JobStatus, Step, StepStatus, Trigger
from localproc.views.execution_log import FAILED, STATUSES, execution

NOON = datetime(2021, 7, 1, 12, tzinfo=UTC)
DONE = JobRecord(
    id="05f1ec1a",
    namespace="default",
    process_id="water-bodies",
    revision="abc",
    status=JobStatus.SUCCESSFUL,
    created=NOON,
    started=NOON + timedelta(seconds=1),
    finished=NOON + timedelta(seconds=9),
    updated=NOON + timedelta(seconds=9),
    progress=100,
    message="successful",
    trigger=Trigger.SCHEDULED,
    reason="crontab(water-bodies)",
    run_as="jane",
    environment="production",
    service="EO",
)


def step(name: str, status: StepStatus = StepStatus.SUCCESSFUL, **fields: Any) -> Step:
    times = {"start": NOON + timedelta(seconds=2), "end": NOON + timedelta(seconds=3)}
    key = fields.pop("key", name)
    return Step(name, key, status, f"node_{name}.log", **{**times, **fields})


def test_an_execution_that_has_ended_well() -> None:
    items = [
        {"id": "A", "properties": {"datetime": "2021-07-01T10:00:00Z"}},
        {"id": "B", "properties": {"datetime": None, "start_datetime": "2021-06-30T00:00:00Z"}},
        {"id": "C", "properties": {"datetime": "2021-07-01T11:00:00Z"}},
    ]
    publishing = step("stage_out", key="/stage_out")
    steps = [step("crop"), publishing]
    logs = {"crop": ["cropping"], "stage_out": ["published 3 items"]}
    assert execution(DONE, steps, logs, {"stac": {"features": items}}) == {
        "_id": "05f1ec1a",
        "service": "EO",
        "name": "water-bodies",
        "environment": "production",
        "trigger": "scheduled",
        "reason": "crontab(water-bodies)",
        "start": "2021-07-01T12:00:01.000Z",
        "end": "2021-07-01T12:00:09.000Z",
        "runAs": "jane",
        "status": "success",
        "message": "successful",
        "phases": [
            {
                "name": "crop",
                "start": "2021-07-01T12:00:02.000Z",
                "end": "2021-07-01T12:00:03.000Z",
                "status": "success",
                "message": "Completed crop",
                "log": ["cropping"],
            },
            {
                "name": "stage_out",
                "start": "2021-07-01T12:00:02.000Z",
                "end": "2021-07-01T12:00:03.000Z",
                "status": "success",
                "message": "Completed stage_out",
                "log": ["published 3 items"],
            },
        ],
        "loaderMessage": "published 3 items",
        "data": {
            "name": "water-bodies",
            "curves": {},
            "series": {"2021-07-01": ["A", "C"], "2021-06-30": ["B"]},
        },
    }


def test_one_that_runs_has_no_end() -> None:
    running = replace(DONE, status=JobStatus.RUNNING, finished=None, message="running crop")
    document = execution(running, [step("crop", StepStatus.RUNNING, end=None)], {}, {})
    assert "end" not in document
    (phase,) = document["phases"]
    assert "end" not in phase
    assert (phase["status"], phase["message"]) == ("running", "Running")
    assert document["loaderMessage"] == ""
    assert document["data"]["series"] == {}


def test_one_that_waits_starts_when_it_was_accepted() -> None:
    waits = replace(DONE, status=JobStatus.ACCEPTED, started=None, finished=None)
    document = execution(waits, [], {}, {})
    assert (document["status"], document["start"]) == ("triggered", "2021-07-01T12:00:00.000Z")


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        (StepStatus.ACCEPTED, "running"),
        (StepStatus.RUNNING, "running"),
        (StepStatus.SUCCESSFUL, "success"),
        (StepStatus.SKIPPED, "success"),
        (StepStatus.REUSED, "success"),
        (StepStatus.FAILED, "failed"),
        (StepStatus.DISMISSED, "failed"),
    ],
)
def test_the_states_of_phases(status: StepStatus, shown: str) -> None:
    (phase,) = execution(DONE, [step("crop", status)], {}, {})["phases"]
    assert phase["status"] == shown


def test_every_state_is_one_of_the_four() -> None:
    assert set(STATUSES) == set(JobStatus)
    assert set(STATUSES.values()) == {"triggered", "running", "success", "failed"}
    assert set(FAILED) == {JobStatus.FAILED, JobStatus.DISMISSED}


def test_what_a_step_said_of_its_end_is_its_phases_message() -> None:
    failed = step("crop", StepStatus.FAILED, message="step crop failed with exit code 3")
    (phase,) = execution(DONE, [failed], {}, {})["phases"]
    assert phase["message"] == "step crop failed with exit code 3"


def test_a_phase_tells_where_it_ran_and_what_it_took() -> None:
    known = step("crop", executor="slurm", host="node-7", native_id="4711", queued=8.5, cpu=2.5)
    (phase,) = execution(DONE, [known], {}, {})["phases"]
    assert phase["properties"] == {
        "executor": "slurm",
        "host": "node-7",
        "nativeID": "4711",
        "queuedSeconds": 8.5,
        "cpuSeconds": 2.5,
    }


def test_the_loader_is_the_engines_own_step_whatever_it_is_called() -> None:
    theirs = step("stage_out")
    own = step("localproc_stage_out", key="/stage_out")
    logs = {"stage_out": ["uploaded by the package"], "localproc_stage_out": ["published"]}
    assert execution(DONE, [theirs, own], logs, {})["loaderMessage"] == "published"
