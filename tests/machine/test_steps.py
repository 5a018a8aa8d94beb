"""Steps are what a job's events say of them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from localproc.machine import StepBook, steps
from localproc.model import Step, StepStatus
from localproc.model.events import (
    Dismissed,
    DismissRequested,
    StepFinished,
    StepProgress,
    StepQueued,
    StepRetrying,
    StepRunning,
    StepSubmitted,
    TakenOver,
)

START = datetime(2026, 1, 1, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


SUBMITTED = StepSubmitted(
    START, key="crop[0]", name="crop", log="node_crop.log", command=("x",), executor="cluster"
)


def test_a_step_waits_runs_and_ends() -> None:
    started = START + timedelta(seconds=1)
    history = [
        SUBMITTED,
        StepRunning(after(2), name="crop", started=started),
        StepFinished(after(5), name="crop", status=StepStatus.SUCCESSFUL, exit_code=0),
    ]
    states = [steps(history[:n])[0].status for n in (1, 2, 3)]
    assert states == [StepStatus.ACCEPTED, StepStatus.RUNNING, StepStatus.SUCCESSFUL]
    step = steps(history)[0]
    assert (step.start, step.duration, step.exit_code) == (started, 4.0, 0)
    assert (step.key, step.log, step.command) == ("crop[0]", "node_crop.log", ("x",))


def test_a_short_step_is_told_of_once_with_both_its_times() -> None:
    ended = START + timedelta(seconds=2)
    done = StepFinished(
        after(9),
        name="crop",
        status=StepStatus.FAILED,
        exit_code=3,
        started=START,
        ended=ended,
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
    changed = book.take(Dismissed(after(7)))
    assert [(step.status, step.end) for step in changed] == [
        (StepStatus.DISMISSED, START + timedelta(seconds=7))
    ]


def test_a_new_attempt_begins_again() -> None:
    again = StepSubmitted(after(3), key="crop[0]", name="crop", attempt=2, log="node_crop.log")
    running = StepRunning(after(1), name="crop")
    step = steps([SUBMITTED, running, again])[0]
    assert (step.status, step.attempt, step.start) == (StepStatus.ACCEPTED, 2, None)


def test_a_new_attempt_is_made_for_the_same_reason() -> None:
    first = replace(SUBMITTED, because="it failed before")
    second = replace(SUBMITTED, attempt=2)
    assert [one.because for one in steps([first, second])] == ["it failed before"]
    assert [one.because for one in steps([SUBMITTED, first])] == ["it failed before"]


def test_all_that_the_events_of_a_step_know_is_shown() -> None:
    launched = replace(
        SUBMITTED,
        attempt=2,
        image="debian:12",
        digest="sha256:1",
        containers="podman",
        software=("gdal",),
        without=("no GPU",),
        because="it failed before",
    )
    running = StepRunning(after(2), name="crop", host="n1", native_id="77", queued=1.5)
    ended = StepFinished(
        after(5),
        name="crop",
        status=StepStatus.FAILED,
        exit_code=3,
        said="step crop failed",
        problem={"inputs": {"word": "b"}},
        cpu=2.5,
        rss=2048,
        reason="held",
        without=("no CUDA", "no GPU"),
    )
    assert steps([launched, running, ended]) == [
        Step(
            name="crop",
            key="crop[0]",
            status=StepStatus.FAILED,
            log="node_crop.log",
            attempt=2,
            command=("x",),
            executor="cluster",
            image="debian:12",
            digest="sha256:1",
            containers="podman",
            software=("gdal",),
            without=("no GPU", "no CUDA"),
            because="it failed before",
            start=after(2),
            end=after(5),
            exit_code=3,
            message="step crop failed",
            inputs={"word": "b"},
            reason="held",
            host="n1",
            native_id="77",
            queued=1.5,
            cpu=2.5,
            rss=2048,
        )
    ]


def test_all_that_is_known_of_a_step_that_was_never_launched_is_shown() -> None:
    reused = StepFinished(
        after(5),
        name="crop",
        key="crop[0]",
        log="node_crop.log",
        status=StepStatus.REUSED,
        reused_from="earlier",
        reused_step="crop_2",
        image="debian:12",
        digest="sha256:1",
        containers="podman",
        software=("gdal",),
        because="its inputs have changed",
        host="n1",
        native_id="77",
        queued=1.5,
    )
    assert steps([reused]) == [
        Step(
            name="crop",
            key="crop[0]",
            status=StepStatus.REUSED,
            log="node_crop.log",
            start=after(5),
            end=after(5),
            reused_from="earlier",
            reused_step="crop_2",
            image="debian:12",
            digest="sha256:1",
            containers="podman",
            software=("gdal",),
            because="its inputs have changed",
            host="n1",
            native_id="77",
            queued=1.5,
        )
    ]


def test_who_was_stopped_is_told_why_unless_the_job_was_dismissed() -> None:
    stopped = StepFinished(after(1), name="crop", status=StepStatus.DISMISSED)
    failed = StepFinished(after(1), name="crop", status=StepStatus.FAILED)
    assert steps([SUBMITTED, stopped])[0].message == "stopped, since the job had failed"
    assert steps([SUBMITTED, DismissRequested(START), stopped])[0].message == ""
    assert steps([SUBMITTED, failed])[0].message == ""


def test_what_the_executor_says_of_a_step_is_told() -> None:
    history = [
        SUBMITTED,
        StepQueued(after(1), name="crop", reason="Priority", native_id="4711"),
        StepQueued(after(2), name="crop", reason="Resources"),
        StepRunning(after(9), name="crop", host="node-7", native_id="4711", queued=8.5),
        TakenOver(after(10), engine="another"),
        StepFinished(after(12), name="crop", status=StepStatus.SUCCESSFUL, cpu=2.5, rss=4096),
    ]
    waiting = steps(history[:3])[0]
    assert (waiting.status, waiting.reason) == (StepStatus.ACCEPTED, "Resources")
    assert (waiting.executor, waiting.native_id) == ("cluster", "4711")
    running = steps(history[:4])[0]
    assert (running.reason, running.host, running.queued) == ("", "node-7", 8.5)
    ended = steps(history)[0]
    assert (ended.host, ended.native_id, ended.queued) == ("node-7", "4711", 8.5)
    assert (ended.cpu, ended.rss, ended.duration) == (2.5, 4096, 3.0)


def test_a_clock_that_was_set_back_makes_no_step_begin_before_its_job() -> None:
    """The job's clock goes forward whatever happens; that of the executor is an hour late."""
    late = START - timedelta(hours=1)
    running = StepRunning(after(1), name="crop", started=late + timedelta(seconds=1))
    ended = StepFinished(
        after(4),
        name="crop",
        status=StepStatus.SUCCESSFUL,
        started=late + timedelta(seconds=1),
        ended=late + timedelta(seconds=3),
    )
    assert steps([SUBMITTED, running])[0].start == START
    step = steps([SUBMITTED, running, ended])[0]
    assert (step.start, step.end, step.duration) == (START, after(2), 2.0)


def test_a_clock_that_is_set_back_while_a_step_runs_makes_it_end_when_that_is_heard() -> None:
    ended = StepFinished(
        after(4),
        name="crop",
        status=StepStatus.SUCCESSFUL,
        started=after(1),
        ended=after(-3600),
    )
    step = steps([SUBMITTED, ended])[0]
    assert (step.start, step.end) == (after(1), after(4))


def test_a_copy_of_a_book_goes_on_by_itself() -> None:
    book = StepBook()
    book.take(SUBMITTED)
    other = book.copy()
    other.take(StepFinished(after(5), name="crop", status=StepStatus.SUCCESSFUL))
    assert book.steps()[0].status is StepStatus.ACCEPTED
    assert other.steps()[0].status is StepStatus.SUCCESSFUL
    assert (len(book), len(other)) == (1, 1)


def test_a_copy_of_a_book_knows_that_the_job_was_dismissed() -> None:
    book = StepBook()
    for event in (SUBMITTED, DismissRequested(after(1))):
        book.take(event)
    for one in (book, book.copy()):
        assert [step.message for step in one.take(Dismissed(after(2)))] == [""]


def test_a_log_tells_whether_its_step_has_ended() -> None:
    book = StepBook()
    assert not book.has_ended("node_crop.log")
    book.take(SUBMITTED)
    assert not book.has_ended("node_crop.log")
    book.take(StepFinished(after(5), name="crop", status=StepStatus.FAILED))
    assert book.has_ended("node_crop.log")
    assert not book.has_ended("crop")


def test_a_tool_is_told_of_until_its_attempt_has_ended() -> None:
    history = [
        SUBMITTED,
        StepProgress(after(1), name="crop", share=0.5, said="half way"),
        StepRetrying(after(2), name="crop", attempt=1, due=after(3)),
    ]
    told = [steps(history[:count])[0] for count in (2, 3)]
    assert [(step.share, step.said) for step in told] == [(0.5, "half way"), (None, "")]


def test_bytes_are_told_until_the_step_has_ended() -> None:
    history = [
        SUBMITTED,
        StepProgress(after(1), name="crop", done=10, total=30),
        StepProgress(after(2), name="crop", done=20),
        StepFinished(after(3), name="crop", status=StepStatus.SUCCESSFUL),
    ]
    told = [steps(history[:count])[0] for count in (2, 3, 4)]
    assert [(step.bytes_done, step.bytes_total) for step in told] == [
        (10, 30),
        (20, None),
        (None, None),
    ]
