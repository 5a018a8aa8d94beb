"""Who is told of what happens to a job."""

from datetime import UTC, datetime

import pytest

from localproc.machine import callbacks
from localproc.model import Callback, Event, StepStatus
from localproc.model.events import Dismissed, Failed, Started, StepFinished, Succeeded

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ALL = {"successUri": "/good", "inProgressUri": "/begun", "failedUri": "/bad"}
STEP = StepFinished(NOON, name="crop", status=StepStatus.SUCCESSFUL)
SUCCEEDED = Succeeded(NOON, outputs={}, features={})


@pytest.mark.parametrize(
    ("events", "told"),
    [
        ([Started(NOON)], [("/begun", "inProgressUri")]),
        ([STEP, SUCCEEDED], [("/good", "successUri")]),
        ([Failed(NOON, problem={})], [("/bad", "failedUri")]),
        ([Dismissed(NOON)], [("/bad", "failedUri")]),
        ([Started(NOON), SUCCEEDED], [("/begun", "inProgressUri"), ("/good", "successUri")]),
        ([STEP], []),
    ],
)
def test_each_subscriber_is_told_what_it_asked_for(
    events: list[Event], told: list[tuple[str, str]]
) -> None:
    assert callbacks("job", ALL, events) == [Callback("job", uri, kind) for uri, kind in told]
    assert callbacks("job", {}, events) == []


def test_who_asked_for_one_thing_is_told_that_alone() -> None:
    events = [Started(NOON), SUCCEEDED]
    assert callbacks("job", {"successUri": "/good"}, events) == [
        Callback("job", "/good", "successUri")
    ]
