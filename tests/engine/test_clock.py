"""Time goes forward for a job, whatever is done to the machine's clock."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from localproc import Engine
from localproc.engine.home import clock
from localproc.engine.home.clock import booted, job_clock
from localproc.machine import new_job
from localproc.model import JobRequest
from localproc.model.events import Accepted
from tests.patience import patient


class _SetBack(datetime):
    """The machine's clock after somebody has set it back by a day."""

    @classmethod
    def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
        return datetime.now(UTC) - timedelta(days=1)


def test_a_job_goes_on_from_its_last_event() -> None:
    request = JobRequest({})
    accepted = Accepted(datetime.now(UTC) + timedelta(hours=1), request=request)
    job = new_job("j", "default", "echo", "r1", request, accepted)
    now = job_clock(job)
    first, second = now(), now()
    assert accepted.at <= first <= second
    earlier = replace(job, updated=accepted.at - timedelta(days=2))
    assert job_clock(earlier)() < accepted.at


def test_the_machine_was_started_before_now() -> None:
    assert booted() < datetime.now(UTC)


def test_steps_of_a_job_begin_after_it_though_the_clock_was_set_back(
    localproc_engine: Engine, packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = localproc_engine.deploy(packages / "three-steps.cwl")
    monkeypatch.setattr(clock, "datetime", _SetBack)
    job = process.execute({"text": "hello"}).wait(patient(60)).raise_for_status()
    record = job.record
    assert record.started is not None
    assert record.finished is not None
    assert record.created <= record.started
    for step in job.steps:
        assert step.start is not None
        assert step.end is not None
        assert record.started <= step.start <= step.end
