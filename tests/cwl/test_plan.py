"""The order of things: which tools run next, with which inputs, and what comes of them."""

import random
import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from localproc.cwl.run.plan import Invocation, Plan, Skipped
from localproc.cwl.run.process import Tool, Workflow
from localproc.errors import LocalprocError, StepError
from tests.cwl.memory import Memory, file, process, tool, workflow

#: A tool that takes anything and gives anything.
ANY = "{class: CommandLineTool, baseCommand: a, inputs: {x: Any?, y: Any?}, outputs: {out: Any}}"
FEATURES = """
requirements:
  InlineJavascriptRequirement: {}
  MultipleInputFeatureRequirement: {}
  ScatterFeatureRequirement: {}
  StepInputExpressionRequirement: {}
  SubworkflowFeatureRequirement: {}
"""


def plan(text: str, **inputs: Any) -> Plan:
    """Plan a workflow; ANY stands for the tool that takes anything."""
    return Plan(workflow(FEATURES + dedent(text).replace("ANY", ANY)), inputs, Memory())


def pulled(plan: Plan) -> list[str]:
    """Pull all there is; give the keys."""
    keys = []
    while (instance := plan.pull()) is not None:
        keys.append(instance.key)
    return keys


def said(invocation: Invocation) -> dict[str, Any]:
    """Give outputs from which one can tell what went in."""
    given = ",".join(f"{name}={value}" for name, value in invocation.inputs.items() if value)
    return {"out": f"{invocation.step}({given})"}


def complete(
    plan: Plan, answer: Callable[[Invocation], Mapping[str, Any]] = said
) -> Mapping[str, Any]:
    """Run everything, one after the other."""
    while (instance := plan.pull()) is not None:
        if isinstance(instance, Invocation):
            plan.finish(instance.key, answer(instance))
    assert plan.outputs is not None
    return plan.outputs


def test_a_tool_is_a_plan_of_one_invocation() -> None:
    compiled = tool("baseCommand: a\ninputs: {x: int}\noutputs: {out: int}")
    one = Plan(compiled, {"x": 1}, Memory())
    assert one.pull() == Invocation("main", "main", compiled, {"x": 1})
    assert (one.pull(), one.outputs, one.progress) == (None, None, 0)
    one.finish("main", {"out": 2})
    assert (dict(one.outputs or {}), one.progress) == ({"out": 2}, 1)


CHAIN = """
inputs: {i: Any}
outputs: {o: {type: Any, outputSource: last/out}}
steps:
  last: {in: {x: middle/out, y: i}, out: [out], run: ANY}
  first: {in: {x: i}, out: [out], run: ANY}
  middle: {in: {x: first/out}, out: [out], run: ANY}
"""


def test_a_step_waits_for_those_whose_outputs_it_takes() -> None:
    chain = plan(CHAIN, i="a")
    assert pulled(chain) == ["first"]
    chain.finish("first", {"out": "b"})
    assert pulled(chain) == ["middle"]
    chain.finish("middle", {"out": "c"})
    assert pulled(chain) == ["last"]
    chain.finish("last", {"out": "d"})
    assert pulled(chain) == []
    assert chain.outputs == {"o": "d"}


def test_links_carry_what_the_steps_gave() -> None:
    assert complete(plan(CHAIN, i="a")) == {"o": "last(x=middle(x=first(x=a)),y=a)"}


def test_steps_that_wait_for_nothing_are_there_at_once_in_their_order() -> None:
    text = """
        steps:
          b: {in: {}, out: [out], run: ANY}
          a: {in: {}, out: [out], run: ANY}
          c: {in: {x: b/out, y: a/out}, out: [], run: ANY}
    """
    side_by_side = plan(text)
    assert pulled(side_by_side) == ["b", "a"]
    side_by_side.finish("a", {"out": 1})
    assert pulled(side_by_side) == []
    side_by_side.finish("b", {"out": 2})
    assert pulled(side_by_side) == ["c"]


def test_a_step_gets_the_inputs_that_its_tool_takes_and_no_others() -> None:
    text = """
        inputs: {i: Any}
        steps:
          s: {in: {x: i, other: i}, out: [], run: ANY}
    """
    one = plan(text, i=1).pull()
    assert isinstance(one, Invocation)
    assert one.inputs == {"x": 1}


def test_outputs_that_a_tool_does_not_give_are_null() -> None:
    text = """
        outputs: {o: {type: Any?, outputSource: s/out}}
        steps:
          s: {in: {}, out: [out], run: ANY}
    """
    assert complete(plan(text), lambda _: {}) == {"o": None}


def test_an_input_may_be_an_output() -> None:
    text = """
        inputs: {i: int, j: {type: int, default: 0}}
        outputs: {o: {type: 'int[]', outputSource: [i, j]}}
        steps: []
    """
    through = plan(text, i=5)
    assert (pulled(through), through.outputs, through.progress) == ([], {"o": [5, 0]}, 1)


def test_an_output_of_another_type_is_an_error() -> None:
    text = """
        outputs: {o: {type: 'int[]', outputSource: s/out}}
        steps:
          s: {in: {}, out: [out], run: ANY}
    """
    with pytest.raises(StepError, match=r"main: the output o\[1\]: expected int, got string 'b'"):
        complete(plan(text), lambda _: {"out": [1, "b"]})


# Conditions


WHEN = """
inputs: {i: Any}
outputs: {o: {type: Any?, outputSource: after/out}}
steps:
  maybe: {in: {x: i}, when: $(inputs.x > 0), out: [out], run: ANY}
  after: {in: {x: maybe/out}, out: [out], run: ANY}
"""


def test_a_step_whose_condition_does_not_hold_is_skipped() -> None:
    skips = plan(WHEN, i=0)
    assert skips.pull() == Skipped("maybe", "maybe")
    assert complete(skips) == {"o": "after()"}


def test_a_step_whose_condition_holds_runs() -> None:
    assert complete(plan(WHEN, i=1)) == {"o": "after(x=maybe(x=1))"}


def test_single_instances_of_a_scatter_are_skipped() -> None:
    text = """
        inputs: {i: "int[]"}
        outputs: {o: {type: "Any", outputSource: s/out}}
        steps:
          s: {in: {x: i}, scatter: x, when: $(inputs.x % 2 == 0), out: [out], run: ANY}
    """
    assert complete(plan(text, i=[1, 2, 3, 4])) == {"o": [None, "s(x=2)", None, "s(x=4)"]}
    everything = plan(text, i=[1, 3])
    assert [type(one) for one in iter(everything.pull, None)] == [Skipped, Skipped]
    assert everything.outputs == {"o": [None, None]}


# Scatters


SCATTER = """
inputs: {i: "Any[]", j: "Any[]"}
outputs: {o: {type: Any, outputSource: s/out}}
steps:
  s: {in: {x: i, y: j}, scatter: [x, y], scatterMethod: %s, out: [out], run: ANY}
"""


@pytest.mark.parametrize(
    ("method", "keys", "outputs"),
    [
        ("dotproduct", 2, ["s(x=1,y=a)", "s(x=2,y=b)"]),
        ("flat_crossproduct", 4, ["s(x=1,y=a)", "s(x=1,y=b)", "s(x=2,y=a)", "s(x=2,y=b)"]),
        ("nested_crossproduct", 4, [["s(x=1,y=a)", "s(x=1,y=b)"], ["s(x=2,y=a)", "s(x=2,y=b)"]]),
    ],
)
def test_a_scatter_gathers_what_its_instances_gave(method: str, keys: int, outputs: Any) -> None:
    found = plan(SCATTER % method, i=[1, 2], j=["a", "b"])
    assert pulled(found) == [f"s[{index}]" for index in range(keys)]
    assert complete(plan(SCATTER % method, i=[1, 2], j=["a", "b"])) == {"o": outputs}


def test_outputs_stand_in_the_order_of_the_inputs_however_they_come() -> None:
    found = plan(SCATTER % "dotproduct", i=[1, 2, 3], j=[1, 2, 3])
    for key in reversed(pulled(found)):
        found.finish(key, {"out": key})
    assert found.outputs == {"o": ["s[0]", "s[1]", "s[2]"]}


@pytest.mark.parametrize(
    ("method", "i", "outputs"),
    [
        ("dotproduct", [], []),
        ("flat_crossproduct", [1, 2], []),
        ("nested_crossproduct", [1, 2], [[], []]),
    ],
)
def test_a_scatter_over_nothing_ends_at_once(method: str, i: list[int], outputs: Any) -> None:
    found = plan(SCATTER % method, i=i, j=[])
    assert (pulled(found), found.outputs, found.progress) == ([], {"o": outputs}, 1)


def test_steps_after_a_scatter_over_nothing_run() -> None:
    text = """
        inputs: {i: "Any[]"}
        outputs: {o: {type: Any, outputSource: t/out}}
        steps:
          s: {in: {x: i}, scatter: x, out: [out], run: ANY}
          t: {in: {x: s/out}, out: [out], run: ANY}
    """
    assert complete(plan(text, i=[])) == {"o": "t()"}


def test_a_scatter_over_what_is_no_array_is_an_error() -> None:
    text = """
        inputs: {i: Any}
        steps:
          s: {in: {x: i}, scatter: x, out: [], run: ANY}
    """
    broken = plan(text, i=5)
    with pytest.raises(StepError, match="scatter over x, which is not an array: 5"):
        broken.pull()
    assert broken.current == "s"


LAZY = """
inputs: {i: "Any[]"}
steps:
  s:
    in: {x: {source: i, valueFrom: $(self.name)}}
    scatter: x
    out: []
    run: ANY
"""


def test_a_large_scatter_pulls_only_what_is_asked_for() -> None:
    many: list[Any] = [{"name": f"scene {index}"} for index in range(100_000)]
    many[50] = {"name": None}
    lazy = plan(LAZY.replace("$(self.name)", "$(self.name.length)"), i=many)
    first = [lazy.pull() for _ in range(50)]
    assert [one.key for one in first if one is not None] == [f"s[{index}]" for index in range(50)]
    with pytest.raises(LocalprocError):
        lazy.pull()
    assert lazy.current == "s[50]"


def test_a_large_scatter_can_be_gone_through() -> None:
    many = list(range(100_000))
    through = plan(LAZY.replace("{source: i, valueFrom: $(self.name)}", "i"), i=many)
    assert complete(through, lambda _: {}) == {}
    assert through.progress == 1


# Workflows in workflows


INNER = """{
    class: Workflow,
    inputs: {p: Any}, outputs: {q: {type: Any, outputSource: two/out}},
    steps: {
      one: {in: {x: p}, out: [out], run: ANY},
      two: {in: {x: one/out}, out: [out], run: ANY}
    }
}"""
NESTED = f"""
inputs: {{i: "Any[]"}}
outputs: {{o: {{type: Any, outputSource: s/q}}}}
steps:
  s: {{in: {{p: i}}, scatter: p, out: [q], run: {INNER}}}
"""


def test_keys_tell_the_way_to_an_instance() -> None:
    text = f"""
inputs: {{i: Any}}
outputs: {{o: {{type: Any, outputSource: s/q}}}}
steps:
  s: {{in: {{p: i}}, out: [q], run: {INNER}}}
"""
    found = plan(text, i="a")
    first = found.pull()
    assert isinstance(first, Invocation)
    assert (first.key, first.step) == ("s/one", "one")
    found.finish("s/one", {"out": "b"})
    assert pulled(found) == ["s/two"]


def test_every_instance_of_a_workflow_goes_its_own_way() -> None:
    nested = plan(NESTED, i=["a", "b"])
    assert pulled(nested) == ["s[0]/one", "s[1]/one"]
    nested.finish("s[1]/one", {"out": "B"})
    assert pulled(nested) == ["s[1]/two"]
    assert complete(plan(NESTED, i=["a", "b"])) == {"o": ["two(x=one(x=a))", "two(x=one(x=b))"]}


def test_what_has_begun_is_finished_before_more_begins() -> None:
    nested = plan(NESTED, i=["a", "b", "c"])
    first = nested.pull()
    assert first is not None
    nested.finish("s[0]/one", {"out": "A"})
    assert pulled(nested) == ["s[0]/two", "s[1]/one", "s[2]/one"]


def test_scatters_within_scatters_have_a_place_each() -> None:
    inner = """{
        class: Workflow,
        inputs: {p: "Any[]"}, outputs: {q: {type: Any, outputSource: one/out}},
        steps: {one: {in: {x: p}, scatter: x, out: [out], run: ANY}}
    }"""
    nested = plan(NESTED.replace(INNER, inner), i=[["a", "b"], [], ["c"]])
    assert pulled(nested) == ["s[0]/one[0]", "s[0]/one[1]", "s[2]/one[0]"]
    for key in ("s[2]/one[0]", "s[0]/one[1]", "s[0]/one[0]"):
        nested.finish(key, {"out": key})
    assert nested.outputs == {"o": [["s[0]/one[0]", "s[0]/one[1]"], [], ["s[2]/one[0]"]]}


def test_a_workflow_whose_condition_does_not_hold_is_skipped_as_a_whole() -> None:
    text = NESTED.replace("out: [q]", "when: $(inputs.p > 1), out: [q]")
    nested = plan(text, i=[1, 2])
    assert nested.pull() == Skipped("s[0]", "s")
    assert pulled(nested) == ["s[1]/one"]


def test_defaults_of_an_inner_workflow_are_filled_in() -> None:
    text = NESTED.replace("{p: Any}", "{p: {type: Any, default: given}}")
    nested = plan(text.replace('"Any[]"', "{type: {type: array, items: ['null', Any]}}"), i=[None])
    one = nested.pull()
    assert isinstance(one, Invocation)
    assert one.inputs["x"] == "given"


def test_an_inner_workflow_takes_values_of_its_types() -> None:
    nested = plan(NESTED.replace("{p: Any}", "{p: int}"), i=[1, "two"])
    assert nested.pull() is not None
    with pytest.raises(StepError, match="the inputs do not fit: p: expected int, got string 'two'"):
        nested.pull()
    assert nested.current == "s[1]"


def test_an_inner_workflow_may_have_no_steps() -> None:
    inner = """{
        class: Workflow,
        inputs: {p: Any}, outputs: {q: {type: Any, outputSource: p}}, steps: []
    }"""
    nested = plan(NESTED.replace(INNER, inner), i=[1, 2])
    assert (pulled(nested), nested.outputs) == ([], {"o": [1, 2]})


def test_an_input_file_of_a_workflow_is_completed() -> None:
    text = """
        inputs: {i: {type: File, loadContents: true}}
        steps:
          s: {in: {x: i}, out: [], run: ANY}
    """
    compiled = workflow(FEATURES + dedent(text).replace("ANY", ANY))
    one = Plan(compiled, {"i": file("/data/a")}, Memory({"/data/a": "text"})).pull()
    assert isinstance(one, Invocation)
    assert one.inputs["x"]["contents"] == "text"


# Progress


def test_progress_is_that_of_the_steps_each_with_its_share() -> None:
    nested = plan(NESTED, i=["a", "b"])
    seen = [nested.progress]
    while (one := nested.pull()) is not None:
        nested.finish(one.key, {"out": 1})
        seen.append(nested.progress)
    assert seen == [0, 0.25, 0.5, 0.75, 1]


# Whatever the order


RICH = """
inputs: {numbers: "int[]", words: "string[]"}
outputs:
  table: {type: Any, outputSource: cross/out}
  picked:
    type: Any
    outputSource: [odd/out, last/out]
    linkMerge: merge_flattened
    pickValue: all_non_null
  deep: {type: Any, outputSource: deep/q}
steps:
  odd: {in: {x: numbers}, scatter: x, when: $(inputs.x % 2 == 1), out: [out], run: ANY}
  cross:
    in: {x: numbers, y: words}
    scatter: [x, y]
    scatterMethod: nested_crossproduct
    out: [out]
    run: ANY
  deep: {in: {p: words, all: odd/out}, scatter: p, out: [q], run: WORKFLOW}
  last: {in: {x: deep/q, y: {default: 0}}, when: $(inputs.x.length > 1), out: [out], run: ANY}
"""
DEEP = """{
    class: Workflow,
    inputs: {p: string, all: {type: {type: array, items: ["null", Any]}}},
    outputs: {q: {type: Any, outputSource: join/out}},
    steps: {
      each: {in: {x: all, y: p}, scatter: x, when: "$(inputs.x !== null)", out: [out], run: ANY},
      join: {in: {x: each/out, y: p}, out: [out], run: ANY}
    }
}"""


@cache
def rich() -> Tool | Workflow:
    text = RICH.replace("WORKFLOW", DEEP).replace("ANY", ANY)
    return process(f"cwlVersion: v1.2\nclass: Workflow\n{FEATURES}\n{text}")


Instance = Invocation | Skipped


def carried_out(
    inputs: Mapping[str, Any], order: random.Random, history: Mapping[str, Any], stop: int = 10**9
) -> tuple[Any, dict[str, Any], dict[str, str], list[float]]:
    """Carry a plan out in some order, up to ``stop`` ends, with what an earlier run has recorded.

    Gives the outputs, the history, what there was by key, and the progress along the way.
    """
    going = Plan(rich(), inputs, Memory())
    ended, seen, running = dict(history), dict[str, str](), list[Invocation]()
    progress = [going.progress]
    ends = 0
    while ends < stop:
        instance = going.pull() if order.random() < 0.6 or not running else None
        if instance is not None:
            assert instance.key not in seen, "every key is there once"
            seen[instance.key] = repr(instance)
        if isinstance(instance, Invocation):
            if instance.key in history:
                going.finish(instance.key, history[instance.key])
            else:
                running.append(instance)
        elif instance is None and running:
            one = running.pop(order.randrange(len(running)))
            ended[one.key] = said(one)
            going.finish(one.key, ended[one.key])
            ends += 1
        elif instance is None:
            break
        progress.append(going.progress)
    progress.append(going.progress)
    return going.outputs, ended, seen, progress


INPUTS = st.fixed_dictionaries(
    {
        "numbers": st.lists(st.integers(0, 5), max_size=4),
        "words": st.lists(st.sampled_from(["a", "b", "c"]), max_size=3),
    }
)


@given(INPUTS, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_whatever_order_invocations_end_in_it_comes_to_the_same(
    inputs: Mapping[str, Sequence[Any]], order: random.Random
) -> None:
    in_turn = carried_out(inputs, random.Random(0), {})
    shuffled = carried_out(inputs, order, {})
    assert shuffled[0] is not None
    assert shuffled[:2] == in_turn[:2]
    assert shuffled[2] == in_turn[2]


@given(INPUTS, st.randoms(use_true_random=False), st.integers(0, 20))
@settings(deadline=None)
def test_a_plan_resumed_from_any_point_ends_the_same(
    inputs: Mapping[str, Sequence[Any]], order: random.Random, stop: int
) -> None:
    whole = carried_out(inputs, order, {})
    _, history, _, _ = carried_out(inputs, order, {}, stop)
    resumed = carried_out(inputs, order, history)
    assert resumed[:3] == whole[:3]


@given(INPUTS, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_progress_never_goes_back_and_ends_at_one(
    inputs: Mapping[str, Sequence[Any]], order: random.Random
) -> None:
    _, _, _, progress = carried_out(inputs, order, {})
    assert progress[0] >= 0
    assert progress == sorted(progress)
    assert progress[-1] == 1
    assert all(one <= 1 for one in progress)


# Memory


def test_a_wide_scatter_costs_little_memory_for_each_task() -> None:
    width = 5_000
    wide = """
        inputs: {x: "int[]"}
        outputs: {o: {type: "Any[]", outputSource: s/out}}
        steps: {s: {run: ANY, scatter: x, in: {x: x}, out: [out]}}
    """
    plan("inputs: {}\noutputs: {}\nsteps: {}")  # so that what is loaded once does not count
    items = list(range(width))
    tracemalloc.start()
    try:
        scatter = plan(wide, x=items)
        before = tracemalloc.get_traced_memory()[0]
        keys = pulled(scatter)
        for key in keys:
            scatter.finish(key, {"out": key * 5})
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert scatter.outputs == {"o": [key * 5 for key in keys]}
    assert (most - before) / width < 4096
