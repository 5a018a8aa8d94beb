"""An executor's bugs stay its own, and it is asked when it wants to be."""

import logging
import selectors
import tracemalloc
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pytest

from localproc.engine.loop.executor_pool import ExecutorPool
from localproc.engine.loop.guarded import GuardedExecutor
from localproc.errors import ExecutorUnavailable
from localproc.model import Report, Task, TaskState
from localproc.plugins.executor import Capabilities, Executor, ExecutorPlugin, ExecutorSettings

SETTINGS = ExecutorSettings("/nowhere", "engine", 1, 1, 1)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Scripted:
    """An executor whose verbs fail, or take their time, as a test says."""

    capabilities = Capabilities()

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.fails: dict[str, list[Exception]] = {}
        self.takes: dict[str, float] = {}
        self.calls: list[tuple[str, Any]] = []
        self.reports: list[Report] = []
        self.wants: float | None = None
        self.reasons: dict[str, str] = {}

    def _called(self, verb: str, what: Any = None) -> None:
        self.calls.append((verb, what))
        self.clock.now += self.takes.get(verb, 0)
        if self.fails.get(verb):
            raise self.fails[verb].pop(0)

    def fileno(self) -> int | None:
        self._called("fileno")
        return None

    def interval(self) -> float | None:
        return self.wants

    def room(self) -> int:
        self._called("room")
        return 3

    def check(self, tasks: Sequence[Task]) -> Mapping[str, str]:
        self._called("check")
        return {key: why for key, why in self.reasons.items() if key in [one.key for one in tasks]}

    def submit(self, tasks: Sequence[Task], *, more: bool = False) -> None:
        self._called("submit", [one.key for one in tasks])

    def poll(self) -> Sequence[Report]:
        self._called("poll")
        reports, self.reports = self.reports, []
        return reports

    def cancel(self, keys: Iterable[str], grace: float) -> None:
        self._called("cancel", list(keys))

    def reattach(self, tasks: Sequence[Task]) -> None:
        self._called("reattach", [one.key for one in tasks])

    def release(self, keys: Iterable[str]) -> None:
        self._called("release", list(keys))

    def tidy(self) -> None:
        self._called("tidy")

    def close(self) -> None:
        self._called("close")

    def count(self, verb: str) -> int:
        return [name for name, _ in self.calls].count(verb)


def task(key: str) -> Task:
    return Task(key, ("true",), {}, "/out", "/tmp", None, "/out/o", "/out/e")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def inner(clock: Clock) -> Scripted:
    return Scripted(clock)


@pytest.fixture
def guarded(inner: Scripted, clock: Clock) -> GuardedExecutor:
    return GuardedExecutor(ExecutorPlugin("odd", lambda _: inner), SETTINGS, clock)


def test_what_can_never_run_is_refused_and_the_rest_goes_on(
    guarded: GuardedExecutor, inner: Scripted
) -> None:
    inner.reasons = {"b": "no such queue"}
    guarded.submit([task("a"), task("b")])
    assert ("submit", ["a"]) in inner.calls
    assert guarded.interval() == 0, "there is something to tell"
    assert guarded.poll() == [Report("b", TaskState.REFUSED, reason="no such queue")]


def test_news_take_no_memory(guarded: GuardedExecutor, inner: Scripted) -> None:
    def told(times: int) -> None:
        for _ in range(times):
            inner.reports = [Report("a", TaskState.RUNNING)]
            assert guarded.poll() == [Report("a", TaskState.RUNNING)]
            inner.calls.clear()

    told(10)
    tracemalloc.start()
    told(1_000)
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert held < 50_000


def test_a_bug_while_tasks_are_handed_over_refuses_them(
    guarded: GuardedExecutor, inner: Scripted, caplog: pytest.LogCaptureFixture
) -> None:
    inner.fails = {"submit": [KeyError("x")]}
    guarded.submit([task("a")])
    (report,) = guarded.poll()
    assert (report.state, report.reason) == (
        TaskState.REFUSED,
        "the executor 'odd' has failed: KeyError: 'x'",
    )
    assert "KeyError" in caplog.text


def test_tasks_of_one_that_is_away_are_handed_over_later(
    guarded: GuardedExecutor, inner: Scripted, clock: Clock
) -> None:
    inner.fails = {"submit": [ExecutorUnavailable("away")], "reattach": [RuntimeError("bug")]}
    guarded.submit([task("a"), task("b")])
    guarded.reattach([task("c"), task("d")])
    guarded.cancel(["b", "d"], 0)
    assert guarded.interval() == 0, "b has been cancelled"
    assert guarded.poll() == [Report("b", TaskState.CANCELLED)]
    assert guarded.interval() == 1
    clock.now += 1
    guarded.poll()
    assert [what for verb, what in inner.calls if verb in ("submit", "reattach", "cancel")] == [
        ["a", "b"],
        ["c", "d"],
        ["c", "d"],
        ["d"],
        ["a"],
    ]
    assert guarded.interval() is None


@pytest.mark.parametrize(
    ("verb", "call", "expected"),
    [
        ("poll", lambda one: one.poll(), []),
        ("room", lambda one: one.room(), 0),
        ("fileno", lambda one: one.fileno(), None),
        ("check", lambda one: one.check([]), {}),
        ("cancel", lambda one: one.cancel(["a"], 0), None),
        ("release", lambda one: one.release(["a"]), None),
        ("tidy", lambda one: one.tidy(), None),
        ("close", lambda one: one.close(), None),
    ],
)
def test_any_other_bug_is_no_news(
    guarded: GuardedExecutor,
    inner: Scripted,
    caplog: pytest.LogCaptureFixture,
    verb: str,
    call: Callable[[Executor], object],
    expected: object,
) -> None:
    inner.fails = {verb: [ZeroDivisionError("bug")] * 2}
    assert call(guarded) == expected
    call(guarded)
    assert caplog.text.count("the executor 'odd' has failed") == 1


def test_a_verb_that_blocks_is_noted_once(
    guarded: GuardedExecutor, inner: Scripted, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        for seconds in (0.3, 0.3, 1.5, 1.5):
            inner.takes = {"poll": seconds, "submit": 0.04}
            guarded.poll()
            guarded.submit([task("a")])
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("INFO", "the executor 'odd' took 0.30 s for poll(): every job waits meanwhile"),
        ("WARNING", "the executor 'odd' took 1.50 s for poll(): every job waits meanwhile"),
    ]


def test_an_executor_is_asked_no_more_often_than_it_wants(inner: Scripted, clock: Clock) -> None:
    inner.wants = 1.0
    with selectors.DefaultSelector() as selector:
        pool = ExecutorPool(lambda _: inner, selector, clock)
        pool.get("odd")
        list(pool.reports(()))
        assert inner.count("poll") == 1, "at first it is asked at once"
        for _ in range(100):
            clock.now += 0.0095
            list(pool.reports(()))
        assert inner.count("poll") == 1
        assert pool.patience(10) == pytest.approx(0.05)
        clock.now += 0.06
        list(pool.reports(()))
        assert inner.count("poll") == 2


def test_an_executor_with_news_is_asked_at_once(
    inner: Scripted, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner.wants = 60.0
    monkeypatch.setattr(inner, "fileno", lambda: 7)

    class Selector(selectors.SelectSelector):
        def register(self, fileobj: Any, events: int, data: Any = None) -> Any:
            return None

    pool = ExecutorPool(lambda _: inner, Selector(), clock)
    pool.get("odd")
    list(pool.reports(()))
    list(pool.reports({7}))
    list(pool.reports({8}))
    assert inner.count("poll") == 2


@pytest.mark.parametrize(
    ("verb", "gives", "instead"),
    [
        ("interval", "5", 1.0),
        ("interval", float("nan"), 1.0),
        ("interval", -3, 1.0),
        ("room", None, 0),
        ("room", 1.5, 0),
        ("check", None, {}),
        ("check", ["a"], {}),
        ("poll", None, []),
    ],
)
def test_an_answer_that_is_none_is_a_bug_of_the_executor(
    guarded: GuardedExecutor,
    inner: Scripted,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    verb: str,
    gives: Any,
    instead: Any,
) -> None:
    monkeypatch.setattr(inner, verb, lambda *_: gives)
    arguments = [[task("a")]] if verb == "check" else []
    assert getattr(guarded, verb)(*arguments) == instead
    assert "the executor 'odd' has failed" in caplog.text
    guarded.submit([task("a")])
    assert inner.count("submit") == 1, "the rest goes on"


@pytest.mark.parametrize(
    "told",
    [
        "a report",
        Report("a", "ended", 0),  # type: ignore[arg-type]
        Report("a", TaskState.ENDED, "0"),  # type: ignore[arg-type]
        Report("a", TaskState.RUNNING, started=12.5),  # type: ignore[arg-type]
        Report("a", TaskState.QUEUED, reason=None),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_report_is_no_news_and_the_others_are(
    guarded: GuardedExecutor, inner: Scripted, caplog: pytest.LogCaptureFixture, told: Any
) -> None:
    good = Report("b", TaskState.ENDED, 0)
    inner.reports = [told, good]
    assert guarded.poll() == [good]
    assert "the executor 'odd' has failed: TypeError: poll() gave" in caplog.text
