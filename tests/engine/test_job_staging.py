"""A job's own steps, staging in and publishing: how they go, and how they are stopped."""

from typing import Any

import pytest

from localproc.engine.job.effects import (
    Close,
    Evaluate,
    FillInputs,
    PullPlan,
    StageIn,
    StageOut,
    Stop,
    Withdraw,
    WriteOutputs,
)
from localproc.engine.job.facts import DismissalAsked, Done, Progressed
from localproc.errors import StagingError, StepError
from localproc.lengths import LARGE
from localproc.machine.phases import Phase
from localproc.model import TaskState
from localproc.model.events import STAGE_IN, STAGE_OUT, Failed, StepFinished, Succeeded
from tests.cwl.memory import process
from tests.engine.job_bench import ID, Bench, told

FILE = {"class": "File", "location": "file:///in/a.txt", "basename": "a.txt"}
STAGED = {"class": "File", "location": "file:///job/inputs/a.txt", "basename": "a.txt"}
GIVE = """
cwlVersion: v1.2
class: Workflow
id: give
requirements: [{class: InlineJavascriptRequirement}]
inputs: {file: File, word: {type: string, default: w}}
outputs:
  same: {type: File, outputSource: file}
  word: {type: string, outputSource: word}
steps:
  say: {run: {class: CommandLineTool, id: say, baseCommand: say, inputs: {}, outputs: {}},
    in: {}, out: [], when: $(1 == 1)}
"""
NO = StagingError("no", uri="file:///in/a.txt")


def giving(**more: Any) -> Bench:
    """Give a job whose plan a worker makes; it is to give a file that it was given."""
    bench = Bench(process(GIVE), {"file": FILE, **more.pop("inputs", {})}, **more)
    bench.memory.files.update({"/in/a.txt": b"x", "/job/inputs/a.txt": b"x"})
    bench.begin()
    return bench


def publishing(**more: Any) -> Bench:
    bench = giving(**more)
    bench.answer(bench.given(StageIn)[0])
    bench.go_on()
    bench.ended("say:1")
    assert bench.run.phase is Phase.PUBLISHING
    return bench


# They fail


def test_inputs_that_cannot_be_staged_fail_the_job() -> None:
    bench = giving()
    (effect,) = bench.given(StageIn)
    step, last = bench.take(Done(effect, error=NO))
    assert told([step, last]) == ["step-finished stage_in failed", "failed"]
    assert isinstance(step, StepFinished)
    assert isinstance(last, Failed)
    assert (step.said, last.problem) == ("step stage_in: no", step.problem)
    assert last.problem["log"] == "/job/logs/node_stage_in.log"
    assert bench.given(Close) == [Close(keep=True)]


def test_outputs_that_cannot_be_published_fail_the_job() -> None:
    bench = publishing()
    (effect,) = bench.given(StageOut)
    step, last = bench.take(Done(effect, error=NO))
    assert told([step, last]) == ["step-finished stage_out failed", "failed"]
    assert isinstance(step, StepFinished)
    assert isinstance(last, Failed)
    assert (step.said, last.problem) == ("step stage_out: no", step.problem)
    assert bench.given(Withdraw) == [], "whoever published has taken that back"


def test_inputs_that_are_too_much_to_go_through_fail_the_job_and_no_step() -> None:
    bench = giving(inputs={"word": "x" * LARGE})
    (effect,) = bench.given(FillInputs)
    assert told(bench.take(Done(effect, error=StepError("too much")))) == ["failed"]
    assert bench.run.job.message == "step give: too much"


def test_many_inputs_are_filled_by_a_worker_and_staged_then() -> None:
    bench = giving(inputs={"word": "x" * LARGE})
    (effect,) = bench.given(FillInputs)
    assert told(bench.answer(effect)) == ["step-submitted stage_in", "step-running stage_in"]
    (staging,) = bench.given(StageIn)
    assert staging.inputs["file"] == FILE
    (event,) = bench.answer(staging)
    assert told([event]) == ["step-finished stage_in successful"]
    assert event.progress == 2


def test_only_the_outputs_that_are_wanted_are_published() -> None:
    bench = publishing(outputs={"same": {}})
    (effect,) = bench.given(StageOut)
    assert effect.outputs == {"same": {**FILE, "size": 1}}
    assert effect.inputs["file"]["location"] == FILE["location"]
    last = bench.take(Done(effect, ({"same": STAGED}, {"same": {"type": "Feature"}})))[-1]
    assert isinstance(last, Succeeded)
    assert (last.outputs, last.features) == ({"same": STAGED}, {"same": {"type": "Feature"}})


# They are stopped


@pytest.mark.parametrize("error", [None, NO])
def test_a_dismissal_waits_until_nothing_is_staged_any_more(error: StagingError | None) -> None:
    bench = giving()
    (effect,) = bench.given(StageIn)
    assert told(bench.take(DismissalAsked())) == ["dismiss-requested"]
    assert bench.given(Stop) == [Stop(())]
    assert bench.take(Progressed(STAGE_IN, 1, 2)) == []
    assert told(bench.take(Done(effect, effect.inputs, error))) == [
        "step-finished stage_in dismissed",
        "dismissed",
    ]
    assert bench.given(Close) == [Close(keep=False)]


def test_what_was_published_before_a_dismissal_was_seen_is_taken_back() -> None:
    bench = publishing()
    (effect,) = bench.given(StageOut)
    bench.take(DismissalAsked())
    assert bench.answer(effect) == []
    (undoing,) = bench.given(Withdraw)
    assert undoing.log == "/job/logs/node_stage_out.log"
    assert told(bench.answer(undoing)) == ["step-finished stage_out dismissed", "dismissed"]


def test_what_could_not_be_published_need_not_be_taken_back() -> None:
    bench = publishing()
    (effect,) = bench.given(StageOut)
    bench.take(DismissalAsked())
    assert told(bench.take(Done(effect, error=NO))) == [
        "step-finished stage_out dismissed",
        "dismissed",
    ]
    assert bench.given(Withdraw) == []


def test_a_dismissal_while_many_inputs_are_gone_through_ends_no_step() -> None:
    bench = giving(inputs={"word": "x" * LARGE})
    (effect,) = bench.given(FillInputs)
    bench.take(DismissalAsked())
    assert told(bench.answer(effect)) == ["dismissed"]


# After another engine


def test_what_had_been_staged_is_used_by_the_next_engine() -> None:
    text = """
        cwlVersion: v1.2
        class: ExpressionTool
        id: pass
        inputs: {file: File}
        outputs: {file: File}
        requirements: [{class: InlineJavascriptRequirement}]
        expression: "${ var file = inputs.file; return {file: file}; }"
    """
    bench = Bench(process(text), {"file": FILE})
    bench.memory.files["/job/inputs/a.txt"] = b"x"
    bench.begin()
    bench.take(Done(bench.given(StageIn)[0], {"file": STAGED}))
    bench.resume()
    assert told(bench.begin()) == ["taken-over"]
    assert bench.given(StageIn) == []
    bench.room()
    (effect,) = bench.given(Evaluate)
    assert effect.invocation.inputs["file"]["location"] == STAGED["location"]


def test_staging_that_was_cut_off_goes_on_as_the_same_step() -> None:
    bench = giving()
    bench.resume()
    assert told(bench.begin()) == ["taken-over", "step-running stage_in"]
    (effect,) = bench.given(StageIn)
    assert told(bench.answer(effect)) == ["step-finished stage_in successful"]


def test_many_inputs_that_were_being_staged_go_on_as_the_same_step() -> None:
    bench = giving(inputs={"word": "x" * LARGE})
    bench.answer(bench.given(FillInputs)[0])
    bench.resume()
    assert told(bench.begin()) == ["taken-over"]
    assert told(bench.answer(bench.given(FillInputs)[0])) == ["step-running stage_in"]


def test_a_job_that_is_stopped_takes_back_what_an_engine_before_was_publishing() -> None:
    bench = publishing()
    bench.resume(dismissed=True)
    assert told(bench.begin()) == ["taken-over", "dismiss-requested"]
    (undoing,) = bench.given(Withdraw)
    assert told(bench.answer(undoing)) == ["step-finished stage_out dismissed", "dismissed"]


def test_so_does_one_that_is_stopped_before_it_has_come_to_that_again() -> None:
    bench = publishing()
    bench.resume()
    bench.begin()
    assert bench.run.phase is Phase.RUNNING, "a worker makes the plan"
    assert told(bench.take(DismissalAsked())) == ["dismiss-requested"]
    (undoing,) = bench.given(Withdraw)
    (planning,) = bench.asked()
    assert bench.answer(planning) == []
    assert told(bench.answer(undoing)) == ["step-finished stage_out dismissed", "dismissed"]


def test_so_does_one_whose_outputs_cannot_be_gone_through_the_second_time() -> None:
    bench = giving(inputs={"word": "x" * LARGE})
    bench.answer(bench.given(FillInputs)[0])
    bench.answer(bench.given(StageIn)[0])
    bench.go_on()
    bench.ended("say:1")
    for planning in bench.given(PullPlan):
        bench.answer(planning)
    bench.take(Done(bench.given(WriteOutputs)[0], None))
    assert len(bench.given(StageOut)) == 1
    bench.resume()
    bench.begin()
    while not (found := bench.given(WriteOutputs)):
        (planning,) = bench.asked()
        bench.effects.remove(planning)
        bench.answer(planning)
        bench.room()
    (effect,) = found
    assert bench.take(Done(effect, error=StepError("too much"))) == []
    (undoing,) = bench.given(Withdraw)
    assert told(bench.answer(undoing)) == ["step-finished stage_out dismissed", "failed"]


def test_what_is_published_again_is_taken_back_when_that_has_come_to_an_end() -> None:
    bench = publishing()
    bench.resume()
    bench.begin()
    bench.answer(bench.asked()[0])
    bench.room()
    (effect,) = bench.given(StageOut)
    bench.take(DismissalAsked())
    assert bench.given(Withdraw) == []
    bench.answer(effect)
    assert len(bench.given(Withdraw)) == 1


def test_an_end_that_is_seen_to_while_something_still_runs_is_taken_back_once() -> None:
    bench = publishing()
    bench.resume()
    bench.begin()
    bench.take(DismissalAsked())
    bench.take(DismissalAsked())
    assert len(bench.given(Withdraw)) == 1


# Their names


def workflow(step: str, run: str = "{class: CommandLineTool, baseCommand: say, inputs: {}") -> str:
    return f"""
        cwlVersion: v1.2
        class: Workflow
        id: main
        requirements: [{{class: SubworkflowFeatureRequirement}}]
        inputs: {{file: File}}
        outputs: {{}}
        steps: {{{step}: {{run: {run}, outputs: {{}}}}, in: {{}}, out: []}}}}
    """


SAME_NAME = """
cwlVersion: v1.2
class: CommandLineTool
id: stage_in
baseCommand: say
inputs: {file: File}
outputs: {}
"""


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (workflow("crop"), "stage_in"),
        (workflow("stage_in"), "localproc_stage_in"),
        (
            workflow(
                "crop",
                "{class: Workflow, inputs: {}, steps: {stage_in: {run: {class: CommandLineTool, "
                "baseCommand: say, inputs: {}, outputs: {}}, in: {}, out: []}}",
            ),
            "localproc_stage_in",
        ),
        (
            SAME_NAME,
            "localproc_stage_in",
        ),
    ],
)
def test_a_step_of_the_package_keeps_its_name(text: str, name: str) -> None:
    bench = Bench(process(text), {"file": FILE})
    assert told(bench.begin()) == ["started", f"step-submitted {name}", f"step-running {name}"]
    bench.resume()
    assert told(bench.begin()) == ["taken-over", f"step-running {name}"]


def test_a_task_that_ends_when_its_job_stages_is_nobodys() -> None:
    bench = publishing()
    assert bench.report("say:1", TaskState.LOST) == []
    assert bench.take(Progressed(STAGE_OUT, 1, None)) != []
    assert not bench.run.is_running(f"{ID}:say:1")
