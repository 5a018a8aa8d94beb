"""What literal events say about where their job stands: what an engine goes on from."""

from datetime import timedelta
from typing import Any

import pytest

from localproc.engine.job import replay
from localproc.engine.job.replay import History, Known
from localproc.errors import JobPutAside
from localproc.machine import new_job
from localproc.model import Event, JobRequest, StepStatus
from localproc.model.events import (
    Accepted,
    DismissRequested,
    Started,
    StepFinished,
    StepRetrying,
    StepRunning,
    StepSubmitted,
    Succeeded,
    TakenOver,
    Unreadable,
)
from tests.engine.job_bench import NOON

REQUEST = JobRequest({"word": "hello"})
ACCEPTED = Accepted(NOON, request=REQUEST, engine="e1", beside={"/a.py": "1"})
STARTED = Started(NOON + timedelta(seconds=1), engine="e2")


def history(*events: Event) -> History:
    return replay.read("job", [ACCEPTED, STARTED, *events])


def submitted(name: str = "crop", key: str = "crop", **more: Any) -> StepSubmitted:
    return StepSubmitted(NOON, name=name, key=key, **more)


def finished(name: str = "crop", status: StepStatus = StepStatus.SUCCESSFUL, **more: Any) -> Event:
    return StepFinished(NOON, name=name, status=status, **more)


# The job


def test_a_job_that_has_only_been_accepted() -> None:
    job = new_job("job", "default", "process", "1", REQUEST, ACCEPTED, owner="e1")
    assert replay.accepted(job, REQUEST) == History(REQUEST, events=1, engine="e1")
    nobodys = new_job("job", "default", "process", "1", REQUEST, ACCEPTED)
    assert replay.accepted(nobodys, REQUEST).engine == ""


def test_it_reads_like_one_that_was_just_accepted() -> None:
    assert replay.read("job", [ACCEPTED]) == History(
        REQUEST, events=1, engine="e1", beside={"/a.py": "1"}
    )


def test_who_had_the_job_last() -> None:
    assert history().engine == "e2"
    assert history(TakenOver(NOON, engine="e3"), TakenOver(NOON, engine="e4")).engine == "e4"


def test_when_it_was_started() -> None:
    past = history()
    assert (past.started, past.at, past.events) == (True, NOON + timedelta(seconds=1), 2)
    assert replay.read("job", [ACCEPTED]).started is False


def test_that_somebody_wants_it_to_stop() -> None:
    assert history().dismissing is False
    assert history(DismissRequested(NOON)).dismissing is True


@pytest.mark.parametrize("tidy", [False, True])
def test_whether_its_folders_are_gone(tidy: bool) -> None:
    past = history(Succeeded(NOON, outputs={}, features={}, tidy=tidy))
    assert past.tidied is tidy


def test_what_cannot_be_read_is_said() -> None:
    with pytest.raises(JobPutAside, match="from the future"):
        history(Unreadable(NOON, problem="it is from the future"))
    with pytest.raises(JobPutAside, match="no events"):
        replay.read("job", [])


# Its steps


def test_a_step_that_was_launched() -> None:
    past = history(
        submitted(
            attempt=2,
            lost=1,
            log="node_crop.log",
            tmpdir="/tmp/1",
            executor="cluster",
            image="debian",
            digest="sha256:1",
            containers="podman",
            software=("gdal 3",),
            given="g",
        ),
        StepRunning(NOON, name="crop"),
    )
    assert past.steps == {
        "crop": Known(
            "crop",
            2,
            "node_crop.log",
            "/tmp/1",
            "cluster",
            "debian",
            "podman",
            given="g",
            ran_in="sha256:1 gdal 3",
            lost=1,
        )
    }
    assert (past.names, past.logs) == ({"crop": 1}, {"crop": "node_crop.log"})


def test_its_end() -> None:
    past = history(
        submitted(given="g", digest="sha256:1"),
        finished(outputs={"out": 1}, made="m"),
    )
    assert past.steps["crop"] == Known(
        "crop",
        1,
        "",
        "",
        ended=True,
        outputs={"out": 1},
        status=StepStatus.SUCCESSFUL,
        given="g",
        made="m",
        ran_in="sha256:1",
    )
    assert (past.logs, past.problems, past.stopping) == ({}, [], False)


def test_a_step_that_was_never_launched_is_known_by_its_end() -> None:
    past = history(
        finished(
            "crop_2",
            StepStatus.REUSED,
            key="crop[1]",
            log="node_crop_2.log",
            outputs={"out": 1},
            given="g",
            made="m",
            ran_in="r",
        )
    )
    assert past.steps == {
        "crop[1]": Known(
            "crop_2",
            1,
            "node_crop_2.log",
            "",
            ended=True,
            outputs={"out": 1},
            status=StepStatus.REUSED,
            given="g",
            made="m",
            ran_in="r",
        )
    }
    assert past.logs == {"crop_2": "node_crop_2.log"}


def test_an_attempt_after_failures_knows_how_many_there_were_and_what_was_lost() -> None:
    due = NOON + timedelta(minutes=1)
    waits = StepRetrying(NOON, name="crop", attempt=1, due=due)
    past = history(submitted(), waits)
    assert (past.steps["crop"].failures, past.steps["crop"].due) == (1, due)
    past = history(submitted(), waits, submitted(attempt=2, lost=1), waits)
    assert (past.steps["crop"].failures, past.steps["crop"].lost) == (2, 1)
    past = history(submitted(), waits, submitted(attempt=2))
    assert (past.steps["crop"].failures, past.steps["crop"].due) == (1, None)


def test_a_step_that_waited_and_was_dismissed_waits_no_more() -> None:
    waits = StepRetrying(NOON, name="crop", attempt=1, due=NOON)
    past = history(submitted(), waits, finished(status=StepStatus.DISMISSED))
    assert (past.steps["crop"].due, past.stopping) == (None, True)


def test_steps_that_failed_are_told_of_in_their_order() -> None:
    first, second = {"detail": "first"}, {"detail": "second"}
    past = history(
        submitted("a", "a"),
        submitted("b", "b"),
        finished("b", StepStatus.FAILED, problem=first, said="b failed"),
        finished("a", StepStatus.FAILED, problem=second),
        finished("c", StepStatus.SKIPPED, key="c"),
    )
    assert past.problems == [first, second]
    assert past.steps["b"].said == "b failed"
    assert past.stopping is False


# Names


def test_the_highest_number_of_each_name_is_known() -> None:
    past = history(
        *(submitted(f"say{rest}", f"say[{key}]") for key, rest in enumerate(("", "_3", "_2"))),
        submitted("map_7", "map_7"),
        submitted("step_last", "step_last"),
    )
    assert past.names == {
        "say": 3,
        "say_3": 1,
        "say_2": 1,
        "map_7": 1,
        "step_last": 1,
    }


def test_what_a_step_ran_in_is_its_image_and_its_software() -> None:
    assert replay.ran_in("", ()) == ""
    assert replay.ran_in("sha256:1", ()) == "sha256:1"
    assert replay.ran_in("", ("gdal 3", "proj 9")) == " gdal 3 proj 9"
