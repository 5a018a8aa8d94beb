"""What is written down of what happens to a job: whole events, with all that is known."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from localproc.cwl.run.plan import Invocation, Skipped
from localproc.cwl.run.process import Tool
from localproc.engine.job.event_writer import EventWriter
from localproc.engine.job.steplog import LogNames
from localproc.errors import JobFailed
from localproc.machine import new_job
from localproc.model import (
    Container,
    Event,
    JobRequest,
    JobStatus,
    Report,
    StepStatus,
    Task,
    TaskState,
)
from localproc.model.events import (
    Accepted,
    Dismissed,
    DismissRequested,
    Failed,
    Started,
    StepFinished,
    StepProgress,
    StepQueued,
    StepRetrying,
    StepRunning,
    StepSubmitted,
    Succeeded,
    TakenOver,
)
from tests.cwl.memory import process
from tests.engine.job_bench import NOON

LOG = "node_crop_2.log"
BOX = Container("debian:12", "/out", runtime="podman", digest="sha256:1")
TASK = Task(
    key="job:crop_2:3",
    argv=("crop", "a"),
    env={},
    outdir="/job/work/crop_2.3",
    tmpdir="/tmp/7",
    stdin=None,
    stdout="out",
    stderr="err",
    container=BOX,
    executor="cluster",
    software=("gdal 3.8 (modules)",),
    without=("no GPU",),
)
REPORT = Report(
    "job:crop_2:3",
    TaskState.ENDED,
    exit_code=3,
    started=NOON,
    ended=NOON + timedelta(seconds=4),
    cpu=2.5,
    rss=2048,
    reason="held",
    host="n1",
    native_id="77",
    queued=1.5,
    without=("no CUDA",),
)
PROBLEM = JobFailed("step crop_2 failed with exit code 3", job_id="job", cause="exit-code")


@pytest.fixture
def writer() -> EventWriter:
    first = Accepted(NOON, request=JobRequest({}), message="accepted")
    job = new_job("job", "default", "process", "1", first.request, first, owner="engine-1")
    job = replace(job, status=JobStatus.RUNNING, started=NOON)
    return EventWriter(job, now, LogNames({"crop_2": LOG}), "local")


def now() -> datetime:
    return NOON


def instance() -> Invocation:
    text = "{cwlVersion: v1.2, class: CommandLineTool, baseCommand: a, inputs: {}, outputs: {}}"
    tool = process(text)
    assert isinstance(tool, Tool)
    return Invocation(key="crop[1]", step="crop", tool=tool, inputs={})


def written(writer: EventWriter) -> Event:
    (event,) = writer.tear_off()
    assert writer.events == []
    return event


def test_who_runs_the_job(writer: EventWriter) -> None:
    writer.job = replace(writer.job, status=JobStatus.ACCEPTED)
    writer.started()
    assert written(writer) == Started(NOON, engine="engine-1", message="started")
    writer.taken_over()
    assert written(writer) == TakenOver(NOON, engine="engine-1")
    assert writer.job.status is JobStatus.RUNNING


def test_how_the_job_ends(writer: EventWriter) -> None:
    running = writer.job
    writer.dismiss_requested()
    assert written(writer) == DismissRequested(NOON, message="dismissing")
    writer.dismissed()
    assert written(writer) == Dismissed(NOON, message="dismissed")
    writer.job = running
    writer.failed(PROBLEM)
    assert written(writer) == Failed(NOON, problem=PROBLEM.to_problem(), message=PROBLEM.message)
    writer.job = running
    writer.succeeded({"a": 1}, {"a": {}}, tidy=True)
    assert written(writer) == Succeeded(
        NOON, outputs={"a": 1}, features={"a": {}}, tidy=True, message="successful"
    )


def test_what_a_task_is(writer: EventWriter) -> None:
    writer.launched("crop[1]", "crop_2", 3, TASK, lost=1, given="g", because="it failed before")
    assert written(writer) == StepSubmitted(
        NOON,
        name="crop_2",
        key="crop[1]",
        attempt=3,
        lost=1,
        log=LOG,
        command=("crop", "a"),
        tmpdir="/tmp/7",
        executor="cluster",
        image="debian:12",
        digest="sha256:1",
        containers="podman",
        software=("gdal 3.8 (modules)",),
        without=("no GPU",),
        given="g",
        because="it failed before",
        message="starting crop_2",
    )


def test_a_task_that_names_no_executor_goes_to_that_of_the_job(writer: EventWriter) -> None:
    writer.launched("crop[1]", "crop_2", 1, replace(TASK, executor="", container=None))
    event = written(writer)
    assert isinstance(event, StepSubmitted)
    assert (event.executor, event.image, event.digest, event.containers) == ("local", "", "", "")


def test_how_an_own_step_goes(writer: EventWriter) -> None:
    writer.begun("/stage_in", "stage_in", "staging inputs", again=False)
    assert writer.tear_off() == [
        StepSubmitted(NOON, name="stage_in", key="/stage_in", log="node_stage_in.log"),
        StepRunning(NOON, name="stage_in", message="staging inputs"),
    ]
    writer.progressed("stage_in", 3, None)
    assert written(writer) == StepProgress(NOON, name="stage_in", done=3, total=None)


def test_how_a_task_goes(writer: EventWriter) -> None:
    writer.queued("crop_2", replace(REPORT, state=TaskState.QUEUED))
    assert written(writer) == StepQueued(NOON, name="crop_2", reason="held", native_id="77")
    writer.running("crop_2", replace(REPORT, state=TaskState.RUNNING))
    assert written(writer) == StepRunning(
        NOON,
        name="crop_2",
        started=NOON,
        host="n1",
        native_id="77",
        queued=1.5,
        message="running crop_2",
    )
    writer.told("crop_2", 0.25, "rows", 30)
    assert written(writer) == StepProgress(
        NOON, name="crop_2", share=0.25, said="rows", progress=30, message="crop_2: 25% rows"
    )


def test_an_attempt_that_ended_badly(writer: EventWriter) -> None:
    due = NOON + timedelta(seconds=10)
    writer.retrying("crop_2", 3, due, REPORT, PROBLEM)
    assert written(writer) == StepRetrying(
        NOON,
        name="crop_2",
        attempt=3,
        due=due,
        said="failed with exit code 3",
        exit_code=3,
        cause="exit-code",
        message="crop_2 waits to be tried again: failed with exit code 3",
    )


def test_the_end_of_a_task(writer: EventWriter) -> None:
    writer.ended(
        "crop_2",
        StepStatus.FAILED,
        REPORT,
        made="m",
        problem=PROBLEM,
        outputs={"out": 1},
        progress=40,
    )
    assert written(writer) == StepFinished(
        NOON,
        name="crop_2",
        status=StepStatus.FAILED,
        outputs={"out": 1},
        made="m",
        progress=40,
        exit_code=3,
        started=NOON,
        ended=NOON + timedelta(seconds=4),
        cpu=2.5,
        rss=2048,
        host="n1",
        native_id="77",
        queued=1.5,
        reason="held",
        without=("no CUDA",),
        problem=PROBLEM.to_problem(),
        said=PROBLEM.message,
    )


ONE_MOMENT: dict[str, Any] = {
    "outputs": {"out": 1},
    "reused_from": "earlier",
    "reused_step": "crop",
    "given": "g",
    "made": "m",
    "because": "b",
    "ran_in": "r",
    "software": ("gdal",),
}


def test_a_step_that_began_and_ended_at_once(writer: EventWriter) -> None:
    writer.passed(instance(), "crop_2", StepStatus.REUSED, 40, box=BOX, **ONE_MOMENT)
    assert written(writer) == StepFinished(
        NOON,
        name="crop_2",
        key="crop[1]",
        log=LOG,
        status=StepStatus.REUSED,
        progress=40,
        image="debian:12",
        digest="sha256:1",
        containers="podman",
        **ONE_MOMENT,
    )
    writer.passed(Skipped(key="crop[0]", step="crop"), "crop", StepStatus.SKIPPED)
    assert written(writer) == StepFinished(
        NOON, name="crop", key="crop[0]", log="node_crop.log", status=StepStatus.SKIPPED
    )


def test_a_step_that_never_began(writer: EventWriter) -> None:
    writer.broke("crop[1]", "crop_2", PROBLEM)
    assert written(writer) == StepFinished(
        NOON,
        name="crop_2",
        key="crop[1]",
        log=LOG,
        status=StepStatus.FAILED,
        problem=PROBLEM.to_problem(),
        said=PROBLEM.message,
    )
