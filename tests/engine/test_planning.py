"""Which step comes next: when the plan has nothing more to give, and who works on it."""

import re
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from localproc.cwl.run.process import Tool, Workflow
from localproc.engine.job.effects import Effects, MakePlan, PullPlan
from localproc.engine.job.facts import Pulled
from localproc.engine.job.planning import Instance, Planning, make_plan, pull
from localproc.engine.loop.quick_disk import QuickDisk
from localproc.errors import LocalprocError
from localproc.lengths import LARGE
from tests.cwl.memory import Memory, process

TOOL = "{class: CommandLineTool, baseCommand: say, inputs: {word: Any}, outputs: {out: string}}"
WORKFLOW = """
cwlVersion: v1.2
class: Workflow
requirements: {ScatterFeatureRequirement: {}, StepInputExpressionRequirement: {}}
"""
CHAIN = f"""{WORKFLOW}inputs: {{word: string}}
outputs: {{out: {{type: string, outputSource: second/out}}}}
steps:
  first: {{in: {{word: word}}, out: [out], run: {TOOL}}}
  second: {{in: {{word: first/out}}, out: [out], run: {TOOL}}}
"""
WIDE = f"""{WORKFLOW}inputs: {{words: 'int[]'}}
outputs: {{}}
steps:
  say: {{scatter: word, in: {{word: words}}, out: [out], run: {TOOL}}}
"""
TWINS = f"""{WORKFLOW}inputs: {{word: string}}
outputs: {{}}
steps:
  a: {{in: {{word: word}}, out: [out], run: {TOOL}}}
  b: {{in: {{word: word}}, out: [out], run: {TOOL}}}
  after_a: {{in: {{word: a/out}}, out: [out], run: {TOOL}}}
  after_b: {{in: {{word: b/out}}, out: [out], run: {TOOL}}}
"""
GATHERED = f"""{WORKFLOW}inputs: {{words: 'int[]'}}
outputs: {{out: {{type: 'string[]', outputSource: say/out}}}}
steps:
  say: {{scatter: word, in: {{word: words}}, out: [out], run: {TOOL}}}
"""
NESTED = f"""
cwlVersion: v1.2
class: Workflow
requirements: {{ScatterFeatureRequirement: {{}}, SubworkflowFeatureRequirement: {{}}}}
inputs: {{words: 'int[]'}}
outputs: {{}}
steps:
  say:
    scatter: word
    in: {{word: words}}
    out: []
    run:
      class: Workflow
      inputs: {{word: int, file: {{type: File, default: {{class: File, path: %s}}}}}}
      outputs: {{}}
      steps: {{say: {{in: {{word: word}}, out: [out], run: {TOOL}}}}}
"""
#: The first step has nothing to scatter over, the other does not depend on it.
WRONG = f"""{WORKFLOW}inputs: {{word: Any}}
outputs: {{}}
steps:
  bad: {{scatter: word, in: {{word: word}}, out: [out], run: {TOOL}}}
  good: {{in: {{word: word}}, out: [out], run: {TOOL}}}
"""
IN: Mapping[str, Any] = {"word": "hello"}


def slow(text: str) -> Tool | Workflow:
    """Give a workflow whose plan a worker makes."""
    return process(re.sub(r"word: (words?)}", r"word: {source: \1, valueFrom: $(self)}}", text))


class Plans:
    """A job's plan, and what it asks of workers."""

    def __init__(
        self,
        what: Tool | Workflow,
        known: tuple[str, ...] = (),
        unfinished: tuple[str, ...] = (),
        where: str = "local",
    ) -> None:
        self.process, self.memory, self.effects = what, Memory(), Effects()
        self.planning = Planning(
            what, self.effects, lambda: self.memory, known, set(unfinished), lambda _: where
        )

    def asked(self) -> list[MakePlan | PullPlan]:
        found = [one for one in self.effects.take() if isinstance(one, (MakePlan, PullPlan))]
        self.effects.unanswered -= len(found)
        return found

    def pulled(self) -> Pulled:
        """Do what one worker has been asked for."""
        (asked,) = self.asked()
        if isinstance(asked, PullPlan):
            return pull(asked.plan, asked.most)
        return pull(make_plan(self.process, asked.inputs, self.memory), asked.most)

    def over(self) -> bool:
        """Whether there is nothing more until something ends well."""
        return self.planning.is_exhausted

    def keys(self) -> list[str]:
        """Give what comes next, until there is nothing more for now."""
        found = []
        while (instance := self.planning.next()) is not None:
            found.append(instance.key)
        return found


def test_there_is_nothing_more_until_something_ends_well() -> None:
    plans = Plans(process(CHAIN))
    one = plans.planning
    one.begin(IN)
    assert not plans.over(), "it has not been asked yet"
    first = one.next()
    assert first is not None
    assert not plans.over()
    assert one.next() is None
    assert plans.over()
    assert one.next() is None
    one.finish(first.key, {"out": "a"})
    assert not plans.over()
    second = one.next()
    assert second is not None
    assert second.key == "second"
    assert one.take_outputs() is None
    one.finish("second", {"out": "b"})
    assert one.take_outputs() == {"out": "b"}


def test_a_worker_is_asked_for_no_more_where_there_is_no_more() -> None:
    plans = Plans(slow(CHAIN))
    one = plans.planning
    one.begin(IN)
    assert one.next() is None
    assert not plans.over(), "a worker has the plan"
    one.give_back(plans.pulled())
    assert not plans.over(), "something is ready"
    assert plans.keys() == ["first"]
    assert plans.over()
    assert plans.asked() == [], "it would find nothing"
    one.finish("first", {"out": "a"})
    assert not plans.over()
    assert plans.keys() == []
    one.give_back(plans.pulled())
    assert plans.keys() == ["second"]


def test_a_worker_is_asked_again_where_there_may_be_more() -> None:
    plans = Plans(slow(WIDE))
    plans.planning.begin({"words": list(range(20))})
    plans.planning.give_back(plans.pulled())
    assert plans.keys() == [f"say[{index}]" for index in range(16)]
    assert not plans.over()
    plans.planning.give_back(plans.pulled())
    assert plans.keys() == [f"say[{index}]" for index in range(16, 20)]
    assert plans.over()


def test_what_ends_while_a_worker_has_the_plan_may_be_what_was_waited_for() -> None:
    plans = Plans(slow(TWINS))
    one = plans.planning
    one.begin(IN)
    one.give_back(plans.pulled())
    assert plans.keys() == ["a", "b"]
    one.finish("a", {"out": "x"})
    assert plans.keys() == []
    pulled = plans.pulled()
    one.finish("b", {"out": "x"})
    assert not plans.over()
    one.give_back(pulled)
    assert plans.keys() == ["after_a"]
    assert not plans.over(), "the end of b was seen by nobody yet"
    one.give_back(plans.pulled())
    assert plans.keys() == ["after_b"]
    assert plans.over()


def test_a_long_past_is_gone_through_by_a_worker_and_what_is_new_is_not() -> None:
    keys = tuple(f"say[{index}]" for index in range(300))
    plans = Plans(process(WIDE), known=keys, unfinished=keys[-1:])
    one = plans.planning
    one.begin({"words": list(range(600))})
    assert one.next() is None
    found = []
    while one.catching_up:
        one.give_back(plans.pulled())
        found.append(plans.keys())
    assert [len(some) for some in found] == [256, 344]
    assert found[1][43] == keys[-1]
    assert plans.asked() == [], "the last ones were given at once"


def test_a_plan_for_large_inputs_is_always_with_a_worker() -> None:
    plans = Plans(process(CHAIN))
    one = plans.planning
    one.begin({"word": "x" * LARGE})
    assert one.next() is None
    one.give_back(plans.pulled())
    assert plans.keys() == ["first"]
    one.finish("first", {"out": "a"})
    assert plans.keys() == []
    one.give_back(plans.pulled())
    assert plans.keys() == ["second"]


class Text(str):
    """A text that tells whether it is still held."""


def test_outputs_that_were_taken_are_held_no_more() -> None:
    plans = Plans(process(GATHERED))
    one = plans.planning
    one.begin({"words": [1]})
    assert plans.keys() == ["say[0]"]
    one.finish("say[0]", {"out": Text("a")})
    outputs = one.take_outputs()
    assert outputs == {"out": ["a"]}
    held = weakref.ref(outputs["out"][0])
    del outputs
    assert held() is None
    assert one.progress == 1


@pytest.mark.parametrize("much", [False, True])
def test_a_worker_puts_together_what_may_be_much(*, much: bool) -> None:
    plans = Plans(process(GATHERED))
    one = plans.planning
    one.begin({"words": [1, 2, 3]})
    assert plans.keys() == ["say[0]", "say[1]", "say[2]"]
    text = "x" * (LARGE // 2 if much else 10)
    for key in ("say[2]", "say[0]"):
        one.finish(key, {"out": text})
        assert plans.asked() == [], "there is nothing to put together yet"
    one.finish("say[1]", {"out": text})
    if much:
        assert one.take_outputs() is None
        one.give_back(plans.pulled())
    assert one.take_outputs() == {"out": [text] * 3}
    assert plans.asked() == []


def test_outputs_that_do_not_fit_are_no_error_of_a_step_whoever_sees_it() -> None:
    plans = Plans(process(GATHERED.replace("'string[]'", "'int[]'")))
    one = plans.planning
    one.begin({"words": [1]})
    assert plans.keys() == ["say[0]"]
    one.finish("say[0]", {"out": "x" * (LARGE + 1)})
    with pytest.raises(LocalprocError, match="out"):
        plans.pulled()


def test_a_process_of_very_many_parts_is_planned_by_a_worker() -> None:
    inputs = {f"word{number}": "string?" for number in range(2000)}
    tool = TOOL.replace("{word: Any}", str(inputs)).replace("{", "{cwlVersion: v1.2, ", 1)
    plans = Plans(process(tool))
    plans.planning.begin({})
    assert plans.planning.next() is None
    plans.planning.give_back(plans.pulled())
    assert len(plans.keys()) == 1


def test_a_short_past_is_gone_through_at_once() -> None:
    plans = Plans(process(WIDE), known=("say[0]", "say[1]"), unfinished=("say[1]",))
    plans.planning.begin({"words": [0, 1, 2]})
    assert plans.keys() == ["say[0]", "say[1]", "say[2]"]
    assert plans.asked() == []


@pytest.mark.parametrize("who", [process, slow])
def test_what_comes_after_inputs_that_make_no_sense_is_still_given(who: Any) -> None:
    plans = Plans(who(WRONG))
    one = plans.planning
    one.begin(IN)
    given: list[Instance] = []
    wrong = []
    while not plans.over():
        try:
            instance = one.next()
        except LocalprocError:
            wrong.append(one.current)
            continue
        if instance is not None:
            given.append(instance)
        elif not plans.over():
            one.give_back(plans.pulled())
    assert (wrong, [one.key for one in given]) == (["bad"], ["good"])


def test_a_plan_may_look_at_more_than_fits_a_moment(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    one = Planning(
        process(NESTED % (tmp_path / "file")), Effects(), QuickDisk, (), set(), lambda _: "local"
    )
    one.begin({"words": list(range(1_200))})
    found = []
    while (instance := one.next()) is not None:
        found.append(instance.key)
    assert found[-1] == "say[1199]/say"
