"""Whatever comes to a job, in any order: one end, nothing unrecorded done, nothing done twice."""

import json
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from localproc.engine.job.effects import Close, Launch, Reattach, Release, Stop
from localproc.engine.job.facts import (
    Broken,
    DismissalAsked,
    Done,
    Later,
    News,
    NotLaunched,
    Recalled,
    Reported,
    TakenFrom,
)
from localproc.errors import JobFailed, StagingError
from localproc.machine.phases import Phase
from localproc.model import Report, StepStatus, TaskState
from localproc.model.events import (
    Dismissed,
    Failed,
    StepFinished,
    StepRetrying,
    StepSubmitted,
    Succeeded,
)
from tests.cwl.memory import process
from tests.engine.job_bench import ID, NOON, Bench

JAVASCRIPT: dict[str, Any] = {"InlineJavascriptRequirement": {}}


def tool(name: str, value: str, **fields: Any) -> dict[str, Any]:
    """Give a tool whose output is worked out of its input, without any file."""
    return {
        "class": "CommandLineTool",
        "id": name,
        "baseCommand": "say",
        "arguments": [value],
        "inputs": {"word": "string"},
        "outputs": {"out": {"type": "string", "outputBinding": {"outputEval": value}}},
        **fields,
    }


BIG = {"entryname": "big.txt", "entry": "x" * 100_000}
BIG_FILE = {"InitialWorkDirRequirement": {"listing": [BIG]}}
COUNT = {
    "class": "ExpressionTool",
    "id": "count",
    "requirements": JAVASCRIPT,
    "inputs": {"words": "string[]"},
    "outputs": {"n": "int"},
    "expression": "${ return {n: inputs.words.length}; }",
}


def scattered(run: dict[str, Any], source: str, **fields: Any) -> dict[str, Any]:
    return {"run": run, "scatter": "word", "in": {"word": source}, "out": ["out"], **fields}


def package(**when: Any) -> dict[str, Any]:
    """Quick tools and slow ones, scatters, a large file to put in place, an inner workflow."""
    inner = {
        "class": "Workflow",
        "id": "inner",
        "inputs": {"word": "string"},
        "outputs": {"out": {"type": "string", "outputSource": "say/out"}},
        "steps": {
            "say": {
                "run": tool("big", "$(inputs.word)", requirements=BIG_FILE),
                "in": {"word": "word"},
                "out": ["out"],
            }
        },
    }
    slow = tool("slow", "$(inputs.word + '!')", requirements=JAVASCRIPT)
    return {
        "cwlVersion": "v1.2",
        "class": "Workflow",
        "id": "main",
        "requirements": {
            "ScatterFeatureRequirement": {},
            "SubworkflowFeatureRequirement": {},
            **(JAVASCRIPT if when else {}),
        },
        "inputs": {"words": "string[]"},
        "outputs": {
            "all": {"type": {"type": "array", "items": "string"}, "outputSource": "inner/out"},
            "n": {"type": "int", "outputSource": "count/n"},
        },
        "steps": {
            "say": scattered(tool("say", "$(inputs.word)"), "words"),
            "slow": scattered(slow, "words", **when),
            "count": {"run": COUNT, "in": {"words": "say/out"}, "out": ["n"]},
            "inner": scattered(inner, "say/out"),
        },
    }


STEPS = 3 + 3 + 1 + 3
PROCESSES = {
    "quick": process(json.dumps(package())),
    "slow": process(json.dumps(package(when="$(inputs.word != 'b' + '')"))),
}
ENDS = [
    TaskState.ENDED,
    TaskState.LOST,
    TaskState.NODE_LOST,
    TaskState.REFUSED,
    TaskState.CANCELLED,
    TaskState.TIMED_OUT,
    TaskState.NEVER_STARTED,
]
GOING_ON = [TaskState.QUEUED, TaskState.RUNNING]


class AnyOrder(RuleBasedStateMachine):
    """The executor and the workers are the machine's; the loop is the bench's."""

    bench: Bench

    @initialize(
        kind=st.sampled_from(sorted(PROCESSES)),
        reuse=st.booleans(),
        keep_going=st.booleans(),
        retry_of=st.sampled_from([None, "earlier"]),
        attempts=st.integers(1, 3),
    )
    def accept(
        self, kind: str, reuse: bool, keep_going: bool, retry_of: str | None, attempts: int
    ) -> None:
        rule = {"steps": "*", "attempts": attempts, "delay": 60, "on": ["failed", "timed-out"]}
        self.bench = Bench(
            PROCESSES[kind],
            {"words": ["a", "b", "c"]},
            reuse=reuse,
            keep_going=keep_going,
            retry_of=retry_of,
            retries=(rule,),
            time_limit=1e6,
        )
        if retry_of:
            found = TakenFrom({"out": "b"}, retry_of, "say")
            self.bench.recalled = {"say[1]": Recalled("", found), "slow[1]": Recalled("", found)}
        self.tasks: set[str] = set()  # that the executor has been given or asked for
        self.ever: set[str] = set()
        self.crash = False
        self.bench.begin()
        self.act()

    # What the loop does with effects

    def take(self, news: News) -> None:
        self.bench.run.take(news)
        self.turn()

    def turn(self) -> None:
        self.bench.turn()
        if self.crash:  # recorded, and nothing done about it
            self.crash = False
            self.resume()
        else:
            self.act()

    def act(self) -> None:
        submitted = [one for one in self.bench.history if isinstance(one, StepSubmitted)]
        keys = {f"{ID}:{one.name}:{one.attempt}" for one in submitted}
        for effect in self.bench.given(Launch):
            key = effect.task.key
            assert self.bench.run.phase is Phase.RUNNING, "nothing begins in a job that stops"
            assert key in keys, "it is recorded before it is done"
            assert key not in self.ever, "it is handed over once"
            assert not self.is_finished(key), "what has ended is not started"
            self.tasks.add(key)
            self.ever.add(key)
        for effect in self.bench.given(Reattach):
            for task in effect.tasks:
                assert task.key in keys
                self.tasks.add(task.key)
                self.ever.add(task.key)
        for effect in self.bench.given(Release):
            assert effect.key not in self.tasks, "its end was reported"
            name = effect.key.split(":")[1]
            again = sum(one.name == name for one in submitted) > 1
            tried = [one for one in self.bench.history if isinstance(one, StepRetrying)]
            waits = any(one.name == name for one in tried)
            assert again or waits or self.is_finished(effect.key), "and is recorded"
        for _ in self.bench.given(Stop):
            assert self.bench.run.phase in (Phase.STOPPING, Phase.ENDED)
        for _ in self.bench.given(Close):
            assert len(self.ends()) == 1, "the end is recorded"
            assert not self.tasks, "and nothing runs"

    def is_finished(self, key: str) -> bool:
        name = key.split(":")[1]
        return any(isinstance(one, StepFinished) and one.name == name for one in self.bench.history)

    def ends(self) -> list[Any]:
        kinds = (Succeeded, Failed, Dismissed)
        return [one for one in self.bench.history if isinstance(one, kinds)]

    def resume(self) -> None:
        if self.ends():
            return
        self.tasks.clear()
        self.bench.resume()
        self.bench.begin()
        self.act()

    # Facts

    @rule()
    def there_is_room(self) -> None:
        self.bench.run.pull()
        self.turn()

    @precondition(lambda self: self.bench.run.due is not None)
    @rule(late=st.sampled_from([False] * 19 + [True]))
    def it_is_later(self, late: bool) -> None:
        due = self.bench.run.due
        assert due is not None
        self.take(Later(NOON + timedelta(days=100) if late else due))

    @precondition(lambda self: self.tasks)
    @rule(data=st.data(), state=st.sampled_from(GOING_ON))
    def goes_on(self, data: st.DataObject, state: TaskState) -> None:
        key = data.draw(st.sampled_from(sorted(self.tasks)))
        self.take(Reported(Report(key, state)))

    @precondition(lambda self: self.tasks)
    @rule(
        data=st.data(),
        state=st.sampled_from([TaskState.ENDED] * 12 + ENDS),
        code=st.sampled_from([0] * 9 + [1]),
    )
    def ends_somehow(self, data: st.DataObject, state: TaskState, code: int) -> None:
        key = data.draw(st.sampled_from(sorted(self.tasks)))
        self.tasks.remove(key)
        self.take(Reported(Report(key, state, code, reason="who knows")))

    @precondition(lambda self: self.bench.asked())
    @rule(data=st.data(), fails=st.sampled_from([False] * 15 + [True]))
    def a_worker_answers(self, data: st.DataObject, fails: bool) -> None:
        index = data.draw(st.integers(0, len(self.bench.asked()) - 1))
        effect = self.bench.asked()[index]
        self.bench.effects.remove(effect)
        if fails:
            self.take(Done(effect, error=StagingError("no", uri="")))
        else:
            self.take(Done(effect, self.bench.value(effect)))

    @rule(
        data=st.data(),
        kind=st.sampled_from(["die", "die later", "not known", "no room", "dismiss", "break"]),
    )
    def there_is_trouble(self, data: st.DataObject, kind: str) -> None:
        if kind == "die":
            self.resume()
        elif kind == "die later":
            self.crash = True
        elif kind == "not known":
            state = data.draw(st.sampled_from(ENDS))
            self.take(Reported(Report(f"{ID}:nobody:1", state, 0)))
        elif kind == "no room" and self.tasks:
            key = data.draw(st.sampled_from(sorted(self.tasks)))
            self.tasks.remove(key)
            self.take(NotLaunched(key, StagingError("no room", uri="")))
        elif kind == "dismiss":
            self.take(DismissalAsked())
        elif kind == "break":
            self.take(Broken(JobFailed("a bug", job_id=ID)))

    # What holds

    @invariant()
    def it_ends_once(self) -> None:
        assert len(self.ends()) <= 1
        if self.ends():
            assert self.bench.history[-1] is self.ends()[0]

    @invariant()
    def no_step_ends_twice(self) -> None:
        names = [one.name for one in self.bench.history if isinstance(one, StepFinished)]
        assert len(names) == len(set(names))

    @invariant()
    def names_belong_to_places(self) -> None:
        places: dict[str, str] = {}
        for one in self.bench.history:
            if isinstance(one, (StepSubmitted, StepFinished)) and one.key:
                assert places.setdefault(one.name, one.key) == one.key
        assert len(set(places.values())) == len(places)

    def teardown(self) -> None:
        if not hasattr(self, "bench"):
            return
        self.crash = False
        for _ in range(200):
            if self.bench.run.phase is Phase.ENDED:
                break
            due = self.bench.run.due
            if due is not None and due < NOON + timedelta(days=1):
                self.take(Later(due))
            self.bench.run.pull()
            self.turn()
            for effect in self.bench.asked():
                self.bench.effects.remove(effect)
                self.take(Done(effect, self.bench.value(effect)))
            for key in sorted(self.tasks):
                self.tasks.discard(key)
                self.take(Reported(Report(key, TaskState.ENDED, 0)))
        assert self.bench.run.phase is Phase.ENDED, "with good news only, it comes to an end"
        assert len(self.ends()) == 1
        if isinstance(self.ends()[0], Succeeded):
            ends = [one for one in self.bench.history if isinstance(one, StepFinished)]
            good = {StepStatus.SUCCESSFUL, StepStatus.SKIPPED, StepStatus.REUSED}
            assert {one.status for one in ends} <= good
            assert len(ends) == STEPS


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(
    max_examples=150,
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
