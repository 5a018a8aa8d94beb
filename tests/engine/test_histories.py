"""What is kept of the jobs that are looked at."""

from datetime import UTC, datetime

import pytest

from localproc.engine.notify import histories
from localproc.engine.notify.histories import Histories
from localproc.errors import JobPutAside, NoSuchJob
from localproc.model import Event
from localproc.model.events import Failed, Started, StepSubmitted

AT = datetime(2026, 1, 1, tzinfo=UTC)


class Home:
    """Events of jobs, and which were read of each."""

    def __init__(self) -> None:
        self.jobs: dict[str, list[Event]] = {}
        self.read: list[tuple[str, int]] = []

    def events(self, job_id: str, after: int = 0) -> list[Event]:
        found = self.jobs.get(job_id, [])[after:]
        self.read += [(job_id, after + number) for number in range(len(found))]
        return found


def test_every_event_is_read_once() -> None:
    home = Home()
    home.jobs["a"] = [Started(AT)]
    known = Histories(home.events)
    for number in range(5):
        home.jobs["a"].append(StepSubmitted(AT, name=f"s{number}", key="s", log=f"{number}.log"))
        assert known.of("a").steps()[0] == number + 2
        assert len(known.of("a").steps()[1]) == number + 1
    assert home.read == [("a", number) for number in range(6)]


def test_the_last_event_is_the_one_that_ended_it() -> None:
    home = Home()
    home.jobs["a"] = [Started(AT)]
    history = Histories(home.events).of("a")
    assert history.last is None
    home.jobs["a"].append(Failed(AT, problem={"detail": "no"}))
    assert history.last == home.jobs["a"][-1]


def test_a_job_that_is_deleted_as_it_is_looked_at_is_not_there() -> None:
    home = Home()
    home.jobs["a"] = [Started(AT), Failed(AT, problem={"detail": "no"})]
    history = Histories(home.events).of("a")
    history.look()
    del home.jobs["a"]
    with pytest.raises(NoSuchJob):
        _ = history.last


def test_a_job_without_events_says_so() -> None:
    with pytest.raises(JobPutAside):
        _ = Histories(Home().events).of("a").request


def test_what_is_kept_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(histories, "_JOBS", 3)
    monkeypatch.setattr(histories, "_EVENTS", 10)
    home = Home()
    known = Histories(home.events)
    for job, steps in {"a": 1, "b": 1, "c": 1, "d": 1, "e": 9}.items():
        home.jobs[job] = [StepSubmitted(AT, name=f"{n}", key="s") for n in range(steps)]
        assert len(known.of(job).steps()[1]) == steps
    home.read.clear()
    for job in ("e", "d"):  # the one looked at last is kept
        known.of(job).steps()
    assert ("e", 0) not in home.read
    assert ("a", 0) not in home.read
    known.of("a").steps()
    assert ("a", 0) in home.read
