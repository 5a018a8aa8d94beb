"""Whatever comes to a job, in any order: one end, nothing unrecorded done, nothing done twice."""

import json
from collections import Counter
from datetime import timedelta
from typing import Any, ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from localproc.engine.job.effects import (
    Close,
    Launch,
    Reattach,
    Release,
    StageIn,
    StageOut,
    Stop,
    Withdraw,
)
from localproc.engine.job.facts import (
    Broken,
    DismissalAsked,
    Done,
    Later,
    News,
    NotLaunched,
    Progressed,
    Recalled,
    Reported,
    TakenFrom,
    ToolProgressed,
    fact_of,
)
from localproc.errors import JobFailed, LocalprocError, StagingError
from localproc.lengths import LARGE
from localproc.machine import replay, steps
from localproc.machine.phases import ACTS, Fact, Phase
from localproc.model import Report, StepStatus, TaskState
from localproc.model.events import (
    STAGE_IN,
    STAGE_OUT,
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


def package(
    more: dict[str, Any] | None = None, inputs: dict[str, Any] | None = None, **when: Any
) -> str:
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
    slow = tool("slow", "$(inputs.word.concat('!'))", requirements=JAVASCRIPT)
    given = inputs or {}
    whole = {
        "cwlVersion": "v1.2",
        "class": "Workflow",
        "id": "main",
        "requirements": {
            "ScatterFeatureRequirement": {},
            "SubworkflowFeatureRequirement": {},
            **(JAVASCRIPT if when else {}),
        },
        "inputs": {"words": "string[]", **given},
        "outputs": {
            "all": {"type": {"type": "array", "items": "string"}, "outputSource": "inner/out"},
            "n": {"type": "int", "outputSource": "count/n"},
            **{
                f"same_{name}": {"type": kind, "outputSource": name} for name, kind in given.items()
            },
        },
        "steps": {
            **(more or {}),
            "say": scattered(tool("say", "$(inputs.word)"), "words"),
            "slow": scattered(slow, "words", **when),
            "count": {"run": COUNT, "in": {"words": "say/out"}, "out": ["n"]},
            "inner": scattered(inner, "say/out"),
        },
    }
    return json.dumps(whole)


STEPS = 3 + 3 + 1 + 3
NO_LIST = {"bad": scattered(tool("bad", "x"), "word")}  #: there is nothing to scatter over
WORDS = {"words": ["a", "b", "c"]}
FILE = {"class": "File", "location": "file:///in/a.txt", "basename": "a.txt"}
MUCH = "x" * LARGE
JOBS: dict[str, tuple[str, dict[str, Any]]] = {
    "quick": (package(), WORDS),
    "slow": (package(when="$(inputs.word != 'b' + '')"), WORDS),
    "files": (package(inputs={"file": "File"}), {**WORDS, "file": FILE}),
    "slow files": (package(inputs={"file": "File"}, when="$(1 == 1)"), {**WORDS, "file": FILE}),
    "large": (package(inputs={"much": "string"}), {**WORDS, "much": MUCH}),
    "large files": (
        package(inputs={"much": "string", "file": "File"}),
        {**WORDS, "much": MUCH, "file": FILE},
    ),
    "wrong": (package(NO_LIST, {"word": "string"}), {**WORDS, "word": "w"}),
    "slow and wrong": (
        package(NO_LIST, {"word": "string"}, when="$(1 == 1)"),
        {**WORDS, "word": "w"},
    ),
}
PROCESSES = {name: process(text) for name, (text, _) in JOBS.items()}
ENDS = [
    TaskState.ENDED,
    TaskState.LOST,
    TaskState.NODE_LOST,
    TaskState.REFUSED,
    TaskState.CANCELLED,
    TaskState.TIMED_OUT,
    TaskState.OUT_OF_MEMORY,
    TaskState.NEVER_STARTED,
]
GOING_ON = [TaskState.QUEUED, TaskState.RUNNING]
TROUBLE = StagingError("no", uri="")


class AnyOrder(RuleBasedStateMachine):
    """The executor, the store and the workers are the machine's; the loop is the bench's.

    All goes well for some ``turns``: so the later phases are come to as well.

    An engine dies before what was decided is recorded (``dies = "unrecorded"``), before anything is
    done about it, or when nothing is to be done. What somebody wants of a job is in the store
    whether an engine lives or not.
    """

    bench: Bench
    turns: ClassVar[int] = 0
    pairs: ClassVar[Counter[tuple[Phase, Fact]]] = Counter()

    @initialize(
        kind=st.sampled_from(sorted(JOBS)),
        reuse=st.booleans(),
        keep_going=st.booleans(),
        retry_of=st.sampled_from([None, "earlier"]),
        attempts=st.integers(1, 3),
    )
    def accept(
        self,
        kind: str,
        reuse: bool,
        keep_going: bool,
        retry_of: str | None,
        attempts: int,
    ) -> None:
        rule = {"steps": "*", "attempts": attempts, "delay": 60, "on": ["failed", "timed-out"]}
        self.bench = Bench(
            PROCESSES[kind],
            JOBS[kind][1],
            reuse=reuse,
            keep_going=keep_going,
            retry_of=retry_of,
            retries=(rule,),
            time_limit=1e6,
            executor="local;slow=cluster;inner/*=cluster",
        )
        self.bench.memory.files["/in/a.txt"] = b"x"
        self.kind = kind
        if retry_of:
            found = TakenFrom({"out": "b"}, retry_of, "say")
            self.bench.recalled = {"say[1]": Recalled("", found), "slow[1]": Recalled("", found)}
        self.tasks: set[str] = set()  # that the executor has been given or asked for
        self.ever: set[str] = set()
        self.launched: set[str] = set()  # by this engine, with those that it has found
        self.released: Counter[str] = Counter()
        self.publishing = False  # whether results may be there, of this engine or earlier ones
        self.wanted = False  # that the job is dismissed
        self.dies = ""
        self.bench.begin()
        self.act()
        for _ in range(self.turns):
            if self.bench.run.phase not in (Phase.PUBLISHING, Phase.ENDED):
                self.all_goes_well()

    # What the loop does with effects

    def take(self, news: News) -> None:
        self.pairs[self.bench.run.phase, fact_of(news)] += 1
        self.bench.run.take(news)
        self.turn()

    def turn(self) -> None:
        dies, self.dies = self.dies, ""
        if dies == "unrecorded" and not self.ends():
            self.resume()
            return
        self.bench.turn()
        if dies:
            self.resume()
        else:
            self.act()

    def act(self) -> None:
        submitted = [one for one in self.bench.history if isinstance(one, StepSubmitted)]
        keys = {f"{ID}:{one.name}:{one.attempt}" for one in submitted}
        self.publishing |= any(isinstance(one, StageOut) for one in self.bench.effects)
        self.publishing &= not any(isinstance(one, Withdraw) for one in self.bench.effects)
        for effect in self.bench.given(Launch):
            key = effect.task.key
            assert self.bench.run.phase is Phase.RUNNING, "nothing begins in a job that stops"
            assert key in keys, "it is recorded before it is done"
            assert key not in self.ever, "it is handed over once"
            assert not self.is_finished(key), "what has ended is not started"
            self.hand_over(key)
        for effect in self.bench.given(Reattach):
            for task in effect.tasks:
                assert task.key in keys
                assert task.key not in self.launched, "it is not lost sight of"
                self.hand_over(task.key)
        for effect in self.bench.given(Release):
            assert effect.key not in self.tasks, "its end was reported"
            name = effect.key.split(":")[1]
            again = sum(one.name == name for one in submitted) > 1
            tried = [one for one in self.bench.history if isinstance(one, StepRetrying)]
            waits = any(one.name == name for one in tried)
            assert again or waits or self.is_finished(effect.key), "and is recorded"
            self.released[effect.key] += 1
        for effect in self.bench.given(Stop):
            assert self.bench.run.phase in (Phase.STOPPING, Phase.ENDED)
            assert set(effect.keys) <= self.launched, "the executor knows what it is to stop"
        for _ in self.bench.given(Close):
            self.it_is_over()

    def hand_over(self, key: str) -> None:
        for keys in (self.tasks, self.ever, self.launched):
            keys.add(key)

    def it_is_over(self) -> None:
        """See to what has to be so when a job has ended."""
        assert len(self.ends()) == 1, "the end is recorded"
        assert not self.tasks, "and nothing runs"
        assert not self.bench.asked(), "nor is anything being done"
        assert (self.bench.run.under_way, self.bench.run.to_come.total()) == (0, 0)
        own = f"/tmp/{self.bench.engines}/"
        kept = [path for path, count in self.bench.lent.items() if count and path.startswith(own)]
        assert kept == [], "no temporary folder is kept"
        assert all(self.released[key] == 1 for key in self.launched), "no task is remembered"
        if not isinstance(self.ends()[0], Succeeded):
            assert not self.publishing, "nobody is left with results of a job that has none"

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
        self.launched.clear()
        self.released.clear()
        self.bench.resume(dismissed=self.wanted)
        self.bench.begin()
        self.act()

    # Facts

    @rule(full=st.sampled_from([(), (), ("local",), ("cluster",), ("local", "cluster")]))
    def there_is_room(self, full: tuple[str, ...]) -> None:
        self.pairs[self.bench.run.phase, Fact.ROOM] += 1
        if self.bench.run.pull(full):
            assert self.bench.run.placed not in full or "wrong" in self.kind
        self.turn()

    @rule(late=st.sampled_from([False] * 19 + [True]))
    def it_is_later(self, late: bool) -> None:
        due = self.bench.run.due
        self.take(Later(NOON + timedelta(days=100) if late else due or NOON))

    @precondition(lambda self: self.tasks)
    @rule(data=st.data(), state=st.sampled_from(GOING_ON))
    def goes_on(self, data: st.DataObject, state: TaskState) -> None:
        key = data.draw(st.sampled_from(sorted(self.tasks)))
        self.take(Reported(Report(key, state, reason="held")))

    @precondition(lambda self: self.tasks)
    @rule(data=st.data(), share=st.floats(0, 1))
    def a_tool_tells(self, data: st.DataObject, share: float) -> None:
        key = data.draw(st.sampled_from(sorted(self.tasks)))
        self.take(ToolProgressed(key, share, "so far"))

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
        self.answer(self.bench.asked()[index], TROUBLE if fails else None)

    def answer(self, effect: Any, error: LocalprocError | None = None) -> None:
        self.bench.effects.remove(effect)
        if isinstance(effect, StageOut) and error is not None:
            self.publishing = False  # who cannot publish all takes it back
        value = None if error is not None else self.bench.value(effect)
        self.take(Done(effect, value, error))

    @precondition(lambda self: any(isinstance(one, StageIn | StageOut) for one in self.staging()))
    @rule(done=st.integers(0, 9))
    def some_of_it_is_there(self, done: int) -> None:
        (effect,) = self.staging()
        self.take(Progressed(STAGE_IN if isinstance(effect, StageIn) else STAGE_OUT, done, 9))

    def staging(self) -> list[Any]:
        return [one for one in self.bench.asked() if isinstance(one, StageIn | StageOut)]

    @rule(data=st.data(), state=st.sampled_from(ENDS + GOING_ON), kind=st.integers(0, 2))
    def it_comes_too_late(self, data: st.DataObject, state: TaskState, kind: int) -> None:
        """What has been told once is told again, or nobody knows what it is about."""
        others = [key for key in sorted(self.ever) if not self.bench.run.is_running(key)]
        key = data.draw(st.sampled_from([*others, f"{ID}:nobody:1"]))
        news: list[News] = [
            Reported(Report(key, state, 0)),
            ToolProgressed(key, 1, "all"),
            NotLaunched(key, TROUBLE),
        ]
        count, engines = len(self.bench.history), self.bench.engines
        self.take(news[kind])
        if self.bench.engines == engines:
            assert len(self.bench.history) == count, "it changes nothing"

    @rule(when=st.sampled_from(["now", "undone", "unrecorded"]))
    def the_engine_dies(self, when: str) -> None:
        if when == "now":
            self.resume()
        else:
            self.dies = when

    @precondition(lambda self: self.tasks)
    @rule()
    def there_is_no_room(self) -> None:
        key = min(self.tasks)
        self.tasks.remove(key)
        self.take(NotLaunched(key, TROUBLE))

    @rule()
    def somebody_dismisses_it(self) -> None:
        self.wanted = True
        self.take(DismissalAsked())

    @rule()
    def the_engine_has_a_bug(self) -> None:
        self.take(Broken(JobFailed("a bug", job_id=ID)))

    # What holds

    @invariant()
    def it_ends_once(self) -> None:
        assert len(self.ends()) <= 1
        if self.ends():
            assert self.bench.history[-1] is self.ends()[0]

    @invariant()
    def no_step_ends_twice(self) -> None:
        ends = [one for one in self.bench.history if isinstance(one, StepFinished)]
        names, places = [one.name for one in ends], [one.key for one in ends if one.key]
        assert len(names) == len(set(names))
        assert len(places) == len(set(places))

    @invariant()
    def names_belong_to_places(self) -> None:
        places: dict[str, str] = {}
        for one in self.bench.history:
            if isinstance(one, (StepSubmitted, StepFinished)) and one.key:
                assert places.setdefault(one.name, one.key) == one.key
        assert len(set(places.values())) == len(places)

    @invariant()
    def its_row_is_what_its_events_add_up_to(self) -> None:
        now = replay(self.bench.accepted, self.bench.history[1:])
        job = self.bench.run.job
        assert job == now.changed(owner=job.owner, dismiss_requested=job.dismiss_requested)

    @invariant()
    def no_room_is_given_back_twice(self) -> None:
        assert set(self.bench.lent.values()) <= {0, 1}
        assert all(count >= 0 for count in self.bench.run.to_come.values())

    def all_goes_well(self) -> None:
        due = self.bench.run.due
        if due is not None and due < NOON + timedelta(days=1):
            self.take(Later(due))
        while self.bench.run.pull():
            self.turn()
        self.turn()
        for effect in self.bench.asked():
            self.answer(effect)
        for key in sorted(self.tasks):
            self.tasks.discard(key)
            self.take(Reported(Report(key, TaskState.ENDED, 0)))

    def teardown(self) -> None:
        if not hasattr(self, "bench"):
            return
        self.dies = ""
        for _ in range(200):
            if self.bench.run.phase is Phase.ENDED:
                break
            self.all_goes_well()
        assert self.bench.run.phase is Phase.ENDED, "with good news only, it comes to an end"
        assert len(self.ends()) == 1
        assert all(step.status.final for step in steps(self.bench.history))
        if isinstance(self.ends()[0], Succeeded):
            ends = [one for one in self.bench.history if isinstance(one, StepFinished)]
            good = {StepStatus.SUCCESSFUL, StepStatus.SKIPPED, StepStatus.REUSED}
            assert {one.status for one in ends} <= good
            assert len([one for one in ends if not one.name.startswith("stage_")]) == STEPS


#: What cannot come in a phase, whoever is slow: an answer to what nobody has asked for then.
NEVER = {
    *((phase, Fact.STAGED) for phase in (Phase.RUNNING, Phase.PUBLISHING, Phase.ENDED)),
    *((phase, Fact.PULLED) for phase in (Phase.STAGING_IN, Phase.PUBLISHING, Phase.ENDED)),
    *((phase, Fact.ANSWER) for phase in (Phase.STAGING_IN, Phase.PUBLISHING, Phase.ENDED)),
    *((phase, Fact.PUBLISHED) for phase in (Phase.STAGING_IN, Phase.RUNNING, Phase.ENDED)),
    *((phase, Fact.PROGRESS) for phase in (Phase.RUNNING, Phase.ENDED)),
}


SOME = settings(
    max_examples=40,
    stateful_step_count=50,
    deadline=None,
    derandomize=False,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
_MOST_RUNS = 10  #: one is enough, mostly


def test_whatever_comes_in_any_order_a_job_comes_to_one_end() -> None:
    AnyOrder.pairs.clear()
    missing = {(phase, fact) for phase in Phase for fact in Fact} - NEVER
    for _ in range(_MOST_RUNS):
        for AnyOrder.turns in (0, 1, 4, 20):
            run_state_machine_as_test(AnyOrder, settings=SOME)
        missing -= set(AnyOrder.pairs)
        if not missing:
            break
    assert missing == set(), "every fact that can come in a phase has come in it"
    assert NEVER.isdisjoint(AnyOrder.pairs)


def test_the_table_expects_nothing_that_cannot_come() -> None:
    assert NEVER.isdisjoint((phase, fact) for phase, acts in ACTS.items() for fact in acts)
