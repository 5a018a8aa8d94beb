"""An executor made of a backend: what blocks, breaks or answers nonsense harms no job."""

import logging
import os
import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import pytest

from localproc.errors import EnvironmentProblem, ExecutorUnavailable
from localproc.executors import desk as desks
from localproc.executors import desk_tasks, worker
from localproc.executors.desk import Desk
from localproc.executors.desk_tasks import DeskTasks
from localproc.executors.opening import open_executor
from localproc.model import Container, Report, Resources, Task, TaskState
from localproc.plugins.backend import Capabilities, Refused
from localproc.plugins.executor import ExecutorPlugin, ExecutorSettings
from tests.patience import patient, until

R = TaskState.RUNNING


class Memory:
    """A backend whose tasks are entries of a dictionary that a test writes into."""

    capabilities = Capabilities(containers=True)
    most = 100
    pace = 0.0

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[str, ...]]] = []
        self.states: dict[str, Report] = {}
        self.handles: dict[str, str] = {}
        self.first = TaskState.RUNNING  #: what a task is once it is handed on
        self.answers: dict[str, list[Any]] = {}  #: by verb: errors and answers to give first
        self.gate = threading.Event()  #: verbs named in ``blocked`` wait for it
        self.blocked: set[str] = set()
        self.closed = False

    def _answer(self, verb: str, keys: Collection[str]) -> Any:
        self.calls.append((verb, tuple(keys)))
        if verb in self.blocked:
            assert self.gate.wait(patient(20))
        if self.answers.get(verb):
            answer = self.answers[verb].pop(0)
            if isinstance(answer, BaseException):
                raise answer
            return answer
        return None

    def check(self, tasks: Sequence[Task]) -> Mapping[str, str]:
        return {}

    def submit(self, tasks: Sequence[Task]) -> Mapping[str, str | Refused]:
        answer = self._answer("submit", [one.key for one in tasks])
        if answer is not None:
            return answer  # type: ignore[no-any-return]
        for task in tasks:
            self.handles.setdefault(task.key, f"#{task.key}")
            self.states.setdefault(task.key, Report(task.key, self.first))
        return {one.key: self.handles[one.key] for one in tasks}

    def look(self, handles: Mapping[str, str]) -> Mapping[str, Report]:
        answer = self._answer("look", handles)
        if answer is not None:
            return answer  # type: ignore[no-any-return]
        return {key: self.states[key] for key in handles if key in self.states}

    def stop(self, handles: Mapping[str, str], grace: float) -> None:
        self._answer("stop", handles)

    def find(self, tasks: Sequence[Task]) -> Mapping[str, str]:
        answer = self._answer("find", [one.key for one in tasks])
        if answer is not None:
            return answer  # type: ignore[no-any-return]
        return {one.key: self.handles[one.key] for one in tasks if one.key in self.handles}

    def forget(self, handles: Mapping[str, str]) -> None:
        self._answer("forget", handles)

    def watch(self, seconds: float) -> Collection[str] | None:
        return None

    def tidy(self) -> None:
        self._answer("tidy", ())

    def close(self) -> None:
        self.closed = True

    def count(self, verb: str) -> int:
        return [name for name, _ in self.calls].count(verb)


@pytest.fixture
def backend() -> Memory:
    return Memory()


@pytest.fixture
def desk(backend: Memory) -> Iterator[Desk]:
    desk = Desk(backend, linger=0.01, lost_after=0.2, first_pause=0.01)
    yield desk
    backend.gate.set()
    desk.close()


def task(key: str, **fields: Any) -> Task:
    return Task(key, ("true",), {}, "/out", "/tmp", None, "/out/o", "/out/e", **fields)


def tasks(*keys: str) -> list[Task]:
    return [task(key) for key in keys]


def news(desk: Desk, *keys: str, state: TaskState | None = None) -> dict[str, Report]:
    """Poll until there is news of all keys: any, or of a state."""
    found: dict[str, Report] = {}

    def told() -> bool:
        found.update((one.key, one) for one in desk.poll() if state is None or one.state is state)
        return set(keys) <= found.keys()

    until(told)
    return found


def end(backend: Memory, key: str, code: int = 0) -> None:
    backend.states[key] = Report(key, TaskState.ENDED, code)


def test_a_task_is_handed_on_looked_at_told_of_and_forgotten(desk: Desk, backend: Memory) -> None:
    desk.submit(tasks("a"))
    assert news(desk, "a")["a"].state is R
    end(backend, "a", 3)
    assert news(desk, "a")["a"].exit_code == 3
    assert backend.count("forget") == 0, "its end is not recorded yet"
    desk.release(["a", "unknown"])
    until(lambda: ("forget", ("a",)) in backend.calls)


def test_tasks_that_come_together_are_handed_on_together(
    backend: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    for module in (desks, desk_tasks):
        monkeypatch.setattr(module, "monotonic", lambda: now[0])
    desk = Desk(backend, linger=0.2)
    desk.submit(tasks("a"), more=True)
    desk.submit(tasks("b", "a"), more=True)
    desk.submit(tasks("c"))
    now[0] = 1.0
    news(desk, "a", "b", "c")
    assert [keys for verb, keys in backend.calls if verb == "submit"] == [("a", "b", "c")]
    desk.close()


def test_the_first_of_many_does_not_wait_for_the_last() -> None:
    """An engine that goes on promising more for seconds would keep a cluster idle for so long."""
    waiting, now = DeskTasks(60), time.monotonic()
    waiting.add(tasks("a"), now + 1000, now - 1)
    batch, _ = waiting.take(100)
    assert [one.task.key for one in batch] == ["a"]
    waiting.add(tasks("b"), now + 1000, now + 2000)
    waiting.add(tasks("c"), now + 3000, now + 9000)
    batch, wait = waiting.take(100)
    assert batch == []
    assert wait is not None
    assert 1000 < wait <= 2000, "b waits for others, but no longer than it was to at most"
    waiting.close()


def test_all_tasks_are_asked_for_at_once(desk: Desk, backend: Memory) -> None:
    desk.submit(tasks("a", "b", "c"))
    news(desk, "a", "b", "c")
    assert ("look", ("a", "b", "c")) in backend.calls


def test_nothing_is_told_twice(desk: Desk, backend: Memory) -> None:
    desk.submit(tasks("a"))
    news(desk, "a")
    looks = backend.count("look")
    until(lambda: backend.count("look") > looks + 3)
    assert desk.poll() == []


def test_why_a_task_waits_is_told_whenever_it_changes(desk: Desk, backend: Memory) -> None:
    backend.states["a"] = Report("a", TaskState.QUEUED, reason="Priority")
    desk.submit(tasks("a"))
    assert news(desk, "a")["a"].reason == "Priority"
    backend.states["a"] = Report("a", TaskState.QUEUED, reason="Resources")
    assert news(desk, "a")["a"].reason == "Resources"


def test_queries_have_a_budget(backend: Memory) -> None:
    """However often something happens, a backend is asked no more often than it can bear."""
    backend.pace = 3600.0
    desk = Desk(backend, linger=0)
    desk.submit(tasks("first"))
    news(desk, "first")
    for number in range(20):
        desk.submit(tasks(f"t{number}"))
        until(lambda: backend.count("submit") > number + 1)  # noqa: B023
    assert backend.count("look") == 1
    desk.close()


def test_what_is_not_taken_for_now_keeps_nobody_waiting(desk: Desk, backend: Memory) -> None:
    backend.handles = {"a": "#a"}
    backend.states["a"] = Report("a", TaskState.ENDED, 0)
    backend.answers["submit"] = [{"a": "#a", "b": ExecutorUnavailable("no more than one")}]
    desk.submit(tasks("a", "b"))
    found = news(desk, "a", "b")
    assert found["a"].state is TaskState.ENDED
    while found["b"].state is not R:
        assert found["b"].reason in ("", "no more than one")
        found = news(desk, "b")
    assert backend.count("submit") == 2


def test_what_was_not_taken_is_handed_on_once_others_have_ended(
    desk: Desk, backend: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After many refusals it would be tried again in an hour."""
    monkeypatch.setattr(worker, "_LAST", 3600.0)
    submit = backend.submit

    def late(some: Sequence[Task]) -> Mapping[str, str | Refused]:
        desk._workers["hand over"]._pause = 3600.0
        return submit(some)

    monkeypatch.setattr(backend, "submit", late)
    backend.handles = {"a": "#a"}
    backend.states["a"] = Report("a", R)
    backend.answers["submit"] = [{"a": "#a", "b": ExecutorUnavailable("no more than one")}]
    desk.submit(tasks("a", "b"))
    news(desk, "a", "b")
    end(backend, "a")
    news(desk, "b", state=R)
    assert backend.count("submit") == 2


@pytest.mark.parametrize("verb", ["submit", "look", "stop", "forget"])
def test_a_verb_that_blocks_holds_up_nobody(desk: Desk, backend: Memory, verb: str) -> None:
    desk.submit(tasks("before"))
    news(desk, "before")
    backend.blocked = {verb}
    end(backend, "before")
    desk.submit(tasks("a"))
    desk.cancel(["before"], 1)
    desk.release(["before"])
    for _ in range(10):
        desk.poll()
        desk.room()
    assert not backend.gate.is_set()  # so far nobody has waited for the verb
    backend.gate.set()
    assert news(desk, "a").keys() >= {"a"}


def test_a_stop_does_not_wait_for_a_submit_that_blocks(desk: Desk, backend: Memory) -> None:
    desk.submit(tasks("a"))
    news(desk, "a")
    backend.blocked = {"submit"}
    desk.submit(tasks("b"))
    until(lambda: ("submit", ("b",)) in backend.calls)
    desk.cancel(["a"], 0)
    assert news(desk, "a")["a"].state is TaskState.CANCELLED


def test_what_is_cancelled_while_it_is_handed_on_is_stopped_then(
    desk: Desk, backend: Memory
) -> None:
    backend.blocked = {"submit"}
    desk.submit(tasks("a"))
    until(lambda: backend.count("submit"))
    desk.cancel(["a"], 0.5)
    assert backend.count("stop") == 0
    backend.gate.set()
    assert news(desk, "a", state=TaskState.CANCELLED)["a"].state is TaskState.CANCELLED
    assert ("stop", ("a",)) in backend.calls


def test_a_query_that_hung_puts_off_the_next_one_by_some_seconds_at_the_most(
    desk: Desk, backend: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    hung = iter([600.0])
    passed = [0.0]

    def look(handles: Mapping[str, str]) -> Mapping[str, Report]:
        passed[0] += next(hung, 0.0)
        return Memory.look(backend, handles)

    monkeypatch.setattr(backend, "look", look)
    monkeypatch.setattr(desks, "_SLOW", 0.05)
    monkeypatch.setattr(desks, "monotonic", lambda: time.monotonic() + passed[0])
    desk.submit(tasks("a"))
    assert news(desk, "a", state=R)["a"].state is R
    end(backend, "a", 3)
    assert news(desk, "a", state=TaskState.ENDED)["a"].exit_code == 3


def test_what_waits_is_cancelled_without_being_handed_on(backend: Memory) -> None:
    desk = Desk(backend, linger=60)
    desk.submit(tasks("a"))
    desk.cancel(["a", "unknown"], 0)
    found = news(desk, "a", "unknown")
    assert {one.state for one in found.values()} == {TaskState.CANCELLED}
    desk.close()
    assert backend.count("submit") == 0


def test_a_backend_that_does_not_answer_is_asked_again(desk: Desk, backend: Memory) -> None:
    away = ExecutorUnavailable("the controller is away")
    backend.answers = {"submit": [away, away], "look": [away]}
    desk.submit(tasks("a"))
    queued = news(desk, "a")["a"]
    assert (queued.state, queued.reason) == (TaskState.QUEUED, "the controller is away")
    assert news(desk, "a", state=R)["a"].state is R
    assert backend.count("submit") == 3


def test_what_may_have_been_handed_on_is_looked_for_before_it_counts_as_stopped(
    desk: Desk, backend: Memory
) -> None:
    """A submit that nobody answered may have reached the scheduler all the same."""
    backend.answers = {"submit": [ExecutorUnavailable("timed out")] * 10_000}
    backend.handles["a"] = "#a"
    desk.submit(tasks("a", "b"))
    news(desk, "a", "b", state=TaskState.QUEUED)
    desk.cancel(["a", "b"], 0)
    news(desk, "a", "b", state=TaskState.CANCELLED)
    assert ("stop", ("a",)) in backend.calls, "it was there"
    assert not any("b" in keys for verb, keys in backend.calls if verb == "stop")


def test_a_refused_task_harms_no_other(desk: Desk, backend: Memory) -> None:
    backend.answers = {"submit": [{"a": Refused("no such partition"), "b": "#b"}]}
    backend.states["b"] = Report("b", TaskState.ENDED, 0)
    desk.submit(tasks("a", "b"))
    found = news(desk, "a", "b")
    assert (found["a"].state, found["a"].reason) == (TaskState.REFUSED, "no such partition")
    assert found["b"].exit_code == 0


def test_one_task_that_breaks_a_submit_is_refused_alone(
    desk: Desk, backend: Memory, caplog: pytest.LogCaptureFixture
) -> None:
    def submit(batch: Sequence[Task]) -> Mapping[str, str | Refused]:
        if any(one.key == "bad" for one in batch):
            raise ValueError("it has a bad name")
        return Memory.submit(backend, batch)

    backend.submit = submit  # type: ignore[method-assign, assignment]
    desk.submit(tasks("a", "bad", "c"))
    found = news(desk, "a", "bad", "c")
    assert found["bad"].state is TaskState.REFUSED
    assert "it has a bad name" in found["bad"].reason
    assert {found["a"].state, found["c"].state} == {R}
    assert "could not be handed on" in caplog.text


@pytest.mark.parametrize("answer", [{}, {"a": 7}, {"a": None}, [], 3, {"b": "#b"}], ids=repr)
def test_a_submit_that_answers_nonsense_refuses(
    desk: Desk, backend: Memory, answer: object
) -> None:
    backend.answers = {"submit": [answer]}
    desk.submit(tasks("a"))
    found = news(desk, "a")["a"]
    assert found.state is TaskState.REFUSED
    assert found.reason.startswith("it was not taken")


def test_a_submit_that_answers_nonsense_may_have_worked(desk: Desk, backend: Memory) -> None:
    backend.answers = {"submit": [{}]}
    backend.handles["a"] = "#a"
    backend.states["a"] = Report("a", R)
    desk.submit(tasks("a"))
    assert news(desk, "a")["a"].state is R


@pytest.mark.parametrize(
    "answer",
    [{"a": "running"}, {"a": None}, [], 3, {"a": Report("b", TaskState.ENDED, 1)}, ValueError("x")],
    ids=repr,
)
def test_a_query_that_answers_nonsense_is_no_news(
    desk: Desk, backend: Memory, answer: object
) -> None:
    backend.answers = {"look": [answer]}
    desk.submit(tasks("a"))
    assert news(desk, "a")["a"].state is R


def test_a_task_that_queries_do_not_know_is_lost_after_a_while(desk: Desk, backend: Memory) -> None:
    desk.submit(tasks("a", "b"))
    news(desk, "a", "b")
    del backend.states["a"]
    found = news(desk, "a")["a"]
    assert found.state is TaskState.LOST
    assert "left no exit record" in found.reason
    end(backend, "b")
    assert news(desk, "b")["b"].exit_code == 0


def test_a_task_that_a_query_leaves_out_once_is_not_lost(backend: Memory) -> None:
    desk = Desk(backend, linger=0.01, lost_after=patient(60), first_pause=0.01)
    backend.answers = {"look": [{}, {}]}
    desk.submit(tasks("a"))
    assert news(desk, "a")["a"].state is R
    desk.close()


def test_a_backend_that_is_away_loses_nothing(desk: Desk, backend: Memory) -> None:
    """Only queries that were answered count: an hour without any says nothing of a task."""
    desk.submit(tasks("a"))
    news(desk, "a")
    backend.answers["look"] = [ExecutorUnavailable("away")] * 40
    until(lambda: len(backend.answers["look"]) < 38)
    backend.answers["look"].clear()
    end(backend, "a")
    assert news(desk, "a")["a"].state is TaskState.ENDED


def test_reattaching_tells_once_of_each(desk: Desk, backend: Memory) -> None:
    backend.handles = {"ended": "#1", "runs": "#2"}
    backend.states["runs"] = Report("runs", R)
    end(backend, "ended", 7)
    backend.answers = {"find": [ExecutorUnavailable("away")]}
    desk.reattach(tasks("ended", "runs", "never"))
    found = news(desk, "ended", "runs", "never")
    assert found["ended"].exit_code == 7
    assert found["runs"].state is R
    assert found["never"].state is TaskState.NEVER_STARTED
    assert desk.poll() == []


def test_what_is_sought_can_be_cancelled(desk: Desk, backend: Memory) -> None:
    backend.handles = {"runs": "#2"}
    backend.blocked = {"find"}
    desk.reattach(tasks("runs", "never"))
    desk.cancel(["runs", "never"], 0)
    assert desk.poll() == []
    backend.gate.set()
    found = news(desk, "runs", "never")
    assert {one.state for one in found.values()} == {TaskState.CANCELLED}
    assert ("stop", ("runs",)) in backend.calls


def test_a_thread_that_breaks_is_logged_and_goes_on(
    desk: Desk, backend: Memory, caplog: pytest.LogCaptureFixture
) -> None:
    backend.answers = {"look": [ZeroDivisionError("once"), SystemExit(3)]}
    with caplog.at_level(logging.ERROR):
        desk.submit(tasks("a"))
        assert news(desk, "a")["a"].state is R
    assert "ZeroDivisionError: once" in caplog.text


def test_what_a_watch_sees_is_looked_at(backend: Memory) -> None:
    happened = threading.Event()
    backend.pace = 0.01

    def watch(seconds: float) -> Collection[str]:
        return ("a",) if happened.wait(seconds) else ()

    backend.watch = watch  # type: ignore[method-assign]
    desk = Desk(backend, linger=0)
    desk.submit(tasks("a"))
    news(desk, "a")
    end(backend, "a", 4)
    happened.set()
    assert news(desk, "a")["a"].exit_code == 4
    desk.close()


def test_what_a_watch_sees_does_not_wait_for_the_next_look_at_all(
    backend: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look that took its time puts off the next one, but not the ends that are known."""
    monkeypatch.setattr(desks, "_SHARE", 1e9)
    monkeypatch.setattr(desks, "_SLOW", 3600.0)
    happened = threading.Event()

    def watch(seconds: float) -> Collection[str]:
        if happened.wait(0.01):
            happened.clear()
            return ("a",)
        return ()

    backend.watch = watch  # type: ignore[method-assign]
    desk = Desk(backend, linger=0)
    desk.submit(tasks("a", "b"))
    news(desk, "a", "b")
    end(backend, "a", 4)
    happened.set()
    assert news(desk, "a")["a"].exit_code == 4
    looks = [keys for verb, keys in backend.calls if verb == "look"]
    assert looks == [("a", "b"), ("a",)]
    desk.close()


def test_what_its_capabilities_rule_out_is_known_before(desk: Desk, backend: Memory) -> None:
    image = Container("alpine", "/out")
    reasons = desk.check(
        [task("a", container=image), task("b", resources=Resources(gpus=2)), task("c")]
    )
    assert reasons == {"b": "it needs 2 GPUs, and there are none"}


def test_closing_does_not_wait_for_what_is_stuck(
    backend: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desks, "_LEAVING", 0.1)
    desk = Desk(backend, linger=0)
    backend.blocked = {"look"}
    desk.submit(tasks("a"))
    until(lambda: backend.count("look"))
    desk.close()
    assert backend.closed
    backend.gate.set()


def test_a_desk_that_is_inherited_is_the_parents(desk: Desk, backend: Memory) -> None:
    """Nothing in a forked child may take part in what the parent does."""
    desk.submit(tasks("a"))
    news(desk, "a")
    child = os.fork()
    if child == 0:
        os._exit(0 if desk._closed else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    end(backend, "a")
    news(desk, "a")


SETTINGS = ExecutorSettings("/nowhere", "engine", 1, 1, 1)


class OfVersion01:
    """An executor as a plugin for localproc 0.1 has written it."""

    def fileno(self) -> None: ...
    def interval(self) -> None: ...
    def room(self) -> None: ...
    def submit(self, tasks: object) -> None: ...
    def poll(self) -> object: ...
    def cancel(self, keys: object, grace: float) -> None: ...
    def reattach(self, tasks: object) -> object: ...
    def tidy(self) -> None: ...
    def close(self) -> None: ...


def test_an_executor_of_an_older_version_is_told_what_it_lacks() -> None:
    plugin = ExecutorPlugin("old", lambda _: OfVersion01())  # type: ignore[arg-type, return-value]
    with pytest.raises(EnvironmentProblem) as raised:
        open_executor(plugin, SETTINGS)
    assert "capabilities, check(), submit(more=...), release()" in raised.value.message
    assert "plugins/README.md" in raised.value.hint


def test_a_backend_becomes_an_executor(backend: Memory) -> None:
    desk = open_executor(ExecutorPlugin("memory", lambda _: backend), SETTINGS)
    assert isinstance(desk, Desk)
    desk.close()
