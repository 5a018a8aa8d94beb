"""The decisions of one job: facts in, events and effects out."""

import tracemalloc
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from localproc.cwl.expr.realm import run_script
from localproc.cwl.run.plan import Invocation, Plan
from localproc.engine.job.effects import (
    Close,
    Collect,
    Evaluate,
    FillFolder,
    Launch,
    MakePlan,
    Prepare,
    PullPlan,
    Reattach,
    Recall,
    Release,
    Remember,
    StageIn,
    StageOut,
    Stop,
    WriteOutputs,
)
from localproc.engine.job.facts import (
    Broken,
    DismissalAsked,
    Done,
    Later,
    Made,
    News,
    NotLaunched,
    Progressed,
    Pulled,
    Recalled,
    Reported,
    Room,
    TakenFrom,
    ToolProgressed,
    fact_of,
)
from localproc.engine.job.job_run import JobRun
from localproc.errors import JobFailed, StagingError, StepError
from localproc.lengths import LARGE
from localproc.machine.phases import ACTS, Act, Fact, Phase
from localproc.model import Container, Report, StepStatus, TaskState
from localproc.model.events import (
    STAGE_IN,
    Failed,
    StepFinished,
    StepProgress,
    StepQueued,
    StepRetrying,
    StepSubmitted,
)
from tests.cwl.memory import process
from tests.engine.job_bench import ID, NOON, Bench, told

TWO = """
cwlVersion: v1.2
class: Workflow
id: two
inputs: {word: string}
outputs: {out: {type: string, outputSource: second/out}}
steps:
  first: {run: &say {class: CommandLineTool, id: say, baseCommand: say,
    inputs: {word: {type: string, inputBinding: {}}},
    outputs: {out: {type: string, outputBinding: {outputEval: $(inputs.word)}}}},
    in: {word: word}, out: [out]}
  second: {run: *say, in: {word: first/out}, out: [out]}
"""
WIDE = """
cwlVersion: v1.2
class: Workflow
id: wide
requirements: [{class: ScatterFeatureRequirement}, {class: InlineJavascriptRequirement},
  {class: StepInputExpressionRequirement}]
inputs: {words: 'string[]'}
outputs: {out: {type: 'string[]', outputSource: say/out, pickValue: all_non_null}}
steps:
  say:
    scatter: word
    in: {word: words}
    out: [out]
    when: $(inputs.word != 'no'.concat())
    run: {class: CommandLineTool, id: say, baseCommand: say,
      inputs: {word: {type: string, inputBinding: {}}},
      outputs: {out: {type: string, outputBinding: {outputEval: $(inputs.word)}}}}
"""


def two() -> Bench:
    bench = Bench(process(TWO), {"word": "hello"})
    bench.begin()
    return bench


def wide(*words: str) -> Bench:
    bench = Bench(process(WIDE), {"words": list(words)})
    bench.begin()
    bench.go_on()
    return bench


def tool(**fields: str) -> str:
    lines = "\n".join(f"{name}: {value}" for name, value in fields.items())
    return (
        "cwlVersion: v1.2\nclass: CommandLineTool\nid: say\nbaseCommand: say\n"
        f"inputs: {{word: string?}}\noutputs: {{}}\n{lines}\n"
    )


NOTHING = """
cwlVersion: v1.2
class: ExpressionTool
id: nothing
inputs: {}
outputs: {}
requirements: [{class: InlineJavascriptRequirement}]
expression: $(Object({}))
"""
BIG = "x" * 100_000
JS = "[{class: InlineJavascriptRequirement}]"


SAME_LOG = f"""
cwlVersion: v1.2
class: Workflow
id: names
requirements: {JS}
inputs: {{}}
outputs: {{}}
steps:
  crop: {{run: &say {{class: CommandLineTool, id: say, baseCommand: say, arguments: [$(4 / 2)],
    inputs: {{}}, outputs: {{}}}}, in: {{}}, out: []}}
  node_crop: {{run: *say, in: {{}}, out: []}}
"""


# A life without trouble


def test_every_act_is_done_by_something() -> None:
    assert JobRun.acts.keys() == set(Act)


def test_a_job_from_its_beginning_to_its_end() -> None:
    bench = Bench(process(TWO), {"word": "hello"})
    assert told(bench.begin()) == ["started"]
    assert told(bench.room()) == ["step-submitted first"]
    assert bench.launched() == ["first:1"]
    assert told(bench.report("first:1", TaskState.RUNNING)) == ["step-running first"]
    assert told(bench.ended("first:1")) == ["step-finished first successful"]
    assert bench.given(Release) == [Release(f"{ID}:first:1")]
    assert told(bench.room()) == ["step-submitted second"]
    assert bench.launched() == ["second:1"]
    assert told(bench.ended("second:1")) == ["step-finished second successful", "succeeded"]
    assert bench.given(Close) == [Close(keep=False)]
    assert bench.given(Remember) == [], "it was not asked to be kept for reuse"
    assert bench.run.job.progress == 100


COPY = """
    cwlVersion: v1.2
    class: ExpressionTool
    id: pass
    inputs: {file: File}
    outputs: {file: File}
    requirements: [{class: InlineJavascriptRequirement}]
    expression: "${ var file = inputs.file; return {file: file}; }"
"""
FILE = {"class": "File", "location": "file:///in/a.txt", "basename": "a.txt"}


def test_files_are_staged_and_published() -> None:
    bench = Bench(process(COPY), {"file": FILE})
    bench.memory.files["/in/a.txt"] = b"x"
    assert told(bench.begin()) == ["started", "step-submitted stage_in", "step-running stage_in"]
    (effect,) = bench.given(StageIn)
    assert told(bench.answer(effect)) == ["step-finished stage_in successful"]
    assert bench.room() == []
    (effect,) = bench.given(Evaluate)
    assert told(bench.answer(effect)) == [
        "step-finished pass successful",
        "step-submitted stage_out",
        "step-running stage_out",
    ]
    (effect,) = bench.given(StageOut)
    assert told(bench.answer(effect)) == ["step-finished stage_out successful", "succeeded"]


READING = """
    cwlVersion: v1.2
    class: CommandLineTool
    id: read
    baseCommand: cat
    inputs: {file: {type: File, inputBinding: {}}}
    outputs: {}
    hints: {DockerRequirement: {dockerPull: "alpine:3"}}
"""


@pytest.mark.parametrize(
    ("sees_all", "containers", "reads"),
    [(False, False, ("/in/a.txt",)), (True, False, ()), (True, True, ("/in/a.txt",))],
)
def test_what_a_task_reads_is_told_to_whoever_shows_it_nothing_else(
    sees_all: bool, containers: bool, reads: tuple[str, ...]
) -> None:
    bench = Bench(process(READING), {"file": FILE}, containers=containers, sees_all=sees_all)
    bench.memory.files["/in/a.txt"] = b"x"
    bench.begin()
    (effect,) = bench.given(StageIn)
    bench.answer(effect)
    bench.room()
    for prepare in bench.given(Prepare):
        bench.answer(prepare)
    (launch,) = bench.given(Launch)
    assert launch.task.reads == reads


# What is slow is asked for


def large() -> Bench:
    """Give a job whose only step has given more than the loop goes through."""
    bench = Bench(process(TWO), {"word": "x" * LARGE})
    bench.begin()
    for key in ("first:1", "second:1"):
        bench.go_on()
        bench.ended(key)
        bench.answer_all() if key == "first:1" else None
    for effect in bench.given(PullPlan):
        bench.answer(effect)
    return bench


def test_large_outputs_are_written_by_a_worker_and_are_no_step() -> None:
    bench = large()
    (effect,) = bench.given(WriteOutputs)
    assert told(bench.answer(effect)) == ["succeeded"]
    assert bench.given(StageOut) == []


def test_large_outputs_in_which_there_are_files_are_published() -> None:
    bench = large()
    (effect,) = bench.given(WriteOutputs)
    assert told(bench.take(Done(effect, None))) == [
        "step-submitted stage_out",
        "step-running stage_out",
    ]
    (publishing,) = bench.given(StageOut)
    assert publishing.outputs == effect.outputs
    assert told(bench.answer(publishing)) == ["step-finished stage_out successful", "succeeded"]


def test_a_job_that_is_dismissed_while_its_outputs_are_written_has_no_such_step() -> None:
    bench = large()
    (effect,) = bench.given(WriteOutputs)
    assert told(bench.take(DismissalAsked())) == ["dismiss-requested"]
    assert told(bench.answer(effect)) == ["dismissed"]


def test_outputs_that_are_too_much_fail_their_job_and_no_step() -> None:
    bench = large()
    (effect,) = bench.given(WriteOutputs)
    assert told(bench.take(Done(effect, error=StepError("too much")))) == ["failed"]
    assert bench.run.job.message == "step two: too much"


@pytest.mark.parametrize("fields", [{"arguments": "[$(4 / 2)]"}, {"stdout": "$('a'.concat('b'))"}])
def test_javascript_for_which_the_loop_has_time_is_evaluated_at_once(
    fields: dict[str, str],
) -> None:
    bench = Bench(process(tool(requirements=JS, **fields)), {}, evaluator=run_script)
    bench.begin()
    bench.room()
    assert bench.asked() == []
    assert bench.launched() == ["say:1"]
    assert told(bench.ended("say:1")) == ["step-finished say successful", "succeeded"]


@pytest.mark.parametrize(
    ("fields", "first"),
    [
        ({}, None),
        ({"arguments": "[$(inputs.word)]"}, None),
        ({"requirements": JS, "arguments": "[$(inputs.word)]"}, None),
        ({"requirements": JS, "arguments": "[$(inputs.word + '!')]"}, None),
        ({"requirements": JS, "arguments": "[$(4 / 2)]"}, Prepare),
        ({"requirements": JS, "stdout": "$('a'.concat('b'))"}, Prepare),
    ],
)
def test_javascript_is_left_to_a_worker(fields: dict[str, str], first: type[Any] | None) -> None:
    bench = Bench(process(tool(**fields)), {"word": "hello"})
    bench.begin()
    bench.room()
    assert [type(one) for one in bench.asked()] == ([first] if first else [])
    bench.answer_all()
    assert bench.launched() == ["say:1"]


def test_logs_get_their_names_as_steps_start_not_as_workers_are_done() -> None:
    bench = Bench(process(SAME_LOG), {})
    bench.begin()
    bench.room()
    for effect in reversed(bench.given(Prepare)):
        bench.answer(effect)
    submitted = [one for one in bench.history if isinstance(one, StepSubmitted)]
    assert [(one.name, one.log) for one in submitted] == [
        ("node_crop", "node_crop_2.log"),
        ("crop", "node_crop.log"),
    ]


def test_many_values_are_left_to_a_worker() -> None:
    text = tool().replace("string?", "'int[]'")
    bench = Bench(process(text), {"word": list(range(10_000))})
    bench.begin()
    bench.room()
    assert len(bench.given(Prepare)) == 1


def test_a_copy_is_left_to_a_worker_before_the_task_is_handed_over() -> None:
    listing = "[{entry: $(inputs.file), writable: true}]"
    text = tool(requirements=f"[{{class: InitialWorkDirRequirement, listing: {listing}}}]").replace(
        "word: string?", "file: File"
    )
    file = {"class": "File", "location": "file:///in/a.txt", "basename": "a.txt", "size": 1}
    bench = Bench(process(text), {"file": file})
    bench.memory.files["/in/a.txt"] = b"x"
    bench.begin()
    bench.answer_all()
    assert told(bench.room()) == ["step-submitted say"]
    assert bench.launched() == []
    assert bench.run.to_come.total() == 1
    (effect,) = bench.given(FillFolder)
    bench.answer(effect)
    assert bench.launched() == ["say:1"]
    assert bench.run.to_come.total() == 0


def test_a_task_whose_files_are_being_put_in_place_is_dismissed_with_its_job() -> None:
    requirement = f"{{class: InitialWorkDirRequirement, listing: [{{entryname: a, entry: {BIG}}}]}}"
    bench = Bench(process(tool(requirements=f"[{requirement}]")), {})
    bench.begin()
    bench.room()
    (effect,) = bench.given(FillFolder)
    bench.take(DismissalAsked())
    assert bench.given(Stop) == [Stop(())], "its executor does not know it"
    assert told(bench.answer(effect)) == ["step-finished say dismissed", "dismissed"]
    assert bench.launched() == []


def test_a_plan_with_javascript_is_worked_on_elsewhere() -> None:
    bench = Bench(process(WIDE), {"words": ["a", "no", "b"]})
    assert told(bench.begin()) == ["started"]
    (effect,) = bench.given(MakePlan)
    assert bench.room() == [], "nobody else touches the plan"
    bench.answer(effect)
    assert told(bench.room()) == [
        "step-submitted say",
        "step-finished say_2 skipped",
        "step-submitted say_3",
    ]


def test_what_ends_while_the_plan_is_away_is_recorded_at_once() -> None:
    text = WIDE.replace("when: $(inputs.word != 'no'.concat())", "when: $(1 / 1 == 1)")
    text = text.replace(
        "steps:",
        "steps:\n  more: {run: &more {class: CommandLineTool, id: more, "
        "baseCommand: more, inputs: {n: Any}, outputs: {}}, in: {n: say/out}, out: [], "
        "when: $(1 / 1 == 1)}",
    )
    bench = Bench(process(text), {"words": [str(number) for number in range(17)]})
    bench.begin()
    bench.answer(bench.given(MakePlan)[0])
    bench.room()
    (away,) = bench.given(PullPlan)
    assert told(bench.ended("say:1")) == ["step-finished say successful"]
    bench.answer(away)
    bench.room()
    for key in bench.launched()[1:]:
        bench.ended(key)
    bench.go_on()
    assert bench.launched() == ["more:1"]


def test_a_plan_that_cannot_be_made_fails_the_job() -> None:
    text = """
        cwlVersion: v1.2
        class: Workflow
        id: main
        requirements: [{class: InlineJavascriptRequirement}]
        inputs: {dir: {type: Directory, loadListing: deep_listing}}
        outputs: {}
        steps: {}
    """
    bench = Bench(process(text), {"dir": {"class": "Directory", "location": "file:///in"}})
    bench.begin()
    bench.answer(bench.given(StageIn)[0])
    (effect,) = bench.given(MakePlan)
    assert told(bench.take(Done(effect, error=StagingError("no", uri="file:///in")))) == ["failed"]


def test_bytes_that_come_and_go_are_told_while_they_do() -> None:
    bench = Bench(process(COPY), {"file": FILE})
    bench.memory.files["/in/a.txt"] = b"x"
    bench.begin()
    (event,) = bench.take(Progressed(STAGE_IN, 10, 30))
    assert event == StepProgress(event.at, name="stage_in", done=10, total=30)
    (effect,) = bench.given(StageIn)
    bench.answer(effect)
    assert bench.take(Progressed(STAGE_IN, 30, 30)) == [], "it comes too late"


def test_what_a_tool_has_done_counts_for_the_progress_of_its_job() -> None:
    bench = Bench(process(tool()), {"x": "a"})
    bench.begin()
    bench.room()
    (key,) = bench.launched()
    (event,) = bench.take(ToolProgressed(f"{ID}:{key}", 0.5, "half way"))
    assert isinstance(event, StepProgress)
    assert (event.share, event.said, event.progress) == (0.5, "half way", 49)
    assert bench.take(ToolProgressed("of nobody", 0.7, "")) == []


def test_what_a_tool_had_done_counts_once_when_its_step_has_ended() -> None:
    bench = two()
    bench.room()
    bench.take(ToolProgressed(f"{ID}:first:1", 0.5, "half way"))
    before = bench.run.job.progress
    bench.ended("first:1")
    assert (before, bench.run.job.progress) == (25, 49)


def test_outputs_with_javascript_are_collected_elsewhere() -> None:
    outputs = "{out: {type: int, outputBinding: {outputEval: $(4 / 2)}}}"
    text = tool(requirements=JS).replace("outputs: {}", f"outputs: {outputs}")
    bench = Bench(process(text), {})
    bench.begin()
    bench.room()
    bench.answer_all()
    assert bench.launched() == ["say:1"]
    assert bench.ended("say:1") == []
    assert bench.given(Release) == [], "its end is not recorded yet"
    (effect,) = bench.given(Collect)
    assert told(bench.answer(effect)) == ["step-finished say successful", "succeeded"]
    assert len(bench.given(Release)) == 1


def test_what_has_to_be_on_the_disk_is_done_by_a_worker() -> None:
    bench = Bench(process(tool()), {}, durable=True)
    bench.begin()
    bench.room()
    assert bench.launched() == ["say:1"]
    assert bench.ended("say:1") == []
    (effect,) = bench.given(Collect)
    assert told(bench.answer(effect)) == ["step-finished say successful", "succeeded"]
    bench = Bench(process(NOTHING), {}, durable=True, evaluator=run_script)
    bench.begin()
    bench.room()
    assert len(bench.given(Evaluate)) == 1


def test_a_folder_that_was_called_otherwise_in_a_container_is_looked_through_elsewhere() -> None:
    """Any number of links may lie in it."""
    image = "{dockerPull: debian, dockerOutputDirectory: /out}"
    boxed = process(tool(requirements=f"{{DockerRequirement: {image}}}"))
    bench = Bench(boxed, {}, containers=True)
    bench.begin()
    bench.room()
    assert bench.launched() == ["say:1"]
    assert bench.ended("say:1") == []
    assert len(bench.given(Collect)) == 1


def test_equal_steps_are_looked_for_before_they_are_launched() -> None:
    bench = Bench(process(tool()), {}, reuse=True)
    bench.begin()
    bench.room()
    (effect,) = bench.given(Recall)
    assert (bench.run.under_way, bench.run.to_come.total()) == (1, 1)
    bench.answer(effect)
    assert bench.launched() == ["say:1"]
    assert (bench.run.under_way, bench.run.to_come.total()) == (1, 0)
    bench.ended("say:1")
    (kept,) = bench.given(Remember)
    assert (kept.identity, kept.name) == ("identity", "say")


def test_a_step_in_a_container_is_not_looked_for() -> None:
    """What its image was at the time of an earlier step is not known."""
    boxed = process(tool(hints="{DockerRequirement: {dockerPull: debian}}"))
    bench = Bench(boxed, {}, containers=True, reuse=True)
    bench.begin()
    bench.room()
    assert bench.given(Recall) == []
    assert bench.launched() == ["say:1"]


# Failures


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (TaskState.REFUSED, "step first was refused by the executor: who knows"),
        (TaskState.CANCELLED, "step first was cancelled, not by localproc: who knows"),
        (TaskState.TIMED_OUT, "step first was stopped: it took too long: who knows"),
        (TaskState.OUT_OF_MEMORY, "step first was stopped: it used more memory than it may"),
        (TaskState.ENDED, "step first failed with exit code 1"),
    ],
)
def test_an_end_that_is_not_good_fails_the_step(state: TaskState, said: str) -> None:
    bench = two()
    bench.room()
    events = bench.report("first:1", state, 1)
    assert told(events) == ["step-finished first failed", "failed"]
    failed = events[-1]
    assert isinstance(failed, Failed)
    assert failed.problem["detail"] == said
    assert bench.given(Close) == [Close(keep=True)]


@pytest.mark.parametrize("state", [TaskState.LOST, TaskState.NODE_LOST, TaskState.NEVER_STARTED])
def test_a_task_that_is_lost_runs_again_three_times_in_all(state: TaskState) -> None:
    bench = two()
    bench.room()
    for attempt in (1, 2):
        assert told(bench.report(f"first:{attempt}", state)) == ["step-submitted first"]
    assert bench.launched() == ["first:1", "first:2", "first:3"]
    assert told(bench.report("first:3", state)) == ["step-finished first failed", "failed"]


def test_a_task_that_cannot_be_put_in_place_fails_its_step() -> None:
    bench = two()
    bench.room()
    events = bench.take(NotLaunched(f"{ID}:first:1", StagingError("no", uri="a")))
    assert told(events) == ["step-finished first failed", "failed"]


def test_an_instance_of_a_scatter_that_fails_tells_its_inputs() -> None:
    for bench, key, inputs in (
        (two(), "first:1", None),
        (wide("a", "b"), "say_2:1", {"word": "b"}),
    ):
        bench.room()
        bench.ended(key, 1)
        (event,) = [one for one in bench.history if isinstance(one, StepFinished)]
        assert event.problem is not None
        assert event.problem.get("inputs") == inputs


def test_the_others_are_stopped_before_the_job_fails() -> None:
    bench = wide("a", "b")
    assert told(bench.ended("say:1", 1)) == ["step-finished say failed"]
    assert bench.given(Stop) == [Stop((f"{ID}:say_2:1",))]
    assert told(bench.report("say_2:1", TaskState.CANCELLED)) == [
        "step-finished say_2 dismissed",
        "failed",
    ]


def test_a_bug_fails_the_job_when_nothing_of_it_runs() -> None:
    bench = two()
    bench.room()
    assert bench.take(Broken(JobFailed("internal error", job_id=ID))) == []
    assert bench.given(Stop) == [Stop((f"{ID}:first:1",))]
    assert told(bench.ended("first:1")) == ["step-finished first dismissed", "failed"]


# Dismissals


def test_a_dismissal_ends_the_job_when_nothing_of_it_runs() -> None:
    bench = two()
    bench.room()
    assert told(bench.take(DismissalAsked())) == ["dismiss-requested"]
    assert bench.take(DismissalAsked()) == []
    assert bench.room() == []
    assert told(bench.report("first:1", TaskState.CANCELLED)) == [
        "step-finished first dismissed",
        "dismissed",
    ]
    assert bench.ended("first:1") == []


def test_a_step_whose_outputs_are_no_longer_collected_is_dismissed_with_its_job() -> None:
    bench = Bench(process(tool()), {}, durable=True)
    bench.begin()
    bench.room()
    bench.ended("say:1")
    (effect,) = bench.given(Collect)
    bench.take(DismissalAsked())
    error = StagingError("stopped", uri="")
    assert told(bench.take(Done(effect, error=error))) == [
        "step-finished say dismissed",
        "dismissed",
    ]


def test_what_a_dismissed_job_has_made_is_kept_for_whoever_retries_it() -> None:
    for made in (False, True):
        bench = two()
        bench.room()
        if made:
            bench.ended("first:1")
            bench.room()
        (key,) = bench.launched()[-1:]
        bench.take(DismissalAsked())
        assert told(bench.report(key, TaskState.CANCELLED))[-1] == "dismissed"
        assert bench.given(Close) == [Close(keep=made)]


def test_a_dismissal_beats_a_failure_that_is_not_recorded_yet() -> None:
    bench = wide("a", "b")
    bench.ended("say:1", 1)
    bench.take(DismissalAsked())
    assert told(bench.report("say_2:1", TaskState.CANCELLED))[-1] == "dismissed"


def test_a_step_that_was_being_prepared_is_dismissed() -> None:
    bench = Bench(process(tool(requirements=JS, arguments="[$(4 / 2)]")), {})
    bench.begin()
    bench.room()
    (effect,) = bench.given(Prepare)
    bench.take(DismissalAsked())
    error = StagingError("stopped", uri="")
    (ended, last) = bench.take(Done(effect, error=error))
    assert told([ended, last]) == ["step-finished say dismissed", "dismissed"]
    assert isinstance(ended, StepFinished)
    assert ended.key == "say", "it was never submitted"


# After another engine


def resumed(bench: Bench, **how: bool) -> list[str]:
    bench.resume(**how)
    return told(bench.begin())


def test_what_had_ended_is_passed_over() -> None:
    bench = two()
    bench.room()
    bench.ended("first:1")
    assert resumed(bench) == ["taken-over"]
    assert told(bench.room()) == ["step-submitted second"]
    assert bench.launched() == ["second:1"]


def test_what_had_been_launched_is_asked_for_and_goes_on() -> None:
    bench = two()
    bench.room()
    assert resumed(bench) == ["taken-over"]
    (effect,) = bench.given(Reattach)
    assert [(task.key, task.argv) for task in effect.tasks] == [(f"{ID}:first:1", ("say", "hello"))]
    assert bench.room() == []
    assert told(bench.report("first:1", TaskState.RUNNING)) == ["step-running first"]
    assert told(bench.ended("first:1")) == ["step-finished first successful"]


def test_a_task_that_nobody_began_is_launched_without_counting_as_lost() -> None:
    bench = two()
    bench.room()
    for attempt in range(1, 6):
        resumed(bench)
        assert told(bench.report(f"first:{attempt}", TaskState.NEVER_STARTED)) == [
            "step-submitted first"
        ]
        assert bench.launched() == [f"first:{attempt + 1}"]


def test_what_nobody_began_is_not_counted_by_the_engines_that_come_later() -> None:
    bench = two()
    bench.room()
    for attempt in (1, 2, 3):
        resumed(bench)
        bench.report(f"first:{attempt}", TaskState.NEVER_STARTED)
    for attempt in (4, 5):
        resumed(bench)
        assert told(bench.report(f"first:{attempt}", TaskState.LOST)) == ["step-submitted first"]
    assert [event.lost for event in bench.history if isinstance(event, StepSubmitted)] == [
        *(0, 0, 0, 0),
        *(1, 2),
    ]
    resumed(bench)
    assert told(bench.report("first:6", TaskState.LOST)) == [
        "step-finished first failed",
        "failed",
    ]


def test_a_task_that_was_lost_with_its_engine_runs_again() -> None:
    bench = two()
    bench.room()
    resumed(bench)
    assert told(bench.report("first:1", TaskState.LOST)) == ["step-submitted first"]
    assert bench.launched() == ["first:2"]


@pytest.mark.parametrize("state", [TaskState.RUNNING, TaskState.QUEUED])
def test_what_is_to_stop_is_found_first(state: TaskState) -> None:
    bench = two()
    bench.room()
    assert resumed(bench, dismissed=True) == ["taken-over", "dismiss-requested"]
    (effect,) = bench.given(Reattach)
    assert [task.key for task in effect.tasks] == [f"{ID}:first:1"]
    assert bench.given(Stop) == [Stop(())]
    bench.report("first:1", state)
    assert bench.given(Stop) == [Stop((f"{ID}:first:1",))]
    assert told(bench.report("first:1", TaskState.CANCELLED)) == [
        "step-finished first dismissed",
        "dismissed",
    ]


def test_what_is_to_stop_needs_no_expression_to_be_found() -> None:
    bench = wide("a", "b")
    resumed(bench, dismissed=True)
    (effect,) = bench.given(Reattach)
    assert [task.key for task in effect.tasks] == [f"{ID}:say:1", f"{ID}:say_2:1"]
    assert bench.asked() == []


def test_a_task_whose_preparation_fails_the_second_time_is_stopped() -> None:
    bench = Bench(process(tool(requirements=JS, arguments="[$(4 / 2)]")), {})
    bench.begin()
    bench.room()
    bench.answer_all()
    resumed(bench)
    (effect,) = bench.given(Prepare)
    events = bench.take(Done(effect, error=StagingError("gone", uri="a")))
    assert told(events) == ["step-finished say failed"]
    assert len(bench.given(Reattach)) == 1
    bench.report("say:1", TaskState.RUNNING)
    assert bench.given(Stop)[-1] == Stop((f"{ID}:say:1",))
    assert told(bench.report("say:1", TaskState.CANCELLED)) == ["failed"]


def test_a_failure_that_was_recorded_stays_one() -> None:
    bench = wide("a", "b")
    bench.ended("say:1", 1)
    resumed(bench)
    bench.report("say_2:1", TaskState.LOST)
    finished = [one for one in bench.history if isinstance(one, StepFinished)]
    assert told(finished) == ["step-finished say failed", "step-finished say_2 dismissed"]
    assert told(bench.history)[-1] == "failed"


def test_a_job_that_was_being_stopped_for_no_recorded_reason_fails() -> None:
    bench = wide("a", "b")
    bench.take(Broken(JobFailed("a bug", job_id=ID)))
    assert told(bench.report("say:1", TaskState.CANCELLED)) == ["step-finished say dismissed"]
    resumed(bench)
    assert told(bench.report("say_2:1", TaskState.LOST)) == [
        "step-finished say_2 dismissed",
        "failed",
    ]
    assert "could record why" in str(bench.run.job.message)


def scripted() -> Bench:
    bench = Bench(process(tool(requirements=JS, arguments="[$(4 / 2)]")), {})
    bench.begin()
    bench.room()
    bench.answer_all()
    assert bench.launched() == ["say:1"]
    return bench


def test_a_task_that_is_worked_out_again_when_its_job_is_dismissed_ends_by_its_report() -> None:
    bench = scripted()
    bench.resume()
    bench.begin()
    bench.room()
    (effect,) = bench.given(Prepare)
    assert effect.taken_up
    bench.take(DismissalAsked())
    assert len(bench.given(Reattach)) == 1
    error = StagingError("stopped", uri="")
    assert bench.take(Done(effect, error=error)) == []
    assert told(bench.report("say:1", TaskState.CANCELLED)) == [
        "step-finished say dismissed",
        "dismissed",
    ]


def test_a_second_attempt_that_is_being_worked_out_is_dismissed_with_its_job() -> None:
    bench = scripted()
    bench.report("say:1", TaskState.LOST)
    (effect,) = bench.given(Prepare)
    assert effect.attempt == 2
    bench.take(DismissalAsked())
    (ended, last) = bench.answer(effect)
    assert told([ended, last]) == ["step-finished say dismissed", "dismissed"]
    assert isinstance(ended, StepFinished)
    assert not ended.key, "it was submitted before"


def test_a_lost_task_is_released_when_its_next_attempt_is_recorded() -> None:
    bench = Bench(process(tool(requirements=JS, arguments="[$(4 / 2)]")), {})
    bench.begin()
    bench.room()
    bench.answer_all()
    bench.report("say:1", TaskState.LOST)
    assert bench.given(Release) == []
    bench.answer_all()
    assert bench.given(Release) == [Release(f"{ID}:say:1")]


def test_a_job_that_was_left_to_an_engine_is_not_taken_over_by_it() -> None:
    bench = Bench(process(TWO), {"word": "hello"}, accepted_by="")
    assert told(bench.begin()) == ["started"]
    bench.resume()
    assert told(bench.begin()) == ["taken-over"]


def test_new_steps_keep_their_names_after_another_engine() -> None:
    bench = Bench(process(WIDE), {"words": ["a", "b", "c"]})
    bench.begin()
    bench.answer_all()
    bench.run.pull()
    assert told(bench.turn()) == ["step-submitted say"]
    resumed(bench)
    bench.answer_all()
    assert told(bench.room()) == ["step-submitted say_2", "step-submitted say_3"]


def test_a_name_is_never_given_again_though_an_earlier_step_began_last() -> None:
    bench = Bench(process(WIDE), {"words": ["a", "b", "c", "d"]})
    bench.begin()
    bench.answer_all()
    for _ in range(3):
        bench.run.pull()
    bench.turn()
    assert bench.launched() == ["say:1", "say_2:1", "say_3:1"]
    bench.report("say_2:1", TaskState.LOST)
    bench.answer_all()
    assert bench.launched() == ["say_2:2"]
    resumed(bench)
    bench.answer_all()
    assert told(bench.room()) == ["step-submitted say_4"]


# The table


def test_every_act_follows_from_something() -> None:
    assert {act for acts in ACTS.values() for act in acts.values()} == set(Act)
    assert {fact for acts in ACTS.values() for fact in acts} == set(Fact)


def test_a_job_can_be_stopped_until_it_has_ended() -> None:
    for phase in set(Phase) - {Phase.ENDED}:
        assert ACTS[phase][Fact.DISMISSAL] is Act.DISMISS
    assert ACTS[Phase.ENDED] == {}


def test_a_step_is_told_to_run_when_it_runs() -> None:
    """Before that it may wait for long at its executor."""
    bench = two()
    bench.go_on()
    assert bench.run.job.message == "starting first"
    bench.report("first:1", TaskState.RUNNING)
    assert bench.run.job.message == "running first"
    assert bench.report("first:1", TaskState.RUNNING) == [], "that is no news"


def test_why_a_step_waits_is_told_once_by_each_of_its_attempts() -> None:
    bench = two()
    bench.room()

    def waits(key: str, reason: str) -> list[str]:
        report = Report(f"{ID}:{key}", TaskState.QUEUED, reason=reason)
        return [one.reason for one in bench.take(Reported(report)) if isinstance(one, StepQueued)]

    assert waits("first:1", "") == [], "nothing is known of it"
    assert waits("first:1", "no room") == ["no room"]
    assert waits("first:1", "no room") == []
    assert waits("first:1", "held") == ["held"]
    bench.report("first:1", TaskState.LOST)
    assert waits("first:2", "held") == ["held"]


def test_steps_of_an_executor_without_room_are_overtaken() -> None:
    bench = Bench(process(FORK), {"words": ["a"]}, executor="local;bad=cluster")
    bench.begin()
    assert bench.run.pull(frozenset({"cluster"}))
    assert bench.run.placed == "local"
    assert not bench.run.pull(frozenset({"cluster"})), "there is no other"
    assert bench.run.pull()
    assert bench.run.placed == "cluster"
    bench.turn()
    submitted = [one for one in bench.history if isinstance(one, StepSubmitted)]
    assert [(one.name, one.executor) for one in submitted] == [
        ("wide", "local"),
        ("bad", "cluster"),
    ]


# Going on after a failure

FORK = """
cwlVersion: v1.2
class: Workflow
id: fork
requirements: [{class: ScatterFeatureRequirement}]
inputs: {words: 'string[]'}
outputs: {}
steps:
  bad: {run: &say {class: CommandLineTool, id: say, baseCommand: say,
    inputs: {word: Any}, outputs: {out: {type: Any, outputBinding: {outputEval: $(inputs.word)}}}},
    in: {word: words}, out: [out]}
  after: {run: *say, in: {word: bad/out}, out: [out]}
  wide: {run: *say, scatter: word, in: {word: words}, out: [out]}
  gathered: {run: *say, in: {word: wide/out}, out: [out]}
"""


def fork(**request: Any) -> Bench:
    bench = Bench(process(FORK), {"words": ["a", "b"]}, **request)
    bench.begin()
    bench.room()
    assert bench.launched() == ["bad:1", "wide:1", "wide_2:1"]
    return bench


def test_what_does_not_depend_on_a_failure_goes_on() -> None:
    bench = fork(keep_going=True)
    assert told(bench.ended("bad:1", 3)) == ["step-finished bad failed"]
    assert told(bench.ended("wide:1", 4)) == ["step-finished wide failed"]
    assert bench.room() == []
    assert told(bench.ended("wide_2:1")) == ["step-finished wide_2 successful"]
    assert told(bench.room()) == ["failed"], "what depends on them does not begin"
    (last,) = [one for one in bench.history if isinstance(one, Failed)]
    assert last.problem["detail"] == "2 steps failed: bad, wide"
    assert [one["exitCode"] for one in last.problem["failures"]] == [3, 4]


def test_a_single_failure_is_told_as_it_is() -> None:
    bench = fork(keep_going=True)
    bench.ended("bad:1", 3)
    bench.ended("wide:1")
    bench.ended("wide_2:1")
    bench.room()
    assert bench.launched() == ["gathered:1"], "this one does not need it"
    bench.ended("gathered:1")
    assert told(bench.room()) == ["failed"]
    (last,) = [one for one in bench.history if isinstance(one, Failed)]
    assert last.problem["detail"] == "step bad failed with exit code 3"
    assert "failures" not in last.problem


def test_an_engine_that_takes_over_keeps_going() -> None:
    bench = fork(keep_going=True)
    bench.ended("bad:1", 3)
    bench.ended("wide:1")
    bench.resume()
    assert told(bench.begin()) == ["taken-over"]
    bench.room()
    (effect,) = bench.given(Reattach)
    assert [task.key for task in effect.tasks] == [f"{ID}:wide_2:1"]
    bench.ended("wide_2:1")
    bench.room()
    assert bench.launched() == ["gathered:1"]
    bench.ended("gathered:1")
    assert told(bench.room()) == ["failed"]


def test_a_failure_while_others_went_on_is_told_after_the_job_was_stopped() -> None:
    bench = fork(keep_going=True)
    bench.ended("bad:1", 3)
    bench.take(Broken(JobFailed("a bug", job_id=ID)))
    assert told(bench.report("wide:1", TaskState.CANCELLED)) == ["step-finished wide dismissed"]
    bench.resume()
    bench.begin()
    assert told(bench.report("wide_2:1", TaskState.LOST))[-1] == "failed"
    (last,) = [one for one in bench.history if isinstance(one, Failed)]
    assert last.problem["detail"] == "step bad failed with exit code 3"


# Retries


def flaky(**rule: Any) -> Bench:
    rule = {"steps": "*", "attempts": 3, "delay": 10, "backoff": 2, "on": ["failed"], **rule}
    bench = Bench(process(TWO), {"word": "hello"}, retries=(rule,))
    bench.begin()
    bench.room()
    assert bench.launched() == ["first:1"]
    return bench


def test_a_step_that_fails_is_tried_again_when_it_is_due() -> None:
    bench = flaky()
    (event,) = bench.ended("first:1", 1)
    assert isinstance(event, StepRetrying)
    assert (event.attempt, event.exit_code, event.said) == (1, 1, "failed with exit code 1")
    assert bench.given(Release) == [Release(f"{ID}:first:1")]
    assert bench.room() == [], "it is not due yet"
    assert bench.run.due == event.due
    assert bench.take(Later(event.due - timedelta(seconds=1))) == []
    assert bench.room() == []
    assert told(bench.later()) == ["step-submitted first"]
    assert bench.launched() == ["first:2"]
    (again,) = bench.ended("first:2", 1)
    assert isinstance(again, StepRetrying)
    bench.later()
    assert bench.launched() == ["first:3"]
    assert told(bench.ended("first:3")) == ["step-finished first successful"]
    bench.room()
    assert bench.launched() == ["second:1"]


def test_the_last_attempt_fails_the_step() -> None:
    bench = flaky(attempts=2)
    bench.ended("first:1", 1)
    bench.later()
    assert told(bench.ended("first:2", 1)) == ["step-finished first failed", "failed"]


def test_an_ending_that_does_not_count_fails_the_step() -> None:
    bench = flaky(on=["timed-out", "75"])
    assert told(bench.ended("first:1", 1)) == ["step-finished first failed", "failed"]


def test_temporary_failures_of_a_tool_are_tried_again_by_default() -> None:
    text = tool(temporaryFailCodes="[75]", permanentFailCodes="[1]")
    bench = Bench(process(text), {})
    bench.begin()
    bench.room()
    assert told(bench.ended("say:1", 75)) == ["step-retrying say"]
    bench.later()
    assert told(bench.ended("say:2", 1)) == ["step-finished say failed", "failed"]


def test_an_engine_that_takes_over_knows_the_count_and_the_time() -> None:
    bench = flaky()
    bench.ended("first:1", 1)
    bench.later()
    (event,) = bench.ended("first:2", 1)
    assert isinstance(event, StepRetrying)
    bench.resume()
    bench.begin()
    assert bench.room() == []
    assert bench.given(Reattach) == [], "there is no task to be found"
    assert bench.run.due == event.due
    bench.later()
    assert bench.launched() == ["first:3"]
    assert told(bench.ended("first:3", 1)) == ["step-finished first failed", "failed"]


def test_an_engine_that_takes_over_knows_what_was_lost() -> None:
    bench = flaky()
    bench.report("first:1", TaskState.LOST)
    bench.ended("first:2", 1)
    bench.resume()
    bench.begin()
    bench.later()
    bench.launched()
    bench.report("first:3", TaskState.LOST)
    assert bench.launched() == ["first:4"]
    assert told(bench.report("first:4", TaskState.LOST)) == ["step-finished first failed", "failed"]


def test_an_engine_that_takes_over_a_task_knows_what_was_lost_before() -> None:
    bench = flaky()
    bench.report("first:1", TaskState.LOST)
    bench.resume()
    bench.begin()
    bench.room()
    bench.report("first:2", TaskState.LOST)
    assert bench.launched() == ["first:3"]
    assert told(bench.report("first:3", TaskState.LOST)) == ["step-finished first failed", "failed"]


def test_a_step_that_waits_is_dismissed_with_its_job() -> None:
    bench = flaky()
    bench.ended("first:1", 1)
    assert told(bench.take(DismissalAsked())) == [
        "dismiss-requested",
        "step-finished first dismissed",
        "dismissed",
    ]


def test_a_step_that_waits_is_dismissed_by_the_next_engine() -> None:
    bench = flaky()
    bench.ended("first:1", 1)
    bench.resume(dismissed=True)
    assert told(bench.begin()) == [
        "taken-over",
        "dismiss-requested",
        "step-finished first dismissed",
        "dismissed",
    ]


def test_a_step_that_is_due_waits_for_room_at_its_executor() -> None:
    bench = flaky()
    bench.ended("first:1", 1)
    assert bench.run.due is not None
    bench.take(Later(bench.run.due))
    assert not bench.run.pull(frozenset({"local"}))
    assert bench.run.pull()
    assert bench.run.placed == "local"


def test_losing_a_task_is_no_failure() -> None:
    bench = flaky(attempts=2)
    bench.report("first:1", TaskState.LOST)
    assert bench.launched() == ["first:2"]
    assert told(bench.ended("first:2", 1)) == ["step-retrying first"]
    bench.later()
    assert bench.launched() == ["first:3"]
    bench.report("first:3", TaskState.LOST)
    assert bench.launched() == ["first:4"]
    assert told(bench.ended("first:4", 1)) == ["step-finished first failed", "failed"]


# A time limit


def limited() -> Bench:
    bench = Bench(process(TWO), {"word": "hello"}, time_limit=60)
    bench.begin()
    bench.room()
    bench.launched()
    return bench


def test_a_job_that_takes_too_long_is_stopped_and_fails() -> None:
    bench = limited()
    assert bench.run.due == NOON + timedelta(seconds=61), "it was started a second after noon"
    assert bench.take(Later(NOON + timedelta(seconds=60))) == []
    assert bench.take(Later(NOON + timedelta(seconds=61))) == []
    assert bench.given(Stop) == [Stop((f"{ID}:first:1",))]
    assert told(bench.report("first:1", TaskState.CANCELLED)) == [
        "step-finished first dismissed",
        "failed",
    ]
    (last,) = [one for one in bench.history if isinstance(one, Failed)]
    assert last.problem["cause"] == "time-limit"


def test_a_job_whose_time_was_over_meanwhile_fails_when_it_is_taken_over() -> None:
    bench = limited()
    bench.resume()
    bench.clock += timedelta(seconds=60)
    bench.begin()
    bench.given(Stop)
    assert told(bench.report("first:1", TaskState.NEVER_STARTED)) == [
        "step-finished first dismissed",
        "failed",
    ]


def test_a_job_that_is_being_stopped_waits_for_no_time() -> None:
    bench = limited()
    bench.take(DismissalAsked())
    assert bench.run.due is None
    assert bench.run.patience(5) == 5
    bench.report("first:1", TaskState.CANCELLED)
    assert bench.run.due is None


def test_what_is_due_now_is_seen_now() -> None:
    bench = limited()
    due = bench.run.due
    assert due is not None
    bench.clock = due - timedelta(seconds=2)  # it goes on by a second when it is looked at
    assert not bench.run.see_time()
    assert bench.run.see_time()
    bench.turn()
    assert bench.given(Stop) == [Stop((f"{ID}:first:1",))]


# Taking over from an earlier job


def test_a_step_is_taken_over_or_says_why_not() -> None:
    bench = Bench(process(TWO), {"word": "hello"}, retry_of="earlier")
    found = TakenFrom({"out": "hello"}, "earlier", "first", made="m", given="g")
    bench.recalled = {
        "first": Recalled("", found),
        "second": Recalled("", because="it failed before"),
    }
    bench.begin()
    bench.room()
    (event,) = bench.answer(bench.given(Recall)[0])
    assert isinstance(event, StepFinished)
    assert (event.reused_from, event.reused_step, event.made) == ("earlier", "first", "m")
    bench.room()
    (other,) = bench.answer(bench.given(Recall)[0])
    assert isinstance(other, StepSubmitted)
    assert other.because == "it failed before"


def test_a_step_that_is_due_again_is_dismissed_with_its_job() -> None:
    """It waits no more, and has not begun yet."""
    bench = flaky()
    bench.ended("first:1", 1)
    assert bench.run.due is not None
    assert told(bench.take(Later(bench.run.due))) == []
    assert told(bench.take(DismissalAsked())) == [
        "dismiss-requested",
        "step-finished first dismissed",
        "dismissed",
    ]


@pytest.mark.parametrize("is_found", [False, True])
def test_what_ended_before_the_machine_started_is_doubted_if_it_was_lost_sight_of(
    is_found: bool,
) -> None:
    bench = Bench(process(TWO), {"word": "hello"}, durable=True, booted=NOON + timedelta(days=1))
    bench.begin()
    bench.room()
    if is_found:
        bench.resume()
        bench.begin()
        bench.answer_all()
        bench.room()
    report = Report(f"{ID}:first:1", TaskState.ENDED, 0, ended=NOON + timedelta(minutes=1))
    bench.take(Reported(report))
    bench.answer_all()
    bench.room()
    names = ["first:2"] if is_found else ["second:1"]
    assert [one for one in bench.launched() if one != "first:1"] == names


def test_a_step_whose_inputs_a_worker_cannot_work_out_is_named() -> None:
    text = WIDE.replace("$(inputs.word != 'no'.concat())", "$(inputs.nothing.at.all.concat())")
    bench = Bench(process(text), {"words": ["a"]})
    events = bench.begin()
    for _ in range(4):
        events += bench.answer_all() + bench.room()
    (ended,) = [one for one in events if isinstance(one, StepFinished)]
    assert (ended.name, ended.key) == ("say", "say[0]")


# Inputs of a step that make no sense

WRONG = """
cwlVersion: v1.2
class: Workflow
id: wrong
requirements: [{class: ScatterFeatureRequirement}, {class: InlineJavascriptRequirement}]
inputs: {word: string}
outputs: {}
steps:
  bad: {run: &say {class: CommandLineTool, id: say, baseCommand: say,
    inputs: {word: Any}, outputs: {out: {type: Any, outputBinding: {outputEval: $(inputs.word)}}}},
    scatter: word, in: {word: word}, out: [out]}
  good: {run: *say, in: {word: word}, out: [out]}
  after: {run: *say, in: {word: good/out}, out: [out]}
"""
SLOW_AND_WRONG = WRONG.replace("id: wrong", "id: slow").replace(
    "in: {word: word}, out: [out]}", "in: {word: word}, out: [out], when: $(1 / 1 == 1)}"
)


@pytest.mark.parametrize("text", [WRONG, SLOW_AND_WRONG])
def test_what_comes_after_a_step_whose_inputs_make_no_sense_is_started(text: str) -> None:
    bench = Bench(process(text), {"word": "a"}, keep_going=True)
    bench.begin()
    bench.answer_all()
    assert bench.run.pull(), "whoever has room for a step is not told that there is none"
    assert bench.run.placed == "local"
    assert told(bench.turn()) == ["step-finished bad failed"]
    bench.go_on()
    assert bench.launched() == ["good:1"]


@pytest.mark.parametrize("text", [WRONG, SLOW_AND_WRONG])
def test_an_engine_that_takes_over_tells_of_such_a_step_no_second_time(text: str) -> None:
    bench = Bench(process(text), {"word": "a"}, keep_going=True)
    bench.begin()
    bench.go_on()
    assert resumed(bench) == ["taken-over"]
    bench.go_on()
    (effect,) = bench.given(Reattach)
    assert [task.key for task in effect.tasks] == [f"{ID}:good:1"], "it is found all the same"
    bench.ended("good:1")
    bench.go_on()
    assert bench.launched() == ["after:1"]
    bench.ended("after:1")
    bench.go_on()
    (last,) = [one for one in bench.history if isinstance(one, Failed)]
    assert last.problem["detail"].startswith("step bad: scatter over word")
    ends = [one for one in bench.history if isinstance(one, StepFinished)]
    assert told(ends) == [
        "step-finished bad failed",
        "step-finished good successful",
        "step-finished after successful",
    ]


def test_such_a_step_stops_the_others_of_a_job_that_does_not_go_on() -> None:
    bench = Bench(process(WRONG), {"word": "a"})
    bench.begin()
    assert told(bench.room()) == ["step-finished bad failed", "failed"]


def test_nothing_is_started_once_going_on_with_an_earlier_step_has_failed() -> None:
    """Nor is a step that an earlier engine had launched begun a second time."""
    text = WIDE.replace("baseCommand: say,", "baseCommand: say, arguments: [$(4 / 2)],")
    bench = Bench(process(text), {"words": ["a", "b"]}, evaluator=run_script)
    bench.begin()
    bench.go_on()
    assert bench.launched() == ["say:1", "say_2:1"]

    def broken(source: str, arguments: tuple[str, str, str], time_limit: float) -> str:
        raise StepError("it works no more")

    bench.resume()
    bench.begin()
    bench.evaluator = broken
    events = bench.answer_all()
    assert told(events) == ["step-finished say failed"]
    assert bench.launched() == []
    assert sorted(task.key for one in bench.given(Reattach) for task in one.tasks) == [
        f"{ID}:say:1",
        f"{ID}:say_2:1",
    ]


def test_a_task_whose_step_has_failed_already_fails_nothing_more() -> None:
    bench = Bench(process(tool(requirements=JS, arguments="[$(4 / 2)]")), {}, keep_going=True)
    bench.begin()
    bench.room()
    bench.answer_all()
    resumed(bench)
    (effect,) = bench.given(Prepare)
    bench.take(Done(effect, error=StagingError("gone", uri="a")))
    bench.report("say:1", TaskState.RUNNING)
    bench.ended("say:1")
    assert told(bench.room()) == ["failed"]
    (last,) = [one for one in bench.history if isinstance(one, Failed)]
    assert last.problem["detail"] == "step say: gone"
    assert bench.given(Release) == [Release(f"{ID}:say:1")]


# What happens here and now


def test_an_expression_for_which_the_loop_has_time_is_no_work_for_others() -> None:
    bench = Bench(process(NOTHING), {}, evaluator=run_script)
    bench.begin()
    assert told(bench.room()) == ["step-finished nothing successful", "succeeded"]
    assert bench.effects == [Close(keep=False)]


def test_what_goes_wrong_in_the_loop_fails_the_step() -> None:
    def broken(source: str, arguments: tuple[str, str, str], time_limit: float) -> str:
        raise StepError("no such thing")

    for text in (tool(requirements=JS, arguments="[$(4 / 2)]"), NOTHING):
        bench = Bench(process(text), {}, evaluator=broken)
        bench.begin()
        step, last = bench.room()
        assert isinstance(step, StepFinished)
        assert isinstance(last, Failed)
        assert (step.status, step.said) == ("failed", f"step {step.name}: no such thing")
        assert last.problem == step.problem


def test_outputs_that_cannot_be_collected_in_the_loop_fail_the_step_and_name_its_log() -> None:
    bench = Bench(process(tool().replace("outputs: {}", "outputs: {out: int}")), {})
    bench.begin()
    bench.room()
    step, last = bench.ended("say:1")
    assert isinstance(step, StepFinished)
    assert isinstance(last, Failed)
    assert step.problem == last.problem
    assert last.problem["log"] == "/job/logs/node_say.log"
    assert bench.given(Release) == [Release(f"{ID}:say:1")]


# What else is remembered


def test_a_dismissed_job_is_dismissed_whatever_breaks_then() -> None:
    bench = two()
    bench.room()
    bench.take(DismissalAsked())
    assert bench.take(Broken(JobFailed("a bug", job_id=ID))) == []
    assert told(bench.report("first:1", TaskState.CANCELLED))[-1] == "dismissed"


def test_an_engine_that_takes_over_a_task_knows_how_often_its_step_had_failed() -> None:
    bench = flaky(attempts=2)
    bench.ended("first:1", 1)
    bench.later()
    bench.resume()
    bench.begin()
    bench.room()
    assert told(bench.ended("first:2", 1)) == ["step-finished first failed", "failed"]


def test_a_step_that_is_tried_again_takes_room_at_its_own_executor() -> None:
    rule = {"steps": "bad", "attempts": 2, "delay": 10, "backoff": 1, "on": ["failed"]}
    bench = fork(executor="local;bad=cluster", retries=(rule,))
    bench.ended("bad:1", 1)
    bench.ended("wide:1")
    bench.ended("wide_2:1")
    bench.room()
    assert bench.run.placed == "local"
    assert bench.run.due is not None
    bench.take(Later(bench.run.due))
    assert not bench.run.pull(frozenset({"cluster"}))
    assert bench.run.pull()
    assert bench.run.placed == "cluster"


def test_a_container_of_an_earlier_engine_is_sought_where_it_was_run() -> None:
    bench = two()
    bench.room()
    submitted = bench.history[-1]
    assert isinstance(submitted, StepSubmitted)
    bench.history[-1] = replace(submitted, image="debian", containers="podman")
    resumed(bench, dismissed=True)
    (effect,) = bench.given(Reattach)
    box = effect.tasks[0].container
    assert box is not None
    assert (box.image, box.runtime) == ("debian", "podman")


GIVING = tool().replace("outputs: {}", "outputs: {out: string}")


def test_what_is_reused_is_told_with_all_that_is_known_of_it() -> None:
    bench = Bench(process(GIVING), {}, reuse=True)
    box = Container("debian", "/out", digest="sha256:1", runtime="podman")
    found = TakenFrom({"out": "a"}, "earlier", "say_3", "m", "g", "sha256:1", box, ("gdal",))
    bench.recalled = {"say": Recalled("identity", found)}
    bench.begin()
    bench.room()
    event = bench.answer(bench.given(Recall)[0])[0]
    assert event == StepFinished(
        event.at,
        progress=97,
        name="say",
        key="say",
        log="node_say.log",
        status=StepStatus.REUSED,
        outputs={"out": "a"},
        reused_from="earlier",
        reused_step="say_3",
        given="g",
        made="m",
        ran_in="sha256:1",
        image="debian",
        digest="sha256:1",
        containers="podman",
        software=("gdal",),
    )


def test_an_expression_tells_what_it_was_made_from_and_why_it_was_not_taken_over() -> None:
    bench = Bench(process(NOTHING), {}, retry_of="earlier")
    bench.recalled = {"nothing": Recalled("", because="it failed before")}
    bench.begin()
    bench.room()
    bench.answer(bench.given(Recall)[0])
    (effect,) = bench.given(Evaluate)
    event = bench.take(Done(effect, Made({}, made="m", given="g")))[0]
    assert isinstance(event, StepFinished)
    assert (event.because, event.made, event.given) == ("it failed before", "m", "g")


def test_a_step_that_goes_on_is_remembered_as_it_was_made() -> None:
    bench = Bench(process(GIVING), {}, durable=True)
    bench.begin()
    bench.room()
    bench.ended("say:1")
    event = bench.take(Done(bench.given(Collect)[0], Made({"out": "a"}, made="m")))[0]
    assert isinstance(event, StepFinished)
    assert (event.outputs, event.made) == ({"out": "a"}, "m")


# Each fact in each phase

SLOW_FILE = """
cwlVersion: v1.2
class: Workflow
id: slow
requirements: [{class: InlineJavascriptRequirement}]
inputs: {file: File}
outputs: {same: {type: File, outputSource: file}}
steps:
  say: {run: {class: CommandLineTool, id: say, baseCommand: say, arguments: [$(4 / 2)],
    inputs: {}, outputs: {}}, in: {}, out: [], when: $(1 / 1 == 1)}
"""


def standing(phase: Phase) -> Bench:
    """Give a job in a phase, with all that can be under way in it."""
    rule = {"steps": "*", "attempts": 2, "delay": 10, "on": ["failed"]}
    bench = Bench(process(SLOW_FILE), {"file": FILE}, time_limit=1e6, retries=(rule,))
    bench.memory.files["/in/a.txt"] = b"x"
    bench.begin()
    if phase is not Phase.STAGING_IN:
        bench.answer(bench.given(StageIn)[0])
        bench.go_on()
        assert bench.launched() == ["say:1"]
    if phase in (Phase.PUBLISHING, Phase.ENDED):
        bench.ended("say:1")
    if phase is Phase.STOPPING:
        bench.take(Broken(JobFailed("a bug", job_id=ID)))
    if phase is Phase.ENDED:
        bench.answer(bench.given(StageOut)[0])
    bench.effects.clear()
    assert bench.run.phase is phase
    return bench


def news_of(fact: Fact, bench: Bench) -> News:
    """Give a fact of a kind, as it comes to a job that has been given this much to do."""
    key = f"{ID}:say:1"
    plan = Plan(bench.process, {"file": FILE}, bench.memory)
    instance = plan.pull()
    assert isinstance(instance, Invocation)
    of: dict[Fact, News] = {
        Fact.ROOM: Room(),
        Fact.STAGED: Done(StageIn({"file": FILE}, "log"), {"file": FILE}),
        Fact.PULLED: Done(PullPlan(plan, 1), Pulled(plan, (instance,), exhausted=True)),
        Fact.ANSWER: Done(Evaluate("say_2", instance), Made({})),
        Fact.REPORT: Reported(Report(key, TaskState.ENDED, 1)),
        Fact.PROGRESS: Progressed(STAGE_IN, 1, 2),
        Fact.TOOL_PROGRESS: ToolProgressed(key, 0.5, "half"),
        Fact.PUBLISHED: Done(StageOut({"same": FILE}, {}, "log"), ({"same": FILE}, {})),
        Fact.TIME: Later(NOON + timedelta(days=100)),
        Fact.DISMISSAL: DismissalAsked(),
        Fact.FAILURE: Broken(JobFailed("a bug", job_id=ID)),
    }
    assert fact_of(of[fact]) is fact
    return of[fact]


TOO_LATE = {
    Phase.STAGING_IN: {
        *(Fact.ROOM, Fact.PULLED, Fact.ANSWER, Fact.REPORT, Fact.TOOL_PROGRESS, Fact.PUBLISHED)
    },
    Phase.RUNNING: {Fact.STAGED, Fact.PROGRESS, Fact.PUBLISHED},
    Phase.PUBLISHING: {
        *(Fact.ROOM, Fact.STAGED, Fact.PULLED, Fact.ANSWER, Fact.REPORT, Fact.TOOL_PROGRESS)
    },
    Phase.STOPPING: {
        *(Fact.ROOM, Fact.PULLED, Fact.PROGRESS, Fact.TOOL_PROGRESS, Fact.TIME, Fact.FAILURE)
    },
    Phase.ENDED: set(Fact),
}


@pytest.mark.parametrize("phase", Phase)
def test_what_comes_too_late_changes_nothing(phase: Phase) -> None:
    assert ACTS[phase].keys() == set(Fact) - TOO_LATE[phase]
    for fact in sorted(TOO_LATE[phase]):
        bench = standing(phase)
        news = news_of(fact, bench)
        if isinstance(news, Done):
            bench.run._effects.unanswered += 1
        events = bench.take(news)
        assert (fact, events, bench.effects, bench.run.phase) == (fact, [], [], phase)


@pytest.mark.parametrize("phase", [Phase.STAGING_IN, Phase.RUNNING, Phase.PUBLISHING])
@pytest.mark.parametrize("fact", [Fact.TIME, Fact.FAILURE, Fact.DISMISSAL])
def test_a_job_is_stopped_wherever_it_stands(phase: Phase, fact: Fact) -> None:
    bench = standing(phase)
    bench.take(news_of(fact, bench))
    assert bench.run.phase is Phase.STOPPING
    assert len(bench.given(Stop)) == 1


def test_a_task_that_has_been_worked_out_leaves_nothing() -> None:
    bench = two()
    first = Plan(bench.process, {"word": "hello"}, bench.memory).pull()
    assert isinstance(first, Invocation)

    def work_out(times: int) -> None:
        for _ in range(times):
            bench.tasks.prepare(Prepare("first", first, 1, "/tmp"), bench.memory)

    work_out(10)
    tracemalloc.start()
    work_out(1_000)
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert held < 50_000
