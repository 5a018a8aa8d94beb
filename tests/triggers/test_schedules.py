"""Schedules: what they set off, and that nothing fires twice or is lost."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from localproc import Engine, InvalidInputs
from localproc.engine.engine import namespace_of
from localproc.engine.triggers.accepting import TriggeredJobs
from localproc.engine.triggers.timekeeper import Timekeeper
from localproc.errors import EnvironmentProblem, NoSuchSchedule
from localproc.model.trigger import Firing, TriggerRecord
from tests.patience import patient, until
from tests.triggers.killing import ECHO, fire_under_kills

FAILING: dict[str, Any] = {
    "cwlVersion": "v1.2",
    "class": "CommandLineTool",
    "id": "failing",
    "baseCommand": "false",
    "inputs": {},
    "outputs": {},
}
SECOND = timedelta(seconds=1)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(tmp_path / "home", slots=2) as engine:
        engine.deploy(ECHO)
        engine.deploy(FAILING)
        yield engine


class Clock:
    """Looks at schedules at times of its own, as a runner does by the clock."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.space = namespace_of(engine)
        self.store = self.space.runtime.store
        self.triggered = TriggeredJobs(self.space)
        self.scheduler = Timekeeper(self.store, self.triggered)

    def trigger(self, name: str = "s") -> TriggerRecord:
        return self.store.triggers("default", "schedule", name)[0]

    def due_at(self, due: datetime, name: str = "s") -> None:
        self.store.put_trigger(replace(self.trigger(name), due=due))

    def look(self, now: datetime, name: str = "s") -> list[str]:
        jobs = self.scheduler.look(self.trigger(name), now)
        self.triggered.begin(jobs)
        return jobs

    def follow(self, now: datetime) -> list[str]:
        jobs = self.scheduler.follow(now)
        self.triggered.begin(jobs)
        return jobs

    def history(self, name: str = "s") -> list[Firing]:
        return self.engine.schedules.history(name, 1000)[::-1]


def noon(seconds: float = 0) -> datetime:
    """Return a moment that is a while ago: jobs of these tests end after it."""
    return datetime(2026, 11, 28, 12, tzinfo=UTC) + timedelta(seconds=seconds)


def test_a_job_that_is_set_off_tells_by_what(engine: Engine) -> None:
    made = engine.schedules.add("echo", "* * * * * ?", {"text": "hi"}, run_as="alice")
    assert made.name == "echo"
    engine.run_triggers()
    job = until(lambda: engine.jobs(process="echo"))[-1].wait()
    engine.schedules.remove("echo")
    assert job.results() == {"said": "hi"}
    assert job.record.trigger == "scheduled"
    assert job.record.run_as == "alice"
    assert job.record.reason.startswith("crontab(echo,")
    assert job.execution()["trigger"] == "scheduled"
    with pytest.raises(NoSuchSchedule):
        engine.schedules.get("echo")
    assert engine.job(job.id).status == "successful"


def test_what_is_wrong_is_told_when_a_schedule_is_added(engine: Engine) -> None:
    with pytest.raises(InvalidInputs):
        engine.schedules.add("echo", "* * * * *", {"text": 5})
    with pytest.raises(InvalidInputs):
        engine.schedules.add("echo", "when it rains", {"text": "a"})
    engine.schedules.add("echo", "* * * * *", {"text": "a"})
    with pytest.raises(InvalidInputs, match="already"):
        engine.schedules.add("echo", "* * * * *", {"text": "a"})
    assert engine.schedules.add("echo", "@daily", {"text": "b"}, replace_it=True).schedule.cron
    assert [one.schedule.cron for one in engine.schedules.all()] == ["@daily"]


def test_one_that_is_disabled_sets_nothing_off(engine: Engine) -> None:
    engine.schedules.add("echo", "* * * * * ?", {"text": "a"}, enabled=False)
    found = engine.schedules.get("echo")
    assert found.due is None
    assert found.next_runs() == []
    store = namespace_of(engine).runtime.store
    assert store.due_triggers("schedule", datetime.now(UTC) + timedelta(days=1), 10) == []
    enabled = engine.schedules.enable("echo")
    assert enabled.due is not None
    assert len(enabled.next_runs(3)) == 3
    assert engine.schedules.disable("echo").due is None


@pytest.mark.parametrize(
    ("missed", "jobs", "skipped"), [("all", 10, 0), ("once", 1, 9), ("skip", 0, 10)]
)
def test_times_that_were_missed(engine: Engine, missed: str, jobs: int, skipped: int) -> None:
    engine.schedules.add(
        "echo", "0/10 * * * * ?", {"text": "a"}, name="s", missed=missed, tolerance=5
    )
    clock = Clock(engine)
    clock.due_at(noon())
    clock.look(noon(99))
    found = clock.history()
    assert [one.due for one in found] == [noon(seconds) for seconds in range(0, 100, 10)]
    assert len([one for one in found if one.job_id]) == jobs
    assert len([one for one in found if one.said.startswith("skipped")]) == skipped
    assert clock.trigger().due == noon(100)


def test_of_very_many_times_that_were_missed_the_latest_stands_for_all(engine: Engine) -> None:
    engine.schedules.add("echo", "* * * * * ?", {"text": "a"}, name="s", tolerance=0)
    clock = Clock(engine)
    clock.due_at(noon() - timedelta(days=3000))
    clock.look(noon(0.5))
    found = clock.history()
    assert len(found) < 200
    assert [one.due for one in found if one.job_id] == [noon()]
    assert clock.trigger().due == noon(1)


def test_times_that_are_a_little_late_were_not_missed(engine: Engine) -> None:
    engine.schedules.add("echo", "* * * * * ?", {"text": "a"}, name="s", missed="skip")
    clock = Clock(engine)
    clock.due_at(noon())
    clock.look(noon(4))
    assert [bool(one.job_id) for one in clock.history()] == [True] * 5


def test_two_who_look_at_the_same_time_set_off_one_job(engine: Engine) -> None:
    engine.schedules.add("echo", "* * * * * ?", {"text": "a"}, name="s")
    clock = Clock(engine)
    clock.due_at(noon())
    seen = clock.trigger()
    first = clock.scheduler.look(seen, noon())
    second = clock.scheduler.look(seen, noon())
    clock.triggered.begin(first)
    assert len(first) == 1
    assert second == []
    clock.due_at(noon())  # whatever is thought to be due, a time fires once
    assert clock.look(noon()) == []
    assert len(engine.jobs()) == 1


def test_jobs_that_overlap(engine: Engine, tmp_path: Path) -> None:
    script = f"until test -e {tmp_path}/go; do sleep 0.05; done"
    wait = {**FAILING, "id": "wait", "baseCommand": ["sh", "-c", script]}
    engine.deploy(wait)
    clock = Clock(engine)
    for overlap in ("allow", "skip", "queue"):
        engine.schedules.add("wait", "* * * * * ?", name=overlap, overlap=overlap, missed="all")
        clock.due_at(noon(), overlap)
        clock.look(noon(2), overlap)
    made = {
        overlap: [bool(one.job_id) for one in clock.history(overlap)]
        for overlap in ("allow", "skip", "queue")
    }
    assert made["allow"] == [True, True, True]
    assert made["skip"] == [True, False, False]
    assert made["queue"] == [True]
    assert clock.scheduler.waits(clock.trigger("queue"))
    assert clock.look(noon(2), "queue") == []
    (tmp_path / "go").touch()
    for count in (2, 3):
        engine.job(clock.history("queue")[-1].job_id).wait(patient(30))
        assert len(clock.look(noon(2), "queue")) == 1
        assert len(clock.history("queue")) == count
    dues = [one.due for one in clock.history("queue")]
    assert dues == [noon(), noon(1), noon(2)]


def test_a_job_that_fails_is_run_again_and_rescheduled(engine: Engine) -> None:
    engine.schedules.add(
        "failing", "@hourly", name="s", retries=1, delay=10, reschedule=3600, missed="all"
    )
    clock = Clock(engine)
    clock.due_at(noon())
    (job_id,) = clock.look(noon())
    jobs = [engine.job(job_id).wait(patient(30))]
    pauses = []
    for _ in range(3):
        clock.follow(datetime.now(UTC))
        (again,) = [one for one in clock.history() if one.again]
        assert again.again is not None
        finished = jobs[-1].record.finished
        assert finished is not None
        pauses.append((again.again - finished).total_seconds())
        assert clock.follow(again.again - SECOND) == []
        (job_id,) = clock.follow(again.again)
        jobs.append(engine.job(job_id).wait(patient(30)))
    clock.follow(datetime.now(UTC))
    assert pauses == [10, 3600, 10]
    assert [one for one in clock.history() if one.again or one.is_open] == []
    assert [one.attempt for one in clock.history()] == [1, 2, 3, 4]
    assert [job.request.derived_from for job in jobs[1:]] == [job.id for job in jobs[:-1]]
    assert all(job.record.trigger == "scheduled" for job in jobs)
    assert jobs[-1].record.reason.endswith(") attempt 4")


def test_what_becomes_of_a_failure_is_a_status_of_the_log(engine: Engine) -> None:
    engine.schedules.add("failing", "@hourly", name="s", retries=1, delay=10, reschedule=3600)
    clock = Clock(engine)
    clock.due_at(datetime.now(UTC))
    (job_id,) = clock.look(datetime.now(UTC))
    with engine.client() as client:

        def listed(status: str) -> list[str]:
            found = client.get(f"executions/v1?name=failing&status={status}&_limit=-1").json()
            return [one["_id"] for one in found]

        def fail() -> None:
            engine.job(job_id).wait(patient(30))
            clock.follow(datetime.now(UTC))

        fail()
        assert listed("waiting") == [job_id]
        (job_id,) = clock.scheduler.follow(datetime.now(UTC) + 11 * SECOND)
        assert listed("retrying") == [job_id]
        clock.triggered.begin([job_id])
        fail()
        assert listed("reschedule") == [job_id]
        assert len(listed("failed")) == 1  # the attempt before, which nobody waits for any more
        states = client.get("executions/v1?_distinct=status").json()
        assert states == ["failed", "reschedule"]


def test_a_job_that_cannot_be_accepted_is_told_of(engine: Engine) -> None:
    engine.schedules.add("echo", "@hourly", {"text": "a"}, name="s", missed="all")
    engine.undeploy("echo")
    clock = Clock(engine)
    clock.due_at(noon())
    assert clock.look(noon()) == []
    (one,) = clock.history()
    assert one.said.startswith("no job: ")
    engine.deploy(ECHO)
    assert len(clock.look(noon(3600))) == 1


@pytest.mark.parametrize("servers", [1, 2])
def test_each_second_sets_off_one_job_though_servers_are_killed(
    tmp_path: Path, servers: int
) -> None:
    fire_under_kills(tmp_path / "home", servers=servers, kills=2, ticks=2)


def test_an_engine_that_runs_no_jobs_any_more_leaves_schedules_to_others(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def buggy(*_: object) -> None:
        raise ZeroDivisionError("a bug")

    engine.schedules.add("echo", "* * * * * ?", {"text": "tick"})
    with monkeypatch.context() as patch:
        patch.setattr("localproc.engine.loop.loop.ExecutorPool.reports", buggy)
        stopped = Engine(engine.home)
        namespace_of(stopped).stand_by()
        stopped.run_triggers()
        until(lambda: namespace_of(stopped).runtime.loop().broken)
    with pytest.raises(EnvironmentProblem, match="the engine has stopped"):
        namespace_of(stopped).check()
    with Engine(engine.home, run_jobs=False) as other:
        other.run_triggers()
        until(lambda: other.schedules.history("echo"))
    stopped.close()
    for job in engine.resume():
        assert job.wait(patient(60)).status == "successful"
