"""The parts of the loop, each by itself: fair turns, recording, the queue of jobs."""

import threading
import weakref
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from localproc.cwl.expr.javascript import evaluating_with
from localproc.engine.home.home import Home
from localproc.engine.job.effects import Launch
from localproc.engine.job.reusable import Surroundings
from localproc.engine.loop.active import Active
from localproc.engine.loop.committer import Committer
from localproc.engine.loop.executor_pool import ExecutorPool
from localproc.engine.loop.fair_share import FairShare
from localproc.engine.loop.job_context import JobContext
from localproc.engine.loop.quick_disk import QuickDisk
from localproc.engine.loop.step_executors import StepExecutors
from localproc.engine.loop.waiting_jobs import WaitingJobs
from localproc.engine.notify.observers import Observers
from localproc.errors import NoSpace
from localproc.machine import new_job
from localproc.model import Callback, Event, JobRecord, JobRequest, JobStatus
from localproc.model.events import Accepted, Failed, Started
from localproc.plugins.backend import Capabilities
from localproc.plugins.executor import Executor
from localproc.plugins.manager import PluginManager
from localproc.plugins.store import Change
from localproc.store import SqliteStore
from tests.cwl.memory import process
from tests.engine.job_bench import NOON, Bench, no_time

WIDE = """
cwlVersion: v1.2
class: Workflow
id: wide
requirements: [{class: ScatterFeatureRequirement}]
inputs: {words: 'int[]'}
outputs: {}
steps:
  say: {scatter: word, in: {word: words}, out: [], run: {class: CommandLineTool, id: say,
    baseCommand: say, inputs: {word: int}, outputs: {}}}
"""
WRONG = """
cwlVersion: v1.2
class: Workflow
id: wrong
requirements: [{class: ScatterFeatureRequirement}]
inputs: {word: string}
outputs: {}
steps:
  bad: {run: &say {class: CommandLineTool, id: say, baseCommand: say, inputs: {word: Any},
    outputs: {}}, scatter: word, in: {word: word}, out: []}
  good: {run: *say, in: {word: word}, out: []}
"""
PROCESS = process(WIDE)
NOTHING = Surroundings((), {}, "/home", "/results")
LIKEWISE = process(
    WIDE
    + """  tell: {scatter: word, in: {word: words}, out: [], run: {class: CommandLineTool,
    id: tell, baseCommand: tell, inputs: {word: int}, outputs: {}}}
"""
)


# Fair turns


def nobody(name: str) -> Executor:
    raise AssertionError(f"the executor {name} has no part in this")


def job(
    width: int, executor: str = "local", priority: int = 0, namespace: str = ""
) -> tuple[Active, Bench]:
    bench = Bench(PROCESS, {"words": list(range(width))}, priority=priority, executor=executor)
    bench.begin()
    request = JobRequest({})
    context = JobContext(
        "job",
        "/job",
        request,
        threading.Event(),
        PROCESS,
        bench.tasks,
        NOTHING,
        namespace=namespace,
    )
    executors = StepExecutors(nobody, [executor])
    return Active(bench.run, executors, context), bench


def started(bench: Bench) -> int:
    bench.turn()
    return sum(isinstance(one, Launch) for one in bench.effects)


@given(st.lists(st.integers(0, 30), min_size=1, max_size=6), st.integers(0, 60))
@settings(deadline=None, max_examples=50)
def test_room_is_shared_evenly(widths: list[int], room: int) -> None:
    shares = FairShare()
    jobs = [job(width) for width in widths]
    for active, _ in jobs:
        shares.join(active)
    assert shares.fill({"local": room}, 1000) is False
    counts = [started(bench) for _, bench in jobs]
    assert sum(counts) == min(room, sum(widths))
    most = max(counts)
    assert all(
        count == width or most - count <= 1 for count, width in zip(counts, widths, strict=True)
    )


def test_who_found_no_room_is_the_next_and_nobody_is_asked_where_there_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    turns: list[Active] = []
    next_one = FairShare._next

    def told(shares: FairShare, able: Collection[Active]) -> Active:
        turns.append(next_one(shares, able))
        return turns[-1]

    monkeypatch.setattr(FairShare, "_next", told)
    shares = FairShare()
    jobs = [job(3) for _ in range(5)]
    for active, _ in jobs:
        shares.join(active)
    for counts in ([1, 1, 0, 0, 0], [1, 1, 1, 1, 0], [2, 1, 1, 1, 1]):
        shares.fill({"local": 2}, 1000)
        assert [started(bench) for _, bench in jobs] == counts
    assert len(turns) == sum(counts)


def test_a_higher_priority_comes_first_in_its_namespace() -> None:
    shares = FairShare()
    jobs = [
        job(3, "local", 0, "ours"),
        job(3, "local", 5, "ours"),
        job(3, "local", 1, "ours"),
        job(9, "local", 0, "theirs"),
    ]
    for active, _ in jobs:
        shares.join(active)

    def counts(room: int) -> list[int]:
        shares.fill({"local": room}, 1000)
        return [started(bench) for _, bench in jobs]

    low, high, middle, theirs = counts(4)
    assert (low, middle) == (0, 0)
    assert high + theirs == 4
    assert min(high, theirs) >= 1, "another namespace has its turns"
    low, high, middle, theirs = counts(100)
    assert (low, high, middle, theirs) == (3, 3, 3, 9)


def test_an_executor_without_room_keeps_only_its_own_jobs_waiting() -> None:
    shares = FairShare()
    (one, waiting), (two, going) = job(3, "full"), job(3, "free")
    shares.join(one)
    shares.join(two)
    shares.fill({"full": 0, "free": 2}, 1000)
    assert (started(waiting), started(going)) == (0, 2)


@pytest.mark.parametrize("width", [3, 500])
def test_an_executor_without_room_keeps_only_its_own_steps_waiting(width: int) -> None:
    shares = FairShare()
    bench = Bench(LIKEWISE, {"words": list(range(width))}, executor="far;tell=near")
    bench.begin()
    request = JobRequest({})
    context = JobContext("job", "/job", request, threading.Event(), LIKEWISE, bench.tasks, NOTHING)
    places = StepExecutors(nobody, ["far", "near"])
    shares.join(Active(bench.run, places, context))

    def filled(**room: int) -> list[str]:
        shares.fill(room, 10_000)
        bench.turn()
        return [key.partition("_")[0].partition(":")[0] for key in bench.launched()]

    assert filled(far=0, near=0) == []
    assert filled(far=0, near=2) == ["tell"] * 2
    assert filled(far=1, near=0) == ["say"]
    assert filled(far=0, near=10_000) == ["tell"] * (width - 2)
    assert filled(far=10_000, near=0) == ["say"] * (width - 1)


def test_no_more_is_started_in_a_turn_than_is_allowed() -> None:
    shares = FairShare()
    active, bench = job(10)
    shares.join(active)
    assert shares.fill({"local": 10}, 4) is True, "there may be more"
    assert started(bench) == 4
    shares.leave(active)
    assert shares.fill({"local": 10}, 4) is False
    assert started(bench) == 4


def test_a_job_that_has_nothing_to_start_is_asked_again_when_it_has_been_told_something() -> None:
    shares = FairShare()
    asked: list[Active] = []
    active, bench = job(2)
    active.decided = asked.append
    shares.join(active)
    shares.fill({"local": 10}, 1000)
    assert (started(bench), active.resting, len(asked)) == (2, True, 3)
    shares.fill({"local": 10}, 1000)
    assert len(asked) == 3, "it rests"
    active.let(lambda run: run.see_time())
    assert active.resting is False
    shares.fill({"local": 10}, 1000)
    assert len(asked) == 5


def test_a_job_that_is_beyond_its_steps_is_offered_no_room() -> None:
    shares = FairShare()
    asked: list[Active] = []
    active, bench = job(1)
    active.decided = asked.append
    shares.join(active)
    shares.fill({"local": 10}, 1000)
    bench.turn()
    bench.ended("say:1")
    assert not active.run.may_start
    active.resting, before = False, len(asked)
    shares.fill({"local": 10}, 1000)
    assert len(asked) == before


def test_a_step_whose_inputs_make_no_sense_is_no_reason_to_rest() -> None:
    """There may be more beside it, and nothing else may come that would wake the job."""
    shares = FairShare()
    bench = Bench(process(WRONG), {"word": "a"}, keep_going=True)
    bench.begin()
    bench.answer_all()
    active, _ = job(0)
    shares.join(Active(bench.run, active.executors, active.context))
    shares.fill({"local": 1}, 1000)
    assert started(bench) == 1
    assert bench.launched() == ["good:1"]


def test_a_job_without_room_does_not_rest() -> None:
    shares = FairShare()
    active, bench = job(2)
    shares.join(active)
    shares.fill({"local": 0}, 1000)
    assert active.resting is False
    shares.fill({"local": 1}, 1000)
    assert started(bench) == 1


def test_a_bug_fails_its_job_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    active, bench = job(1)
    seen: list[Active] = []
    active.decided = seen.append

    def broken(run: object) -> None:
        raise ValueError("no such thing")

    assert active.let(broken)
    assert seen == [active]
    (event,) = bench.turn()
    assert isinstance(event, Failed)
    assert event.problem["detail"] == "internal error: ValueError: no such thing"
    assert event.problem["jobID"] == "job"
    assert event.problem["hint"].startswith("this is a bug in localproc")
    assert "job job: no such thing" in caplog.text


# Waiting


def test_who_gives_way_does_so_to_the_one_that_is_next() -> None:
    shares = FairShare()
    jobs = [job(3, "local", priority, "ours") for priority in (0, 5, 5)]
    for active, _ in jobs:
        shares.join(active)
    shares.fill({"local": 1}, 1000)
    assert [started(bench) for _, bench in jobs] == [0, 1, 0]


def test_steps_that_are_being_prepared_take_up_room_already() -> None:
    """The executor knows nothing of them yet, so it still has all of its room."""
    script = "requirements: [{class: InlineJavascriptRequirement}], arguments: [$(Math.abs(1))]"
    slow = process(WIDE.replace("inputs: {word: int}", f"{script}, inputs: {{word: int}}"))
    bench = Bench(slow, {"words": list(range(9))})
    bench.begin()
    bench.answer_all()
    active, _ = job(0)
    active = Active(bench.run, active.executors, active.context)
    shares = FairShare()
    shares.join(active)
    for room, expected in ((4, 4), (4, 4), (6, 6)):
        with evaluating_with(no_time):
            shares.fill({"local": room}, 1000)
        bench.turn()
        assert bench.run.under_way == expected


def test_jobs_wait_by_priority_then_as_they_came() -> None:
    waiting = WaitingJobs()
    waiting.add(replace(record(name)[0], priority=rank) for name, rank in WAITING)
    waiting.add_first([record("y")[0], record("z")[0]])
    assert len(waiting) == 6
    assert waiting.take("none such") is None
    assert taken(waiting, "b") == "b"
    assert [taken(waiting) for _ in range(5)] == ["d", "y", "z", "a", "c"]
    assert (len(waiting), waiting.take()) == (0, None)


WAITING = [("a", 0), ("b", 0), ("c", -1), ("d", 7)]


def taken(waiting: WaitingJobs, job_id: str = "") -> str:
    job = waiting.take(job_id)
    assert job is not None
    return job.id


# Recording


def record(job_id: str) -> tuple[JobRecord, Accepted]:
    first = Accepted(NOON, request=JobRequest({}, executor="one"), message="accepted")
    accepted = new_job(job_id, "default", "process", "1", first.request, first)
    return replace(accepted, owner="me"), first


class FullStore(SqliteStore):
    """A store whose disk is full for some commits, or whose events cannot be read."""

    full = 0
    break_reading: Exception | None = None

    def events(self, job_id: str, after: int = 0) -> list[Event]:
        if self.break_reading is not None:
            raise self.break_reading
        return super().events(job_id, after)

    def commit(self, owner: str, changes: Sequence[Change]) -> Collection[str]:
        if self.full:
            self.full -= 1
            raise NoSpace("no space left")
        return super().commit(owner, changes)


class Desk:
    """A committer with a store of its own, and what it has told."""

    def __init__(self, folder: Path) -> None:
        self.home = Home(str(folder))
        self.home.prepare()
        self.store = FullStore(self.home.store)
        self.ended: list[str] = []
        self.posted = 0
        self.committer = Committer(
            self.store,
            "me",
            self.home,
            Observers(PluginManager(())),
            lambda one: self.ended.append(one.id),
            self._post,
        )

    def _post(self) -> None:
        self.posted += 1

    def accept(self, job_id: str, owner: str | None = "me") -> JobRecord:
        one, first = record(job_id)
        one = replace(one, owner=owner)
        self.store.add_job(one, first)
        return one


@pytest.fixture
def desk(tmp_path: Path) -> Any:
    desk = Desk(tmp_path / "home")
    yield desk
    desk.store.close()


def failed(one: JobRecord) -> Change:
    event = Failed(NOON, problem={}, message="no")
    return Change(replace(one, status=JobStatus.FAILED), [event], 1)


def test_the_end_of_a_job_is_told_when_it_is_recorded(desk: Desk) -> None:
    one = desk.accept("a")
    assert desk.committer.record([Change(one, [Started(NOON)], 1)]) == set()
    assert desk.ended == []
    assert desk.committer.record([Change(failed(one).job, failed(one).events, 2)]) == set()
    assert desk.ended == ["a"]


def test_whoever_sends_callbacks_is_told_of_those_that_there_are(desk: Desk) -> None:
    one, other = desk.accept("a"), desk.accept("b")
    desk.committer.record([Change(one, [Started(NOON)], 1)])
    assert desk.posted == 0
    letter = Callback("b", "http://127.0.0.1/", "failedUri")
    desk.committer.record([replace(failed(one), after=2)])
    assert desk.posted == 0
    desk.committer.record([replace(failed(other), callbacks=[letter])])
    assert desk.posted == 1
    assert desk.committer.record([]) == ()


def test_what_is_anothers_is_not_told(desk: Desk) -> None:
    mine, lost = desk.accept("a"), desk.accept("b", owner="somebody")
    assert desk.committer.record([failed(mine), failed(lost)]) == {"b"}
    assert desk.ended == ["a"]


def test_a_full_disk_is_waited_out(desk: Desk) -> None:
    desk.store.full = 2
    desk.home.keep_ballast()
    assert desk.committer.record([failed(desk.accept("a"))]) == set()
    assert desk.ended == ["a"]


def test_nothing_is_told_that_cannot_be_recorded(desk: Desk) -> None:
    desk.store.full = 1000
    desk.committer.close()
    with pytest.raises(NoSpace):
        desk.committer.record([failed(desk.accept("a"))])
    assert desk.ended == []


def test_an_engine_that_is_closed_gives_up_the_room_it_has_kept_to_record_the_end(
    desk: Desk,
) -> None:
    desk.home.keep_ballast()
    desk.store.full = 1
    desk.committer.close()
    assert set(desk.committer.record([failed(desk.accept("a"))])) == set()
    assert desk.ended == ["a"]


# Executors that have to be asked


class AskedNow:
    """An executor that has to be asked every so many seconds, and what it was asked."""

    capabilities = Capabilities()

    def __init__(self, seconds: float | None) -> None:
        self.seconds, self.asked = seconds, 0

    def fileno(self) -> None:
        return None

    def interval(self) -> float | None:
        return self.seconds

    def poll(self) -> list[Any]:
        self.asked += 1
        return []


def test_executors_are_asked_as_often_as_they_say() -> None:
    found = {"often": AskedNow(2), "seldom": AskedNow(5), "never": AskedNow(None)}
    now = [100.0]
    open_one: Any = found.get
    pool = ExecutorPool(open_one, None, lambda: now[0])  # type: ignore[arg-type]
    for name in found:
        pool.get(name)
    asked = []
    for _ in range(6):
        list(pool.reports(()))
        asked.append([one.asked for one in found.values()])
        wait = pool.patience(60)
        assert wait > 0, "it need not be asked twice at a time"
        now[0] += wait
    assert now[0] == 110
    assert asked == [[1, 1, 0], [2, 1, 0], [3, 1, 0], [3, 2, 0], [4, 2, 0], [5, 2, 0]]


# The disk


def test_a_disk_for_a_short_look_goes_with_who_had_it() -> None:
    disk = QuickDisk()
    gone = weakref.ref(disk)
    del disk
    assert gone() is None, "no job leaves garbage to be collected"
